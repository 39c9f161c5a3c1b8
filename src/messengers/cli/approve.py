"""`messengers approve`: the owner's own answer to what agents want to do.

It needs a terminal with a person at it, and shows all of what would leave: an agent's shell has
pipes, so an agent cannot nod its own message through.
"""

from datetime import datetime
from typing import Annotated

import typer
from pydantic import TypeAdapter

from messengers.cli.control import ask, segment
from messengers.cli.terminal import Home, local_time, one_line, require_person, say
from messengers.core.acts import ONCE_ONLY, Answer, Approval, BatchAnswer
from messengers.errors import MessengersError
from messengers.models import Outcome, SentMessage

__all__ = ["approve"]

_ONE, _ALL = TypeAdapter(Approval), TypeAdapter(list[Approval])
_DONE: TypeAdapter[Answer] = TypeAdapter(Answer)
_CHOICES = {"o": "once", "a": "always", "n": "never", "r": "reject", "s": ""}
_WORDS = {
    "o": "once: this one only",
    "a": "always: and never ask again for this chat",
    "n": "never: and refuse whatever agents write to this chat",
    "r": "reject: not this one",
    "s": "skip: decide later",
}
_OUTCOMES = {
    Outcome.ACCEPTED: "Sent.",
    Outcome.QUEUED: "Approved; it is being sent.",
    Outcome.NOT_SENT: "Not sent.",
    Outcome.FAILED: "It was refused and not sent.",
    Outcome.UNKNOWN: "UNCERTAIN: it may have been sent. Look into the chat before repeating.",
    Outcome.NEEDS_APPROVAL: "It still waits.",
}

_CHANGES = {
    Outcome.ACCEPTED: "Done.",
    Outcome.NOT_SENT: "Not done.",
    Outcome.FAILED: "It was refused; nothing was changed.",
}
"""Of what is no message."""


def approve(
    approval: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="One approval; else all that wait.")
    ] = None,
    home: Home = None,
) -> None:
    """Decide about what agents want to send or change. Approving sends it."""
    require_person("Approving")
    if approval:
        waiting = [ask("GET", f"/approvals/{segment(approval)}", _ONE, home=home)]
    else:
        waiting = ask("GET", "/approvals", _ALL, home=home)
    if not waiting:
        say("Nothing waits for you.")
    for number, one in enumerate(waiting, 1):
        _show(one, f"{number} of {len(waiting)}" if len(waiting) > 1 else "")
        _decide(one, home)


def _show(approval: Approval, count: str) -> None:
    """Everything, nothing shortened: what is agreed to is what was read."""
    shown = approval.shown
    head = " · ".join(part for part in (count, approval.id, approval.instance) if part)
    say("", "─" * 60, head, one_line(shown.title))
    facts = {
        "To": " ".join(part for part in (shown.recipient, approval.chat) if part),
        "Why": shown.why,
        "Asked by": approval.requested_by,
        "Until": local_time(datetime.fromisoformat(approval.expires_at)),
    }
    say(*(f"  {name + ':':<10}{one_line(value)}" for name, value in facts.items() if value))
    for attachment in shown.attachments:
        say(f"  File:     {one_line(attachment)}")
    if shown.text:
        say("", *(f"  │ {line}" for line in shown.text.split("\n")), "")


def _decide(approval: Approval, home: Home) -> None:
    if approval.state != "waiting":
        say(f"It is {approval.state}; there is nothing to decide.")
        return
    stands = approval.chat and approval.action not in ONCE_ONLY
    offered = [key for key in _CHOICES if stands or key not in "an"]
    say(*(f"  [{key}] {_WORDS[key]}" for key in offered))
    answer = ""
    while answer not in offered:
        answer = str(typer.prompt("Your answer", prompt_suffix=": ")).strip().lower()[:1]
    if not _CHOICES[answer]:
        say("Left for later.")
        return
    path, body = f"/approvals/{segment(approval.id)}", {"decision": _CHOICES[answer]}
    try:
        _tell(ask("POST", path, _DONE, body, home=home))
    except MessengersError as exc:
        # One that was decided elsewhere meanwhile must not keep the others waiting.
        say(str(exc))


def _tell(done: Answer) -> None:
    if isinstance(done, SentMessage):
        outcomes = _OUTCOMES if done.message else _CHANGES
        said = (outcomes.get(done.outcome, _OUTCOMES[done.outcome]), done.link, *done.notes)
        say(" ".join(part for part in said if part))
        return
    if isinstance(done, BatchAnswer):
        said = f"It is {done.outcome}; `messengers bulk show {done.batch}` tells how it fares."
        say(said if done.outcome != "cancelled" else "Not sent.")
        return
    words = {"done": "Done.", "not_done": "Not done.", "needs_form": "It needs the form:"}
    said = (words.get(done.outcome, ""), done.reason, done.next_step, *done.notes)
    say(" ".join(part for part in said if part))
