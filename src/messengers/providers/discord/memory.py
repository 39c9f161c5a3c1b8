"""What must outlive a run of the bot: who it is, its gateway session, whose its direct chats are.

Kept in the instance's own directory. Without the file a new session begins; what was written while
nothing ran is then not fetched.
"""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from messengers.providers.discord.storing import read, write

__all__ = ["Memory"]

_FILE = "discord.json"
_MANY = 5_000


class Memory:
    """Of one bot. What changes is written by `keep`, whoever the bot is and new people at once."""

    def __init__(self, directory: Path) -> None:
        self._file = directory / _FILE
        self._known: dict[str, Any] | None = None
        self._changed = False
        self.begun_at = -math.inf
        """When a session was begun last, monotonic."""

    @property
    def bot(self) -> str:
        """The id of the bot that this instance is; '' before it was asked."""
        return str(self._read().get("bot", ""))

    @property
    def public_key(self) -> str:
        """What its interactions are signed by, in hex; '' before it was asked."""
        return str(self._read().get("public_key", ""))

    @property
    def session(self) -> Mapping[str, Any] | None:
        """`id`, `url`, `intents` and last durable `seq` of the gateway session that may go on."""
        return self._read().get("session")

    @property
    def newest(self) -> int:
        """The largest id of a stored message: ids grow with time, everywhere in Discord."""
        return int(self._read().get("newest", 0))

    @property
    def owed(self) -> int:
        """The id after which messages are still to be fetched; 0: none are."""
        return int(self._read().get("owed", 0))

    def set_bot(self, bot: str, public_key: str) -> None:
        """Whose token it is."""
        if (self.bot, self.public_key) != (bot, public_key):
            self._read().update(bot=bot, public_key=public_key)
            self._write()

    def began(self, session: str, url: str, seq: int, intents: int) -> None:
        """A new gateway session; what was written since the last one is owed."""
        self._read()["session"] = {"id": session, "url": url, "seq": seq, "intents": intents}
        self._read()["owed"] = self.owed or self.newest
        self._write()

    def heard(self, seq: int) -> None:
        """An event of the session is durable."""
        session = self._read().get("session")
        if session is not None:
            session["seq"] = seq
            self._changed = True

    def over(self) -> None:
        """The session cannot go on."""
        if self._read().pop("session", None) is not None:
            self._write()

    def stored(self, message: int) -> None:
        """A message is durable."""
        if message > self.newest:
            self._read()["newest"] = message
            self._changed = True

    def paid(self) -> None:
        """All that was owed is durable."""
        self._read()["owed"] = 0
        self._write()

    def person(self, channel: str) -> Mapping[str, str] | None:
        """`id`, `name` and `username` of who writes in a direct channel."""
        return self._part("directs").get(channel)

    @property
    def directs(self) -> Mapping[str, Mapping[str, str]]:
        """Direct channel → its person, the latest last."""
        return self._part("directs")

    def channel_of(self, user: str) -> str:
        """The direct channel of a person; '' for who has none here."""
        found = (channel for channel, each in self.directs.items() if each["id"] == user)
        return next(found, "")

    def meets(self, channel: str, user: str, name: str, username: str) -> None:
        """A direct channel is with this person."""
        directs, person = self._part("directs"), {"id": user, "name": name, "username": username}
        if directs.get(channel) == person:
            return
        directs.pop(channel, None)
        directs[channel] = person
        while len(directs) > _MANY:
            del directs[next(iter(directs))]
        self._write()

    def keep(self) -> None:
        """Write what changed."""
        if self._changed:
            self._write()

    def _part(self, name: str) -> dict[str, Any]:
        return self._read().setdefault(name, {})

    def _read(self) -> dict[str, Any]:
        if self._known is None:
            self._known = read(self._file) or {}
        return self._known if self._known is not None else {}

    def _write(self) -> None:
        write(self._file, self._read())
        self._changed = False
