"""What Telegram tells a bot once and never again: whose token it is, its groups, its polls.

Kept in the instance's own directory. Without the file nothing is lost but a list: groups are found
again with their next message, votes of older polls are not.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from messengers import home
from messengers.errors import StorageUnavailable

__all__ = ["Memory"]

_FILE = "telegram.json"
_MANY_POLLS = 200
_MANY_GROUPS = 5_000


class Memory:
    """Of one bot. Its methods write a small file when something is new."""

    def __init__(self, directory: Path) -> None:
        self._file = directory / _FILE
        self._known: dict[str, Any] | None = None

    @property
    def bot(self) -> int:
        """The id of the bot that this instance is; 0 before it was asked."""
        return int(self._read().get("bot", 0))

    @property
    def groups(self) -> Mapping[str, str]:
        """Id → title of the groups the bot is in, as far as it heard of them."""
        return self._part("groups")

    def poll(self, poll_id: str) -> Mapping[str, Any] | None:
        """Chat, message and options of a poll that this bot sent."""
        return self._part("polls").get(poll_id)

    def set_bot(self, bot: int) -> None:
        """Whose token it is."""
        if self.bot != bot:
            self._read()["bot"] = bot
            self._write()

    def in_group(self, chat: str, title: str) -> None:
        """The bot is in a group of this name."""
        groups = self._part("groups")
        if groups.get(chat) != title and len(groups) < _MANY_GROUPS:
            groups[chat] = title
            self._write()

    def out_of_group(self, chat: str) -> None:
        """The bot is no longer there."""
        if self._part("groups").pop(chat, None) is not None:
            self._write()

    def sent_poll(self, poll_id: str, chat: str, message: str, options: tuple[str, ...]) -> None:
        """Where the votes of a poll belong."""
        polls = self._part("polls")
        polls[poll_id] = {"chat": chat, "message": message, "options": options}
        while len(polls) > _MANY_POLLS:
            del polls[next(iter(polls))]
        self._write()

    def _part(self, name: str) -> dict[str, Any]:
        return self._read().setdefault(name, {})

    def _read(self) -> dict[str, Any]:
        if self._known is None:
            try:
                self._known = orjson.loads(self._file.read_bytes())
            except (FileNotFoundError, orjson.JSONDecodeError):
                self._known = {}
        return self._known if self._known is not None else {}

    def _write(self) -> None:
        """Whole or not at all."""
        part = self._file.with_suffix(".part")
        try:
            home.make_private(str(self._file.parent))
            file = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            with os.fdopen(file, "wb") as out:
                out.write(orjson.dumps(self._read()))
            part.replace(self._file)
        except OSError as exc:
            raise StorageUnavailable(
                "What is known of the bot could not be kept.", "Check the data directory."
            ) from exc
