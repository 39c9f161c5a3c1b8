// What the visitor sent and nobody confirmed yet, in order. It survives lost connections and
// reloads; the server knows a message by its client id, so sending it again does no harm.

const ANSWER_MS = 10000;

export class Sending {
  constructor({ chat, connection, onSent, onFailed }) {
    this.key = `messengers:${chat}:unsent`;
    this.chat = chat;
    this.connection = connection;
    this.onSent = onSent;
    this.onFailed = onFailed;
    this.queue = this.restore();
    this.busy = false;
    this.timer = 0;
  }

  add(message) {
    this.queue.push(message);
    this.keep();
    this.flush();
  }

  drop(clientId) {
    this.queue = this.queue.filter((message) => message.client_id !== clientId);
    this.keep();
  }

  // The connection is new: whatever was under way is not.
  resume() {
    clearTimeout(this.timer);
    this.busy = false;
    this.flush();
  }

  pause() {
    clearTimeout(this.timer);
    this.busy = false;
  }

  async flush() {
    const message = this.queue.find((each) => !each.failed);
    if (this.busy || !message || !this.connection.ready) return;
    this.busy = true;
    const connection = this.connection.socket;
    try {
      await this.uploadAll(message);
    } catch (error) {
      if (connection !== this.connection.socket) return;
      this.busy = false;
      if (error.final) {
        this.fail(message, error.message);
      } else {
        this.timer = setTimeout(() => this.flush(), error.retryMs ?? 3000);
      }
      return;
    }
    if (connection !== this.connection.socket) return;
    const { client_id, text, name } = message;
    const media = message.files.map((file) => file.token);
    this.connection.send({ type: "say", client_id, text, media, name });
    this.timer = setTimeout(() => this.connection.restart(), ANSWER_MS);
  }

  async uploadAll(message) {
    for (const file of message.files) {
      if (file.token) continue;
      const answer = await upload(this.chat, file);
      file.token = answer.token;
      this.keep();
    }
  }

  confirmed(clientId) {
    const message = this.queue.find((each) => each.client_id === clientId);
    this.drop(clientId);
    if (message) this.onSent(message);
    this.next(0);
  }

  refused(frame) {
    const message = this.queue.find((each) => each.client_id === frame.client_id);
    if (message && frame.final) this.fail(message, frame.reason);
    this.next(frame.final ? 0 : Math.max(1, frame.retry_after_s ?? 3) * 1000);
  }

  next(waitMs) {
    clearTimeout(this.timer);
    this.busy = false;
    this.timer = setTimeout(() => this.flush(), waitMs);
  }

  fail(message, reason) {
    message.failed = reason;
    this.keep();
    this.onFailed(message, reason);
    this.next(0);
  }

  retry(clientId) {
    const message = this.queue.find((each) => each.client_id === clientId);
    if (!message) return;
    delete message.failed;
    this.keep();
    this.flush();
  }

  keep() {
    const kept = this.queue.filter((message) => message.files.every((file) => file.token));
    const plain = kept.map(({ client_id, text, name, at, files, failed }) => ({
      client_id, text, name, at, failed,
      files: files.map(({ token, width, height }) => ({ token, width, height })),
    }));
    try {
      sessionStorage.setItem(this.key, JSON.stringify(plain));
    } catch {
      // storage is off or full: a reload forgets what was not sent
    }
  }

  restore() {
    try {
      return JSON.parse(sessionStorage.getItem(this.key) ?? "[]");
    } catch {
      return [];
    }
  }
}

async function upload(chat, file) {
  let answer;
  try {
    answer = await fetch(`/chat/${chat}/images`, {
      method: "POST",
      body: file.blob,
      headers: {
        "Content-Type": file.blob.type || "application/octet-stream",
        "X-File-Name": encodeURIComponent(file.blob.name ?? "").slice(0, 600),
      },
    });
  } catch (cause) {
    throw new UploadError("The picture could not be sent.", { cause });
  }
  if (answer.ok) return answer.json();
  const retryMs = Number(answer.headers.get("Retry-After") ?? 0) * 1000 || undefined;
  const { error } = await answer.json().catch(() => ({}));
  const passing = answer.status === 429 || answer.status >= 500;
  throw new UploadError(error?.cause ?? "The picture was not taken.", { final: !passing, retryMs });
}

class UploadError extends Error {
  constructor(message, { cause, final = false, retryMs } = {}) {
    super(message, { cause });
    this.final = final;
    this.retryMs = retryMs;
  }
}
