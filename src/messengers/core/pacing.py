"""How fast an instance sends: so that an account of a person's own is not taken for a machine.

No messenger publishes figures for that. These follow what those who run such accounts advise one
another: seconds between messages, more before the first to somebody new, and few new ones a day
while the account is fresh. All is derived from stored rows, in the unit of work that claims one, so
that neither a restart nor another lane sends earlier than allowed.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from messengers.clock import from_ms, to_ms
from messengers.core.quiet import quiet_until
from messengers.models import Instance, Pacing
from messengers.providers.capabilities import Rate
from messengers.store import chats, messages, outbox
from messengers.store.rows import Row, all_rows, first_row, one_row

__all__ = ["PROFILES", "Hold", "Moment", "Profile", "hold"]

FRESH = timedelta(days=7)
"""How long an account counts as fresh, from when its instance was set up. No official figure."""
NEW_CONTACTS_A_DAY = 20
"""First messages to new contacts that a fresh account sends in 24 hours. No official figure."""
_DAY_MS = 24 * 3600 * 1000
_AWAITS_MS = 3600 * 1000
"""Who wrote within the last hour is answered in quiet hours too."""


@dataclass(frozen=True, slots=True)
class Profile:
    """Pauses in seconds, each drawn anew between its two ends."""

    between_s: tuple[float, float]
    """After a message of the instance, whatever the chat."""
    before_new_s: tuple[float, float] | None = None
    """Before the first message to a contact that neither wrote nor was written to."""
    new_a_day: int | None = None
    """New contacts in 24 hours while the account is fresh."""


PROFILES: Mapping[Pacing, Profile | None] = {
    "off": None,
    "normal": Profile(between_s=(0.3, 1.0)),
    "careful": Profile(
        between_s=(1.5, 3.5), before_new_s=(15.0, 30.0), new_a_day=NEW_CONTACTS_A_DAY
    ),
}


@dataclass(frozen=True, slots=True)
class Hold:
    """A row must not leave yet."""

    until_ms: int
    why: str = ""
    """For the sender; empty for a pause of seconds."""


@dataclass(frozen=True, slots=True)
class Moment:
    """Now, by both clocks."""

    steady_ms: int
    """For pauses: it never jumps."""
    local: datetime
    """For hours of the day, in the owner's zone."""


def hold(
    conn: Connection, row: Row, instance: Instance, rates: Sequence[Rate], moment: Moment
) -> Hold | None:
    """What holds a queued row back at this moment; None when it may leave."""
    found = [
        each
        for each in _holds(conn, row, instance, rates, moment)
        if each.until_ms > moment.steady_ms
    ]
    return max(found, key=lambda each: each.until_ms, default=None)


def _holds(
    conn: Connection, row: Row, instance: Instance, rates: Sequence[Rate], moment: Moment
) -> Iterator[Hold]:
    place = one_row(conn, chats.get, chat=row["chat_id"])
    quiet = quiet_until(instance.quiet_hours, moment.local)
    if quiet is not None and not _is_awaited(place, moment):
        # In one zone Python would subtract what clocks show, which a night of change makes wrong.
        left_ms = to_ms(quiet) - to_ms(moment.local)
        yield Hold(moment.steady_ms + left_ms, f"queued: quiet hours until {quiet:%H:%M}.")
    profile = PROFILES[instance.pacing]
    if profile is not None:
        yield Hold(_after_last(conn, profile, instance.id, moment.steady_ms))
    limits = [*_daily_limits(profile, instance, moment), *_limits_of(rates)]
    pause_s = profile.before_new_s if profile else None
    if (limits or pause_s) and _is_new(conn, place):
        yield from _before_new(conn, row, pause_s, limits, moment.steady_ms)


def _is_awaited(place: Row, moment: Moment) -> bool:
    """Whether somebody wrote so lately that the answer may come at any hour."""
    wrote_ms = place["peer_wrote_at"] or 0
    return to_ms(moment.local) - wrote_ms < _AWAITS_MS


def _after_last(conn: Connection, profile: Profile, instance_id: str, now_ms: int) -> int:
    """The pause after what left last: the same for every lane, so that none overtakes by luck."""
    last = first_row(conn, outbox.last_left, instance=instance_id, now=now_ms)
    if last is None:
        return 0
    left_ms: int = max(last["claimed_at"], min(last["settled_at"] or 0, now_ms))
    return left_ms + _drawn_ms(profile.between_s, last["key"])


def _daily_limits(
    profile: Profile | None, instance: Instance, moment: Moment
) -> Iterator[tuple[int, int, str]]:
    is_fresh = moment.steady_ms < to_ms(instance.created_at + FRESH)
    if profile is not None and profile.new_a_day is not None and is_fresh:
        count = profile.new_a_day
        yield count, _DAY_MS, f"a new account writes to {count} new contacts a day at most"


def _limits_of(rates: Sequence[Rate]) -> Iterator[tuple[int, int, str]]:
    for rate in rates:
        if rate.of == "new_contact":
            hours = rate.period_s / 3600
            said = f"the messenger takes {rate.count} new contacts in {hours:g} h"
            yield rate.count, round(rate.period_s * 1000), said


def _before_new(
    conn: Connection,
    row: Row,
    pause_s: tuple[float, float] | None,
    limits: Sequence[tuple[int, int, str]],
    now_ms: int,
) -> Iterator[Hold]:
    """The pause before a new contact, from the one before it; and the turn after a full day."""
    longest_ms = max((period_ms for _, period_ms, _ in limits), default=_DAY_MS)
    since = now_ms - longest_ms
    left = all_rows(conn, outbox.new_contacts, instance=row["instance_id"], since=since, now=now_ms)
    times = [int(each["left_at"]) for each in left]
    for count, period_ms, said in limits:
        if len(times) >= count:
            until_ms = times[count - 1] + period_ms
            moment = from_ms(until_ms).isoformat(timespec="minutes")
            yield Hold(until_ms, f"queued: {said}; this leaves after {moment}.")
    if pause_s is not None:
        before = max(times[0] if times else 0, min(row["created_at"], now_ms))
        until_ms = before + _drawn_ms(pause_s, row["key"])
        yield Hold(until_ms, "queued: a first message to a new contact leaves after up to 30 s.")


def _is_new(conn: Connection, place: Row) -> bool:
    """A person with whom nothing was exchanged yet, in either direction, by anyone."""
    wrote = place["peer_wrote_at"] is not None or place["owner_wrote_at"] is not None
    if place["kind"] != "dm" or wrote:
        return False
    return first_row(conn, messages.any_of_platform, chat=place["id"]) is None


def _drawn_ms(bounds_s: tuple[float, float], key: str) -> int:
    """A pause by chance, and the same again whenever it is asked for."""
    return int(random.Random(key).uniform(*bounds_s) * 1000)  # noqa: S311 - spreads sends, guards nothing
