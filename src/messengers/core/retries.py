"""When a delivery that did not get through is tried again: ten times over three days."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

__all__ = ["ATTEMPTS", "pause_s", "retry_after_s"]

# https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
_MINUTE, _HOUR = 60, 3_600
_PAUSES_S = (
    5,
    5 * _MINUTE,
    30 * _MINUTE,
    2 * _HOUR,
    5 * _HOUR,
    10 * _HOUR,
    14 * _HOUR,
    20 * _HOUR,
    24 * _HOUR,
)
"""After the first attempt, which is made at once, and after each one that follows."""
ATTEMPTS = 1 + len(_PAUSES_S)
_JITTER = 0.1
"""At most so much of a pause is added to it: those who fail together do not come back together."""
_RETRY_AFTER_CAP_S = 24 * _HOUR


def pause_s(attempts: int, draw: float) -> float | None:
    """The pause after so many attempts; None: there is no further one. `draw` is from 0 to 1."""
    if attempts >= ATTEMPTS:
        return None
    return _PAUSES_S[attempts - 1] * (1 + _JITTER * draw)


def retry_after_s(header: str, now: datetime) -> float:
    """What a `Retry-After` asks for, in seconds or as a date, at most a day; 0 if nothing."""
    text = header.strip()
    if text.isascii() and text.isdigit():
        return float(min(int(text[:9]), _RETRY_AFTER_CAP_S))
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return 0.0
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return min(max((moment - now).total_seconds(), 0.0), float(_RETRY_AFTER_CAP_S))
