"""How fast an instance sends: so that an account of a person's own is not taken for a machine.

No messenger publishes figures for that. These follow what those who run such accounts advise one
another: seconds between messages, more before the first to somebody new, and few new ones a day
while the account is fresh. All is derived from stored rows, in the unit of work that claims one, so
that neither a restart nor another lane sends earlier than allowed.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection

from messengers.clock import from_ms, to_ms
from messengers.models import Instance, Pacing
from messengers.store import chats, messages, outbox
from messengers.store.rows import Row, all_rows, first_row, one_row

__all__ = ["PROFILES", "Hold", "Profile", "hold"]

FRESH = timedelta(days=7)
"""How long an account counts as fresh, from when its instance was set up. No official figure."""
NEW_CONTACTS_A_DAY = 20
"""First messages to new contacts that a fresh account sends in 24 hours. No official figure."""
_DAY_MS = 24 * 3600 * 1000


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


def hold(conn: Connection, row: Row, instance: Instance, now_ms: int) -> Hold | None:
    """What holds a queued row back at this moment; None when it may leave."""
    profile = PROFILES[instance.pacing]
    if profile is None:
        return None
    until_ms, why = _after_last(conn, profile, instance.id, now_ms), ""
    if profile.before_new_s is not None and _is_new(conn, row["chat_id"]):
        held = _before_new(conn, row, instance, profile, now_ms)
        if held.until_ms > until_ms:
            until_ms, why = held.until_ms, held.why
    return Hold(until_ms, why) if until_ms > now_ms else None


def _after_last(conn: Connection, profile: Profile, instance_id: str, now_ms: int) -> int:
    """The pause after what left last: the same for every lane, so that none overtakes by luck."""
    last = first_row(conn, outbox.last_left, instance=instance_id, now=now_ms)
    if last is None:
        return 0
    left_ms: int = max(last["claimed_at"], min(last["settled_at"] or 0, now_ms))
    return left_ms + _drawn_ms(profile.between_s, last["key"])


def _before_new(
    conn: Connection, row: Row, instance: Instance, profile: Profile, now_ms: int
) -> Hold:
    """The pause before a new contact, from the one before it; and the next day's turn."""
    since = now_ms - _DAY_MS
    left = all_rows(conn, outbox.new_contacts, instance=instance.id, since=since, now=now_ms)
    times = [int(each["left_at"]) for each in left]
    is_fresh = now_ms < to_ms(instance.created_at + FRESH)
    if profile.new_a_day is not None and is_fresh and len(times) >= profile.new_a_day:
        until_ms = times[profile.new_a_day - 1] + _DAY_MS
        return Hold(
            until_ms,
            f"queued: a new account writes to {profile.new_a_day} new contacts a day at most; "
            f"this leaves after {from_ms(until_ms).isoformat(timespec='minutes')}.",
        )
    before = max(times[0] if times else 0, min(row["created_at"], now_ms))
    until_ms = before + _drawn_ms(profile.before_new_s or (0, 0), row["key"])
    return Hold(until_ms, "queued: a first message to a new contact leaves after up to 30 s.")


def _is_new(conn: Connection, chat: int) -> bool:
    """A person with whom nothing was exchanged yet, in either direction, by anyone."""
    place = one_row(conn, chats.get, chat=chat)
    wrote = place["peer_wrote_at"] is not None or place["owner_wrote_at"] is not None
    if place["kind"] != "dm" or wrote:
        return False
    return first_row(conn, messages.any_of_platform, chat=chat) is None


def _drawn_ms(bounds_s: tuple[float, float], key: str) -> int:
    """A pause by chance, and the same again whenever it is asked for."""
    return int(random.Random(key).uniform(*bounds_s) * 1000)  # noqa: S311 - spreads sends, guards nothing
