"""The part of the provider for messages that are there already: changed, marked, read back."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from messengers.clock import Clock
from messengers.errors import PlatformRefused
from messengers.models import MessageRef
from messengers.providers.discord.calls import Calls
from messengers.providers.discord.config import DiscordConfig
from messengers.providers.discord.fields import Json, part, parts
from messengers.providers.discord.incoming import Known, message_seen
from messengers.providers.discord.memory import Memory
from messengers.providers.discord.outgoing import edit_of
from messengers.providers.discord.people import chats_seen
from messengers.providers.discord.places import user_of
from messengers.providers.seen import Happening, HistorySeen, MessageSeen

__all__ = ["Changing"]

_MESSAGE = "/channels/{channel_id}/messages/{message_id}"
_MINE = _MESSAGE + "/reactions/{emoji}/@me"
_PIN = "/channels/{channel_id}/messages/pins/{message_id}"
_OWN_EMOJI = re.compile(r":(\w{1,64}):")
_EPOCH_MS = 1_420_070_400_000
"""Of the ids: https://docs.discord.com/developers/reference#snowflakes."""
_PAGE = 100
_REACTING = "Add Reactions and Read Message History"


class Changing:
    """Edits, deletions, reactions, pins, typing, history."""

    _memory: Memory
    _config: DiscordConfig
    _clock: Clock

    def calls(self) -> Calls:
        """The running bot's calls. Raises NotConnected while there are none."""
        raise NotImplementedError

    async def edit(self, chat_native_id: str, message: MessageRef, text: str) -> None:
        calls = self.calls()
        channel, number = await calls.at(chat_native_id, message.native_id)
        with edit_of(text, previews=self._config.link_previews) as form:
            await calls.ask("PATCH", _MESSAGE, form=form, channel_id=channel, message_id=number)

    async def delete(self, chat_native_id: str, message: MessageRef) -> None:
        calls = self.calls()
        channel, number = await calls.at(chat_native_id, message.native_id)
        await calls.ask("DELETE", _MESSAGE, channel_id=channel, message_id=number)

    async def react(self, chat_native_id: str, message: MessageRef, emoji: str) -> None:
        """The one reaction of the bot; others of its own that stand there go.

        A server's own emoji is given by its name, `:name:`.
        """
        calls = self.calls()
        channel, number = await calls.at(chat_native_id, message.native_id)
        place: dict[str, Any] = {"channel_id": channel, "message_id": number}
        own = _OWN_EMOJI.fullmatch(emoji)
        wanted = await self._own(calls, channel, own[1]) if own else emoji
        # Discord may write an emoji otherwise than it was given: only what stood there before goes.
        before: Json = await calls.ask("GET", _MESSAGE, changes=False, **place)
        if wanted:
            await calls.ask("PUT", _MINE, needs=_REACTING, emoji=wanted, **place)
        for each in parts(before, "reactions"):
            written = _written(part(each, "emoji"))
            if each.get("me") and _plain(written) != _plain(wanted):
                await calls.ask("DELETE", _MINE, emoji=written, **place)

    async def _own(self, calls: Calls, channel: str, name: str) -> str:
        """An emoji of the server that a channel is in, as the address of a reaction has it."""
        room = calls.rooms.rooms.get(channel)
        if room is not None:
            about: Json = await calls.ask(
                "GET", "/guilds/{guild_id}", guild_id=room.guild, changes=False
            )
            for each in parts(about, "emojis"):
                if each.get("name") == name:
                    return _written(each)
        what = "There is no emoji of that name."
        raise PlatformRefused(what, "Write it as it stands there, or take a common one, as 👍.")

    async def pin(self, chat_native_id: str, message: MessageRef, pinned: bool) -> None:
        calls = self.calls()
        channel, number = await calls.at(chat_native_id, message.native_id)
        method = "PUT" if pinned else "DELETE"
        await calls.ask(method, _PIN, needs="Pin Messages", channel_id=channel, message_id=number)

    async def typing(self, chat_native_id: str, active: bool) -> None:
        if active:  # it ends by itself
            calls = self.calls()
            channel = await calls.channel_of(chat_native_id)
            await calls.ask(
                "POST", "/channels/{channel_id}/typing", channel_id=channel, changes=False
            )

    async def history(
        self, chat_native_id: str, before: datetime, limit: int
    ) -> Sequence[Happening]:
        """Older messages, newest first. Of a forum none: each of its posts is a chat."""
        calls = self.calls()
        channel = await calls.channel_of(chat_native_id)
        if calls.is_forum(channel):
            raise PlatformRefused("A forum holds no messages.", "Its posts are chats.")
        older = max(int(before.timestamp() * 1000) - _EPOCH_MS, 0) << 22
        messages: list[Json] = []
        while len(messages) < limit:
            size = min(limit - len(messages), _PAGE)
            page: list[Json] = await calls.ask(
                "GET",
                "/channels/{channel_id}/messages",
                params={"before": str(older), "limit": size},
                channel_id=channel,
                changes=False,
                needs="Read Message History",
            )
            messages += page
            if len(page) < size:
                break
            older = min(int(each["id"]) for each in page)
        known = self._known(chat_native_id, channel)
        seen = [_past(message_seen(each, self._naming(known, each))) for each in messages]
        *above, chat = chats_seen(known.place)
        return (*above, HistorySeen(chat, seen)) if seen else ()

    def _known(self, chat_native_id: str, channel: str) -> Known:
        person = self._memory.person(channel)
        if user_of(chat_native_id) and person is not None:
            place: Json = {"id": chat_native_id, "kind": "dm", "name": person["name"]}
        else:
            place = self.calls().rooms.place(channel)
        return Known(self._clock.now(), self._memory.bot, place, {})

    def _naming(self, known: Known, message: Json) -> Known:
        rooms = self.calls().rooms
        named = rooms.named_in(str(message.get("content")))
        return replace(
            known, names=named, mine=rooms.own(known.me, message.get("mention_roles") or ())
        )


def _written(emoji: Json) -> str:
    """As the address of a reaction has it."""
    return f"{emoji['name']}:{emoji['id']}" if emoji.get("id") else str(emoji["name"])


def _plain(emoji: str) -> str:
    """Without the character that asks for colours, which programs add and leave out."""
    return emoji.replace("\ufe0f", "")


def _past(seen: MessageSeen) -> MessageSeen:
    """Nobody is woken by what was said long ago, and the bot's own words are not its owner's."""
    return replace(seen, origin="api" if seen.direction == "out" else "history")
