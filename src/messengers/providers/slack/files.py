"""Fetching the files of messages, by their id and with the token."""

from messengers.errors import InvalidInput, PlatformRefused
from messengers.models import Attachment
from messengers.providers.slack.calls import Calls
from messengers.providers.slack.failures import told
from messengers.providers.slack.wire import TooLarge, as_object

__all__ = ["fetched"]

_FETCH_S = 50.0


async def fetched(calls: Calls, attachment: Attachment, max_bytes: int) -> bytes:
    """The bytes of an attachment. Its address is asked for each time: Slack alone names it."""
    answer = await calls.ask("files.info", file=attachment.native_ref)
    file = as_object(answer.get("file"))
    address = str(file.get("url_private_download") or file.get("url_private") or "")
    if not address:
        raise PlatformRefused("Slack has that file no longer.", "Ask for it to be sent again.")
    try:
        with told(changes=False):
            return await calls.wire.file(address, max_bytes, _FETCH_S)
    except TooLarge as exc:
        raise InvalidInput("The file is larger than is kept here.", "Look in Slack.") from exc
