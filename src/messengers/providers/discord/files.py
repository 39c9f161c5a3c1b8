"""Fetching the files of messages. Their addresses end after a day, so each is asked for anew."""

from urllib.parse import urlsplit

import anyio
import httpx2

from messengers.errors import InvalidInput, PlatformRefused, Unreachable
from messengers.models import Attachment
from messengers.providers.discord.failures import told
from messengers.providers.discord.fields import Json, part, parts
from messengers.providers.discord.wire import Wire

__all__ = ["fetched"]

_HOSTS = frozenset({"cdn.discordapp.com", "media.discordapp.net"})
_STICKERS = "https://{}/stickers/{}"
_FETCH_S = 55.0


async def fetched(wire: Wire, attachment: Attachment, max_bytes: int, api: str) -> bytes:
    """The bytes of an attachment or sticker. `api` is an address of the owner's, or empty."""
    url = await _address(wire, attachment.native_ref)
    known = {*_HOSTS, urlsplit(api).netloc} if api else _HOSTS
    if urlsplit(url).netloc not in known:
        raise PlatformRefused("Discord named a place that is not its own.")
    try:
        with anyio.fail_after(_FETCH_S):
            return await _bytes(url, max_bytes)
    except (httpx2.HTTPError, OSError) as exc:
        raise Unreachable("Discord does not give the file at the moment.", "Try again.") from exc


async def _address(wire: Wire, ref: str) -> str:
    if ref.startswith("sticker:"):
        name = ref.removeprefix("sticker:")
        is_moving = name.endswith(".gif")
        return _STICKERS.format("media.discordapp.net" if is_moving else "cdn.discordapp.com", name)
    channel, message, file = ref.split("/")
    with told(changes=False):
        found: Json = await wire.ask(
            "GET",
            "/channels/{channel_id}/messages/{message_id}",
            channel_id=channel,
            message_id=message,
        )
    whole = [found, *(part(each, "message") for each in parts(found, "message_snapshots"))]
    for each in (file_ for body in whole for file_ in parts(body, "attachments")):
        if str(each["id"]) == file:
            return str(each["url"])
    raise PlatformRefused("That file is no longer part of its message.", "Ask for it again.")


async def _bytes(url: str, max_bytes: int) -> bytes:
    found = bytearray()
    async with (
        httpx2.AsyncClient(timeout=_FETCH_S) as client,
        client.stream("GET", url) as answer,
    ):
        if answer.status_code != 200:
            raise PlatformRefused("Discord has that file no longer.", "Ask for it again.")
        async for piece in answer.aiter_bytes():
            found += piece
            if len(found) > max_bytes:
                what = "The file is larger than is kept here."
                raise InvalidInput(what, "Look in Discord.")
    return bytes(found)
