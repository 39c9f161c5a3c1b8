"""Calls of one running bot: its refusals in our words, messages that leave once, second choices."""

from typing import Any

import anyio

from messengers.errors import PlatformRefused, Uncertain
from messengers.providers.base import Part, Sent
from messengers.providers.discord.echoes import Echo, Echoes, nonce_of
from messengers.providers.discord.failures import told
from messengers.providers.discord.fields import Json
from messengers.providers.discord.incoming import moment
from messengers.providers.discord.memory import Memory
from messengers.providers.discord.outgoing import message_of, notes_of, post_of
from messengers.providers.discord.people import name_of
from messengers.providers.discord.places import GUILD, user_of
from messengers.providers.discord.rooms import FORUMS, THREADS, Rooms
from messengers.providers.discord.wire import Refused, Unanswered, Wire

__all__ = ["Calls"]

_SEND_S = 50.0
"""Below the outbox's own deadline: an upload takes its time."""
_AGAIN_S = (1.0, 3.0)
"""Before a message that was not answered leaves again, with its nonce."""
_ECHO_S = 2.0
_NO_QUOTING = 160002
_MESSAGES = "/channels/{channel_id}/messages"


class Calls:
    """What a bot asks of Discord while it runs."""

    def __init__(self, wire: Wire, memory: Memory, rooms: Rooms, echoes: Echoes) -> None:
        self.wire = wire
        self.rooms = rooms
        self._memory = memory
        self._echoes = echoes

    async def ask(
        self,
        method: str,
        path: str,
        *,
        changes: bool = True,
        needs: str = "",
        **options: Any,  # noqa: ANN401 - as the wire takes it
    ) -> Any:  # noqa: ANN401 - any JSON
        """The answer of one call, or its failure in the product's words."""
        with told(changes=changes, needs=needs):
            return await self.wire.ask(method, path, **options)

    async def channel_of(self, chat_native_id: str) -> str:
        """The number under which a chat is written to; a direct chat is opened."""
        if chat_native_id.startswith(GUILD):
            what = "A server itself takes no messages."
            raise PlatformRefused(what, "list_chats names its channels.")
        user = user_of(chat_native_id)
        if not user:
            return chat_native_id
        known = self._memory.channel_of(user)
        if known:
            return known
        channel: Json = await self.ask(
            "POST", "/users/@me/channels", json={"recipient_id": user}, changes=False
        )
        id, person = str(channel["id"]), channel["recipients"][0]
        self._memory.meets(id, user, name_of(person), str(person.get("username") or ""))
        return id

    async def at(self, chat_native_id: str, message: str) -> tuple[str, str]:
        """Channel and number of a message. What stands in a forum begins a thread of its number."""
        if not message.isdecimal():
            raise PlatformRefused("That is no message of Discord's own.", "Choose another.")
        channel = await self.channel_of(chat_native_id)
        return (message if self.is_forum(channel) else channel), message

    def is_forum(self, channel: str) -> bool:
        """Whether it takes posts only."""
        room = self.rooms.rooms.get(channel)
        return room is not None and room.kind in FORUMS

    def is_thread(self, channel: str) -> bool:
        """Whether it hangs on another, whose members may all have a say of their own there."""
        room = self.rooms.rooms.get(channel)
        return room is not None and room.kind in THREADS

    async def deliver(self, chat_native_id: str, part: Part, key: str, *, previews: bool) -> Sent:
        """Send a part. Without an answer it leaves again, which with one nonce is one message."""
        channel = await self.channel_of(chat_native_id)
        if self.is_forum(channel):
            return await self._post(channel, part, previews=previews)
        nonce, reply_to = nonce_of(key), part.reply_to.native_id if part.reply_to else ""
        notes = notes_of(part)
        if reply_to and not reply_to.isdecimal():
            reply_to, notes = "", (*notes, "Sent without its quotation: that is no message.")
        needs = _needed(part, is_thread=self.is_thread(channel))
        with told(changes=True, needs=needs), self._echoes.awaited(nonce) as echo:
            while True:
                try:
                    message = await self._sent(
                        channel, part, nonce, echo, reply_to=reply_to, previews=previews
                    )
                except Refused as exc:
                    if exc.code != _NO_QUOTING or not reply_to:
                        raise
                    reply_to, note = "", "Sent without its quotation: the bot may not read there."
                    notes = (*notes, note)
                else:
                    return _sent(message, notes)

    async def _sent(
        self, channel: str, part: Part, nonce: str, echo: Echo, *, reply_to: str, previews: bool
    ) -> Json:
        """The message as Discord has it, by its answer or its echo."""
        pauses = iter(_AGAIN_S)
        with anyio.move_on_after(_SEND_S):
            while True:
                form = message_of(
                    part, nonce, previews=previews, channel=channel, reply_to=reply_to
                )
                try:
                    with form:
                        return await self.wire.ask(
                            "POST", _MESSAGES, deadline_s=_SEND_S, form=form, channel_id=channel
                        )
                except (Refused, Unanswered) as exc:
                    if not _in_doubt(exc):
                        raise
                    pause_s = next(pauses, None)
                    if await echo.wait(_ECHO_S if pause_s is None else pause_s):
                        return echo.message
                    if pause_s is None:
                        raise
        if await echo.wait(_ECHO_S):
            return echo.message
        raise Unanswered("no time left", left=True)

    async def _post(self, forum: str, part: Part, *, previews: bool) -> Sent:
        """A new post in a forum. It has no nonce, so it leaves once."""
        with post_of(part, previews=previews) as form:
            thread: Json = await self.ask(
                "POST",
                "/channels/{channel_id}/threads",
                deadline_s=_SEND_S,
                form=form,
                channel_id=forum,
                needs=_needed(part, is_thread=False),
            )
        self.rooms.learn(thread)
        return _sent(thread["message"], (*notes_of(part), "It is a new post, a chat of its own."))


def _needed(part: Part, *, is_thread: bool) -> str:
    """The permissions that a message takes, as Discord's settings call them."""
    needed = ["Send Messages in Threads" if is_thread else "Send Messages"]
    needed += ["Attach Files"] if part.media is not None else []
    needed += ["Create Polls"] if part.poll is not None else []
    return " and ".join(needed)


def _in_doubt(exc: Refused | Unanswered) -> bool:
    return exc.left if isinstance(exc, Unanswered) else exc.status >= 500


def _sent(message: Json, notes: tuple[str, ...]) -> Sent:
    """In the words of the contract. Raises Uncertain where the answer tells no id."""
    try:
        return Sent(str(message["id"]), moment(message["timestamp"]), notes=notes)
    except (KeyError, TypeError, ValueError) as exc:
        raise Uncertain("Discord took it and told no id.", "Look before repeating.") from exc
