// One WebSocket that comes back: after 1, 2, 4 … 30 seconds, or at once when the network or the
// visitor returns.

const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 30000;

export class Connection {
  constructor(address, { onFrame, onState }) {
    this.address = address;
    this.onFrame = onFrame;
    this.onState = onState;
    this.pause = FIRST_PAUSE_MS;
    this.timer = 0;
    this.ready = false;
    this.reason = "";
    addEventListener("online", () => this.hurry());
    addEventListener("pageshow", (event) => event.persisted && this.restart());
    document.addEventListener("visibilitychange", () => document.hidden || this.hurry());
  }

  open() {
    clearTimeout(this.timer);
    this.timer = 0;
    this.onState("connecting", this.reason);
    const socket = new WebSocket(this.address);
    this.socket = socket;
    socket.onmessage = (event) => socket === this.socket && this.take(event.data);
    socket.onclose = () => socket === this.socket && this.lost();
  }

  take(data) {
    const frame = JSON.parse(data);
    if (frame.type === "closed") {
      this.reason = "Closed at the moment";
      return;
    }
    if (frame.type === "hello") {
      this.ready = true;
      this.reason = "";
      this.pause = FIRST_PAUSE_MS;
      this.onState("open", "");
    }
    this.onFrame(frame);
  }

  send(frame) {
    if (!this.ready || this.socket.readyState !== WebSocket.OPEN) return false;
    this.socket.send(JSON.stringify(frame));
    return true;
  }

  restart() {
    const old = this.socket;
    this.socket = undefined;
    old?.close();
    this.lost();
    this.hurry();
  }

  lost() {
    this.ready = false;
    this.onState(this.reason ? "closed" : "lost", this.reason);
    const wait = this.pause * (0.6 + Math.random() * 0.8);
    this.pause = Math.min(this.pause * 2, LONGEST_PAUSE_MS);
    this.timer = setTimeout(() => this.open(), wait);
  }

  hurry() {
    if (this.timer) {
      this.pause = FIRST_PAUSE_MS;
      this.open();
    }
  }
}
