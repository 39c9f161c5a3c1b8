"""What became of something that the owner decided, in words for him."""

from collections.abc import Mapping

from messengers.core.acts import Answer, BatchAnswer
from messengers.models import Outcome, SentMessage

__all__ = ["told"]

_SENT: Mapping[Outcome, str] = {
    Outcome.ACCEPTED: "Sent.",
    Outcome.QUEUED: "Approved; it is being sent.",
    Outcome.NOT_SENT: "Not sent.",
    Outcome.FAILED: "It was refused and not sent.",
    Outcome.UNKNOWN: "UNCERTAIN: it may have been sent. Look into the chat before repeating.",
    Outcome.NEEDS_APPROVAL: "It still waits.",
}
_CHANGED: Mapping[Outcome, str] = {
    Outcome.ACCEPTED: "Done.",
    Outcome.NOT_SENT: "Not done.",
    Outcome.FAILED: "It was refused; nothing was changed.",
}
"""Of what is no message."""
_SET_UP = {"done": "Done.", "not_done": "Not done.", "needs_form": "It needs the form:"}


def told(done: Answer) -> str:
    """One or two sentences."""
    if isinstance(done, SentMessage):
        outcomes = _SENT if done.message else _CHANGED
        said = (outcomes.get(done.outcome, _SENT[done.outcome]), done.link, *done.notes)
    elif isinstance(done, BatchAnswer):
        if done.outcome == "cancelled":
            return "Not sent."
        return f"It is {done.outcome}; `messengers bulk show {done.batch}` tells how it fares."
    else:
        said = (_SET_UP.get(done.outcome, ""), done.reason, done.next_step, *done.notes)
    return " ".join(part for part in said if part)
