"""The groups of the messenger in memory: what they are is what was done to them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import anyio

from messengers.errors import PlatformRefused
from messengers.providers.groups import (
    GroupMember,
    GroupRole,
    GroupSeen,
    GroupUpdate,
    MemberChange,
    MemberOutcome,
)

__all__ = ["GroupSide", "ScriptedGroups"]

ME = "me"
_ROLES: dict[MemberChange, GroupRole] = {"promote": "admin", "demote": "member", "add": "member"}


@dataclass
class GroupSide:
    """The platform's own state of an account's groups."""

    groups: dict[str, GroupSeen] = field(default_factory=dict[str, GroupSeen])
    private: set[str] = field(default_factory=set[str])
    """People who let nobody add them."""
    pictures: dict[str, bytes] = field(default_factory=dict[str, bytes])
    links: dict[str, int] = field(default_factory=dict[str, int])
    hang: anyio.Event | None = None
    """Set: listing and leaving wait for this before they answer; the latter took effect then."""
    asked: int = 0
    """How often it was asked anything at all."""

    def make(
        self, native_id: str, name: str, *people: GroupMember, admin: bool = True
    ) -> GroupSeen:
        """A group the account is in, as somebody set it up."""
        mine = GroupMember(ME, "Me", role="owner" if admin else "member")
        group = GroupSeen(native_id, name, members=(mine, *people), size=len(people) + 1)
        self.groups[native_id] = replace(group, i_am_admin=admin)
        return self.groups[native_id]

    def of(self, native_id: str) -> GroupSeen:
        if native_id not in self.groups:
            raise PlatformRefused("The account is not in that group.")
        return self.groups[native_id]

    def write(self, group: GroupSeen, members: Sequence[GroupMember]) -> None:
        self.groups[group.native_id] = replace(group, members=tuple(members), size=len(members))


class ScriptedGroups:
    """The contract's part about groups, answered by a GroupSide."""

    def __init__(self, side: GroupSide, answer: Callable[[], None]) -> None:
        self._side = side
        self._group_answer = answer

    def _asked(self) -> None:
        self._side.asked += 1
        self._group_answer()

    async def groups(self) -> Sequence[GroupSeen]:
        self._asked()
        await self._hung()
        return [replace(group, members=()) for group in self._side.groups.values()]

    async def group(self, chat_native_id: str) -> GroupSeen:
        self._asked()
        return self._side.of(chat_native_id)

    async def create_group(self, name: str, members: Sequence[str]) -> GroupSeen:
        self._asked()
        inside = [GroupMember(each) for each in members if each not in self._side.private]
        return self._side.make(f"g{len(self._side.groups) + 1}@groups", name, *inside)

    async def change_members(
        self, chat_native_id: str, change: MemberChange, members: Sequence[str]
    ) -> Sequence[MemberOutcome]:
        self._asked()
        self._side.of(chat_native_id)
        return [self._changed(chat_native_id, change, each) for each in members]

    def _changed(self, chat: str, change: MemberChange, who: str) -> MemberOutcome:
        group = self._side.of(chat)
        left = [each for each in group.members if each.native_id != who]
        inside = len(left) < len(group.members)
        if change == "add" and who in self._side.private:
            return MemberOutcome(who, done=False, why="Lets nobody add him; send the invite link.")
        if inside == (change == "add"):
            return MemberOutcome(who, done=False)
        new = [] if change in ("remove", "ban") else [GroupMember(who, role=_ROLES[change])]
        self._side.write(group, [*left, *new])
        return MemberOutcome(who, done=True)

    async def update_group(self, chat_native_id: str, update: GroupUpdate) -> None:
        self._asked()
        group = self._side.of(chat_native_id)
        new = {
            "name": update.name,
            "description": update.description,
            "announcements": update.announcements,
        }
        given = {name: value for name, value in new.items() if value is not None}
        self._side.groups[chat_native_id] = replace(group, **given)
        if update.picture is not None:
            self._side.pictures[chat_native_id] = update.picture

    async def invite_link(self, chat_native_id: str, renew: bool = False) -> str:
        self._asked()
        self._side.of(chat_native_id)
        number = self._side.links.get(chat_native_id, 1) + int(renew)
        self._side.links[chat_native_id] = number
        return f"https://groups.example/{chat_native_id}/{number}"

    async def leave_group(self, chat_native_id: str) -> None:
        self._asked()
        self._side.of(chat_native_id)
        del self._side.groups[chat_native_id]
        await self._hung()

    async def _hung(self) -> None:
        if self._side.hang is not None:
            await self._side.hang.wait()
