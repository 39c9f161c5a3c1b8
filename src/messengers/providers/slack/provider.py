"""Slack as a provider: an app's bot, or one's own account."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime

import anyio

from messengers.errors import BadCredentials
from messengers.models import Attachment, MessageRef
from messengers.providers.base import (
    Deletes,
    DownloadsMedia,
    Edits,
    FetchesHistory,
    GathersFiles,
    Happening,
    MarksRead,
    MediaBytes,
    Part,
    Pins,
    ProviderContext,
    Reacts,
    ReadsDialect,
    ResolvesRecipients,
    SearchesHistory,
    Sent,
    Sink,
)
from messengers.providers.capabilities import Capabilities
from messengers.providers.findings import Examines, Finding
from messengers.providers.groups import ManagesGroups
from messengers.providers.slack import incoming, places
from messengers.providers.slack.calls import Calls
from messengers.providers.slack.changes import Changes
from messengers.providers.slack.config import SlackConfig, kind_of
from messengers.providers.slack.delivery import Courier
from messengers.providers.slack.directory import Directory
from messengers.providers.slack.failures import not_shown, told
from messengers.providers.slack.files import Files
from messengers.providers.slack.findings import (
    account_finding,
    request_finding,
    scopes_finding,
    socket_finding,
)
from messengers.providers.slack.formatting import parts_of, read_text, with_mass_mentions
from messengers.providers.slack.intake import Account, Intake
from messengers.providers.slack.limits import CAPABILITIES
from messengers.providers.slack.managing import Managing
from messengers.providers.slack.memberships import tell
from messengers.providers.slack.memory import Memory
from messengers.providers.slack.pace import Pace
from messengers.providers.slack.past import Past
from messengers.providers.slack.running import Running
from messengers.providers.slack.seeking import found
from messengers.providers.slack.states import connected
from messengers.providers.slack.stream import Stream
from messengers.providers.slack.watch import watch
from messengers.providers.slack.webhook import Door, opened
from messengers.providers.slack.wire import Wire
from messengers.providers.webhooks import ReceivesWebhooks, WebhookAnswer, WebhookRequest

__all__ = ["SlackProvider"]


class SlackProvider(Managing):
    """One account in one workspace."""

    def __init__(self, context: ProviderContext) -> None:
        if not isinstance(context.config, SlackConfig):
            raise TypeError("slack takes a SlackConfig")
        self._config = context.config
        self._api = context.endpoints.get("api", "")
        self._clock = context.clock
        self._memory = Memory(context.directory)
        self._webhook_url = context.webhook_url
        self._pace = Pace(context.clock)
        token = self._config.token.get_secret_value()
        self._files = Files(token, self._api, context.guard)

    async def run(self, sink: Sink) -> None:
        """Receive until cancelled, or until Slack wants this app no more."""
        async with self._reached() as wire, anyio.create_task_group() as tasks:
            account = await self._account(wire)
            state = connected(account, wire.scopes)
            running = self._running = self._begun(wire, account, sink)
            tasks.start_soon(watch, running.calls)
            tasks.start_soon(tell, running.calls, running.directory, running.intake, sink)
            try:
                if app_token := self._config.app_token.get_secret_value():
                    stream = Stream(wire, app_token, running.intake, sink, self._clock)
                    await stream.follow(account, state)
                else:
                    await running.door.follow(state)
            finally:
                self._running = None

    def _begun(self, wire: Wire, account: Account, sink: Sink) -> Running:
        calls, clock = Calls(wire, self._pace), self._clock
        directory = Directory(calls, clock, account.handle)

        def doubted() -> None:
            calls.doubted.set()

        return Running(
            account=account,
            calls=calls,
            directory=directory,
            intake=Intake(account, directory, clock, doubted),
            sink=sink,
            courier=Courier(calls, directory, clock, previews=self._config.link_previews),
            changes=Changes(calls, directory, account.user),
            past=Past(calls, directory, account, clock),
            door=Door(self._webhook_url, self._memory, sink),
        )

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
            url=str(me.get("url", "")),
            bot=bot,
            app=str((app or {}).get("app_id", "")),
        )

    async def examine(self) -> Sequence[Finding]:
        """Whose token it is, what it may do, and whether events come."""
        app_token = self._config.app_token.get_secret_value()
        async with self._reached() as wire:
            account = await self._account(wire)
            if app_token:
                events = await socket_finding(wire, app_token)
            else:
                events = request_finding(self._webhook_url, heard=self._memory.heard())
            return account_finding(account), scopes_finding(wire.scopes), events

    def capabilities(self, chat_native_id: str = "") -> Capabilities:
        return CAPABILITIES

    def parse_target(self, text: str) -> str | None:
        return places.parse_target(text)

    def translate(self, kind: str, payload: bytes) -> Sequence[Happening]:
        return incoming.translate(kind, payload)

    async def unpack(self, request: WebhookRequest) -> WebhookAnswer:
        """A request of the Events API; without a signing secret none is one."""
        secret = self._config.signing_secret.get_secret_value()
        kind, body = opened(request, secret, self._clock)
        running = self.running()
        running.door.knocked()
        if kind == "url_verification":
            return WebhookAnswer(body=str(body.get("challenge", "")))
        event = await running.intake.delivered(kind, body)
        return WebhookAnswer([event] if event else [])

    def render(self, markdown: str) -> Sequence[str]:
        parts = parts_of(markdown)
        return list(map(with_mass_mentions, parts) if self._config.mass_mentions else parts)

    def plain(self, text: str) -> str:
        return read_text(text, {})

    def gather(self, files: Sequence[MediaBytes]) -> Sequence[Sequence[MediaBytes]]:
        return (files,) if files else ()  # as many as a draft has fit into one message

    async def resolve(self, target: str) -> Sequence[str]:
        """What Slack knows under an id, a #channel or a @name; its chat learns its name."""
        running = self.running()
        ids = await found(running.calls, running.directory, target)
        if not ids:
            raise not_shown()
        for each in ids[-1:]:
            channel = await running.directory.channel_of(each)
            event = await running.intake.met(channel)
            if event is not None:
                await running.sink.ingest(
                    event.event_key, event.chat_key, event.kind, event.payload
                )
        return ids

    async def send(self, chat_native_id: str, part: Part, key: str) -> Sent:
        return await self.running().courier.deliver(chat_native_id, part, key)

    async def edit(self, chat_native_id: str, message: MessageRef, text: str) -> None:
        await self.running().changes.edit(chat_native_id, message, text)

    async def delete(self, chat_native_id: str, message: MessageRef) -> None:
        await self.running().changes.delete(chat_native_id, message)

    async def react(self, chat_native_id: str, message: MessageRef, emoji: str) -> None:
        await self.running().changes.react(chat_native_id, message, emoji)

    async def pin(self, chat_native_id: str, message: MessageRef, pinned: bool) -> None:
        await self.running().changes.pin(chat_native_id, message, pinned=pinned)

    async def mark_read(self, chat_native_id: str, messages: Sequence[MessageRef]) -> None:
        """In the account's own list; a bot has none that anybody looks at."""
        if kind_of(self._config) == "personal":
            await self.running().changes.mark(chat_native_id, messages[-1])

    async def history(
        self, chat_native_id: str, before: datetime, limit: int
    ) -> Sequence[Happening]:
        return await self.running().past.before(chat_native_id, before, limit)

    async def search(self, query: str, limit: int) -> Sequence[Happening]:
        return await self.running().past.search(query, limit)

    async def download(self, attachment: Attachment, max_bytes: int) -> bytes:
        return await self._files.fetched(self.running().calls, attachment, max_bytes)

    async def probe(self) -> None:
        async with self._reached() as wire:
            await self._account(wire)


_edits: type[Edits] = SlackProvider
_deletes: type[Deletes] = SlackProvider
_reacts: type[Reacts] = SlackProvider
_pins: type[Pins] = SlackProvider
_marks: type[MarksRead] = SlackProvider
_downloads: type[DownloadsMedia] = SlackProvider
_gathers: type[GathersFiles] = SlackProvider
_reads: type[ReadsDialect] = SlackProvider
_delivered: type[ReceivesWebhooks] = SlackProvider
_groups: type[ManagesGroups] = SlackProvider
_past: type[FetchesHistory] = SlackProvider
_searches: type[SearchesHistory] = SlackProvider
_examines: type[Examines] = SlackProvider
_resolves: type[ResolvesRecipients] = SlackProvider
