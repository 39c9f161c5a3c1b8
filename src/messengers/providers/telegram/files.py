"""Fetching the files of messages, from Telegram or from a Bot API server of the owner's."""

import os
import stat

import anyio.to_thread
from aiogram.methods import GetFile

from messengers.errors import InvalidInput, PlatformRefused, Unsupported
from messengers.models import Attachment
from messengers.providers.telegram.calls import Calls
from messengers.providers.telegram.limits import CLOUD_DOWNLOAD_BYTES
from messengers.providers.telegram.wire import TooLarge

__all__ = ["fetched"]


async def fetched(
    calls: Calls, attachment: Attachment, max_bytes: int, *, own_server: bool
) -> bytes:
    """The bytes of an attachment: up to 20 MB, through a server of the owner's any number."""
    if not own_server and (attachment.size_bytes or 0) > CLOUD_DOWNLOAD_BYTES:
        raise _too_large_for_bots()
    try:
        found = await calls.ask(GetFile(file_id=attachment.native_ref), changes=False)
        path = str(found["file_path"])
        if own_server and path.startswith("/"):
            return await anyio.to_thread.run_sync(_local_file, path, max_bytes)
        return await calls.file(path, max_bytes)
    except TooLarge as exc:
        raise InvalidInput("The file is larger than is kept here.", "Look in Telegram.") from exc
    except PlatformRefused as exc:
        if "larger" in exc.cause:
            raise _too_large_for_bots() from exc
        raise


def _local_file(path: str, max_bytes: int) -> bytes:
    """A file that a server in local mode names by its place on this machine. Blocking."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(file, "rb") as opened:
            found = os.fstat(opened.fileno())
            if not stat.S_ISREG(found.st_mode):
                raise PlatformRefused("The Bot API server named something that is no file.")
            if found.st_size > max_bytes:
                raise TooLarge
            return opened.read(max_bytes)
    except OSError as exc:
        raise PlatformRefused(
            "The Bot API server keeps its files where this machine cannot read them.",
            "Let both see the same directory under the same path.",
        ) from exc


def _too_large_for_bots() -> Unsupported:
    return Unsupported(
        "Telegram gives bots files of at most 20 MB.",
        "A Bot API server of your own gives larger ones: docs/providers/telegram.md.",
    )
