"""The owner's access rules: listed, made, taken away, and explained.

A rule is durable before it holds. What was stored before is judged anew then, so that a person who
is kept out is gone from what agents read, and one who is let in is there as a whole.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Literal

import anyio
from sqlalchemy import Connection

from messengers.clock import Clock, to_ms
from messengers.core.access import Access, party_of
from messengers.core.access_views import AccessRule, Direction, Effect, Explanation, Side
from messengers.core.callers import Caller
from messengers.core.chats import Chats, chat_key
from messengers.core.identities import keys_of
from messengers.core.instances import Instances
from messengers.core.judging import Judging
from messengers.core.rules import Party, Rule
from messengers.core.subjects import FORMS, Subject, read_subject
from messengers.core.views import InstanceView
from messengers.errors import Forbidden, InvalidInput, NotFound
from messengers.models import Chat, DmPolicy, GroupPolicy, IdKind, decode_id
from messengers.store import Store, access_rules, audit

__all__ = ["MOST_DAYS", "NewRule", "Rulebook"]

_MOST = 10_000
_MOST_BROAD = 200
"""Rules that are not found by a key are looked at one by one, for each message."""
_MAX_NOTE = 200
MOST_DAYS = 3_650
_BROAD = frozenset({"any", "glob", "phone_prefix"})
_RESULTS: dict[tuple[Side, Effect], str] = {
    ("in", "allow"): "shown",
    ("in", "read_only"): "shown",
    ("in", "deny"): "kept back",
    ("in", "silent"): "kept back, and read by its id only",
    ("out", "allow"): "sent without asking",
    ("out", "read_only"): "refused",
    ("out", "deny"): "refused",
}
_POLICIES = {
    "": "shown",
    "silent mention": "shown where it mentions the account: the policy is mention",
    "deny off": "kept back: the policy is off",
    "deny allowlist": "kept back: the policy is allowlist",
    "deny pairing": "kept back: the policy is pairing",
}
_USUAL: dict[Effect, Direction] = {
    "allow": "both",
    "deny": "both",
    "read_only": "both",
    "silent": "in",
}


@dataclass(frozen=True, slots=True)
class NewRule:
    """A rule as somebody asks for it."""

    effect: Effect
    who: str
    direction: Direction | None = None
    """None: what is usual for the effect."""
    instance: str = ""
    country: str = ""
    """Of numbers without one, as RU."""
    priority: int = 0
    note: str = ""


class Rulebook:
    """For the owner; agents reach it through acts that he agrees to."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        instances: Instances,
        chats: Chats,
        access: Access,
        judging: Judging,
    ) -> None:
        self._store = store
        self._clock = clock
        self._instances = instances
        self._chats = chats
        self._access = access
        self._judging = judging
        self._changing = anyio.Lock()

    def list(self, caller: Caller) -> Sequence[AccessRule]:
        """Those that concern what the caller sees, in the order in which they are asked."""
        rules = sorted(self._access.rules.all, key=lambda rule: rule.order)
        return [
            self._shown(each)
            for each in rules
            if not each.instance_id or caller.sees(each.instance_id)
        ]

    def get(self, caller: Caller, rule: str) -> AccessRule:
        """One by its id. Raises NotFound."""
        for each in self.list(caller):
            if each.id == rule.strip():
                return each
        raise NotFound("No such rule.", "Take the id from the list of rules, e.g. r3.")

    async def read(self, caller: Caller, new: NewRule) -> Rule:
        """A new rule as it would be stored, without key and time. Raises what is wrong with it."""
        direction = new.direction or _USUAL[new.effect]
        if new.effect == "silent" and direction != "in":
            raise InvalidInput("silent is about what comes in.", "To send nothing: read_only.")
        if new.effect == "read_only" and direction == "in":
            raise InvalidInput("read_only is about what goes out.", "Leave the direction out.")
        if len(new.note) > _MAX_NOTE or not -1_000 <= new.priority <= 1_000:
            raise InvalidInput("The note or priority does not fit.", "-1000 to 1000, 200 letters.")
        instance_id, subject = await self._subject(caller, new.who, new.instance, new.country)
        if not instance_id and caller.instances is not None:
            raise Forbidden("This key is bound to some instances.", "Name one of them.")
        return Rule(
            key=0,
            instance_id=instance_id,
            direction=direction,
            kind=subject.kind,
            subject=subject.text,
            effect=new.effect,
            priority=new.priority,
            note=new.note.strip(),
            created_at=0,
            expires_at=None,
        )

    async def add(self, caller: Caller, rule: Rule, days: float = 0, by: str = "") -> AccessRule:
        """Have it hold, for some days or for good (0), and judge anew what is stored.

        One that says the same of the same already takes its new priority, note and end.
        Raises InvalidInput: there are too many.
        """
        caller.require_owner()
        if not 0 <= days <= MOST_DAYS:
            raise InvalidInput(f"days must be from 0 to {MOST_DAYS:,}; 0 is for good.")
        now = self._clock.now()
        ends = to_ms(now + timedelta(days=days)) if days else None
        rule = replace(rule, created_at=to_ms(now), expires_at=ends)
        async with self._changing:
            same = [each for each in self._access.rules.all if _says_the_same(each, rule)]
            self._require_room(rule, without=len(same))

            def unit(conn: Connection) -> int:
                for each in same:
                    access_rules.remove(conn, each.key)
                key = access_rules.add(conn, _columns(rule))
                self._note(conn, "access.rule_added", by or caller.actor, rule, key)
                return key

            key = await self._store.write(unit)
            await self._follow()
        return next(self._shown(each) for each in self._access.rules.all if each.key == key)

    async def remove(self, caller: Caller, rule: str, by: str = "") -> AccessRule:
        """Take it away, and judge anew what is stored. Raises NotFound."""
        caller.require_owner()
        async with self._changing:
            gone = self.get(caller, rule)
            key = decode_id(IdKind.RULE, gone.id) or 0
            found = next(each for each in self._access.rules.all if each.key == key)

            def unit(conn: Connection) -> None:
                access_rules.remove(conn, key)
                self._note(conn, "access.rule_removed", by or caller.actor, found, key)

            await self._store.write(unit)
            await self._follow()
        return gone

    async def set_policy(
        self, caller: Caller, instance: str, dm: DmPolicy | None, group: GroupPolicy | None
    ) -> InstanceView:
        """Who is heard at an instance where no rule says it; None stays as it is."""
        view = await self._instances.set_policy(caller, instance, dm_policy=dm, group_policy=group)
        if dm or group:
            await self._judging.begin()
        return view

    async def explain(
        self, caller: Caller, who: str, instance: str = "", country: str = ""
    ) -> Sequence[Explanation]:
        """What holds for somebody, both ways, and what else would."""
        party, chat = await self._party(caller, who, instance, country)
        now = to_ms(self._clock.now())
        sides: tuple[Side, ...] = ("in", "out")
        told: list[Explanation] = []
        for side in sides:
            found = self._access.rules.matching(side, party, now)
            effect = found[0].effect if found else "no rule"
            told.append(
                Explanation(
                    who=who.strip(),
                    direction=side,
                    verdict=effect,
                    rule=found[0].id if found else "",
                    result=self._result(side, effect, party, chat),
                    others=tuple(self._shown(each) for each in found[1:]),
                )
            )
        return told

    def _result(
        self, side: Side, effect: Effect | Literal["no rule"], party: Party, chat: Chat | None
    ) -> str:
        """What comes of a rule, or of the policy where none holds."""
        if chat is not None and side == "out":
            verdict = self._access.judge(chat, self._instances.by_name(chat.instance))
            if verdict.allowed:
                return "sent without asking"
            return f"{'refused' if verdict.refused else 'asks the owner'}: {verdict.why}"
        if effect != "no rule":
            return _RESULTS[side, effect]
        if chat is not None:
            why = self._access.policy(chat, self._instances.by_name(chat.instance))
            return _POLICIES[why]
        if not party.instance_id:
            return "as the policy of each instance says"
        place = self._instances.by_id(party.instance_id)
        if side == "out":
            return "refused: read-only" if place.read_only else f"confirm policy {place.confirm}"
        return f"dm policy {place.dm_policy}, group policy {place.group_policy}"

    async def sweep(self) -> None:
        """Take away what is over, and finish judging what a stopped process began."""
        now = to_ms(self._clock.now())
        over = [each for each in self._access.rules.all if each.is_over(now)]
        async with self._changing:
            if over:

                def unit(conn: Connection) -> None:
                    for rule in over:
                        access_rules.remove(conn, rule.key)
                        self._note(conn, "access.rule_expired", "time", rule, rule.key)

                await self._store.write(unit)
                await self._access.load()
            await self._judging.finish()

    async def _follow(self) -> None:
        await self._access.load()
        await self._judging.finish()

    def _require_room(self, rule: Rule, *, without: int) -> None:
        stored = self._access.rules.all
        broad = sum(each.kind in _BROAD for each in stored) - without
        if len(stored) - without >= _MOST or (rule.kind in _BROAD and broad >= _MOST_BROAD):
            raise InvalidInput(
                f"There are {_MOST:,} rules, or {_MOST_BROAD} for more than one person, already.",
                "Take some away first.",
            )

    async def _subject(
        self, caller: Caller, who: str, instance: str, country: str
    ) -> tuple[str, Subject]:
        """(instance id or '', subject). A person's chat means the person wherever he writes."""
        if decode_id(IdKind.CHAT, who.strip()) is not None:
            chat = await self._chats.get(caller, who.strip())
            place = self._instances.by_name(chat.instance).id
            if chat.kind != "dm":
                return place, Subject("chat", str(chat_key(chat)))
            (key, *_) = keys_of((chat.native_id,))
            return place, Subject("phone" if key.startswith("+") else "native_id", key)
        place = self._instances.resolve(caller, instance).id if instance else ""
        subject = read_subject(who, country)
        if subject.needs_instance and not place:
            raise InvalidInput(
                "A messenger's id names somebody only together with its instance.", FORMS
            )
        return place, subject

    async def _party(
        self, caller: Caller, who: str, instance: str, country: str
    ) -> tuple[Party, Chat | None]:
        """Whom a question means, and the chat where it names one."""
        text = who.strip()
        if decode_id(IdKind.CHAT, text) is not None:
            chat = await self._chats.get(caller, text)
            return party_of(chat, self._instances.by_name(chat.instance)), chat
        place, subject = await self._subject(caller, text, instance, country)
        if subject.kind in _BROAD:
            raise InvalidInput("That is more than one person.", "Name one, or a chat.")
        return Party(place, frozenset({subject.text})), None

    def _shown(self, rule: Rule) -> AccessRule:
        return rule.shown(self._instances.name_of(rule.instance_id))

    def _note(self, conn: Connection, action: str, actor: str, rule: Rule, key: int) -> None:
        now = to_ms(self._clock.now())
        access_rules.mark(conn)
        detail = f"r{key} {rule.effect} {rule.direction} {rule.kind}"
        audit.add(
            conn,
            at=now,
            actor=actor,
            action=action,
            instance_id=rule.instance_id,
            outcome="done",
            detail=detail,
        )


def _says_the_same(one: Rule, other: Rule) -> bool:
    return (one.instance_id, one.direction, one.kind, one.subject, one.effect) == (
        other.instance_id,
        other.direction,
        other.kind,
        other.subject,
        other.effect,
    )


def _columns(rule: Rule) -> dict[str, object]:
    return {
        "instance_id": rule.instance_id,
        "direction": rule.direction,
        "subject_kind": rule.kind,
        "subject": rule.subject,
        "effect": rule.effect,
        "priority": rule.priority,
        "note": rule.note,
        "created_at": rule.created_at,
        "expires_at": rule.expires_at,
    }
