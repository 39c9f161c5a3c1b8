"""What becomes of messages that stand there: edited, deleted, pinned, reacted to, marked."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager

from messengers.errors import InvalidInput, Unsupported
from messengers.models import MessageRef
from messengers.providers.slack.calls import Calls
from messengers.providers.slack.directory import Directory
from messengers.providers.slack.emoji import emoji_of, name_of
from messengers.providers.slack.failures import told
from messengers.providers.slack.places import ts_of
from messengers.providers.slack.wire import Refused, as_object

__all__ = ["Changes"]


class Changes:
    """Of one running account."""

    def __init__(self, calls: Calls, directory: Directory, me: str) -> None:
        self._calls = calls
        self._directory = directory
        self._me = me

    async def edit(self, chat: str, message: MessageRef, text: str) -> None:
        """Another text; buttons under the old one go with it."""
        channel, ts = await self._at(chat, message)
        await self._calls.ask(
            "chat.update", changes=True, bucket=channel, channel=channel, ts=ts, text=text
        )

    async def delete(self, chat: str, message: MessageRef) -> None:
        """For everyone."""
        channel, ts = await self._at(chat, message)
        await self._calls.ask("chat.delete", changes=True, channel=channel, ts=ts)

    async def pin(self, chat: str, message: MessageRef, *, pinned: bool) -> None:
        """To what the channel keeps at its top, or away from there."""
        channel, ts = await self._at(chat, message)
        method = "pins.add" if pinned else "pins.remove"
        with _already("already_pinned", "no_pin"):
            await self._calls.tried(method, {"channel": channel, "timestamp": ts})

    async def react(self, chat: str, message: MessageRef, emoji: str) -> None:
        """The one reaction of this account; others of its own that stand there go."""
        channel, ts = await self._at(chat, message)
        name = name_of(emoji) if emoji else ""
        if name is None:
            raise Unsupported("Slack has no such reaction.", "Take a common one, as 👍.")
        if name and emoji.isascii() and (same := emoji_of(name)) != emoji:
            raise InvalidInput("That is no emoji of the workspace's own.", f"Give it as {same}.")
        place = {"channel": channel, "timestamp": ts}
        for each in await self._given(place):
            if each != name:
                await self._change("reactions.remove", place, each)
        if name:
            await self._change("reactions.add", place, name)

    async def _change(self, method: str, place: dict[str, str], name: str) -> None:
        with _already("already_reacted", "no_reaction"):
            await self._calls.tried(method, {**place, "name": name})

    async def _given(self, place: dict[str, str]) -> Sequence[str]:
        """What this account gave a message."""
        with told(changes=False):
            answer = await self._calls.tried("reactions.get", {**place, "full": True})
        found = as_object(answer.get("message")).get("reactions", ())
        return [str(each["name"]) for each in found if self._me in each.get("users", ())]

    async def mark(self, chat: str, message: MessageRef) -> None:
        """Read up to here, in the account's own list."""
        channel, ts = await self._at(chat, message)
        await self._calls.ask("conversations.mark", channel=channel, ts=ts)

    async def _at(self, chat: str, message: MessageRef) -> tuple[str, str]:
        ts = ts_of(message.native_id)
        return await self._directory.channel_of(chat), ts


@contextmanager
def _already(*words: str) -> Generator[None]:
    """What is so already needs no change."""
    with told(changes=True):
        try:
            yield
        except Refused as exc:
            if exc.why not in words:
                raise
