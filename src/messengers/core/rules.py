"""Access rules, compiled: which of them holds for somebody.

Of those that fit, the one with the highest priority holds; then the most exact one (a person, a
chat, the longest beginning of a number, the longest glob, anybody), of an instance before one of
all; then what refuses most; then the oldest. There is no other order, and none by chance.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from messengers.clock import from_ms
from messengers.core.access_views import AccessRule, Direction, Effect, Side, SubjectKind
from messengers.core.globs import fits
from messengers.models import IdKind, encode_id
from messengers.store.rows import Row, time_of

__all__ = ["Party", "Rule", "Rules"]

_EXACT = frozenset({"phone", "username", "native_id"})
_GRADES = {"phone_prefix": 2, "glob": 1, "any": 0, "chat": 3}
_STRICTEST: tuple[Effect, ...] = ("deny", "read_only", "silent", "allow")


@dataclass(frozen=True)
class Rule:
    """A rule as it is compared. It is never changed."""

    key: int
    instance_id: str
    direction: Direction
    kind: SubjectKind
    subject: str
    effect: Effect
    priority: int
    note: str
    created_at: int
    expires_at: int | None

    @classmethod
    def of_row(cls, row: Row) -> "Rule":
        """A stored one."""
        return cls(
            key=row["id"],
            instance_id=row["instance_id"],
            direction=row["direction"],
            kind=row["subject_kind"],
            subject=row["subject"],
            effect=row["effect"],
            priority=row["priority"],
            note=row["note"],
            created_at=row["created_at"],
            expires_at=row["expires_at"],
        )

    @cached_property
    def id(self) -> str:
        """As in `r3`."""
        return encode_id(IdKind.RULE, self.key)

    @cached_property
    def order(self) -> tuple[int, int, int, bool, int, int]:
        """The smallest of those that fit holds."""
        grade = _GRADES.get(self.kind, 4)
        length = len(self.subject.replace("*", "")) if grade in (1, 2) else 0
        strictness = _STRICTEST.index(self.effect)
        return (-self.priority, -grade, -length, not self.instance_id, strictness, self.key)

    def holds(self, side: Side, instance_id: str, now: int) -> bool:
        """Whether it says anything of this side of an instance at a time (ms)."""
        return (
            self.direction in (side, "both")
            and self.instance_id in ("", instance_id)
            and not self.is_over(now)
        )

    def is_over(self, now: int) -> bool:
        """Whether its time (ms) has come."""
        return self.expires_at is not None and self.expires_at <= now

    def shown(self, instance: str) -> AccessRule:
        """For its owner; `instance` is the name."""
        subject = self.subject
        if self.kind == "chat":
            subject = encode_id(IdKind.CHAT, int(subject))
        return AccessRule(
            id=self.id,
            instance=instance,
            direction=self.direction,
            kind=self.kind,
            subject=subject,
            effect=self.effect,
            priority=self.priority,
            note=self.note,
            created_at=from_ms(self.created_at),
            expires_at=time_of(self.expires_at),
        )


@dataclass(frozen=True, slots=True)
class Party:
    """Who wrote, or to whom something would go, and where."""

    instance_id: str
    keys: frozenset[str]
    """As `identities` makes them."""
    chats: frozenset[int] = frozenset()
    """The chat and the one that it is a thread of."""


class Rules:
    """All of them. Exact ones are found by key, the few others are looked at one by one."""

    def __init__(self, rules: Iterable[Rule] = ()) -> None:
        self.all = tuple(rules)
        self._exact: defaultdict[str, list[Rule]] = defaultdict(list)
        self._chats: defaultdict[int, list[Rule]] = defaultdict(list)
        self._linked: dict[tuple[str, str], tuple[Rule, ...]] = {}
        self._broad: list[Rule] = []
        for rule in self.all:
            if rule.kind in _EXACT:
                self._exact[rule.subject].append(rule)
            elif rule.kind == "chat":
                self._chats[int(rule.subject)].append(rule)
            else:
                self._broad.append(rule)

    @property
    def are_personal(self) -> bool:
        """Whether any is for one person: then it matters who is known by several ids."""
        return bool(self._exact)

    def link(self, instance_id: str, keys: frozenset[str]) -> None:
        """These are all the same person: what holds for one of them holds for each."""
        found = {rule: None for key in keys for rule in self._of_key(instance_id, key)}
        for key in keys if found else ():
            self._linked[instance_id, key] = tuple(found)

    def matching(self, side: Side, party: Party, now: int) -> Sequence[Rule]:
        """Every rule that fits, the one that holds first."""
        found = [rule for chat in party.chats for rule in self._chats.get(chat, ())]
        for key in party.keys:
            found += self._of_key(party.instance_id, key)
        found += [rule for rule in self._broad if _fits(rule, party)]
        holding = {rule.key: rule for rule in found if rule.holds(side, party.instance_id, now)}
        return sorted(holding.values(), key=lambda rule: rule.order)

    def first(self, side: Side, party: Party, now: int) -> Rule | None:
        """The rule that holds."""
        found = self.matching(side, party, now)
        return found[0] if found else None

    def _of_key(self, instance_id: str, key: str) -> Sequence[Rule]:
        return [*self._exact.get(key, ()), *self._linked.get((instance_id, key), ())]


def _fits(rule: Rule, party: Party) -> bool:
    match rule.kind:
        case "any":
            return True
        case "phone_prefix":
            return any(key.startswith(rule.subject) for key in party.keys)
        case _:
            return any(fits(rule.subject, key) for key in party.keys)
