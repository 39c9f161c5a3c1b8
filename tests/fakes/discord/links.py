"""Hooks by which tests make the gateway fail."""

from collections.abc import Callable

from tests.fakes.discord.bots import Bot
from tests.fakes.discord.gateway import Connection
from tests.fakes.discord.greeting import Greeting
from tests.fakes.discord.people import Json
from tests.fakes.discord.sessions import Mangling, Session

__all__ = ["Links"]


class Links(Greeting):
    def __init__(self) -> None:
        super().__init__()
        self.connections: list[Connection] = []
        """Those that are open."""
        self.resumes: list[Session] = []
        """Each time a session was resumed, oldest first."""
        self.gateway_down = False
        """Connections are refused with 503."""
        self._refusals: dict[int, int] = {}

    def refusal_of(self, bot: Bot) -> int:
        return self._refusals.get(bot.id, 0)

    def refuse_identify(self, bot: Bot, code: int | None) -> None:
        """Whoever identifies as the bot is sent away with this code; None ends it."""
        self._refusals.pop(bot.id, None)
        if code is not None:
            self._refusals[bot.id] = code

    def lines_of(self, bot: Bot) -> list[Connection]:
        return [each for each in self.connections if each.session and each.session.bot is bot]

    def drop(self, bot: Bot, code: int | None = None) -> None:
        """Its connections end with this code, or without a word; its sessions stay."""
        for line in self.lines_of(bot):
            line.close(code)

    def ask_to_reconnect(self, bot: Bot) -> None:
        """RECONNECT: the server is going away."""
        self._send(bot, {"op": 7, "d": None})

    def invalidate(self, bot: Bot, *, resumable: bool = False) -> None:
        """INVALID_SESSION."""
        if not resumable:
            self.forget_sessions(bot)
        self._send(bot, {"op": 9, "d": resumable})

    def forget_sessions(self, bot: Bot) -> None:
        """Whoever resumes one must begin anew."""
        bot.sessions.clear()

    def ask_for_heartbeat(self, bot: Bot) -> None:
        self._send(bot, {"op": 1, "d": None})

    def freeze(self, bot: Bot) -> None:
        """Its connections are zombies: open, and nothing is heard or answered there."""
        for line in self.lines_of(bot):
            line.is_frozen = True

    def inject(self, bot: Bot, event: str, payload: object) -> None:
        """An event as it stands here, with the next sequence number; nothing judges it."""
        for session in bot.sessions.values():
            session.dispatch(event, payload)

    def inject_frame(self, bot: Bot, frame: Json) -> None:
        """Whatever a gateway could send, and more."""
        self._send(bot, frame)

    def mangle(self, bot: Bot, event: str, change: Callable[[Json], object]) -> None:
        """The next event of this name reaches the bot as `change` makes it."""
        bot.manglings.append(Mangling(event, change))

    def repeat(self, bot: Bot, event: str, times: int = 1) -> None:
        """The last such event comes again, as after an outage, with new sequence numbers."""
        for session in bot.sessions.values():
            last = next(each for each in reversed(session.frames) if each["t"] == event)
            for _ in range(times):
                session.dispatch(event, last["d"])

    def hold(self, bot: Bot) -> None:
        """Events wait until `release`."""
        bot.held = []

    def release(self, bot: Bot, *, backwards: bool = False) -> None:
        """What was held comes in this order."""
        held, bot.held = bot.held or [], None
        for session, event, payload in reversed(held) if backwards else held:
            session.dispatch(event, payload)

    def skip_sequence(self, bot: Bot, count: int = 1) -> None:
        """The next event's number leaves a gap."""
        for session in bot.sessions.values():
            session.seq += count

    def _send(self, bot: Bot, frame: Json) -> None:
        for line in self.lines_of(bot):
            line.send(frame)
