"""Who is heard and who may be written to: by identity and policy, never by text.

The rules are held compiled in memory and asked before anything that an event causes: a message
that they keep back is stored and marked, counts nowhere, wakes nobody and is shown to the owner
only.
"""

from dataclasses import dataclass

from messengers.clock import Clock, to_ms
from messengers.core.access_views import Side
from messengers.core.callers import OWNER, Caller
from messengers.core.identities import keys_of
from messengers.core.registry import Registry
from messengers.core.rules import Party, Rule, Rules
from messengers.models import Chat, ChatKind, IdKind, Instance, Sender, decode_id
from messengers.providers.base import ContactSeen
from messengers.store import Store, access_rules
from messengers.store.rows import Row, load_json

__all__ = ["READ_ONLY", "Access", "Verdict", "is_closed", "party_of"]

_LINKS = 2_000
READ_ONLY = "This instance is read-only."
_NEVER = "The owner said never to write to this chat."


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What policy says of something that would leave for a chat."""

    allowed: bool
    """False: it needs the owner's approval, or is refused where `refused`."""
    why: str = ""
    refused: bool = False


class Access:
    """The rules of the owner, and what follows from them."""

    def __init__(self, store: Store, clock: Clock, registry: Registry) -> None:
        self._store = store
        self._clock = clock
        self._registry = registry
        self.rules = Rules()

    async def load(self) -> None:
        """Read and compile them; follow a change."""
        rows = await self._store.rows(access_rules.every)
        rules = Rules(map(Rule.of_row, rows))
        after = 0
        while rules.are_personal:
            links = await self._store.rows(access_rules.links, after=after, limit=_LINKS)
            for row in links:
                ids = (row["native_id"], *load_json(row["alt_ids"], ()))
                rules.link(row["instance_id"], keys_of(ids, row["phone"]))
            if len(links) < _LINKS:
                break
            after = links[-1]["id"]
        self.rules = rules

    def is_open(self, instance_id: str) -> bool:
        """Nothing is decided for anybody at an instance, so there is nothing to look up."""
        if self.rules.all:
            return False
        instance = self._registry.entry(instance_id).instance
        return instance.dm_policy == instance.group_policy == "open"

    def met(self, instance_id: str, seen: Sender | ContactSeen) -> None:
        """These ids were told to be one person's."""
        if self.rules.are_personal and (seen.alt_ids or seen.phone):
            keys = keys_of((seen.native_id, *seen.alt_ids), seen.phone)
            self.rules.link(instance_id, keys)

    def withheld(self, chat: Row, sender: Sender, *, mentions_me: bool) -> str:
        """Why agents are not shown what somebody wrote in a chat; '' where they are."""
        if self.is_open(chat["instance_id"]):
            return ""
        rule = self._holding("in", _party_in(chat, sender))
        if rule is None:
            return self._by_policy(chat, mentions_me=mentions_me)
        return f"{rule.effect} {rule.id}" if rule.effect in ("deny", "silent") else ""

    def _by_policy(self, chat: Row, *, mentions_me: bool) -> str:
        instance = self._registry.entry(chat["instance_id"]).instance
        wrote = chat["kind"] == "dm" and bool(chat["owner_wrote_at"])
        is_chosen = wrote or chat["decision"] == "always"
        return _kept_back(instance, chat["kind"], is_chosen=is_chosen, mentions_me=mentions_me)

    def hides(self, chat: Row) -> bool:
        """Whether only the owner sees a chat at all."""
        if self.is_open(chat["instance_id"]):
            return False
        rule = self._holding("in", _party_of(chat))
        if rule is not None:
            return rule.effect == "deny"
        why = self._by_policy(chat, mentions_me=True)
        # Of a group that is on no list, somebody may be whom a rule lets in.
        return why == "deny off" or (chat["kind"] == "dm" and bool(why))

    def shuns(self, contact: Row) -> bool:
        """Whether only the owner sees a person."""
        if not self.rules.all:
            return False
        ids = (contact["native_id"], *load_json(contact["alt_ids"], ()))
        keys = keys_of(ids, contact["phone"], contact["username"])
        rule = self._holding("in", Party(contact["instance_id"], keys))
        return rule is not None and rule.effect == "deny"

    def refusal(self, chat: Row) -> str:
        """Why nothing leaves for a chat, whatever was agreed to; '' where nothing forbids it."""
        if self._registry.entry(chat["instance_id"]).instance.read_only:
            return READ_ONLY
        if chat["decision"] == "never":
            return _NEVER
        return _refusal(self._holding("out", _party_of(chat))) if self.rules.all else ""

    def bars(self, instance_id: str, keys: frozenset[str]) -> str:
        """Why nothing reaches a person, known by these keys; '' where no rule forbids it."""
        return _refusal(self._holding("out", Party(instance_id, keys))) if self.rules.all else ""

    def owner_knows(self, chat: Chat, instance: Instance) -> bool:
        """Whether the owner's side chose this chat.

        He wrote there, decided for it or has a rule that allows it; for a bot it is enough that
        the person wrote first. Groups and channels are known by the owner's decision only.
        """
        rule = self._holding("out", party_of(chat, instance)) if self.rules.all else None
        return _knows(chat, instance, rule)

    def is_chosen(self, chat: Chat, instance: Instance) -> bool:
        """Whether the owner chose a chat himself: by a rule, by *always*, by writing to a person.

        That somebody wrote first to a bot lets it answer, and makes nobody one of his own.
        """
        rule = self._holding("out", party_of(chat, instance)) if self.rules.all else None
        return _is_chosen(chat, rule)

    def policy(self, chat: Chat, instance: Instance) -> str:
        """Why agents are not shown what somebody writes in a chat who is under no rule; or ''."""
        is_chosen = _is_chosen(chat, None)
        return _kept_back(instance, chat.kind, is_chosen=is_chosen, mentions_me=False)

    def judge(self, chat: Chat, instance: Instance) -> Verdict:
        """The verdict for one chat under its rules and its instance's policy."""
        if instance.read_only:
            return Verdict(allowed=False, refused=True, why=READ_ONLY)
        rule = self._holding("out", party_of(chat, instance)) if self.rules.all else None
        if why := _refusal(rule):
            return Verdict(allowed=False, refused=True, why=why)
        if chat.decision == "never":
            return Verdict(allowed=False, refused=True, why=_NEVER)
        if chat.decision == "always" or instance.confirm == "never":
            return Verdict(allowed=True)
        if instance.confirm == "always":
            return Verdict(allowed=False, why="This instance asks before everything that leaves.")
        if _knows(chat, instance, rule):
            return Verdict(allowed=True)
        if chat.kind != "dm":
            why = "The owner has not approved writing to this group or channel yet."
        else:
            why = "The owner has not written to this chat yet."
        return Verdict(allowed=False, why=why)

    def _holding(self, side: Side, party: Party) -> Rule | None:
        return self.rules.first(side, party, to_ms(self._clock.now()))


def is_closed(caller: Caller, row: Row) -> bool:
    """Whether a stored message does not exist as far as a caller is concerned.

    One that is only silent can be had by its id.
    """
    if not caller.sees(row["instance_id"]):
        return True
    return caller.actor != OWNER.actor and row["withheld"].startswith("deny")


def party_of(chat: Chat, instance: Instance) -> Party:
    """Whom something for a chat would reach."""
    chats = (decode_id(IdKind.CHAT, chat.id), decode_id(IdKind.CHAT, chat.parent))
    keys = keys_of((chat.native_id,), chat.phone, chat.username)
    return Party(instance.id, keys, frozenset(key for key in chats if key))


def _party_of(chat: Row) -> Party:
    keys = keys_of((chat["native_id"],), chat["phone"], chat["username"])
    chats = frozenset(key for key in (chat["id"], chat["parent_id"]) if key)
    return Party(chat["instance_id"], keys, chats)


def _party_in(chat: Row, sender: Sender) -> Party:
    """Who writes in a chat; in a conversation of two that is also who it is with."""
    keys = keys_of((sender.native_id, *sender.alt_ids), sender.phone, sender.username)
    place = _party_of(chat)
    return Party(place.instance_id, keys | place.keys, place.chats)


def _kept_back(instance: Instance, kind: ChatKind, *, is_chosen: bool, mentions_me: bool) -> str:
    """What the instance's policy says where no rule does; '' where agents are shown it."""
    policy = instance.dm_policy if kind == "dm" else instance.group_policy
    match policy:
        case "open":
            return ""
        case "mention":
            return "" if mentions_me else "silent mention"
        case "off":
            return "deny off"
        case "allowlist" | "pairing":
            return "" if is_chosen else f"deny {policy}"


def _refusal(rule: Rule | None) -> str:
    if rule is None or rule.effect not in ("deny", "read_only"):
        return ""
    return f"The owner's access rule {rule.id} forbids writing there."


def _knows(chat: Chat, instance: Instance, rule: Rule | None) -> bool:
    wrote_to_bot = instance.kind == "bot" and chat.peer_wrote_at is not None
    return _is_chosen(chat, rule) or (chat.kind == "dm" and wrote_to_bot)


def _is_chosen(chat: Chat, rule: Rule | None) -> bool:
    if chat.decision == "always" or (rule is not None and rule.effect == "allow"):
        return True
    return chat.kind == "dm" and chat.owner_wrote_at is not None
