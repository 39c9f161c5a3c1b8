"""Older messages of a conversation, with the answers in their threads, and Slack's own search.

https://docs.slack.dev/reference/methods/conversations.history and search.messages, which needs a
person's token.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import orjson

from messengers.clock import Clock
from messengers.errors import RateLimited, Unsupported
from messengers.models import Reaction
from messengers.providers.base import Happening, HistorySeen, MessageSeen, ReactionSeen
from messengers.providers.slack.calls import Calls
from messengers.providers.slack.directory import Directory
from messengers.providers.slack.emoji import emoji_of
from messengers.providers.slack.incoming import Known, chat_of, message_seen
from messengers.providers.slack.intake import Account
from messengers.providers.slack.places import time_of
from messengers.providers.slack.wire import Json, as_object

__all__ = ["Past"]

_PATIENCE_S = 6.0
"""For names; who is not known by then stays an id."""
_MOST_NAMES = 200
_MOST_THREADS = 15
"""Whose answers are fetched along; fewer than Slack allows in a minute."""
_MOST_REPLIES = 100
_MOST_HITS = 100
_EDGE = datetime(2013, 1, 1, tzinfo=UTC)
"""Before Slack there is nothing to ask for."""


class Past:
    """Of one running account."""

    def __init__(self, calls: Calls, directory: Directory, account: Account, clock: Clock) -> None:
        self._calls = calls
        self._directory = directory
        self._account = account
        self._clock = clock

    async def before(self, chat: str, moment: datetime, limit: int) -> Sequence[Happening]:
        """The newest messages of a chat before a time."""
        if moment <= _EDGE:
            return ()
        channel = await self._directory.channel_of(chat)
        answer = await self._calls.ask(
            "conversations.history",
            channel=channel,
            latest=f"{moment.timestamp():.6f}",
            limit=limit,
        )
        found = [as_object(each) for each in answer.get("messages", ())]
        return await self._seen(channel, [*found, *await self._replies(channel, found)])

    async def _replies(self, channel: str, found: Iterable[Json]) -> Sequence[Json]:
        """The answers in the threads that begin among these messages."""
        replies: list[Json] = []
        begun = [str(each["ts"]) for each in found if each.get("reply_count")]
        for ts in begun[:_MOST_THREADS]:
            try:
                answer = await self._calls.ask(
                    "conversations.replies", channel=channel, ts=ts, limit=_MOST_REPLIES
                )
            except RateLimited:
                break  # what is there is told; the rest when it is asked for again
            thread = [as_object(each) for each in answer.get("messages", ())]
            replies += [each for each in thread if each.get("ts") != ts]
        return replies

    async def search(self, query: str, limit: int) -> Sequence[Happening]:
        """What Slack itself finds, the newest first."""
        if self._account.bot:
            raise Unsupported("Slack lets no bots search.", "Give your own token for that.")
        answer = await self._calls.ask(
            "search.messages", query=query, sort="timestamp", count=min(limit, _MOST_HITS)
        )
        matches = map(as_object, as_object(answer.get("messages")).get("matches", ()))
        by_channel: dict[str, list[Json]] = {}
        for match in matches:
            by_channel.setdefault(str(as_object(match.get("channel"))["id"]), []).append(match)
        seen: list[Happening] = []
        for channel, found in by_channel.items():
            seen += await self._seen(channel, found)
        return seen

    async def _seen(self, channel: str, messages: Sequence[Json]) -> Sequence[Happening]:
        text = orjson.dumps(messages).decode()
        names = await self._directory.named_in(text, channel, "", _PATIENCE_S, _MOST_NAMES)
        me, bot = self._account.user, self._account.bot
        known = Known(self._clock.now(), me, bot, self._account.handle, names)
        chat = chat_of(channel, "", known)
        told: list[MessageSeen] = []
        reactions: list[Happening] = []
        for message in messages:
            if message.get("subtype") == "tombstone":
                continue
            seen = message_seen(message, chat, known)
            # Only his own hand makes a chat one that the owner knows.
            by_app = seen.direction == "out" and seen.origin != "device"
            told.append(replace(seen, origin="api" if by_app else "history"))
            given = tuple(self._reactions(message))
            if given:
                at = time_of(message["ts"])
                reactions.append(ReactionSeen(chat.native_id, message["ts"], given, at))
        return [HistorySeen(chat, told), *reactions] if told else []

    def _reactions(self, message: Json) -> Iterable[Reaction]:
        for each in message.get("reactions") or ():
            users = [str(user) for user in each.get("users", ())]
            yield Reaction(
                emoji=emoji_of(str(each["name"])),
                count=int(each.get("count") or len(users)),
                by_me=self._account.user in users,
                by=tuple(user for user in users if user != self._account.user),
            )
