"""One update of Telegram's into the store, whoever brought it: the long poll or the webhook."""

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any, cast

import orjson

from messengers.clock import Clock
from messengers.providers.base import Sink
from messengers.providers.telegram.incoming import BESIDE, UPDATES
from messengers.providers.telegram.memory import Memory
from messengers.providers.telegram.people import Json, title_of
from messengers.providers.webhooks import Delivered

__all__ = ["Account", "Intake", "number_of"]

_UNKNOWN = "unknown"
"""The kind of an update that this version has no word for."""


class Account:
    """The bot itself, as getMe tells it."""

    def __init__(self, user: Json) -> None:
        self.id: int = user["id"]
        self.username: str = user.get("username", "")
        self.reads_groups: bool = bool(user.get("can_read_all_group_messages"))
        self.joins_groups: bool = bool(user.get("can_join_groups", True))


class Intake:
    """Takes updates in. What `take` returned from is durable; a webhook's caller stores itself."""

    def __init__(
        self,
        sink: Sink,
        account: Account,
        memory: Memory,
        clock: Clock,
        answer: Callable[[str], None],
    ) -> None:
        self._sink = sink
        self._account = account
        self._memory = memory
        self._clock = clock
        self._answer = answer
        """Called with the id of a pressed button's query, which waits for an answer."""

    async def take(self, update: object) -> None:
        """Store an update as it came."""
        event = self.event_of(update)
        await self._sink.ingest(event.event_key, event.chat_key, event.kind, event.payload)
        self.stored(update)

    def event_of(self, update: object) -> Delivered:
        """An update as it is stored.

        One that cannot be read is kept as well: it is an event of its own kind.
        """
        kind, body = _kind_of(update)
        beside: dict[str, Any] = {
            "at": self._clock.now().timestamp(),
            "me": self._account.id,
            "name": self._account.username,
        }
        if kind in ("poll", "poll_answer"):
            poll_id = body.get("poll_id") or body.get("id")
            beside["poll"] = self._memory.poll(str(poll_id)) or {}
        whole = {**cast("Json", update), BESIDE: beside} if body else {_UNKNOWN: update}
        payload = _encoded(whole)
        number = number_of(update)
        name = number if number is not None else hashlib.sha256(_encoded(update)).hexdigest()[:32]
        return Delivered(f"{kind}:{name}", _lane(body), kind, payload)

    def stored(self, update: object) -> None:
        """What an update that is durable leads to."""
        kind, body = _kind_of(update)
        self._learn(kind, body)
        if kind == "callback_query" and isinstance(body.get("id"), str):
            self._answer(body["id"])

    def _learn(self, kind: str, body: Json) -> None:
        """Which groups the bot is in: Telegram has no list of them."""
        chat: object = body.get("chat")
        if not isinstance(chat, dict):
            return
        place = cast("dict[str, Any]", chat)
        if place.get("type") not in ("group", "supergroup") or "id" not in place:
            return
        status = ""
        if kind == "my_chat_member":
            member: object = body.get("new_chat_member")
            status = str(cast("Json", member).get("status")) if isinstance(member, dict) else ""
        if status in ("left", "kicked") or "migrate_to_chat_id" in body:
            self._memory.out_of_group(str(place["id"]))
        elif kind in ("message", "my_chat_member"):
            self._memory.in_group(str(place["id"]), title_of(place))


def number_of(update: object) -> int | None:
    """The `update_id`, None where there is none to go on from."""
    number: object = (
        cast("Mapping[str, object]", update).get("update_id") if isinstance(update, dict) else None
    )
    return number if isinstance(number, int) else None


def _kind_of(update: object) -> tuple[str, Json]:
    """The kind of an update and what it tells."""
    if isinstance(update, dict):
        for name, body in cast("dict[str, object]", update).items():
            if name in UPDATES and isinstance(body, dict):
                return name, cast("Json", body)
    return _UNKNOWN, {}


def _lane(body: Json) -> str:
    """The chat, so that its events stay in order; its topics with it, since reactions name none."""
    message: object = body.get("message")
    chat: object = body.get("chat") or (
        cast("Json", message).get("chat") if isinstance(message, dict) else None
    )
    return str(cast("Json", chat).get("id", "")) if isinstance(chat, dict) else ""


def _encoded(value: object) -> bytes:
    try:
        return orjson.dumps(value)
    except TypeError:  # half a surrogate pair: it is kept as JSON writes it
        return json.dumps(value).encode()
