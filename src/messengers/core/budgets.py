"""How much may leave in an hour and a day, and for how many new people: by key and by account.

Counted from the outbox itself, in the unit of work that adds to it, so that neither a restart nor
two callers at once get more. What was refused or never left does not count; the owner is not
counted.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection

from messengers.clock import Clock, from_ms, to_ms
from messengers.core.callers import OWNER
from messengers.core.instances import Instances
from messengers.core.words import counted
from messengers.errors import InvalidInput, RateLimited
from messengers.models import Instance
from messengers.settings import Settings
from messengers.store import outbox
from messengers.store.rows import Row, first_row

__all__ = ["Budgets"]

_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class _Bound:
    whose: str
    most: int
    """0: no bound."""
    period: timedelta
    of_key: bool = False


class Budgets:
    """Looks before a draft is written."""

    def __init__(self, clock: Clock, settings: Settings, instances: Instances) -> None:
        self._clock = clock
        self._settings = settings
        self._instances = instances

    def require(self, conn: Connection, actor: str, place: Row, messages: int) -> None:
        """Raises RateLimited, with when it is free again, where a budget does not hold so many."""
        if actor == OWNER.actor:
            return
        instance = self._instances.by_id(place["instance_id"])
        for bound in self._bounds(instance):
            self._check(conn, bound, actor, instance, messages)
        if _is_new(conn, place):
            self._check_new(conn, actor, instance)

    def _bounds(self, instance: Instance) -> Iterator[_Bound]:
        of_keys, name = self._settings, f"The account {instance.name}"
        yield _Bound("This key", of_keys.key_sends_per_hour, _HOUR, of_key=True)
        yield _Bound("This key", of_keys.key_sends_per_day, _DAY, of_key=True)
        yield _Bound(name, instance.sends_per_hour, _HOUR)
        yield _Bound(name, instance.sends_per_day, _DAY)

    def _check(
        self, conn: Connection, bound: _Bound, actor: str, instance: Instance, messages: int
    ) -> None:
        if not bound.most:
            return
        hours = counted(round(bound.period / _HOUR), "hour")
        said = f"{bound.whose} sends {counted(bound.most, 'message')} in {hours} at most."
        if messages > bound.most:
            raise InvalidInput(said, "Send less at once.")
        given = {"since": self._since(bound.period), "skip": bound.most - messages}
        if bound.of_key:
            found = first_row(conn, outbox.spent_by, actor=actor, **given)
        else:
            found = first_row(conn, outbox.spent_of, instance=instance.id, **given)
        self._refuse(found, said, bound.period)

    def _check_new(self, conn: Connection, actor: str, instance: Instance) -> None:
        since, key_most = self._since(_DAY), self._settings.key_new_recipients_per_day
        if key_most:
            found = first_row(conn, outbox.begun_by, actor=actor, since=since, skip=key_most - 1)
            people = counted(key_most, "new recipient")
            self._refuse(found, f"This key writes to {people} a day at most.", _DAY)
        if most := instance.new_recipients_per_day:
            given = {"instance": instance.id, "since": since, "skip": most - 1}
            people = counted(most, "new recipient")
            said = f"The account {instance.name} writes to {people} a day at most."
            self._refuse(first_row(conn, outbox.begun_of, **given), said, _DAY)

    def _since(self, period: timedelta) -> int:
        return to_ms(self._clock.now() - period)

    def _refuse(self, found: Row | None, said: str, period: timedelta) -> None:
        """`found`: the oldest message that would have to be past for one more."""
        if found is None:
            return
        free = from_ms(found["created_at"]) + period
        left_s = (free - self._clock.now()).total_seconds()
        raise RateLimited(
            f"{said} There is room again at {free.isoformat(timespec='minutes')}.",
            "Only the owner can change that.",
            retry_after_s=max(1.0, left_s),
        )


def _is_new(conn: Connection, place: Row) -> bool:
    """A person who never wrote and was never written to."""
    wrote = place["peer_wrote_at"] is not None or place["owner_wrote_at"] is not None
    if place["kind"] != "dm" or wrote:
        return False
    return first_row(conn, outbox.any_for, chat=place["id"]) is None
