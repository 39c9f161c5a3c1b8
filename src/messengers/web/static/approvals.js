// The approvals page: looks for news and adds it below, so that nothing moves under a finger.
// What was decided elsewhere stays where it stands, without its buttons.

const LOOK_AGAIN_MS = 3000;
const $ = (id) => document.getElementById(id);

async function look() {
  if (document.hidden) return;
  let page;
  try {
    const reply = await fetch("/approvals", { cache: "no-store" });
    if (reply.status === 401) return location.reload();
    if (!reply.ok) return;
    page = new DOMParser().parseFromString(await reply.text(), "text/html");
  } catch {
    return; // the daemon is away: the next look tells
  }
  draw([...page.querySelectorAll(".ask")]);
}

function draw(found) {
  const ids = new Set(found.map((each) => each.id));
  for (const shown of document.querySelectorAll(".ask:not(.over)")) {
    if (!ids.has(shown.id)) end(shown);
  }
  let fresh = 0;
  for (const each of found) {
    if ($(each.id)) continue;
    $("waiting").append(document.adoptNode(each));
    fresh += 1;
  }
  $("none").hidden = document.querySelector(".ask") !== null;
  document.title = document.title.replace(/^(\(\d+\) )?/, found.length ? `(${found.length}) ` : "");
  if (fresh) say(fresh === 1 ? "One more waits." : `${fresh} more wait.`);
}

function end(ask) {
  ask.classList.add("over");
  for (const button of ask.querySelectorAll("button")) button.disabled = true;
  const note = document.createElement("p");
  note.className = "outcome";
  note.textContent = "It does not wait any more: decided elsewhere, or its time is over.";
  ask.append(note);
}

function say(text) {
  $("told").className = "told";
  $("told").textContent = text;
}

// One answer is enough, however often it is pressed.
document.addEventListener("submit", (event) => {
  if (event.target.dataset.sent) event.preventDefault();
  event.target.dataset.sent = "yes";
});
setInterval(look, LOOK_AGAIN_MS);
document.addEventListener("visibilitychange", look);
