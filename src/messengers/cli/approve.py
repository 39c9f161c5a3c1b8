"""`messengers approve`: the owner's own answer to what agents want to do.

It needs a terminal with a person at it, and shows all of what would leave: an agent's shell has
pipes, so an agent cannot nod its own message through.
"""

from datetime import datetime
from typing import Annotated

import typer
from pydantic import BaseModel, TypeAdapter

from messengers.cli.control import ask, segment
from messengers.cli.terminal import Home, local_time, one_line, require_person, say
from messengers.core.acts import Answer, Approval
from messengers.core.outcomes import told
from messengers.core.words import counted
from messengers.errors import MessengersError

__all__ = ["approve"]


class _Opened(BaseModel):
    link: str


class _Ended(BaseModel):
    count: int


_OPENED, _ENDED = TypeAdapter(_Opened), TypeAdapter(_Ended)
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


def approve(
    approval: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="One approval; else all that wait.")
    ] = None,
    page: Annotated[
        bool, typer.Option("--page", help="Decide in a browser of this computer instead.")
    ] = False,
    logout: Annotated[
        bool, typer.Option("--logout", help="Log every browser out of that page.")
    ] = False,
    home: Home = None,
) -> None:
    """Decide about what agents want to send or change. Approving sends it."""
    if logout:
        ended = ask("DELETE", "/owner-sessions", _ENDED, home=home)
        say(f"Logged out: {counted(ended.count, 'browser')}.")
        return
    require_person("Approving")
    if page:
        opened = ask("POST", "/owner-sessions", _OPENED, home=home)
        say("Open this once, in a browser of this computer, within five minutes:", opened.link)
        return
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
        "To": shown.recipient if approval.chat else "",
        "Why": shown.why,
        "Found": shown.found,
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
    offered = [key for key, choice in _CHOICES.items() if not choice or choice in approval.choices]
    say(*(f"  [{key}] {_WORDS[key]}" for key in offered))
    answer = ""
    while answer not in offered:
        answer = str(typer.prompt("Your answer", prompt_suffix=": ")).strip().lower()[:1]
    if not _CHOICES[answer]:
        say("Left for later.")
        return
    path, body = f"/approvals/{segment(approval.id)}", {"decision": _CHOICES[answer]}
    try:
        say(told(ask("POST", path, _DONE, body, home=home)))
    except MessengersError as exc:
        # One that was decided elsewhere meanwhile must not keep the others waiting.
        say(str(exc))
