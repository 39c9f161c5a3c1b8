"""Groups as a bot may run them: those it is an admin of, and only people who are there already."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from aiogram.methods import (
    BanChatMember,
    ExportChatInviteLink,
    GetChat,
    GetChatAdministrators,
    GetChatMember,
    GetChatMemberCount,
    LeaveChat,
    PromoteChatMember,
    SetChatDescription,
    SetChatPermissions,
    SetChatPhoto,
    SetChatTitle,
    TelegramMethod,
    UnbanChatMember,
)
from aiogram.types import BufferedInputFile, ChatPermissions

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
from messengers.providers.telegram.calls import Calls
from messengers.providers.telegram.limits import MAX_DESCRIPTION
from messengers.providers.telegram.memory import Memory
from messengers.providers.telegram.people import Json, name_of, title_of
from messengers.providers.telegram.places import Place

__all__ = ["Managing"]

_ROLES: Mapping[str, GroupRole] = {"creator": "owner", "administrator": "admin"}
_RIGHTS = (
    *("can_manage_chat", "can_delete_messages", "can_manage_video_chats", "can_restrict_members"),
    *("can_change_info", "can_invite_users", "can_pin_messages", "can_manage_topics"),
)
"""What a new admin gets, as far as the bot has it; making further admins stays with the owner."""
_SENDS = (
    *("can_send_messages", "can_send_audios", "can_send_documents", "can_send_photos"),
    *("can_send_videos", "can_send_video_notes", "can_send_voice_notes", "can_send_polls"),
    *("can_send_other_messages", "can_add_web_page_previews"),
)
_CANNOT_ADD = "A bot cannot add people; send them the invite link."


class Managing:
    """The part of the provider that runs groups."""

    _memory: Memory

    def calls(self) -> Calls:
        """The running bot's calls. Raises NotConnected while there are none."""
        raise NotImplementedError

    async def groups(self) -> Sequence[GroupSeen]:
        """Those the bot has heard of: Telegram gives bots no list."""
        return [
            GroupSeen(native_id=chat, name=title) for chat, title in self._memory.groups.items()
        ]

    async def group(self, chat_native_id: str) -> GroupSeen:
        """One with its admins, the only members that Telegram names to bots."""
        calls, chat = self.calls(), Place.read(chat_native_id).chat_id
        full: Json = await calls.ask(GetChat(chat_id=chat), chat=chat, changes=False)
        admins: Sequence[Json] = await calls.ask(
            GetChatAdministrators(chat_id=chat), chat=chat, changes=False
        )
        size: int = await calls.ask(GetChatMemberCount(chat_id=chat), chat=chat, changes=False)
        return GroupSeen(
            native_id=chat_native_id,
            name=title_of(full),
            description=full.get("description", ""),
            owner_native_id=next(
                (str(each["user"]["id"]) for each in admins if each["status"] == "creator"), ""
            ),
            announcements=full.get("permissions", {}).get("can_send_messages") is False,
            i_am_admin=any(each["user"]["id"] == self._memory.bot for each in admins),
            members=tuple(map(_member, admins)),
            size=size,
            partial=True,
        )

    async def create_group(self, name: str, members: Sequence[str]) -> GroupSeen:
        """Nothing that bots can do."""
        del name, members
        raise Unsupported("A Telegram bot cannot make groups.", "Make it in Telegram and add it.")

    async def change_members(
        self, chat_native_id: str, change: MemberChange, members: Sequence[str]
    ) -> Sequence[MemberOutcome]:
        """One change for several, one after the other."""
        place = Place.read(chat_native_id)
        if change == "add":
            return [MemberOutcome(member, done=False, why=_CANNOT_ADD) for member in members]
        makes = await self._maker(change, place)
        return [await _outcome(member, makes) for member in members]

    async def _maker(
        self, change: MemberChange, place: Place
    ) -> Callable[[int], Awaitable[object]]:
        """What does a change to one user."""
        calls, chat = self.calls(), place.chat_id

        async def remove(user: int) -> None:
            await calls.ask(BanChatMember(chat_id=chat, user_id=user), chat=chat)
            if place.is_supergroup:
                # Out, and free to come back: that is what removing means.
                await calls.ask(
                    UnbanChatMember(chat_id=chat, user_id=user, only_if_banned=True), chat=chat
                )

        if change == "remove":
            return remove
        if change == "ban":
            return lambda user: calls.ask(BanChatMember(chat_id=chat, user_id=user), chat=chat)
        rights = dict.fromkeys(_RIGHTS, False)
        if change == "promote":
            me: Json = await calls.ask(
                GetChatMember(chat_id=chat, user_id=self._memory.bot), chat=chat, changes=False
            )
            rights = {right: bool(me.get(right)) for right in _RIGHTS}
        return lambda user: calls.ask(
            PromoteChatMember(chat_id=chat, user_id=user, **rights), chat=chat
        )

    async def update_group(self, chat_native_id: str, update: GroupUpdate) -> None:
        """Each part is a call of its own: what came before a refusal is done."""
        calls, chat = self.calls(), Place.read(chat_native_id).chat_id
        done: list[str] = []
        for part, method in await _parts(calls, chat, update):
            try:
                await calls.ask(method, chat=chat)
            except PlatformRefused as exc:
                if "not modified" in str(exc):
                    continue
                if not done:
                    raise
                told = f"Changed: {', '.join(done)}. Not changed: {part}. {exc}"
                raise Uncertain(told, "Look at the group.") from exc
            done.append(part)

    async def invite_link(self, chat_native_id: str, renew: bool = False) -> str:
        """The bot's own link; Telegram gives each admin another one."""
        calls, chat = self.calls(), Place.read(chat_native_id).chat_id
        if not renew:
            full: Json = await calls.ask(GetChat(chat_id=chat), chat=chat, changes=False)
            if full.get("invite_link"):
                return str(full["invite_link"])
        return str(await calls.ask(ExportChatInviteLink(chat_id=chat), chat=chat))

    async def leave_group(self, chat_native_id: str) -> None:
        """Only a member can bring the bot back."""
        place = Place.read(chat_native_id)
        await self.calls().ask(LeaveChat(chat_id=place.chat_id), chat=place.chat_id)
        self._memory.out_of_group(str(place.chat_id))


async def _parts(
    calls: Calls, chat: int, update: GroupUpdate
) -> Sequence[tuple[str, TelegramMethod[Any]]]:
    """What of a group changes, and the call for each. Raises before anything changed."""
    parts: list[tuple[str, TelegramMethod[Any]]] = []
    if update.name is not None:
        parts.append(("name", SetChatTitle(chat_id=chat, title=update.name)))
    if update.description is not None:
        if len(update.description) > MAX_DESCRIPTION:
            what = f"A description has at most {MAX_DESCRIPTION} characters."
            raise InvalidInput(what, "Shorten it.")
        described = SetChatDescription(chat_id=chat, description=update.description)
        parts.append(("description", described))
    if update.announcements is not None:
        full: Json = await calls.ask(GetChat(chat_id=chat), chat=chat, changes=False)
        rights = {**full.get("permissions", {}), **dict.fromkeys(_SENDS, not update.announcements)}
        allowed = SetChatPermissions(
            chat_id=chat,
            permissions=ChatPermissions(**rights),
            use_independent_chat_permissions=True,
        )
        parts.append(("announcements", allowed))
    if update.picture is not None:
        photo = BufferedInputFile(update.picture, filename="picture.jpg")
        parts.append(("picture", SetChatPhoto(chat_id=chat, photo=photo)))
    return parts


async def _outcome(member: str, makes: Callable[[int], Awaitable[object]]) -> MemberOutcome:
    if not member.isdecimal():
        return MemberOutcome(member, done=False, why="That is no person.")
    try:
        await makes(int(member))
    except Unreachable:
        raise  # what became of the others is not known either
    except MessengersError as exc:
        return MemberOutcome(member, done=False, why=exc.cause)
    return MemberOutcome(member, done=True)


def _member(admin: Json) -> GroupMember:
    user = admin["user"]
    role = _ROLES.get(admin["status"], "member")
    return GroupMember(native_id=str(user["id"]), display_name=name_of(user), role=role)
