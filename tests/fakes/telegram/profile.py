"""What bots say about themselves, and what they look up: chats, people, files."""

import json

from tests.fakes.telegram import access
from tests.fakes.telegram.chats import PERMISSIONS, Chat
from tests.fakes.telegram.messages import for_bot
from tests.fakes.telegram.methods import METHODS, method
from tests.fakes.telegram.people import Json, present
from tests.fakes.telegram.refusal import Refused
from tests.fakes.telegram.requests import Call
from tests.fakes.telegram.world import World

__all__: list[str] = []

_NO_GIFTS = dict.fromkeys(
    [
        "unlimited_gifts",
        "limited_gifts",
        "unique_gifts",
        "premium_subscription",
        "gifts_from_channels",
    ],
    False,
)
_COMMANDS_MAX = 100
# Texts a bot keeps by language: the methods' noun, the field, its longest.
_TEXTS = [
    ("Name", "name", 64),
    ("Description", "description", 512),
    ("ShortDescription", "short_description", 120),
]


@method("getFile")
def get_file(world: World, call: Call) -> object:
    if not call.text("file_id"):
        raise Refused(400, "file_id not specified")
    described = world.library.described(call.bot.id, call.text("file_id"))
    return {**described, "file_id": call.text("file_id")}


@method("getChat")
def get_chat(world: World, call: Call) -> object:
    chat = access.readable(world, call)
    reactions = chat.available_reactions
    full = {
        **chat.json(),
        "accent_color_id": 0,
        "max_reaction_count": 11,
        "accepted_gift_types": _NO_GIFTS,
        **present(
            description=chat.description,
            bio=chat.user and chat.user.bio,
            invite_link=_primary_link(chat, call),
            pinned_message=chat.pinned[-1].json(call.bot, nested=True) if chat.pinned else None,
            linked_chat_id=chat.linked and chat.linked.id,
            photo=_chat_photo(chat, call),
            active_usernames=[name for name in [_username(chat)] if name] or None,
        ),
    }
    if reactions is not None:
        full["available_reactions"] = [{"type": "emoji", "emoji": each} for each in reactions]
    if chat.type in {"group", "supergroup"}:
        full["permissions"] = {name: name in chat.permissions for name in PERMISSIONS}
    return full


def _username(chat: Chat) -> str:
    return chat.user.username if chat.user else chat.username


def _primary_link(chat: Chat, call: Call) -> str:
    if not chat.member(call.bot).may("can_invite_users"):
        return ""
    own = [each for each in chat.invite_links if each["creator"]["id"] == call.bot.id]
    alive = [each for each in own if each["is_primary"] and not each["is_revoked"]]
    return str(alive[-1]["invite_link"]) if alive else ""


def _chat_photo(chat: Chat, call: Call) -> Json | None:
    if not chat.photo:
        return None
    small, big = chat.photo[0], chat.photo[-1]
    return {
        f"{size}_{name}": f"{photo[name]}{f'-{call.bot.id}' if name == 'file_id' else ''}"
        for size, photo in (("small", small), ("big", big))
        for name in ("file_id", "file_unique_id")
    }


@method("getUserProfilePhotos")
def get_user_profile_photos(world: World, call: Call) -> object:
    user = world.known_user(call.bot, call.number("user_id"))
    if user is None:
        raise Refused(400, "user not found")
    offset, limit = call.number("offset"), call.number("limit", 100)
    shown = user.photos[offset : offset + limit]
    return for_bot({"total_count": len(user.photos), "photos": shown}, call.bot)


@method("setMyCommands")
def set_my_commands(_world: World, call: Call) -> object:
    commands = call.objects("commands")
    if len(commands) > _COMMANDS_MAX:
        raise Refused(400, "BOT_COMMANDS_TOO_MUCH")
    for each in commands:
        name = str(each["command"]).removeprefix("/")
        if not (name.replace("_", "a").isalnum() and name.isascii() and name.islower()):
            raise Refused(400, "BOT_COMMAND_INVALID")
        if len(name) > 32 or not 1 <= len(str(each["description"])) <= 256:
            raise Refused(400, "BOT_COMMAND_DESCRIPTION_INVALID")
    call.bot.settings[f"commands {_scope(call)}"] = commands
    return True


def _scope(call: Call) -> str:
    scope = call.object("scope") or {"type": "default"}
    return f"{json.dumps(scope, sort_keys=True)} {call.text('language_code')}"


@method("getMyCommands")
def get_my_commands(_world: World, call: Call) -> object:
    return call.bot.settings.get(f"commands {_scope(call)}", [])


@method("deleteMyCommands")
def delete_my_commands(_world: World, call: Call) -> object:
    call.bot.settings.pop(f"commands {_scope(call)}", None)
    return True


def _text(noun: str, field: str, longest: int) -> None:
    def change(_world: World, call: Call) -> object:
        if len(call.text(field)) > longest:
            raise Refused(400, f"{field} is too long")
        call.bot.settings[f"{field} {call.text('language_code')}"] = call.text(field)
        if field == "name" and call.text(field) and not call.text("language_code"):
            call.bot.first_name = call.text(field)
        return True

    def look(_world: World, call: Call) -> object:
        own = call.bot.first_name if field == "name" else ""
        plain = call.bot.settings.get(f"{field} ") or own
        return {field: call.bot.settings.get(f"{field} {call.text('language_code')}") or plain}

    METHODS[f"setMy{noun}"], METHODS[f"getMy{noun}"] = change, look


for _each in _TEXTS:
    _text(*_each)


@method("setChatMenuButton")
def set_chat_menu_button(_world: World, call: Call) -> object:
    button = call.object("menu_button") or {"type": "default"}
    call.bot.settings[f"menu {call.text('chat_id')}"] = button
    return True


@method("getChatMenuButton")
def get_chat_menu_button(_world: World, call: Call) -> object:
    default = call.bot.settings.get("menu ", {"type": "commands"})
    return call.bot.settings.get(f"menu {call.text('chat_id')}", default)


@method("logOut")
def log_out(_world: World, call: Call) -> object:
    """From the cloud server; only a self-hosted one takes it for ten minutes."""
    call.bot.revoked = True
    return True


@method("close")
def close(_world: World, _call: Call) -> object:
    return True
