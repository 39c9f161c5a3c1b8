"""Telegram as a provider: a bot account, over the Bot API."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

import anyio
import anyio.to_thread
from aiogram.methods import AnswerCallbackQuery, GetChat, GetMe, SetMyCommands
from aiogram.types import BotCommand

from messengers.errors import BadCredentials, NotConnected
from messengers.models import Attachment, MessageRef
from messengers.providers.base import (
    Deletes,
    DownloadsMedia,
    Edits,
    GathersFiles,
    Happening,
    MediaBytes,
    Part,
    Pins,
    ProviderContext,
    Reacts,
    ReadsDialect,
    ResolvesRecipients,
    Sent,
    Sink,
    Types,
)
from messengers.providers.capabilities import Capabilities
from messengers.providers.findings import Examines, Finding
from messengers.providers.groups import ManagesGroups
from messengers.providers.stickers import sticker
from messengers.providers.telegram import incoming, outgoing, places
from messengers.providers.telegram.calls import Calls
from messengers.providers.telegram.config import TelegramConfig, commands_of
from messengers.providers.telegram.failures import told
from messengers.providers.telegram.files import fetched
from messengers.providers.telegram.findings import findings_of
from messengers.providers.telegram.formatting import parts_of, plain
from messengers.providers.telegram.intake import Account, Intake
from messengers.providers.telegram.limits import CAPABILITIES, OWN_SERVER
from messengers.providers.telegram.managing import Managing
from messengers.providers.telegram.memory import Memory
from messengers.providers.telegram.pace import Pace
from messengers.providers.telegram.places import Place, message_number
from messengers.providers.telegram.reading import option_texts
from messengers.providers.telegram.states import NO_ADDRESS, connected
from messengers.providers.telegram.stream import Stream
from messengers.providers.telegram.uploads import gathered
from messengers.providers.telegram.webhook import (
    Door,
    Webhook,
    is_own,
    remove_webhook,
    webhook_info,
)
from messengers.providers.telegram.wire import Refused, Unanswered, Wire
from messengers.providers.webhooks import (
    EndsDeliveries,
    ReceivesWebhooks,
    WebhookAnswer,
    WebhookRequest,
)

__all__ = ["TelegramProvider"]


class TelegramProvider(Managing):
    """One bot."""

    def __init__(self, context: ProviderContext) -> None:
        if not isinstance(context.config, TelegramConfig):
            raise TypeError("telegram takes a TelegramConfig")
        self._config = context.config
        self._api = context.endpoints.get("api", "")
        self._clock = context.clock
        self._instance = context.instance_id
        self._address = context.webhook_url
        self._door = Door(self._config.token.get_secret_value(), self._instance)
        self._memory = Memory(context.directory)
        self._pace = Pace(context.clock)
        self._calls: Calls | None = None

    async def run(self, sink: Sink) -> None:
        """Receive until cancelled, or until Telegram wants this bot no more."""
        async with self._reached() as wire, anyio.create_task_group() as tasks:
            account = await self._account(wire)

            def answer(query: str) -> None:
                tasks.start_soon(_answer, wire, query)

            intake = Intake(sink, account, self._memory, self._clock, answer)
            self._calls = Calls(wire, self._pace, self._clock)
            try:
                await self._announce(self._calls)
                await self._receive(wire, intake, sink, account)
            finally:
                self._calls = None

    async def _receive(self, wire: Wire, intake: Intake, sink: Sink, account: Account) -> None:
        if self._config.receive == "poll":
            stream = Stream(wire, intake, sink, self._clock, connected(account))
            await stream.follow(self._replaces)
        elif not self._address:
            sink.report(NO_ADDRESS)
            await anyio.sleep_forever()
        else:
            well = connected(account, self._address)
            webhook = Webhook(wire, self._door, sink, self._clock, self._address, well)
            with self._door.open(intake):
                await webhook.follow(self._replaces)

    def _replaces(self, webhook: str) -> bool:
        """Whether a webhook may go: it is our own, or the owner wants that of others."""
        return self._config.take_over or is_own(webhook, self._instance)

    async def unpack(self, request: WebhookRequest) -> WebhookAnswer:
        return self._door.unpack(request)

    async def end_deliveries(self) -> None:
        if self._config.receive == "webhook":
            async with self._reached() as wire:
                if is_own((await webhook_info(wire))["url"], self._instance):
                    await remove_webhook(wire)

    @asynccontextmanager
    async def _reached(self) -> AsyncGenerator[Wire]:
        async with Wire(self._config.token.get_secret_value(), self._api) as wire:
            yield wire

    async def _account(self, wire: Wire) -> Account:
        """Whose token it is. Raises BadCredentials for a token of another bot than before."""
        with told(changes=False):
            account = Account(await wire.ask(GetMe()))
        if self._memory.bot not in (0, account.id):
            raise BadCredentials(
                f"This token is another bot's; the instance is the bot {self._memory.bot}.",
                "Enter that bot's token, or make an instance of its own for the other.",
            )
        self._memory.set_bot(account.id)
        return account

    async def _announce(self, calls: Calls) -> None:
        """The bot's menu, where the owner wrote one."""
        found = commands_of(self._config.commands)
        if found:
            commands = [BotCommand(command=name, description=text) for name, text in found]
            await calls.ask(SetMyCommands(commands=commands), changes=False)

    def calls(self) -> Calls:
        if self._calls is None:
            raise NotConnected("Telegram is not connected at the moment.", "Try again later.")
        return self._calls

    def capabilities(self, chat_native_id: str = "") -> Capabilities:
        return OWN_SERVER if self._api else CAPABILITIES

    def parse_target(self, text: str) -> str | None:
        return places.parse_target(text)

    async def resolve(self, target: str) -> Sequence[str]:
        """What Telegram knows under a @name or number, as far as this bot may see it."""
        if target.startswith("business:"):
            return (target,)
        chat = target if target.startswith("@") else Place.read(target).chat_id
        full = await self.calls().known(GetChat(chat_id=chat))
        if full is None:
            return ()
        return (str(full["id"]),) if target.startswith("@") else (target,)

    def translate(self, kind: str, payload: bytes) -> Sequence[Happening]:
        return incoming.translate(kind, payload)

    def render(self, markdown: str) -> Sequence[str]:
        return list(parts_of(markdown))

    def plain(self, text: str) -> str:
        return plain(text)

    def gather(self, files: Sequence[MediaBytes]) -> Sequence[Sequence[MediaBytes]]:
        return gathered(files)

    async def send(self, chat_native_id: str, part: Part, key: str) -> Sent:
        del key  # Telegram takes none: what was not answered stays in doubt
        calls, place = self.calls(), Place.read(chat_native_id)
        if part.media is not None and part.media.kind == "sticker":
            data = await anyio.to_thread.run_sync(sticker, part.media.data)
            part = replace(part, media=replace(part.media, data=data, mime="image/webp"))
        delivered = await calls.deliver(place, part, previews=self._config.link_previews)
        sent = delivered.sent
        poll = delivered.message.get("poll")
        if poll is not None:
            self._memory.sent_poll(poll["id"], chat_native_id, sent.native_id, option_texts(poll))
        return sent

    async def probe(self) -> None:
        async with self._reached() as wire:
            await self._account(wire)

    async def examine(self) -> Sequence[Finding]:
        async with self._reached() as wire:
            account = await self._account(wire)
            return findings_of(account, await webhook_info(wire), self._instance)

    async def edit(self, chat_native_id: str, message: MessageRef, text: str) -> None:
        place, number = _at(chat_native_id, message)
        previews = self._config.link_previews
        method = outgoing.edit_of_text(place, number, text, previews=previews)
        with told(changes=True):
            try:
                await self.calls().tried(method, chat=place.chat_id)
            except Refused as exc:
                if "not modified" in exc.why:
                    return
                if "no text in the message" not in exc.why:
                    raise
                method = outgoing.edit_of_caption(place, number, text)
                await self.calls().tried(method, chat=place.chat_id)

    async def delete(self, chat_native_id: str, message: MessageRef) -> None:
        place = Place.read(chat_native_id)
        ids = (message.native_id, *message.more_ids)
        method = outgoing.deletion(place, [message_number(place, each) for each in ids])
        await self.calls().ask(method, chat=place.chat_id)

    async def react(self, chat_native_id: str, message: MessageRef, emoji: str) -> None:
        place, number = _at(chat_native_id, message)
        await self.calls().ask(outgoing.reaction(place, number, emoji), chat=place.chat_id)

    async def pin(self, chat_native_id: str, message: MessageRef, pinned: bool) -> None:
        place, number = _at(chat_native_id, message)
        await self.calls().ask(outgoing.pinning(place, number, pinned=pinned), chat=place.chat_id)

    async def typing(self, chat_native_id: str, active: bool) -> None:
        place = Place.read(chat_native_id)
        if active:  # it ends by itself
            await self.calls().ask(outgoing.typing_in(place), chat=place.chat_id, changes=False)

    async def download(self, attachment: Attachment, max_bytes: int) -> bytes:
        return await fetched(self.calls(), attachment, max_bytes, own_server=bool(self._api))


def _at(chat_native_id: str, message: MessageRef) -> tuple[Place, int]:
    """Where a message is, and Telegram's id of it there."""
    place = Place.read(chat_native_id)
    return place, message_number(place, message.native_id)


async def _answer(wire: Wire, query: str) -> None:
    """A pressed button stops waiting. Nothing is lost where that comes too late."""
    with suppress(Refused, Unanswered):
        await wire.ask(AnswerCallbackQuery(callback_query_id=query))


_edits: type[Edits] = TelegramProvider
_deletes: type[Deletes] = TelegramProvider
_reacts: type[Reacts] = TelegramProvider
_pins: type[Pins] = TelegramProvider
_types: type[Types] = TelegramProvider
_downloads: type[DownloadsMedia] = TelegramProvider
_gathers: type[GathersFiles] = TelegramProvider
_reads: type[ReadsDialect] = TelegramProvider
_resolves: type[ResolvesRecipients] = TelegramProvider
_groups: type[ManagesGroups] = TelegramProvider
_webhooks: type[ReceivesWebhooks] = TelegramProvider
_examines: type[Examines] = TelegramProvider
_ends: type[EndsDeliveries] = TelegramProvider
