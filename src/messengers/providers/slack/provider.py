"""Slack as a provider: an app's bot, or one's own account."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager

from messengers.errors import BadCredentials, NotConnected
from messengers.providers.base import Happening, Part, ProviderContext, ReadsDialect, Sent, Sink
from messengers.providers.capabilities import Capabilities
from messengers.providers.slack import incoming, places
from messengers.providers.slack.calls import Calls
from messengers.providers.slack.config import SlackConfig
from messengers.providers.slack.directory import Directory
from messengers.providers.slack.failures import told
from messengers.providers.slack.formatting import parts_of, read_text, with_mass_mentions
from messengers.providers.slack.intake import Account, Intake
from messengers.providers.slack.limits import CAPABILITIES
from messengers.providers.slack.memory import Memory
from messengers.providers.slack.pace import Pace
from messengers.providers.slack.states import connected
from messengers.providers.slack.stream import Stream
from messengers.providers.slack.wire import Wire

__all__ = ["SlackProvider"]


class SlackProvider:
    """One account in one workspace."""

    def __init__(self, context: ProviderContext) -> None:
        if not isinstance(context.config, SlackConfig):
            raise TypeError("slack takes a SlackConfig")
        self._config = context.config
        self._api = context.endpoints.get("api", "")
        self._clock = context.clock
        self._memory = Memory(context.directory)
        self._pace = Pace(context.clock)
        self._calls: Calls | None = None

    async def run(self, sink: Sink) -> None:
        """Receive until cancelled, or until Slack wants this app no more."""
        async with self._reached() as wire:
            account = await self._account(wire)
            calls = Calls(wire, self._pace)
            directory = Directory(calls, self._clock, account.handle)
            intake = Intake(account, directory, self._clock)
            stream = Stream(
                wire, self._config.app_token.get_secret_value(), intake, sink, self._clock
            )
            self._calls = calls
            try:
                await stream.follow(account, connected(account, wire.scopes))
            finally:
                self._calls = None

    @asynccontextmanager
    async def _reached(self) -> AsyncGenerator[Wire]:
        async with Wire(self._config.token.get_secret_value(), self._api) as wire:
            yield wire

    async def _account(self, wire: Wire) -> Account:
        """Whose token it is. Raises BadCredentials for another account's than before."""
        with told(changes=False):
            me = await wire.ask("auth.test")
        known, now = self._memory.account(), f"{me['team_id']}/{me['user_id']}"
        if known not in ("", now):
            raise BadCredentials(
                "This token is another account's than before.",
                "Enter that account's token, or make an instance of its own for the other.",
            )
        if not known:
            self._memory.set_account(now)
        bot = str(me.get("bot_id") or "")
        app = await Calls(wire, self._pace).known("bots.info", "bot", bot=bot) if bot else None
        return Account(
            team=me["team_id"],
            team_name=str(me.get("team", "")),
            user=me["user_id"],
            handle=str(me.get("user", "")),
            bot=bot,
            app=str((app or {}).get("app_id", "")),
        )

    def calls(self) -> Calls:
        if self._calls is None:
            raise NotConnected("Slack is not connected at the moment.", "Try again later.")
        return self._calls

    def capabilities(self, chat_native_id: str = "") -> Capabilities:
        return CAPABILITIES

    def parse_target(self, text: str) -> str | None:
        return places.parse_target(text)

    def translate(self, kind: str, payload: bytes) -> Sequence[Happening]:
        return incoming.translate(kind, payload)

    def render(self, markdown: str) -> Sequence[str]:
        parts = parts_of(markdown)
        return list(map(with_mass_mentions, parts) if self._config.mass_mentions else parts)

    def plain(self, text: str) -> str:
        return read_text(text, {})

    async def send(self, chat_native_id: str, part: Part, key: str) -> Sent:
        del key  # Slack takes none: what was not answered stays in doubt
        answer = await self.calls().ask(
            "chat.postMessage",
            changes=True,
            bucket=chat_native_id,
            channel=chat_native_id,
            text=part.text,
            unfurl_links=self._config.link_previews,
            unfurl_media=self._config.link_previews,
        )
        return Sent(str(answer["ts"]), places.time_of(answer["ts"]))

    async def probe(self) -> None:
        async with self._reached() as wire:
            await self._account(wire)


_reads: type[ReadsDialect] = SlackProvider
