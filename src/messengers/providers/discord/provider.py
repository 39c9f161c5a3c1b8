"""Discord as a provider: a bot account, over its gateway and its HTTP API."""

import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager

import anyio

from messengers.errors import BadCredentials, NotConnected
from messengers.models import Attachment
from messengers.providers.base import (
    Deletes,
    DownloadsMedia,
    Edits,
    FetchesHistory,
    GathersFiles,
    Happening,
    MediaBytes,
    Part,
    Pins,
    ProviderContext,
    Reacts,
    ReadsDialect,
    ReceivesWebhooks,
    ResolvesRecipients,
    Sent,
    Sink,
    Types,
)
from messengers.providers.capabilities import Capabilities
from messengers.providers.discord import incoming, outgoing, places
from messengers.providers.discord.account import Account, account_of, choose
from messengers.providers.discord.ballots import Ballots
from messengers.providers.discord.calls import Calls
from messengers.providers.discord.changing import Changing
from messengers.providers.discord.config import DiscordConfig
from messengers.providers.discord.echoes import Echoes
from messengers.providers.discord.failures import told
from messengers.providers.discord.fields import Json
from messengers.providers.discord.files import Files
from messengers.providers.discord.findings import findings_of
from messengers.providers.discord.formatting import parts_of, plain
from messengers.providers.discord.intake import Intake
from messengers.providers.discord.interactions import (
    JSON,
    PING,
    PONG,
    acknowledge,
    answer_to,
    verified,
)
from messengers.providers.discord.limits import capabilities_of
from messengers.providers.discord.managing import Managing
from messengers.providers.discord.memory import Memory
from messengers.providers.discord.missed import Missed
from messengers.providers.discord.recipients import found
from messengers.providers.discord.rooms import Rooms
from messengers.providers.discord.stream import Stream
from messengers.providers.discord.wire import Wire
from messengers.providers.findings import Examines, Finding
from messengers.providers.groups import ManagesGroups
from messengers.providers.webhooks import WebhookAnswer, WebhookRequest

__all__ = ["DiscordProvider"]

_KEEP_EVERY_S = 2.0


class DiscordProvider(Changing, Managing):
    """One bot."""

    def __init__(self, context: ProviderContext) -> None:
        if not isinstance(context.config, DiscordConfig):
            raise TypeError("discord takes a DiscordConfig")
        self._config = context.config
        self._api = context.endpoints.get("api", "")
        self._clock = context.clock
        self._webhook_url = context.webhook_url
        self._memory = Memory(context.directory)
        self._rooms = Rooms(context.directory)
        self._echoes = Echoes()
        self._files = Files(self._api, context.guard)
        self._calls: Calls | None = None
        self._intake: Intake | None = None

    async def run(self, sink: Sink) -> None:
        """Receive until cancelled, or until Discord wants this bot no more."""
        async with self._reached() as wire, anyio.create_task_group() as tasks:
            account = await self._account(wire)
            self._go_on(choose(wire.intents, account))

            def answer(interaction: Json) -> None:
                tasks.start_soon(acknowledge, wire, interaction)

            ballots, missed = Ballots(wire), Missed(wire, self._memory, self._rooms)
            intake = Intake(
                sink,
                self._memory,
                self._rooms,
                self._echoes,
                self._clock,
                answer=answer,
                voted=ballots.voted,
            )
            presses_at = account.presses_go_elsewhere(self._webhook_url)
            stream = Stream(
                wire, intake, sink, self._memory, self._rooms, missed, self._clock, presses_at
            )
            self._calls, self._intake = Calls(wire, self._memory, self._rooms, self._echoes), intake
            tasks.start_soon(self._keep)
            tasks.start_soon(ballots.count, intake)
            tasks.start_soon(missed.fetch, intake)
            try:
                await stream.follow()
            finally:
                tasks.cancel_scope.cancel()
                self._calls = self._intake = None
                self._remember()

    async def _keep(self) -> None:
        while True:
            await anyio.sleep(_KEEP_EVERY_S)
            self._remember()

    def _remember(self) -> None:
        self._rooms.keep()
        self._memory.keep()

    @asynccontextmanager
    async def _reached(self) -> AsyncGenerator[Wire]:
        with told(changes=False):
            async with Wire(self._config.token.get_secret_value(), self._api) as wire:
                yield wire

    async def _account(self, wire: Wire) -> Account:
        """Whose token it is. Raises BadCredentials for a token of another bot than before."""
        with told(changes=False):
            account = await account_of(wire)
        if self._memory.bot not in ("", account.id):
            raise BadCredentials(
                f"This token is another bot's; the instance is the bot {self._memory.bot}.",
                "Enter that bot's token, or make an instance of its own for the other.",
            )
        self._memory.set_bot(account.id, account.public_key)
        return account

    def _go_on(self, intents: int) -> None:
        """A session hears what it asked for when it began: with other intents it is over."""
        session = self._memory.session
        if session is not None and session["intents"] != intents:
            self._memory.over()

    def calls(self) -> Calls:
        if self._calls is None:
            raise NotConnected("Discord is not connected at the moment.", "Try again later.")
        return self._calls

    def capabilities(self, chat_native_id: str = "") -> Capabilities:
        return capabilities_of(self._rooms.tier_of(chat_native_id))

    def parse_target(self, text: str) -> str | None:
        return places.parse_target(text)

    async def resolve(self, target: str) -> Sequence[str]:
        return await found(self.calls(), target)

    def translate(self, kind: str, payload: bytes) -> Sequence[Happening]:
        return incoming.translate(kind, payload)

    def render(self, markdown: str) -> Sequence[str]:
        return list(parts_of(markdown))

    def plain(self, text: str) -> str:
        return plain(text)

    def gather(self, files: Sequence[MediaBytes]) -> Sequence[Sequence[MediaBytes]]:
        return outgoing.gathered(files)

    async def send(self, chat_native_id: str, part: Part, key: str) -> Sent:
        previews = self._config.link_previews
        return await self.calls().deliver(chat_native_id, part, key, previews=previews)

    async def probe(self) -> None:
        async with self._reached() as wire:
            await self._account(wire)

    async def examine(self) -> Sequence[Finding]:
        async with self._reached() as wire:
            account = await self._account(wire)
            gateway: Json = await wire.ask("GET", "/gateway/bot")
            return findings_of(account, gateway, len(self._rooms.guilds), self._webhook_url)

    async def download(self, attachment: Attachment, max_bytes: int) -> bytes:
        return await self._files.fetched(self.calls().wire, attachment, max_bytes)

    async def unpack(self, request: WebhookRequest) -> WebhookAnswer:
        told = verified(request, self._memory.public_key, self._clock.now().timestamp())
        if told.get("type") == PING:
            return WebhookAnswer(body=PONG, media_type=JSON)
        if self._intake is None:
            raise NotConnected("Discord is not connected at the moment.", "Try again later.")
        try:
            event = self._intake.known("INTERACTION_CREATE", told, "")
        except (KeyError, TypeError, AttributeError) as exc:
            raise ValueError("an interaction that cannot be read") from exc
        return WebhookAnswer([event], json.dumps(answer_to(told)), JSON)


_edits: type[Edits] = DiscordProvider
_deletes: type[Deletes] = DiscordProvider
_reacts: type[Reacts] = DiscordProvider
_pins: type[Pins] = DiscordProvider
_types: type[Types] = DiscordProvider
_gathers: type[GathersFiles] = DiscordProvider
_reads: type[ReadsDialect] = DiscordProvider
_downloads: type[DownloadsMedia] = DiscordProvider
_remembers: type[FetchesHistory] = DiscordProvider
_resolves: type[ResolvesRecipients] = DiscordProvider
_delivered: type[ReceivesWebhooks] = DiscordProvider
_groups: type[ManagesGroups] = DiscordProvider
_examines: type[Examines] = DiscordProvider
