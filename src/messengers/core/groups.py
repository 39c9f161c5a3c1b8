"""Groups as the messenger shows them now, each with a chat of ours, so that it has an id.

Members are never stored: who is in a group is asked for, each time. The messenger tells of a
group's later changes as of any chat's.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from messengers.clock import Clock, to_ms
from messengers.core.callers import Caller
from messengers.core.chats import Chats, chat_key
from messengers.core.deadlines import told
from messengers.core.events import Events
from messengers.core.happenings import Happenings
from messengers.core.instances import Instances
from messengers.core.names import fold_name
from messengers.core.pages import Page, check_limit
from messengers.errors import InvalidInput, Unsupported
from messengers.models import Chat, IdKind, Instance
from messengers.providers.base import ChatSeen
from messengers.providers.capabilities import Level
from messengers.providers.groups import GroupMember, GroupSeen, ManagesGroups
from messengers.store import Store, contacts, messages
from messengers.store import chats as rows
from messengers.store.rows import id_of

__all__ = ["Group", "Groups", "Member"]

_ROLES = ("owner", "admin", "member")


@dataclass(frozen=True, slots=True)
class Group:
    """A group and its chat."""

    chat: Chat
    seen: GroupSeen


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody in a group; `id` is that of his dm or contact, empty when we know neither."""

    id: str
    seen: GroupMember
    name: str
    """As the owner calls him, else as he calls himself."""


class Groups:
    """Finds and shows them."""

    def __init__(
        self, store: Store, clock: Clock, events: Events, instances: Instances, chats: Chats
    ) -> None:
        self._store = store
        self._events = events
        self._instances = instances
        self._chats = chats
        self._happenings = Happenings(events, clock, chats.access)

    async def list(
        self, caller: Caller, instance: str = "", query: str = "", limit: int = 20, cursor: str = ""
    ) -> Page[Group]:
        """All that one account is in, last active first; `query` is part of a name."""
        check_limit(limit, 100)
        chosen = await self.account(caller, instance)
        seen = await told(self.manager(chosen).groups())
        part = fold_name(query)
        if query.strip() and not part:
            raise InvalidInput("query has no letters or digits.", "Give part of a name.")
        wanted = [group for group in seen if part in fold_name(group.name)]
        scope = f"groups {chosen.id} {part}"
        after = self._store.cursors.decode(scope, cursor) if cursor else (2**62, 0)
        found = await self.chats_of(chosen, wanted)
        ranked = sorted(
            (Group(found[group.native_id], group) for group in wanted), key=_place, reverse=True
        )
        left = [group for group in ranked if _place(group) < (int(after[0]), int(after[1]))]
        more = len(left) > limit
        cursor = self._store.cursors.encode(scope, _place(left[limit - 1])) if more else ""
        return Page(tuple(left[:limit]), cursor)

    async def get(self, caller: Caller, chat: str) -> Group:
        """One with its members. Raises InvalidInput for a chat that is no group."""
        place, chosen = await self.find(caller, chat)
        seen = await self.seen(place, chosen)
        found = await self.chats_of(chosen, [seen])
        return Group(found.get(seen.native_id, place), seen)

    async def seen(self, place: Chat, chosen: Instance) -> GroupSeen:
        """One as its messenger shows it; where that names only some, with whoever wrote there."""
        seen = await told(self.manager(chosen).group(place.native_id))
        if not seen.partial:
            return seen
        named = {each.native_id for each in seen.members} | {place.native_id}
        wrote = [
            GroupMember(native_id=row["sender_id"], display_name=row["name"])
            for row in await self._store.rows(messages.senders, chat=chat_key(place))
            if row["sender_id"] not in named
        ]
        return replace(seen, members=(*seen.members, *wrote))

    async def members(self, group: Group, limit: int = 100, cursor: str = "") -> Page[Member]:
        """Who is in it: the owner, the admins, then the others."""
        check_limit(limit, 200)
        scope = f"members {group.chat.id}"
        after = self._store.cursors.decode(scope, cursor) if cursor else None
        ranked = sorted(group.seen.members, key=_standing)
        left = [each for each in ranked if after is None or [*_standing(each)] > after]
        more = len(left) > limit
        cursor = self._store.cursors.encode(scope, _standing(left[limit - 1])) if more else ""
        instance = self._instances.by_name(group.chat.instance)
        return Page(tuple(await self._known(instance, left[:limit])), cursor)

    async def find(
        self, caller: Caller, chat: str, *, write: bool = False
    ) -> tuple[Chat, Instance]:
        """The group that an id or name means, and its account.

        Raises Unsupported when no account of the caller's has groups to manage.
        """
        await self._require_any(caller)
        place = await self._chats.find(caller, chat, write=write)
        if place.kind != "group":
            raise InvalidInput("That chat is no group.", "list_groups shows the groups.")
        return place, self._instances.by_name(place.instance)

    async def account(self, caller: Caller, instance: str) -> Instance:
        """The account of that name; without a name the only one that has groups."""
        if instance:
            return self._instances.resolve(caller, instance)
        able = await self._require_any(caller)
        if len(able) > 1:
            names = ", ".join(each.name for each in able)
            raise InvalidInput("Several accounts have groups.", f"Name one in instance: {names}.")
        return able[0]

    async def _require_any(self, caller: Caller) -> Sequence[Instance]:
        able = self._instances.able
        return await able(caller, lambda can: can.groups is not Level.REJECT, "manage groups")

    def manager(self, instance: Instance) -> ManagesGroups:
        """The account's provider. Raises Unsupported, or NotConnected while it does not run."""
        provider = self._instances.provider_for_parsing(instance.id)
        if not isinstance(provider, ManagesGroups):
            raise Unsupported(
                f"{instance.provider} cannot manage groups.",
                "list_instances shows what each account can.",
            )
        self._instances.provider(instance.id)
        return provider

    async def chats_of(self, instance: Instance, seen: Sequence[GroupSeen]) -> dict[str, Chat]:
        """The chats of groups by native id; those that are new or renamed are written first."""
        natives = [group.native_id for group in seen]
        stored = await self._stored(instance, natives)
        news = [
            ChatSeen(group.native_id, "group", group.name, "platform")
            for group in seen
            if group.native_id not in stored or _renamed(stored[group.native_id], group)
        ]
        if news:
            await self._events.write(
                lambda conn: [self._happenings.chat(conn, instance.id, each) for each in news]
            )
            stored = await self._stored(instance, natives)
        return stored

    async def renamed(self, place: Chat, name: str) -> None:
        """The messenger took another name; the one that the owner gave himself stays in front."""
        instance = self._instances.by_name(place.instance)
        seen = ChatSeen(place.native_id, "group", name, "platform")
        await self._events.write(lambda conn: self._happenings.chat(conn, instance.id, seen))

    async def _stored(self, instance: Instance, natives: Sequence[str]) -> dict[str, Chat]:
        params = {"instance": instance.id, "natives": natives or [""]}
        found = await self._store.rows(rows.of_natives, **params)
        return {row["native_id"]: self._chats.of_row(row) for row in found}

    async def _known(self, instance: Instance, seen: Sequence[GroupMember]) -> Sequence[Member]:
        natives = [each.native_id for each in seen]
        dms = await self._stored(instance, natives)
        params = {"instance": instance.id, "natives": natives or [""]}
        people = {
            row["native_id"]: row for row in await self._store.rows(contacts.of_natives, **params)
        }
        members: list[Member] = []
        for each in seen:
            dm, person = dms.get(each.native_id), people.get(each.native_id)
            ours = dm.name if dm and dm.name_source == "owner" else ""
            known = person["display_name"] if person else ""
            id_ = dm.id if dm else id_of(IdKind.CONTACT, person["id"] if person else None)
            members.append(Member(id_, each, ours or known or each.display_name))
        return members


def _renamed(chat: Chat, group: GroupSeen) -> bool:
    return bool(group.name) and chat.name_source != "owner" and chat.name != group.name


def _place(group: Group) -> tuple[int, int]:
    at = group.chat.last_message_at
    return (to_ms(at) if at else 0, chat_key(group.chat))


def _standing(member: GroupMember) -> tuple[int, str]:
    return _ROLES.index(member.role), member.native_id
