// Where the visitor writes: text, and a tray of pictures that were picked, pasted or dropped.

import { prepared } from "./pictures.js";
import { element } from "./transcript.js";

const MAX_PICTURES = 6;
const TYPING_EVERY_MS = 3000;
const TYPING_ENDS_MS = 5000;

export class Composer {
  constructor({ maxImageBytes, draftKey, onSend, onTyping }) {
    this.maxImageBytes = maxImageBytes;
    this.draftKey = draftKey;
    this.onSend = onSend;
    this.onTyping = onTyping;
    this.form = document.querySelector("#composer");
    this.text = document.querySelector("#text");
    this.tray = document.querySelector("#tray");
    this.notice = document.querySelector("#notice");
    this.files = [];
    this.typedAt = 0;
    this.typingTimer = 0;
    this.listen();
    this.text.value = recall(draftKey);
    this.changed();
  }

  listen() {
    const input = document.querySelector("#files");
    document.querySelector("#attach").onclick = () => input.click();
    input.onchange = async () => {
      await this.add([...input.files]);
      input.value = "";
    };
    this.form.onsubmit = (event) => {
      event.preventDefault();
      this.submit();
    };
    this.text.onkeydown = (event) => {
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
        event.preventDefault();
        this.submit();
      }
    };
    this.text.oninput = () => {
      this.changed();
      this.typing();
    };
    addEventListener("paste", (event) => {
      const pasted = [...(event.clipboardData?.files ?? [])];
      if (!pasted.length) return;
      event.preventDefault();
      this.add(pasted);
    });
    this.takeDrops(document.querySelector("#drop"));
  }

  takeDrops(veil) {
    let depth = 0;
    const holdsFiles = (event) => event.dataTransfer?.types.includes("Files");
    addEventListener("dragenter", (event) => {
      if (holdsFiles(event)) veil.hidden = ++depth === 0;
    });
    addEventListener("dragleave", (event) => {
      if (holdsFiles(event)) veil.hidden = --depth <= 0;
    });
    addEventListener("dragover", (event) => holdsFiles(event) && event.preventDefault());
    addEventListener("drop", (event) => {
      depth = 0;
      veil.hidden = true;
      if (!holdsFiles(event)) return;
      event.preventDefault();
      this.add([...event.dataTransfer.files]);
    });
  }

  async add(files) {
    this.say("");
    for (const file of files) {
      if (this.files.length >= MAX_PICTURES) {
        this.say(`At most ${MAX_PICTURES} pictures in one message.`);
        break;
      }
      const blob = await prepared(file, this.maxImageBytes);
      if (blob) {
        this.files.push({ blob, preview: URL.createObjectURL(blob) });
      } else {
        this.say("Only pictures can be sent here: PNG, JPEG, WebP or GIF.");
      }
    }
    this.showTray();
    this.text.focus();
  }

  remove(file) {
    URL.revokeObjectURL(file.preview);
    this.files = this.files.filter((each) => each !== file);
    this.showTray();
    this.text.focus();
  }

  submit() {
    const text = this.text.value.trim();
    if (!text && !this.files.length) return;
    const files = this.files;
    this.files = [];
    this.text.value = "";
    this.say("");
    this.showTray();
    this.stopTyping();
    this.onSend(text, files);
    this.text.focus();
  }

  changed() {
    remember(this.draftKey, this.text.value);
    document.querySelector("#send").disabled = !this.text.value.trim() && !this.files.length;
    this.text.style.height = "auto";
    this.text.style.height = `${this.text.scrollHeight}px`;
  }

  showTray() {
    this.tray.hidden = !this.files.length;
    this.tray.replaceChildren(...this.files.map((file) => this.thumbnail(file)));
    this.changed();
  }

  thumbnail(file) {
    const item = element("li", "thumbnail");
    const image = document.createElement("img");
    image.src = file.preview;
    image.alt = file.blob.name ?? "Picture";
    const remove = element("button", "remove", "×");
    remove.type = "button";
    remove.setAttribute("aria-label", "Remove picture");
    remove.onclick = () => this.remove(file);
    item.append(image, remove);
    return item;
  }

  typing() {
    if (!this.text.value.trim()) {
      this.stopTyping();
      return;
    }
    clearTimeout(this.typingTimer);
    this.typingTimer = setTimeout(() => this.stopTyping(), TYPING_ENDS_MS);
    if (Date.now() - this.typedAt > TYPING_EVERY_MS) {
      this.typedAt = Date.now();
      this.onTyping(true);
    }
  }

  stopTyping() {
    clearTimeout(this.typingTimer);
    if (this.typedAt) this.onTyping(false);
    this.typedAt = 0;
  }

  say(notice) {
    this.notice.textContent = notice;
    this.notice.hidden = !notice;
  }
}

function recall(key) {
  try {
    return sessionStorage.getItem(key) ?? "";
  } catch {
    return "";
  }
}

function remember(key, value) {
  try {
    sessionStorage.setItem(key, value);
  } catch {
    // storage is off or full: a reload forgets the draft
  }
}
