"""A gateway session: it outlives its connections, and what a bot missed waits in it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from tests.fakes.discord.intents import Intent
from tests.fakes.discord.people import Json

if TYPE_CHECKING:
    from tests.fakes.discord.bots import Bot
    from tests.fakes.discord.guilds import Guild

__all__ = ["Line", "Mangling", "Session"]


class Line(Protocol):
    """A connection, as its session sees it."""

    def send(self, frame: Json) -> None: ...

    def close(self, code: int | None) -> None:
        """None cuts it without a word."""


@dataclass(frozen=True)
class Mangling:
    """What happens to the next event of this name."""

    event: str
    change: Callable[[Json], object]


@dataclass(eq=False)
class Session:
    id: str
    bot: "Bot"
    intents: Intent
    shard: tuple[int, int] = (0, 1)
    seq: int = 0
    frames: list[Json] = field(default_factory=list[Json])
    """Everything dispatched, oldest first."""
    line: Line | None = None

    def holds(self, guild: "Guild | None") -> bool:
        """Direct messages go to the first shard."""
        number, count = self.shard
        return ((guild.id >> 22) % count if guild else 0) == number

    def dispatch(self, event: str, payload: object) -> None:
        if (held := self.bot.held) is not None and event not in {"READY", "RESUMED"}:
            held.append((self, event, payload))
            return
        self.seq += 1
        frame: Json = {"op": 0, "s": self.seq, "t": event, "d": self._mangled(event, payload)}
        self.frames.append(frame)
        if self.line:
            self.line.send(frame)

    def _mangled(self, event: str, payload: object) -> object:
        for each in self.bot.manglings:
            if each.event == event and isinstance(payload, dict):
                self.bot.manglings.remove(each)
                return each.change(payload)  # pyright: ignore[reportUnknownArgumentType] — it has passed the check of events
        return payload

    def missed(self, seq: int) -> list[Json]:
        return [frame for frame in self.frames if frame["s"] > seq]
