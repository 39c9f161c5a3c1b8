"""Quiet hours: when nothing leaves that nobody waits for."""

import re
from datetime import datetime, time, timedelta

from messengers.errors import InvalidInput

__all__ = ["check_quiet", "quiet_until"]

_SPAN = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")


def check_quiet(hours: str) -> str:
    """The hours as they are kept; '' for none. Raises InvalidInput."""
    text = hours.strip().replace("–", "-")
    if text in ("", "none"):
        return ""
    found = _SPAN.fullmatch(text)
    if found is None or found[1] + found[2] == found[3] + found[4]:
        raise InvalidInput("quiet hours do not fit.", "Write 22:00-08:00, or none.")
    return text


def quiet_until(hours: str, local: datetime) -> datetime | None:
    """When the quiet hours end that a local time lies in; None outside them."""
    if not hours:
        return None
    begins, ends = (time.fromisoformat(each) for each in hours.split("-"))
    now = local.time().replace(tzinfo=None)
    over_midnight = ends < begins
    quiet = now >= begins or now < ends if over_midnight else begins <= now < ends
    if not quiet:
        return None
    day = local.date() + timedelta(days=1 if over_midnight and now >= begins else 0)
    return datetime.combine(day, ends, local.tzinfo)
