// The chat page: wires the connection, the transcript, the composer and what is still to be sent.

import { Composer } from "./composer.js";
import { Connection } from "./connection.js";
import { Sending } from "./sending.js";
import { Transcript } from "./transcript.js";

const TYPING_FADES_MS = 8000;
const RECEIPT_PAUSE_MS = 250;
const RECEIPTS_AT_ONCE = 100;

const { chat, accent, maxImage } = document.body.dataset;
const title = document.title;
const at = (id) => document.querySelector(`#${id}`);

let cursor = "";
let loadingOlder = false;
let unread = 0;
let greeted = false;
const unreadIds = new Set();
const receipts = { delivered: new Set(), read: new Set() };
let receiptTimer = 0;
let typingTimer = 0;

paint(accent);

const transcript = new Transcript({
  chat,
  title,
  log: at("log"),
  list: at("messages"),
  onPicture: enlarge,
  onRetry: (clientId) => sending.retry(clientId),
  onDiscard: (clientId) => sending.drop(clientId),
});
const socketAddress = new URL(`/chat/${chat}/ws`, location.href);
socketAddress.protocol = location.protocol === "https:" ? "wss:" : "ws:";
const connection = new Connection(socketAddress, { onFrame: take, onState: showState });
const sending = new Sending({
  chat,
  connection,
  onSent: (message) => transcript.confirm(message.client_id),
  onFailed: (message, reason) => transcript.fail(message.client_id, reason),
});
const composer = new Composer({
  maxImageBytes: Number(maxImage),
  draftKey: `messengers:${chat}:draft`,
  onSend: send,
  onTyping: (active) => connection.send({ type: "typing", active }),
});

for (const message of sending.queue) {
  transcript.addPending(message);
  if (message.failed) transcript.fail(message.client_id, message.failed);
}
showName();
connection.open();

function send(text, files) {
  const client_id = [...crypto.getRandomValues(new Uint8Array(16))]
    .map((byte) => byte.toString(16).padStart(2, "0"))
    .join("");
  const message = { client_id, text, files, name: myName(), at: new Date().toISOString() };
  transcript.addPending(message);
  sending.add(message);
  showWelcome();
  transcript.toEnd();
}

function take(frame) {
  switch (frame.type) {
    case "hello":
      hello(frame);
      break;
    case "history":
      loadingOlder = false;
      cursor = frame.cursor;
      transcript.prepend(frame.messages);
      at("older").hidden = true;
      break;
    case "message":
      arrived(frame);
      break;
    case "edited":
      transcript.edited(frame.id, frame.html);
      break;
    case "deleted":
      transcript.deleted(frame.id);
      break;
    case "reaction":
      transcript.reacted(frame.id, frame.emoji);
      break;
    case "seen":
      transcript.seen(frame.id);
      break;
    case "typing":
      showTyping(frame.active);
      break;
    case "ack":
      sending.confirmed(frame.client_id);
      break;
    case "refused":
      if (frame.of === "say") sending.refused(frame);
      if (frame.of === "older") loadingOlder = false;
      break;
  }
}

function hello(frame) {
  const isFirst = !greeted;
  const atEnd = isFirst || transcript.isAtEnd;
  const overlaps = frame.messages.some((message) => transcript.byId.has(message.id));
  if (isFirst || !overlaps) {
    transcript.reset();
    cursor = frame.cursor;
  }
  greeted = true;
  const fresh = frame.messages.filter((message) => transcript.put(message) && !message.mine);
  for (const message of fresh) receive(message, isFirst);
  if (frame.seen) transcript.seen(frame.seen);
  showWelcome();
  if (atEnd) transcript.toEnd();
  sending.resume();
}

function arrived(message) {
  const atEnd = transcript.isAtEnd;
  if (!transcript.put(message)) return;
  showWelcome();
  if (!message.mine) {
    showTyping(false);
    receive(message, false);
  }
  if (atEnd || message.mine) transcript.toEnd();
  else if (!message.mine) at("newest").hidden = false;
}

// Tells our side that a message got here, and that it was looked at once it was.
function receive(message, isOld) {
  if (message.delivery === "read") return;
  if (message.delivery !== "delivered") receipts.delivered.add(message.id);
  unreadIds.add(message.id);
  if (!isOld) unread += document.hidden || !document.hasFocus() ? 1 : 0;
  look();
}

function look() {
  if (!document.hidden && document.hasFocus()) {
    for (const id of unreadIds) {
      receipts.delivered.delete(id);
      receipts.read.add(id);
    }
    unreadIds.clear();
    unread = 0;
  }
  document.title = unread ? `(${unread}) ${title}` : title;
  clearTimeout(receiptTimer);
  receiptTimer = setTimeout(tell, RECEIPT_PAUSE_MS);
}

function tell() {
  for (const [state, waiting] of Object.entries(receipts)) {
    const ids = [...waiting].slice(0, RECEIPTS_AT_ONCE);
    if (!ids.length || !connection.send({ type: "shown", ids, state })) continue;
    for (const id of ids) waiting.delete(id);
    if (waiting.size) receiptTimer = setTimeout(tell, RECEIPT_PAUSE_MS);
  }
}

function showState(state, reason) {
  const words = { connecting: "Connecting…", open: "Online", lost: "Reconnecting…", closed: reason };
  const shown = state === "connecting" && reason ? reason : words[state];
  document.body.dataset.state = state;
  at("state").textContent = shown;
  if (state !== "open") {
    showTyping(false);
    loadingOlder = false;
    if (state === "lost" || state === "closed") sending.pause();
  } else if (receipts.read.size + receipts.delivered.size) {
    receiptTimer = setTimeout(tell, RECEIPT_PAUSE_MS);
  }
}

function showTyping(active) {
  clearTimeout(typingTimer);
  at("typing").hidden = !active;
  if (active) typingTimer = setTimeout(() => showTyping(false), TYPING_FADES_MS);
  if (connection.ready) at("state").textContent = active ? "typing…" : "Online";
}

function showWelcome() {
  at("welcome").hidden = !greeted || !transcript.isEmpty || Boolean(cursor);
}

// Older messages come as their visitor scrolls up to them.
at("log").addEventListener(
  "scroll",
  () => {
    if (at("log").scrollTop < 300) loadOlder();
    if (transcript.isAtEnd) at("newest").hidden = true;
  },
  { passive: true },
);

function loadOlder() {
  if (!cursor || loadingOlder || !connection.send({ type: "older", cursor })) return;
  loadingOlder = true;
  at("older").hidden = false;
}

at("newest").onclick = () => {
  at("newest").hidden = true;
  transcript.toEnd("smooth");
};
addEventListener("focus", look);
document.addEventListener("visibilitychange", look);

// The visitor's name for himself stays in his browser and goes along with what he says.
function myName() {
  try {
    return localStorage.getItem(`messengers:${chat}:name`) ?? "";
  } catch {
    return "";
  }
}

function showName() {
  at("my-name").textContent = myName() || "Your name";
}

at("me").onclick = () => {
  at("name").value = myName();
  at("naming").showModal();
};
at("naming-cancel").onclick = () => at("naming").close("cancel");
at("naming").onclose = () => {
  if (at("naming").returnValue !== "save") return;
  const name = at("name").value.trim();
  at("naming").returnValue = "";
  try {
    localStorage.setItem(`messengers:${chat}:name`, name);
  } catch {
    // storage is off: the name holds for what is sent now
  }
  showName();
  if (!transcript.isEmpty) connection.send({ type: "rename", name });
  at("text").focus();
};

function enlarge(image) {
  at("lightbox-image").src = image.src;
  at("lightbox").showModal();
}
at("lightbox-close").onclick = () => at("lightbox").close();
at("lightbox").onclick = (event) => event.target.id !== "lightbox-image" && at("lightbox").close();

// Black or white text, whichever reads better on the owner's colour (WCAG relative luminance).
function paint(colour) {
  const [red, green, blue] = [1, 3, 5]
    .map((start) => Number.parseInt(colour.slice(start, start + 2), 16) / 255)
    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
  const light = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  const root = document.documentElement.style;
  root.setProperty("--accent", colour);
  root.setProperty("--on-accent", 1.05 / (light + 0.05) >= (light + 0.05) / 0.05 ? "#fff" : "#111");
}
