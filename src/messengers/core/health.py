"""How an instance fares: reports merged, faults worded, pauses between attempts."""

from collections.abc import Iterator
from dataclasses import dataclass

from messengers.errors import BadCredentials, MessengersError, RateLimited
from messengers.models import Health, Lifecycle
from messengers.redaction import escape, redact

__all__ = [
    "PASSING",
    "TERMINAL",
    "Pace",
    "faults_in",
    "is_terminal",
    "line_of",
    "merge",
    "reason_of",
    "wanted_pause_s",
]

TERMINAL = frozenset(
    {
        Lifecycle.LOGGED_OUT,
        Lifecycle.BAD_CREDENTIALS,
        Lifecycle.BANNED,
        Lifecycle.ENGINE_OUTDATED,
    }
)
"""States that only the owner ends: nothing reconnects out of them."""
PASSING = frozenset({Lifecycle.CREATED, Lifecycle.STARTING, Lifecycle.CONNECTING})
"""States that turn into another by themselves within seconds."""
_TIMES = ("last_transport_at", "last_inbound_at", "last_outbound_at", "last_probe_ok_at")
_MAX_LINE = 300
_MAX_ASKED_S = 900.0


@dataclass(frozen=True, slots=True)
class Pace:
    """How attempts follow each other."""

    first_s: float = 1.0
    cap_s: float = 300.0
    healthy_s: float = 60.0
    """Connected for so long, an instance starts counting anew."""
    stop_s: float = 2.0
    """What a provider gets to clean up."""

    def pause_s(self, failures: int, draw: float) -> float:
        """Full jitter: anything up to a ceiling that doubles with each failure. `draw` is 0..1."""
        ceiling = min(self.cap_s, self.first_s * 2 ** min(failures - 1, 20))
        return ceiling * draw


def merge(known: Health, told: Health) -> Health:
    """What was told, with the times that it leaves open taken from what is known."""
    kept = {name: getattr(told, name) or getattr(known, name) for name in _TIMES}
    reason = escape(redact(told.reason))[:_MAX_LINE]
    return told.model_copy(update={**kept, "reason": reason})


def faults_in(fault: BaseException) -> Iterator[BaseException]:
    """The faults themselves, out of however many groups."""
    inner: tuple[BaseException, ...] | None = getattr(fault, "exceptions", None)
    if not isinstance(fault, BaseExceptionGroup) or inner is None:
        yield fault
        return
    for each in inner:
        yield from faults_in(each)


def is_terminal(fault: BaseException) -> bool:
    """Whether trying again cannot help."""
    return any(isinstance(each, BadCredentials) for each in faults_in(fault))


def wanted_pause_s(fault: BaseException | None) -> float:
    """How long the messenger itself asked us to wait; an absurd wish is capped."""
    waits = (
        [e.retry_after_s for e in faults_in(fault) if isinstance(e, RateLimited)] if fault else []
    )
    return min(max(waits, default=0.0), _MAX_ASKED_S)


def reason_of(fault: BaseException | None) -> str:
    """One sentence of ours. What an unknown fault says may hold anything, so only its name."""
    if fault is None:
        return "The connection ended."
    known = [each for each in faults_in(fault) if isinstance(each, MessengersError)]
    if known:
        return escape(redact(str(known[0])))[:_MAX_LINE]
    return f"The provider failed: {type(next(faults_in(fault), fault)).__name__}."


def line_of(fault: BaseException) -> str:
    """For the list of recent problems: names and texts of the faults, redacted, on one line."""
    told = "; ".join(f"{type(each).__name__}: {_text(each)}" for each in faults_in(fault))
    return escape(redact(told))[:_MAX_LINE]


def _text(fault: BaseException) -> str:
    try:
        return str(fault)
    except Exception:  # noqa: BLE001 - a stranger's __str__ may raise anything
        return "?"
