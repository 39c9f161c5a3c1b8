"""Fetching the files of messages. Their addresses end after a day, so each is asked for anew."""

from messengers.errors import InvalidInput, PlatformRefused, Unreachable
from messengers.guarded import AllowedHosts, Guard
from messengers.models import Attachment
from messengers.providers.discord.failures import told
from messengers.providers.discord.fields import Json, part, parts
from messengers.providers.discord.wire import Wire
from messengers.urls import SafeUrl

__all__ = ["Files"]

_HOSTS = frozenset({"cdn.discordapp.com", "media.discordapp.net"})
_STICKERS = "https://{}/stickers/{}"
_FETCH_S = 55.0


class Files:
    """Of one bot. `api` is the address that the owner gave in place of Discord's, or empty."""

    def __init__(self, api: str, guard: Guard) -> None:
        self._guard = guard
        self._own = SafeUrl.parse(api) if api else None
        self._at_own = Guard(AllowedHosts([_host_of(self._own)] if self._own else ()))

    async def fetched(self, wire: Wire, attachment: Attachment, max_bytes: int) -> bytes:
        """The bytes of an attachment or sticker."""
        address = await _address(wire, attachment.native_ref, max_bytes)
        try:
            url = SafeUrl.parse(address)
            reply = await self._guard_of(url).fetch(
                url,
                max_bytes=max_bytes,
                within=AllowedHosts([_host_of(url)]),
                deadline_s=_FETCH_S,
            )
        except InvalidInput as exc:
            raise PlatformRefused("Discord has that file no longer.", "Ask for it again.") from exc
        except Unreachable as exc:
            what = "Discord does not give the file at the moment."
            raise Unreachable(what, "Try again.") from exc
        return reply.body

    def _guard_of(self, url: SafeUrl) -> Guard:
        """Raises PlatformRefused for what is not Discord's."""
        if self._own is not None and url.origin == self._own.origin:
            return self._at_own
        if url.scheme != "https" or url.host not in _HOSTS:
            raise PlatformRefused("Discord named a place that is not its own.")
        return self._guard


async def _address(wire: Wire, ref: str, max_bytes: int) -> str:
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
            if int(each.get("size") or 0) > max_bytes:
                raise InvalidInput("The file is larger than is kept here.", "Look in Discord.")
            return str(each["url"])
    raise PlatformRefused("That file is no longer part of its message.", "Ask for it again.")


def _host_of(url: SafeUrl) -> str:
    return url.origin.partition("://")[2]
