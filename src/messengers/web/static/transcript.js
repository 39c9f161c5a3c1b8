// The conversation as a list of bubbles. Every message stands in it once, by its id.

import { safeFragment } from "./markup.js";

const GROUP_MS = 5 * 60 * 1000;
const NEAR_END_PX = 120;

const time = new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit" });
const day = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });
const fullDay = new Intl.DateTimeFormat(undefined, { dateStyle: "long" });

export class Transcript {
  constructor({ chat, title, log, list, onPicture, onRetry, onDiscard }) {
    this.chat = chat;
    this.title = title;
    this.log = log;
    this.list = list;
    this.onPicture = onPicture;
    this.onRetry = onRetry;
    this.onDiscard = onDiscard;
    this.byId = new Map();
    this.pending = new Map();
    this.seenId = "";
    this.followEnd();
  }

  get isEmpty() {
    return !this.byId.size && !this.pending.size;
  }

  // The end stays in view while its visitor has not scrolled away from it, whatever grows: the
  // list by a message, a picture by its bytes, the keyboard.
  followEnd() {
    this.isAtEnd = true;
    let top = 0;
    this.log.addEventListener(
      "scroll",
      () => {
        const left = this.log.scrollHeight - this.log.scrollTop - this.log.clientHeight;
        if (left < NEAR_END_PX) this.isAtEnd = true;
        else if (this.log.scrollTop < top) this.isAtEnd = false;
        top = this.log.scrollTop;
      },
      { passive: true },
    );
    const grown = new ResizeObserver(() => this.isAtEnd && this.toEnd());
    for (const part of this.log.children) grown.observe(part);
    grown.observe(this.log);
  }

  toEnd(behavior = "auto") {
    this.isAtEnd = true;
    this.log.scrollTo({ top: this.log.scrollHeight, behavior });
  }

  // Whether a message is new here.
  put(message) {
    const known = this.byId.get(message.id);
    if (known) {
      this.update(known, message);
      return false;
    }
    const waiting = message.mine && this.pending.get(message.id.slice(1));
    if (waiting) {
      this.settle(waiting, message);
      return false;
    }
    const firstPending = this.list.querySelector(":scope > .pending");
    this.list.insertBefore(this.add(message), firstPending);
    this.tidy();
    return true;
  }

  prepend(messages) {
    const before = this.log.scrollHeight;
    const first = this.list.firstChild;
    for (const message of messages) {
      if (!this.byId.has(message.id)) this.list.insertBefore(this.add(message), first);
    }
    this.tidy();
    this.log.scrollTop += this.log.scrollHeight - before;
  }

  // After a long absence nothing known is left in what the server shows: start over.
  reset() {
    for (const item of this.byId.values()) item.remove();
    this.byId.clear();
  }

  addPending(message) {
    const item = this.bubble({
      id: `v${message.client_id}`, mine: true, at: message.at, text: message.text, media: [],
    });
    const pictures = item.querySelector(".pictures");
    for (const file of message.files) {
      const frame = picture("", file);
      if (file.preview) frame.querySelector("img").src = file.preview;
      pictures.append(frame);
      pictures.hidden = false;
    }
    item.classList.add("pending");
    item.querySelector(".mark").textContent = "Sending…";
    this.pending.set(message.client_id, item);
    this.list.append(item);
    this.tidy();
  }

  settle(item, message) {
    const clientId = item.dataset.id.slice(1);
    this.pending.delete(clientId);
    item.classList.remove("pending", "failed");
    item.querySelector(".failure")?.remove();
    this.byId.set(item.dataset.id, item);
    if (message) this.update(item, message);
    this.tidy();
  }

  // Confirmed, and its echo has not come: what the page shows already is what was sent.
  confirm(clientId) {
    const item = this.pending.get(clientId);
    if (item) this.settle(item);
  }

  fail(clientId, reason) {
    const item = this.pending.get(clientId);
    if (!item) return;
    item.classList.add("failed");
    item.querySelector(".mark").textContent = "Not sent";
    item.querySelector(".failure")?.remove();
    const failure = element("div", "failure", reason + " ");
    const again = element("button", "link", "Try again");
    const discard = element("button", "link", "Discard");
    again.type = discard.type = "button";
    again.onclick = () => {
      item.classList.remove("failed");
      failure.remove();
      item.querySelector(".mark").textContent = "Sending…";
      this.onRetry(clientId);
    };
    discard.onclick = () => {
      this.pending.delete(clientId);
      item.remove();
      this.tidy();
      this.onDiscard(clientId);
    };
    failure.append(again, discard);
    item.querySelector(".body").append(failure);
  }

  edited(id, html) {
    const item = this.byId.get(id);
    if (item) this.update(item, { html, status: "edited" });
  }

  deleted(id) {
    const item = this.byId.get(id);
    if (item) this.update(item, { status: "deleted" });
  }

  reacted(id, emoji) {
    const item = this.byId.get(id);
    if (item) this.update(item, { reactions: emoji ? [emoji] : [] });
  }

  // Our side read everything up to a message, whoever wrote that.
  seen(id) {
    if (!this.byId.has(id)) return;
    this.seenId = id;
    this.marks();
  }

  add(message) {
    const item = this.bubble(message);
    this.byId.set(message.id, item);
    this.update(item, message);
    return item;
  }

  bubble(message) {
    const item = element("li", message.mine ? "message mine" : "message theirs");
    item.dataset.id = message.id;
    item.dataset.at = Date.parse(message.at) || Date.now();
    const body = element("div", "body");
    const bubble = element("div", "bubble");
    bubble.dir = "auto";
    const quote = element("button", "quote");
    quote.type = "button";
    quote.hidden = true;
    const pictures = element("div", "pictures");
    pictures.hidden = true;
    const text = element("div", "text", message.text ?? "");
    const reactions = element("div", "reactions");
    reactions.hidden = true;
    const foot = element("div", "foot");
    const when = element("time", "", time.format(Number(item.dataset.at)));
    foot.append(when, element("span", "changed"), element("span", "mark"));
    bubble.append(quote, pictures, text);
    body.append(bubble, reactions, foot);
    item.append(element("span", "unseen", message.mine ? "You:" : "Answer:"), body);
    return item;
  }

  update(item, message) {
    if (message.at) this.date(item, message.at);
    if (message.status === "deleted") {
      this.bury(item);
      return;
    }
    if (item.classList.contains("deleted")) return;
    if (message.html !== undefined) {
      item.querySelector(".text").replaceChildren(safeFragment(message.html));
      item.classList.add("rich");
    }
    if (message.status === "edited") item.querySelector(".changed").textContent = "edited";
    if (message.media?.length) this.show(item, message.media);
    if (message.reactions) this.react(item, message.reactions);
    if (message.reply_to) this.quote(item, message.reply_to);
    item.classList.toggle("bare", !item.querySelector(".text").textContent.trim());
  }

  date(item, at) {
    item.dataset.at = Date.parse(at);
    const when = item.querySelector("time");
    when.dateTime = at;
    when.textContent = time.format(Number(item.dataset.at));
    when.title = new Date(at).toLocaleString();
  }

  bury(item) {
    item.classList.add("deleted");
    item.classList.remove("bare");
    item.querySelector(".pictures").replaceChildren();
    for (const part of [".pictures", ".reactions", ".quote"]) item.querySelector(part).hidden = true;
    item.querySelector(".changed").textContent = "";
    item.querySelector(".text").replaceChildren("This message was deleted");
  }

  show(item, media) {
    const pictures = item.querySelector(".pictures");
    const frames = media.map((file) => {
      const frame = picture(`/chat/${this.chat}/media/${file.id}`, file);
      frame.onclick = () => this.onPicture(frame.querySelector("img"));
      return frame;
    });
    if (!frames.length) return;
    pictures.replaceChildren(...frames);
    pictures.hidden = false;
  }

  react(item, emojis) {
    const row = item.querySelector(".reactions");
    row.replaceChildren(...emojis.map((emoji) => element("span", "chip", emoji)));
    row.hidden = !emojis.length;
  }

  quote(item, id) {
    const quoted = this.byId.get(id) ?? this.pending.get(id.slice(1));
    const quote = item.querySelector(".quote");
    if (!quoted || quoted.classList.contains("deleted")) return;
    const said = quoted.querySelector(".text").textContent.trim().slice(0, 160);
    quote.replaceChildren(
      element("b", "", quoted.classList.contains("mine") ? "You" : this.title),
      element("span", "", said || "Picture"),
    );
    quote.hidden = false;
    quote.onclick = () => {
      quoted.scrollIntoView({ block: "center", behavior: "smooth" });
      quoted.classList.remove("flash");
      requestAnimationFrame(() => quoted.classList.add("flash"));
    };
  }

  // Days, groups of bubbles, and the one mark below the newest message of each kind.
  tidy() {
    for (const line of this.list.querySelectorAll(":scope > .day")) line.remove();
    let before = null;
    for (const item of this.list.querySelectorAll(":scope > .message")) {
      const at = new Date(Number(item.dataset.at));
      const last = before && new Date(Number(before.dataset.at));
      const newDay = !last || at.toDateString() !== last.toDateString();
      if (newDay) this.list.insertBefore(element("li", "day", dayName(at)), item);
      const sameSide = before?.classList.contains("mine") === item.classList.contains("mine");
      const follows = !newDay && sameSide && at - last < GROUP_MS;
      item.classList.toggle("follows", follows);
      before?.classList.toggle("continued", follows);
      before = item;
    }
    before?.classList.remove("continued");
    this.marks();
  }

  marks() {
    const items = [...this.list.querySelectorAll(":scope > .message:not(.pending)")];
    const seenAt = items.findIndex((item) => item.dataset.id === this.seenId);
    for (const [index, item] of items.entries()) {
      if (!item.classList.contains("mine")) continue;
      const seen = index <= seenAt;
      const mark = item.querySelector(".mark");
      mark.textContent = seen ? "✓✓" : "✓";
      mark.title = seen ? "Seen" : "Sent";
      mark.setAttribute("aria-label", mark.title);
      mark.classList.toggle("seen", seen);
    }
  }
}

function dayName(at) {
  const days = Math.round((new Date().setHours(0, 0, 0, 0) - new Date(at).setHours(0, 0, 0, 0)) / 864e5);
  if (days === 0) return "Today";
  if (days === 1) return "Yesterday";
  return Math.abs(days) < 300 ? day.format(at) : fullDay.format(at);
}

function picture(source, file) {
  const frame = element("button", "picture");
  frame.type = "button";
  frame.setAttribute("aria-label", "Open picture");
  const image = document.createElement("img");
  image.alt = "Picture";
  image.decoding = "async";
  if (file.width && file.height) {
    image.width = file.width;
    image.height = file.height;
  }
  if (source) image.src = source;
  frame.append(image);
  return frame;
}

export function element(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}
