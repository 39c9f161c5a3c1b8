"""Updates as Telegram sends them, judged by aiogram's types, and what they are translated to."""

from collections.abc import Sequence
from itertools import count
from typing import Any, TypeVar

import orjson
from aiogram.types import Update

from messengers.providers.base import Happening, MessageSeen
from messengers.providers.telegram.incoming import BESIDE, translate

Json = dict[str, Any]
T = TypeVar("T")
NOON = 1_780_000_000
"""When everything happens."""
ME = 7_000_000_001
ADA: Json = {
    "id": 5_000_000_001,
    "is_bot": False,
    "first_name": "Ada",
    "last_name": "Lovelace",
    "username": "ada",
    "language_code": "en",
}
BOB: Json = {"id": 5_000_000_002, "is_bot": False, "first_name": "Bob"}
BOT: Json = {"id": ME, "is_bot": True, "first_name": "Shop", "username": "Shop_bot"}
DM: Json = {
    "id": ADA["id"],
    "type": "private",
    "first_name": "Ada",
    "last_name": "Lovelace",
    "username": "ada",
}
GROUP: Json = {"id": -4_001, "type": "group", "title": "Bakers"}
SUPERGROUP: Json = {"id": -1_002_000_000_001, "type": "supergroup", "title": "Big bakers"}
FORUM: Json = {**SUPERGROUP, "is_forum": True}
CHANNEL: Json = {
    "id": -1_002_000_000_009,
    "type": "channel",
    "title": "Bread news",
    "username": "breadnews",
}
_numbers = count(900_000_001)


def message(sender: Json = ADA, **content: Any) -> Json:  # noqa: ANN401 - any JSON
    """A message of Ada's in her private chat, unless it says otherwise."""
    return {"message_id": 11, "from": sender, "chat": DM, "date": NOON, **content}


def file(**more: Any) -> Json:  # noqa: ANN401 - any JSON
    return {"file_id": "file-1", "file_unique_id": "u1", **more}


def read(kind: str, body: Json, **beside: Any) -> Sequence[Happening]:  # noqa: ANN401 - any JSON
    """What an update means, once aiogram has agreed that Telegram could have sent it."""
    update = {"update_id": next(_numbers), kind: body}
    assert getattr(Update.model_validate(update), kind) is not None
    known = {"at": NOON + 5, "me": ME, "name": "Shop_bot", **beside}
    return translate(kind, orjson.dumps({**update, BESIDE: known}))


def only(happenings: Sequence[Happening], kind: type[T]) -> T:
    """The one happening of a kind."""
    (found,) = [each for each in happenings if isinstance(each, kind)]
    return found


def seen(sender: Json = ADA, **content: Any) -> MessageSeen:  # noqa: ANN401 - any JSON
    """The message that is understood from one."""
    return only(read("message", message(sender, **content)), MessageSeen)
