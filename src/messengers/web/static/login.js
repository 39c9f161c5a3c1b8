// The login page: asks for the step once a second and draws it. What is shown is kept nowhere.

const LOOK_AGAIN_MS = 1000;
const TROUBLE_MS = 3000;
const WORDS = {
  qr: "Scan this code with the phone.",
  code: "Type this code on the phone.",
  done: "Connected. You can close this page; your agent finds the account by itself.",
  gone: "This link holds no more. Ask for a new one.",
  away: "Messengers does not answer. Trying again…",
};

const $ = (id) => document.getElementById(id);
let phone = "";
let asking = null; // the question under way
let timer = 0;
let endsAt = null; // performance.now() at which the shown code ends

async function ask(question) {
  clearTimeout(timer);
  asking?.abort();
  const mine = new AbortController();
  asking = mine;
  try {
    const reply = await fetch(`${location.pathname}/step`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(question),
      cache: "no-store",
      signal: mine.signal,
    });
    const answer = await reply.json();
    if (mine !== asking) return;
    if (reply.ok) draw(answer);
    else if (reply.status === 401) end("gone", WORDS.gone);
    else refuse(answer.error);
  } catch {
    if (mine !== asking) return;
    say(WORDS.away);
    look(TROUBLE_MS);
  }
}

function look(after) {
  clearTimeout(timer);
  timer = setTimeout(() => ask({ phone }), after);
}

function draw(step) {
  document.body.dataset.state = step.state;
  $("scan").hidden = step.state !== "qr";
  $("type").hidden = step.state !== "code";
  if ($("by-phone")) $("by-phone").hidden = step.state !== "qr";
  if (step.state === "failed" && phone) return refuse({ cause: step.reason });
  if (step.state === "done") return end("done", WORDS.done);
  if (step.state === "failed") return end("failed", step.reason);
  $("over").hidden = true;
  $("care").hidden = false;
  if (step.state === "qr") {
    if ($("qr").src !== step.picture) $("qr").src = step.picture;
    $("scan-caption").textContent = step.caption;
  }
  if (step.state === "code") {
    $("code").textContent = step.code;
    $("spelled").textContent = [...step.code].join(" ");
    $("type-caption").textContent = step.caption;
  }
  say(WORDS[step.state] ?? (step.reason || "Waiting for the code…"));
  endsAt = step.left_s == null ? null : performance.now() + step.left_s * 1000;
  count();
  if (step.state !== "wait") settle();
  look(LOOK_AGAIN_MS);
}

function end(state, words) {
  document.body.dataset.state = state;
  clearTimeout(timer);
  timer = 0;
  endsAt = null;
  $("qr").removeAttribute("src");
  $("code").textContent = $("spelled").textContent = "";
  $("scan").hidden = $("type").hidden = true;
  $("care").hidden = true;
  $("over").hidden = state !== "failed";
  if ($("by-phone")) $("by-phone").hidden = true;
  $("again").disabled = false;
  say(words);
}

// A number that does not fit, or an account that is gone: words next to what was asked.
function refuse(error) {
  const words = [error.cause, error.remedy].filter(Boolean).join(" ");
  if (!phone) return end("failed", words);
  phone = "";
  settle();
  $("refused").textContent = words;
  $("refused").hidden = false;
  $("phone").focus();
  look(LOOK_AGAIN_MS);
}

function settle() {
  const send = document.querySelector("#by-phone [type=submit]");
  if (send) send.disabled = false;
}

function say(words) {
  if ($("told").textContent !== words) $("told").textContent = words;
}

function count() {
  const left = endsAt == null ? null : Math.max(0, Math.ceil((endsAt - performance.now()) / 1000));
  const words = left == null ? "" : left ? `Holds for ${left} s more.` : "A new one comes…";
  $("scan-left").textContent = $("type-left").textContent = words;
  $("qr").classList.toggle("stale", left === 0);
}

$("by-phone")?.addEventListener("submit", (event) => {
  event.preventDefault();
  phone = $("phone").value;
  $("refused").hidden = true;
  event.submitter.disabled = true;
  ask({ phone });
});
$("back").addEventListener("click", () => {
  phone = "";
  ask({ phone });
});
$("again").addEventListener("click", () => {
  $("again").disabled = true;
  phone = "";
  ask({ phone, again: true });
});
document.addEventListener("visibilitychange", () => document.hidden || !timer || ask({ phone }));
setInterval(count, 500);
ask({ phone });
