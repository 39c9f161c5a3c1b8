"""How a message leaves: posted, or as a file in three steps, and found again when nobody answers.

Files: https://docs.slack.dev/messaging/working-with-files/#upload. What is not answered is looked
for by the key that goes with it, and stays in doubt where it is not found.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import anyio

from messengers.clock import Clock
from messengers.errors import MessengersError, PlatformRefused, RateLimited, Uncertain, Unreachable
from messengers.providers.base import MediaBytes, Part, Sent
from messengers.providers.slack.calls import Calls
from messengers.providers.slack.directory import Directory
from messengers.providers.slack.failures import told
from messengers.providers.slack.outgoing import blocks_of, file_name, metadata_of, text_of
from messengers.providers.slack.places import time_of, ts_of
from messengers.providers.slack.wire import Json, Refused, as_object

__all__ = ["Courier"]

log = logging.getLogger(__name__)
_UPLOAD_S = 50.0
"""Below the outbox's own deadline."""
_SHARED_S = 12.0
"""How long Slack may take to show a file in its channel."""
_SEEK_S = 8.0
_FIRST_GLANCE_S, _SLOWER = 0.2, 1.6
_AROUND_S = 120.0
"""How far Slack's clock may be from ours."""
_MANY_REPLIES = 5_000


@dataclass(slots=True)
class _Posting:
    channel: str
    thread: str | None
    key: str


class Courier:
    """Sends for one running account."""

    def __init__(self, calls: Calls, directory: Directory, clock: Clock, *, previews: bool) -> None:
        self._calls = calls
        self._directory = directory
        self._clock = clock
        self._previews = previews
        self._threads: dict[tuple[str, str], str] = {}
        """(channel, ts) → the beginning of its thread, as far as it was asked for."""

    async def deliver(self, chat_native_id: str, part: Part, key: str) -> Sent:
        """One message. Raises Uncertain only where Slack itself does not show it."""
        channel = await self._directory.channel_of(chat_native_id)
        thread = None
        if part.reply_to is not None:
            thread = await self._thread_of(channel, ts_of(part.reply_to.native_id))
        posting = _Posting(channel, thread, key)
        if part.media is not None:
            return await self._share(posting, part.text, (part.media, *part.more))
        text, notes = text_of(part)
        began_s = self._clock.now().timestamp()
        try:
            with told(changes=True):
                answer, joined = await self._posted(posting, self._post(posting, part, text))
        except Uncertain:
            ts = await self._found(posting, began_s)
            if ts is None:
                raise
        else:
            ts = str(answer.get("ts") or "")
            notes = (*notes, *joined)
        return _sent(ts, notes)

    async def _posted(
        self, posting: _Posting, post: dict[str, Any]
    ) -> tuple[Json, tuple[str, ...]]:
        """The answer, and what was done for it: into a public channel one comes by oneself."""
        try:
            return await self._calls.tried("chat.postMessage", post, posting.channel), ()
        except Refused as exc:
            if exc.why != "not_in_channel":
                raise
            place = {"channel": posting.channel}
            try:
                await self._calls.tried("conversations.join", place)
            except Refused:
                raise exc from None
        answer = await self._calls.tried("chat.postMessage", post, posting.channel)
        return answer, ("Joined the channel first.",)

    def _post(self, posting: _Posting, part: Part, text: str) -> dict[str, Any]:
        return {
            "channel": posting.channel,
            "text": text,
            "blocks": blocks_of(text, part.buttons),
            "thread_ts": posting.thread,
            "metadata": metadata_of(posting.key),
            "unfurl_links": self._previews,
            "unfurl_media": self._previews,
        }

    async def _thread_of(self, channel: str, ts: str) -> str:
        """A thread goes by its first message: one that is an answer itself is in another's."""
        known = self._threads.get((channel, ts))
        if known is not None:
            return known
        try:
            answer = await self._calls.ask("conversations.replies", channel=channel, ts=ts, limit=1)
        except RateLimited:
            raise
        except PlatformRefused:
            return ts  # without the right to look: Slack refuses what is wrong with it
        found = [as_object(each) for each in answer.get("messages", ())][:1]
        self._threads[channel, ts] = str(found[0].get("thread_ts") or ts) if found else ts
        if len(self._threads) > _MANY_REPLIES:
            del self._threads[next(iter(self._threads))]
        return self._threads[channel, ts]

    async def _found(self, posting: _Posting, began_s: float) -> str | None:
        """The ts of a message whose sending was not answered, once Slack shows it."""
        wanted = metadata_of(posting.key)["event_payload"]
        asked: dict[str, object] = {
            "channel": posting.channel,
            "oldest": f"{began_s - _AROUND_S:.6f}",
            "include_all_metadata": True,
            "limit": 50,
        }
        method = "conversations.replies" if posting.thread else "conversations.history"
        if posting.thread:
            asked["ts"] = posting.thread
        pause_s = _FIRST_GLANCE_S
        with anyio.move_on_after(_SEEK_S):
            while True:
                await anyio.sleep(pause_s)
                answer = await self._glance(method, asked)
                for message in map(as_object, answer.get("messages", ())):
                    if as_object(message.get("metadata")).get("event_payload") == wanted:
                        return str(message["ts"])
                pause_s *= _SLOWER
        return None

    async def _glance(self, method: str, asked: Mapping[str, object]) -> Json:
        """An answer, or nothing while Slack gives none: it is asked again soon."""
        try:
            with told(changes=False):
                return await self._calls.tried(method, asked)
        except MessengersError as exc:
            log.info("%s told nothing: %s", method, type(exc).__name__)
            return {}

    async def _share(self, posting: _Posting, text: str, files: Sequence[MediaBytes]) -> Sent:
        """Addresses, the bytes, the message. Before the last step nobody sees anything."""
        try:
            with anyio.fail_after(_UPLOAD_S):
                uploaded = [await self._uploaded(each) for each in files]
        except TimeoutError as exc:
            raise Unreachable("The upload took too long.", "Send smaller files, or fewer.") from exc
        file_id = uploaded[0]["id"]
        try:
            await self._calls.ask(
                "files.completeUploadExternal",
                changes=True,
                bucket=posting.channel,
                files=uploaded,
                channel_id=posting.channel,
                initial_comment=text or None,
                thread_ts=posting.thread,
            )
        except Uncertain:
            ts = await self._shown(posting.channel, file_id)
            if ts is None:
                raise
        else:
            ts = await self._shown(posting.channel, file_id)
            if ts is None:
                what = "Slack took the file and does not show it yet."
                raise Uncertain(what, "Look before repeating.")
        return _sent(ts)

    async def _uploaded(self, file: MediaBytes) -> dict[str, str]:
        """One that nobody sees yet."""
        name = file_name(file.name)
        ready = await self._calls.ask(
            "files.getUploadURLExternal", filename=name, length=len(file.data)
        )
        with told(changes=False):
            await self._calls.wire.upload(str(ready["upload_url"]), file.data, _UPLOAD_S)
        return {"id": str(ready["file_id"]), "title": name}

    async def _shown(self, channel: str, file_id: str) -> str | None:
        """The ts of the message that shows a file: Slack shares it a little later."""
        pause_s = _FIRST_GLANCE_S
        with anyio.move_on_after(_SHARED_S):
            while True:
                answer = await self._glance("files.info", {"file": file_id})
                ts = _share_in(as_object(answer.get("file")), channel)
                if ts:
                    return ts
                await anyio.sleep(pause_s)
                pause_s *= _SLOWER
        return None


def _share_in(file: Json, channel: str) -> str:
    for places in as_object(file.get("shares")).values():
        for share in as_object(places).get(channel, ()):
            return str(share["ts"])
    return ""


def _sent(ts: str, notes: tuple[str, ...] = ()) -> Sent:
    try:
        return Sent(ts, time_of(ts), notes=notes)
    except ValueError as exc:
        raise Uncertain("Slack took it and told no id.", "Look before repeating.") from exc
