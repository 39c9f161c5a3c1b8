"""Channels as an account may run them: Slack gives apps no roles there, no bans and no pictures."""

import re
from collections.abc import Awaitable, Callable, Sequence

from messengers.errors import (
    InvalidInput,
    MessengersError,
    PlatformRefused,
    Uncertain,
    Unreachable,
    Unsupported,
)
from messengers.providers.groups import (
    GroupMember,
    GroupRole,
    GroupSeen,
    GroupUpdate,
    MemberChange,
    MemberOutcome,
)
from messengers.providers.slack.directory import place_of
from messengers.providers.slack.failures import told
from messengers.providers.slack.places import is_person
from messengers.providers.slack.running import Runs
from messengers.providers.slack.wire import Json, as_object

__all__ = ["Managing"]

_TYPES = "public_channel,private_channel,mpim"
_MOST_NAMED = 100
"""Members whose names are asked for; the others are told by their ids."""
_MAX_NAME = 80
_MAX_PURPOSE = 250
_NO_ROLES = "Slack lets apps make nobody an admin of a channel."
_NO_BANS = "Slack has no bans; take the person out with remove."


class Managing(Runs):
    """The part of the provider that runs channels."""

    async def groups(self) -> Sequence[GroupSeen]:
        """All that the account is in, without their members."""
        asked = self.running().calls.pages(
            "users.conversations", "channels", types=_TYPES, exclude_archived=True
        )
        return [self._seen(as_object(each)) async for each in asked]

    async def group(self, chat_native_id: str) -> GroupSeen:
        """One with its members."""
        answer = await self.running().calls.ask(
            "conversations.info", channel=chat_native_id, include_num_members=True
        )
        found = as_object(answer.get("channel"))
        ids = [
            str(each)
            async for each in self.running().calls.pages(
                "conversations.members", "members", channel=chat_native_id
            )
        ]
        members = [
            await self._member(user, found, named=number < _MOST_NAMED)
            for number, user in enumerate(ids)
        ]
        return self._seen(found, members)

    async def create_group(self, name: str, members: Sequence[str]) -> GroupSeen:
        """A private channel; whom Slack does not let in is not among its members."""
        answer = await self.running().calls.ask(
            "conversations.create", changes=True, name=_channel_name(name), is_private=True
        )
        channel = as_object(answer.get("channel"))
        inside = [self.running().account.user]
        for each in await self.change_members(str(channel["id"]), "add", members):
            inside += [each.native_id] if each.done else []
        return self._seen(
            channel, [await self._member(user, channel, named=True) for user in inside]
        )

    async def change_members(
        self, chat_native_id: str, change: MemberChange, members: Sequence[str]
    ) -> Sequence[MemberOutcome]:
        """One after the other: one whom Slack refuses would stop them all."""
        match change:
            case "add":
                method, argument = "conversations.invite", "users"
            case "remove":
                method, argument = "conversations.kick", "user"
            case _:
                why = _NO_BANS if change == "ban" else _NO_ROLES
                return [MemberOutcome(member, done=False, why=why) for member in members]

        async def make(user: str) -> None:
            with told(changes=True):
                await self.running().calls.tried(
                    method, {"channel": chat_native_id, argument: user}
                )

        return [await _outcome(member, make) for member in members]

    async def update_group(self, chat_native_id: str, update: GroupUpdate) -> None:
        """Each part is a call of its own: what came before a refusal is done."""
        parts = _parts(update)
        done: list[str] = []
        for part, method, value in parts:
            argument = "name" if part == "name" else "purpose"
            try:
                with told(changes=True):
                    await self.running().calls.tried(
                        method, {"channel": chat_native_id, argument: value}
                    )
            except PlatformRefused as exc:
                if not done:
                    raise
                said = f"Changed: {', '.join(done)}. Not changed: {part}. {exc}"
                raise Uncertain(said, "Look at the channel.") from exc
            done.append(part)
        self.running().directory.forget(chat_native_id)

    async def invite_link(self, chat_native_id: str, renew: bool = False) -> str:
        """The address of a public channel: everybody in the workspace may come in by it."""
        if renew:
            raise Unsupported("Slack's addresses of channels do not change.", "Use the one it has.")
        answer = await self.running().calls.ask("conversations.info", channel=chat_native_id)
        if as_object(answer.get("channel")).get("is_private"):
            raise Unsupported(
                "A private channel of Slack's has no link that lets people in.", "Add them by name."
            )
        return f"{self.running().account.url}archives/{chat_native_id}"

    async def leave_group(self, chat_native_id: str) -> None:
        """Into a private channel only a member brings the account back."""
        await self.running().calls.ask("conversations.leave", changes=True, channel=chat_native_id)

    def _seen(self, channel: Json, members: Sequence[GroupMember] = ()) -> GroupSeen:
        creator = str(channel.get("creator") or "")
        return GroupSeen(
            native_id=str(channel["id"]),
            name=str(place_of(channel, self.running().account.handle).get("name", "")),
            description=str(as_object(channel.get("purpose")).get("value") or ""),
            owner_native_id=creator,
            i_am_admin=creator == self.running().account.user,
            run_by_admins=False,  # the workspace decides who may
            members=tuple(members),
            size=int(channel.get("num_members") or len(members)),
        )

    async def _member(self, user: str, channel: Json, *, named: bool) -> GroupMember:
        person = await self.running().directory.person(user) if named else None
        role: GroupRole = "owner" if user == channel.get("creator") else "member"
        name = str(person.get("name", "")) if person else ""
        return GroupMember(native_id=user, display_name=name, role=role)


def _parts(update: GroupUpdate) -> Sequence[tuple[str, str, str]]:
    """(what, method, value) of what changes. Raises before anything changed."""
    if update.picture is not None or update.announcements is not None:
        raise Unsupported(
            "Slack lets apps change a channel's name and description only.", "Do it in Slack."
        )
    parts: list[tuple[str, str, str]] = []
    if update.name is not None:
        parts.append(("name", "conversations.rename", _channel_name(update.name)))
    if update.description is not None:
        if len(update.description) > _MAX_PURPOSE:
            raise InvalidInput(
                f"A description has at most {_MAX_PURPOSE} characters.", "Shorten it."
            )
        parts.append(("description", "conversations.setPurpose", update.description))
    return parts


def _channel_name(name: str) -> str:
    """As Slack writes names: small letters, figures, - and _."""
    written = re.sub(r"[^\w-]+", "-", name.strip().removeprefix("#").lower()).strip("-")
    if not re.search(r"\w", written):
        raise InvalidInput("name has no letters or figures.", "Take another.")
    return written[:_MAX_NAME]


async def _outcome(member: str, make: Callable[[str], Awaitable[None]]) -> MemberOutcome:
    if not is_person(member):
        return MemberOutcome(member, done=False, why="That is no person.")
    try:
        await make(member)
    except Unreachable:
        raise  # what became of the others is not known either
    except MessengersError as exc:
        return MemberOutcome(member, done=False, why=exc.cause)
    return MemberOutcome(member, done=True)
