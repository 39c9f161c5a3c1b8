"""What bots do in chats they have a say in: members, invitations, title and picture."""

from tests.fakes.telegram import access, membership
from tests.fakes.telegram.chats import ADMINISTRATOR_RIGHTS, PERMISSIONS, Chat, Member, rights_in
from tests.fakes.telegram.media import Material, medium
from tests.fakes.telegram.methods import method
from tests.fakes.telegram.people import Json, User, present
from tests.fakes.telegram.refusal import Refused
from tests.fakes.telegram.requests import Call, Upload
from tests.fakes.telegram.world import World

__all__: list[str] = []

_NOT_RESTRICTING = "not enough rights to restrict/unrestrict chat member"
_NOT_INVITING = "not enough rights to manage chat invite link"


def _user(world: World, call: Call) -> User:
    number = call.number("user_id")
    if number <= 0:
        raise Refused(400, "invalid user_id specified")
    user = world.known_user(call.bot, number)
    if user is None:
        raise Refused(400, "user not found")
    return user


def _group(world: World, call: Call) -> Chat:
    chat = access.readable(world, call)
    if chat.user:
        raise Refused(400, "chat member status can't be changed in private chats")
    return chat


@method("getChatMember")
def get_chat_member(world: World, call: Call) -> object:
    chat, user = access.readable(world, call), _user(world, call)
    return _member(chat, user).json(chat, call.bot)


def _member(chat: Chat, user: User) -> Member:
    """In a private chat both are members."""
    return Member(user) if chat.user and chat.has(user) else chat.member(user)


@method("getChatMemberCount")
def get_chat_member_count(world: World, call: Call) -> object:
    chat = access.readable(world, call)
    return 2 if chat.user else sum(member.present for member in chat.members.values())


@method("getChatAdministrators")
def get_chat_administrators(world: World, call: Call) -> object:
    """Other bots only on request."""
    chat = access.readable(world, call)
    if chat.user:
        raise Refused(400, "there are no administrators in the private chat")
    with_bots = call.flag("return_bots")
    return [
        member.json(chat, call.bot)
        for member in chat.members.values()
        if member.in_charge and (with_bots or not member.user.is_bot or member.user is call.bot)
    ]


@method("banChatMember")
def ban_chat_member(world: World, call: Call) -> object:
    chat, user = _restrictable(world, call)
    membership.leave(world, chat, user, call.bot, banned=True)
    chat.members[user.id].until_date = call.number("until_date")
    return True


def _restrictable(world: World, call: Call) -> tuple[Chat, User]:
    chat, user = _group(world, call), _user(world, call)
    access.require_right(chat, call.bot, "can_restrict_members", _NOT_RESTRICTING)
    if chat.member(user).status == "creator":
        raise Refused(400, "can't remove chat owner")
    if chat.member(user).in_charge:
        raise Refused(400, "user is an administrator of the chat")
    return chat, user


@method("unbanChatMember")
def unban_chat_member(world: World, call: Call) -> object:
    """Without `only_if_banned` a member is put out, as the API's page warns."""
    chat, user = _restrictable(world, call)
    _require_large(chat)
    status = chat.member(user).status
    if status == "kicked":
        membership.become(world, chat, user, "left", call.bot)
    elif chat.member(user).present and not call.flag("only_if_banned"):
        membership.leave(world, chat, user, call.bot)
    return True


def _require_large(chat: Chat) -> None:
    if chat.type == "group":
        raise Refused(400, "method is available for supergroup and channel chats only")


@method("restrictChatMember")
def restrict_chat_member(world: World, call: Call) -> object:
    chat, user = _restrictable(world, call)
    if chat.type != "supergroup":
        raise Refused(400, "method is available only for supergroups")
    allowed = {name for name, said in call.object("permissions").items() if said}
    whole = allowed >= set(PERMISSIONS) - {"can_manage_topics"}
    membership.become(
        world,
        chat,
        user,
        "member" if whole else "restricted",
        call.bot,
        () if whole else allowed,
        until_date=call.number("until_date"),
    )
    return True


@method("promoteChatMember")
def promote_chat_member(world: World, call: Call) -> object:
    chat, user = _group(world, call), _user(world, call)
    _require_large(chat)
    access.require_right(chat, call.bot, "can_promote_members")
    if chat.member(user).status == "creator":
        raise Refused(400, "can't remove chat owner")
    rights = {name for name in {*rights_in(chat), *ADMINISTRATOR_RIGHTS} if call.flag(name)}
    own = chat.member(call.bot)
    if any(not own.may(right) for right in rights):
        raise Refused(400, "RIGHT_FORBIDDEN")
    status = "administrator" if rights else "member"
    membership.become(world, chat, user, status, call.bot, rights)
    return True


@method("setChatAdministratorCustomTitle")
def set_chat_administrator_custom_title(world: World, call: Call) -> object:
    chat, user = _group(world, call), _user(world, call)
    member = chat.member(user)
    if member.status != "administrator":
        raise Refused(400, "user is not an administrator")
    if member.promoted_by is not call.bot:
        raise Refused(400, "not enough rights to change custom title of the user")
    member.title = call.text("custom_title")
    return True


@method("leaveChat")
def leave_chat(world: World, call: Call) -> object:
    membership.leave(world, _group(world, call), call.bot, call.bot)
    return True


@method("setChatPermissions")
def set_chat_permissions(world: World, call: Call) -> object:
    chat = _group(world, call)
    text = "not enough rights to change chat permissions"
    access.require_right(chat, call.bot, "can_restrict_members", text)
    chat.permissions = frozenset(name for name, on in call.object("permissions").items() if on)
    return True


def _changeable(world: World, call: Call, what: str) -> Chat:
    chat = access.writable(world, call)
    if chat.user:
        raise Refused(400, f"can't change private {what.removeprefix('change ')}")
    access.require_right(chat, call.bot, "can_change_info", f"not enough rights to {what}")
    return chat


@method("setChatTitle")
def set_chat_title(world: World, call: Call) -> object:
    chat, title = _changeable(world, call, "change chat title"), call.text("title").strip()
    if not title:
        raise Refused(400, "title must be non-empty")
    if len(title) > 128:
        raise Refused(400, "CHAT_TITLE_EMPTY")
    if title != chat.title:
        membership.title(world, chat, title, call.bot)
    return True


@method("setChatDescription")
def set_chat_description(world: World, call: Call) -> object:
    chat, text = _changeable(world, call, "set chat description"), call.text("description")
    if len(text) > 255:
        raise Refused(400, "CHAT_ABOUT_TOO_LONG")
    if text == chat.description:
        raise Refused(400, "chat description is not modified")
    chat.description = text
    return True


@method("setChatPhoto")
def set_chat_photo(world: World, call: Call) -> object:
    photo = call.upload("photo")
    if not photo:
        raise Refused(400, "there is no photo in the request")
    if not isinstance(photo, Upload):
        raise Refused(400, "photo must be uploaded as an InputFile")
    chat = _changeable(world, call, "change chat photo")
    chat.photo = medium(world.library, "photo", Material(photo.data))["photo"]
    world.announce(world.post(chat, {"new_chat_photo": chat.photo}, call.bot))
    return True


@method("deleteChatPhoto")
def delete_chat_photo(world: World, call: Call) -> object:
    chat = _changeable(world, call, "change chat photo")
    if not chat.photo:
        raise Refused(400, "CHAT_NOT_MODIFIED")
    chat.photo = []
    world.announce(world.post(chat, {"delete_chat_photo": True}, call.bot))
    return True


def _link(world: World, chat: Chat, call: Call, *, primary: bool) -> Json:
    link: Json = {
        "invite_link": f"https://t.me/+FAKE{world.number():012}",
        "creator": call.bot.json(),
        "creates_join_request": call.flag("creates_join_request"),
        "is_primary": primary,
        "is_revoked": False,
        **present(
            name=call.text("name"),
            expire_date=call.number("expire_date"),
            member_limit=call.number("member_limit"),
        ),
    }
    chat.invite_links.append(link)
    return link


def _inviting(world: World, call: Call) -> Chat:
    chat = _group(world, call)
    access.require_right(chat, call.bot, "can_invite_users", _NOT_INVITING)
    return chat


@method("exportChatInviteLink")
def export_chat_invite_link(world: World, call: Call) -> object:
    """Another primary link of this bot; the one before is revoked."""
    chat = _inviting(world, call)
    for link in chat.invite_links:
        if link["is_primary"] and link["creator"]["id"] == call.bot.id:
            link["is_revoked"] = True
    return _link(world, chat, call, primary=True)["invite_link"]


@method("createChatInviteLink")
def create_chat_invite_link(world: World, call: Call) -> object:
    if call.flag("creates_join_request") and call.number("member_limit"):
        raise Refused(400, "USAGE_LIMIT_INVALID")
    return _link(world, _inviting(world, call), call, primary=False)


def _known_link(world: World, call: Call) -> Json:
    chat, text = _inviting(world, call), call.text("invite_link")
    link = next((each for each in chat.invite_links if each["invite_link"] == text), None)
    if link is None:
        raise Refused(400, "INVITE_HASH_EXPIRED")
    return link


@method("editChatInviteLink")
def edit_chat_invite_link(world: World, call: Call) -> object:
    link = _known_link(world, call)
    for name in ("name", "expire_date", "member_limit"):
        link.pop(name, None)
    link |= present(
        name=call.text("name"),
        expire_date=call.number("expire_date"),
        member_limit=call.number("member_limit"),
    )
    link["creates_join_request"] = call.flag("creates_join_request")
    return link


@method("revokeChatInviteLink")
def revoke_chat_invite_link(world: World, call: Call) -> object:
    link = _known_link(world, call)
    link["is_revoked"] = True
    return link


def _asking(world: World, call: Call) -> tuple[Chat, User]:
    """Whoever waits to be let in; nobody waits any more after this."""
    chat = _inviting(world, call)
    user = chat.asking.pop(call.number("user_id"), None)
    if user is None:
        raise Refused(400, "HIDE_REQUESTER_MISSING")
    return chat, user


@method("approveChatJoinRequest")
def approve_chat_join_request(world: World, call: Call) -> object:
    chat, user = _asking(world, call)
    membership.join(world, chat, [user], user)
    return True


@method("declineChatJoinRequest")
def decline_chat_join_request(world: World, call: Call) -> object:
    _asking(world, call)
    return True
