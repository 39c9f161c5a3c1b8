"""Coming and going: whose token it is, who else receives, and what an answer that fails means."""

import logging
import traceback
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from email.utils import formatdate
from pathlib import Path
from time import time
from uuid import uuid4

import anyio
import httpx2
import pytest

from messengers.clock import SystemClock
from messengers.core.callers import OWNER
from messengers.core.credentials import read
from messengers.core.health import faults_in
from messengers.errors import (
    BadCredentials,
    MessengersError,
    PlatformRefused,
    RateLimited,
    StorageUnavailable,
    Uncertain,
    Unreachable,
)
from messengers.models import Attachment, Health, Lifecycle, MessageRef, Outcome
from messengers.providers.base import Part, ProviderContext
from messengers.providers.telegram import calls, stream
from messengers.providers.telegram.config import TelegramConfig
from messengers.providers.telegram.provider import TelegramProvider
from tests.fakes.telegram import Bot, FakeTelegram, User
from tests.fakes.telegram.faults import Answer, Fault
from tests.providers.telegram.conftest import (
    Connected,
    OpenCore,
    add,
    answering,
    becomes,
    connected_bot,
)


@dataclass
class Shelf:
    """A sink that keeps what arrives, and fails when it is told to."""

    events: dict[str, bytes] = field(default_factory=dict[str, bytes])
    states: list[Health] = field(default_factory=list[Health])
    broken: bool = False

    async def ingest(self, event_key: str, chat_key: str, kind: str, payload: bytes) -> bool:
        await anyio.lowlevel.checkpoint()
        if self.broken:
            raise StorageUnavailable("The disk is full.")
        new = event_key not in self.events
        self.events[event_key] = payload
        return new

    def signal(self, chat_key: str, kind: str, data: str) -> None: ...

    def report(self, health: Health) -> None:
        self.states.append(health)

    @property
    def state(self) -> Lifecycle | None:
        return self.states[-1].lifecycle if self.states else None

    async def reaches(self, lifecycle: Lifecycle) -> None:
        await becomes(lambda: self.state is lifecycle)

    def has(self, text: str) -> bool:
        return any(text.encode() in payload for payload in self.events.values())


def provider_of(url: str, token: str, directory: Path, **config: str) -> TelegramProvider:
    return TelegramProvider(
        ProviderContext(
            instance_id=str(uuid4()),
            instance_name="shop",
            config=read(TelegramConfig, {"token": token, **config}),
            endpoints={"api": url} if url else {},
            directory=directory,
            clock=SystemClock(),
        )
    )


@pytest.fixture
def bot(telegram: FakeTelegram) -> Bot:
    return telegram.add_bot("shop_bot", can_join_groups=True)


@pytest.fixture
def provider(telegram: FakeTelegram, bot: Bot, tmp_path: Path) -> TelegramProvider:
    return provider_of(telegram.url, bot.token, tmp_path / "instance")


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorter pauses and deadlines."""
    monkeypatch.setattr(stream, "_CONFLICT_PAUSES_S", (0.02,))
    monkeypatch.setattr(stream, "_TROUBLED_PAUSE_S", 0.02)
    monkeypatch.setattr(calls, "_SEND_S", 0.5)


async def ended(provider: TelegramProvider, shelf: Shelf) -> MessengersError:
    """Run until it ends by itself; what ended it."""
    try:
        with anyio.fail_after(10):
            await provider.run(shelf)
    except Exception as exc:  # noqa: BLE001 - whatever it raises is looked at
        (fault,) = faults_in(exc)
        assert isinstance(fault, MessengersError)
        return fault
    raise AssertionError("it ended without a word")


async def test_health_says_where_people_write_and_what_privacy_mode_hides(
    provider: TelegramProvider, telegram: FakeTelegram, tmp_path: Path
) -> None:
    reader = telegram.add_bot("reader_bot", can_join_groups=True, can_read_all_group_messages=True)
    loner = telegram.add_bot("loner_bot", can_join_groups=False)
    told: list[str] = []
    for each in (
        provider,
        provider_of(telegram.url, reader.token, tmp_path / "reader"),
        provider_of(telegram.url, loner.token, tmp_path / "loner"),
    ):
        shelf = Shelf()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(each.run, shelf)
            await shelf.reaches(Lifecycle.CONNECTED)
            tasks.cancel_scope.cancel()
        told.append(shelf.states[-1].reason)

    assert told[0].startswith("People open t.me/shop_bot and press Start. Privacy mode is on")
    assert "all messages" in told[1]
    assert "cannot be added to groups" in told[2]


async def test_the_owners_commands_become_the_bots_menu(
    telegram: FakeTelegram, reopen: OpenCore
) -> None:
    async with connected_bot(telegram, reopen, commands="start - Begin; help - Help"):
        pass

    (asked,) = telegram.asked("setMyCommands")
    assert '"command": "help"' in asked["commands"]


async def test_without_commands_the_menu_stays_as_botfather_has_it(shop: Connected) -> None:
    assert shop.telegram.asked("setMyCommands") == []


async def test_a_token_that_holds_no_more_is_for_the_owner_to_mend(shop: Connected) -> None:
    shop.telegram.revoke(shop.bot)

    await shop.reaches(Lifecycle.BAD_CREDENTIALS)

    assert "@BotFather" in shop.entry.health.reason


async def test_a_token_that_never_held_is_refused_at_once(
    telegram: FakeTelegram, tmp_path: Path
) -> None:
    provider = provider_of(telegram.url, "123456789:AANobodyKnowsThisToken00000000000000", tmp_path)

    assert isinstance(await ended(provider, Shelf()), BadCredentials)
    with pytest.raises(BadCredentials):
        await provider.probe()


async def test_a_new_token_of_the_same_bot_goes_on_and_one_of_another_is_refused(
    telegram: FakeTelegram, bot: Bot, tmp_path: Path
) -> None:
    other = telegram.add_bot("other_bot")
    first, second, third = (
        provider_of(telegram.url, token, tmp_path) for token in (bot.token, other.token, bot.token)
    )
    shelf = Shelf()
    await first.probe()

    fault = await ended(second, shelf)

    assert isinstance(fault, BadCredentials)
    assert str(bot.id) in str(fault)
    assert telegram.asked("getUpdates") == []
    await third.probe()


@pytest.mark.usefixtures("quick")
async def test_of_two_programs_with_one_bot_each_hears_of_the_other(
    provider: TelegramProvider, telegram: FakeTelegram, bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "POLL_S", 5)
    shelf = Shelf()
    async with anyio.create_task_group() as tasks, httpx2.AsyncClient() as other:
        tasks.start_soon(provider.run, shelf)
        await shelf.reaches(Lifecycle.CONNECTED)
        with suppress(httpx2.TimeoutException):
            url = f"{telegram.url}/bot{bot.token}/getUpdates?timeout=5"
            await other.get(url, timeout=0.2)
        await becomes(lambda: Lifecycle.CONFLICT in [each.lifecycle for each in shelf.states])
        ada = telegram.add_user("Ada")
        telegram.start(ada, bot)
        await becomes(lambda: shelf.state is Lifecycle.CONNECTED and shelf.has("/start"))
        tasks.cancel_scope.cancel()

    told = next(each for each in shelf.states if each.lifecycle is Lifecycle.CONFLICT)
    assert "Another program" in told.reason
    assert "/revoke" in told.reason


@pytest.mark.usefixtures("quick")
async def test_a_webhook_of_another_program_is_named_and_left_alone(
    provider: TelegramProvider, telegram: FakeTelegram, bot: Bot
) -> None:
    shelf = Shelf()
    async with httpx2.AsyncClient() as other, anyio.create_task_group() as tasks:
        hook = "http://127.0.0.1:9/secret-path"
        await other.get(f"{telegram.url}/bot{bot.token}/setWebhook?url={hook}")
        tasks.start_soon(provider.run, shelf)
        await shelf.reaches(Lifecycle.CONFLICT)
        await other.get(f"{telegram.url}/bot{bot.token}/deleteWebhook")
        await shelf.reaches(Lifecycle.CONNECTED)
        tasks.cancel_scope.cancel()

    told = next(each for each in shelf.states if each.lifecycle is Lifecycle.CONFLICT)
    assert "127.0.0.1" in told.reason
    assert "secret-path" not in told.reason


async def test_a_webhook_is_removed_where_the_owner_wants_that(
    telegram: FakeTelegram, bot: Bot, tmp_path: Path
) -> None:
    shelf = Shelf()
    provider = provider_of(telegram.url, bot.token, tmp_path, take_over="on")
    async with httpx2.AsyncClient() as other, anyio.create_task_group() as tasks:
        await other.get(f"{telegram.url}/bot{bot.token}/setWebhook?url=http://127.0.0.1:9/x")
        tasks.start_soon(provider.run, shelf)
        await shelf.reaches(Lifecycle.CONNECTED)
        tasks.cancel_scope.cancel()

    assert bot.webhook is None
    (asked,) = telegram.asked("deleteWebhook")
    assert asked == {"drop_pending_updates": "false"}


async def test_what_could_not_be_stored_is_asked_for_again(
    provider: TelegramProvider, telegram: FakeTelegram, bot: Bot
) -> None:
    shelf = Shelf(broken=True)
    telegram.start(telegram.add_user("Ada"), bot)

    fault = await ended(provider, shelf)
    shelf.broken = False
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(provider.run, shelf)
        await becomes(lambda: shelf.has("/start"))
        tasks.cancel_scope.cancel()

    assert isinstance(fault, StorageUnavailable)
    assert all("offset" not in asked for asked in telegram.asked("getUpdates")[:2])


async def test_an_update_is_confirmed_once_it_is_stored(shop: Connected) -> None:
    ada = shop.somebody()
    await shop.heard(ada.id, "/start")

    await becomes(lambda: not shop.bot.queue.updates)


@pytest.mark.case("S49")
async def test_an_update_that_comes_many_times_is_one_message(shop: Connected) -> None:
    ada = shop.somebody()
    shop.telegram.write(ada, shop.bot, "once")
    await shop.heard(ada.id, "once")
    number = max(shop.bot.queue.history)

    for _ in range(100):
        shop.telegram.repeat(shop.bot, number)
    shop.telegram.write(ada, shop.bot, "last")
    await shop.heard(ada.id, "last")

    texts = [each.text for each in await shop.messages(ada.id)]
    assert texts == ["/start", "once", "last"]


async def test_an_update_that_nobody_can_read_is_kept_and_passed_over(shop: Connected) -> None:
    ada = shop.somebody()
    shop.telegram.inject(shop.bot, {"message": {"message_id": "what?"}})
    shop.telegram.inject(shop.bot, {"hologram": {"size": 3}})
    shop.telegram.write(ada, shop.bot, "after them")

    await shop.heard(ada.id, "after them")

    assert shop.entry.health.lifecycle is Lifecycle.CONNECTED
    await becomes(lambda: not shop.bot.queue.updates)


@pytest.mark.parametrize("status", [500, 502, 503])
async def test_a_telegram_that_is_down_is_tried_again(
    provider: TelegramProvider, telegram: FakeTelegram, status: int
) -> None:
    telegram.break_down("getUpdates", status)

    assert isinstance(await ended(provider, Shelf()), Unreachable)


async def test_nobody_at_the_address_is_nothing_sent(tmp_path: Path, bot: Bot) -> None:
    provider = provider_of("http://127.0.0.1:9", bot.token, tmp_path)

    fault = await ended(provider, Shelf())

    assert type(fault) is Unreachable


async def test_half_a_pair_of_surrogates_spoils_no_other_update(bot: Bot, tmp_path: Path) -> None:
    answers = [
        {"id": bot.id, "is_bot": True, "first_name": "Shop"},
        [
            {"update_id": 7, "message": {"text": "half \ud83d"}},
            {"update_id": 8, "poll": {"id": "1"}},
        ],
    ]
    shelf = Shelf()
    async with answering(answers) as server:
        await ended(provider_of(server.url, bot.token, tmp_path), shelf)

    assert set(shelf.events) == {"message:7", "poll:8"}
    assert rb"half \ud83d" in shelf.events["message:7"]


async def test_a_server_that_answers_no_list_of_updates_is_no_telegram(
    provider: TelegramProvider, telegram: FakeTelegram
) -> None:
    telegram.break_down("getUpdates", 200)

    assert isinstance(await ended(provider, Shelf()), Unreachable)


@pytest.mark.case("F15")
async def test_when_telegram_says_later_to_the_poll_the_pause_is_handed_on(
    provider: TelegramProvider, telegram: FakeTelegram
) -> None:
    telegram.flood(7, method="getUpdates")

    fault = await ended(provider, Shelf())

    assert isinstance(fault, RateLimited)
    assert fault.retry_after_s == 7


@dataclass
class Talk:
    """A provider that runs, and somebody who talks to it."""

    provider: TelegramProvider
    telegram: FakeTelegram
    bot: Bot
    ada: User

    @property
    def chat(self) -> str:
        return str(self.ada.id)

    async def send(self, text: str = "hi", chat: str = "") -> str:
        sent = await self.provider.send(chat or self.chat, Part(text=text), "key")
        return sent.native_id

    @property
    def asked(self) -> int:
        return len(self.telegram.asked("sendMessage"))


@pytest.fixture
async def talk(
    provider: TelegramProvider, telegram: FakeTelegram, bot: Bot, quick: None
) -> AsyncIterator[Talk]:
    shelf, ada = Shelf(), telegram.add_user("Ada")
    telegram.start(ada, bot)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(provider.run, shelf)
        await shelf.reaches(Lifecycle.CONNECTED)
        yield Talk(provider, telegram, bot, ada)
        tasks.cancel_scope.cancel()


@pytest.mark.case("F17")
async def test_what_telegram_took_and_never_answered_is_in_doubt(talk: Talk) -> None:
    talk.telegram.accept_then_hang("sendMessage")

    with pytest.raises(Uncertain):
        await talk.send()

    assert [each.text for each in talk.bot.sent()] == ["hi"]
    assert talk.asked == 1


@pytest.mark.case("F16")
@pytest.mark.parametrize("carried_out", [True, False])
async def test_a_connection_that_breaks_leaves_doubt_and_nothing_is_sent_twice(
    talk: Talk, carried_out: bool
) -> None:
    talk.telegram.cut("sendMessage", carried_out=carried_out)

    with pytest.raises(Uncertain):
        await talk.send()

    assert len(talk.bot.sent()) == carried_out


@pytest.mark.case("F16")
@pytest.mark.parametrize("status", [500, 502, 503, 504])
async def test_a_gateway_that_fails_leaves_doubt(talk: Talk, status: int) -> None:
    talk.telegram.break_down("sendMessage", status)

    with pytest.raises(Uncertain):
        await talk.send()
    talk.telegram.break_down("sendChatAction", status)
    with pytest.raises(Unreachable) as caught:
        await talk.provider.typing(talk.chat, active=True)

    assert not isinstance(caught.value, Uncertain)


async def test_an_answer_without_an_id_leaves_doubt(talk: Talk) -> None:
    talk.telegram.break_down("sendMessage", 200)

    with pytest.raises(Uncertain):
        await talk.send()


async def test_a_doubt_is_told_and_the_message_is_not_sent_again(
    shop: Connected, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calls, "_SEND_S", 0.3)
    ada = shop.somebody()
    await shop.send(ada, "before")
    shop.telegram.accept_then_hang("sendMessage")

    answer = await shop.send(ada, "hi")
    await shop.send(ada, "after")

    assert answer.outcome is Outcome.UNKNOWN
    assert [each.text for each in shop.bot.sent()] == ["before", "hi", "after"]


@pytest.mark.case("F15")
async def test_later_for_one_chat_is_later_for_that_chat_alone(talk: Talk) -> None:
    eve = talk.telegram.add_user("Eve")
    talk.telegram.start(eve, talk.bot)
    talk.telegram.flood(30, method="sendMessage", chat=talk.telegram.private(talk.bot, talk.ada))

    with pytest.raises(RateLimited) as first:
        await talk.send()
    with pytest.raises(RateLimited) as second:
        await talk.send()
    await talk.send(chat=str(eve.id))

    assert first.value.retry_after_s == 30
    assert 29 < second.value.retry_after_s <= 30
    assert talk.asked == 2


@pytest.mark.case("F15")
async def test_later_for_two_chats_is_later_for_the_bot(talk: Talk) -> None:
    eve, bob = talk.telegram.add_user("Eve"), talk.telegram.add_user("Bob")
    talk.telegram.start(eve, talk.bot)
    talk.telegram.start(bob, talk.bot)
    talk.telegram.flood(30, method="sendMessage", times=2)

    for chat in (talk.chat, str(eve.id), str(bob.id)):
        with pytest.raises(RateLimited):
            await talk.send(chat=chat)

    assert talk.asked == 2


@pytest.mark.case("F15")
@pytest.mark.parametrize(("told", "waited"), [(None, 5), (10**9, 900)])
async def test_later_without_a_time_and_absurdly_later_are_bearable(
    talk: Talk, told: int | None, waited: float
) -> None:
    talk.telegram.flood(told, method="sendMessage")

    with pytest.raises(RateLimited):
        await talk.send()
    with pytest.raises(RateLimited) as caught:
        await talk.send()

    assert waited - 1 < caught.value.retry_after_s <= waited


@pytest.mark.case("F15")
@pytest.mark.parametrize(
    ("header", "least", "most"),
    [("0.5", 0.5, 0.5), ("12", 12, 12), ("in 40 s", 20, 41), ("soon", 5, 5), ("-3", 5, 5)],
)
async def test_a_gateway_that_says_later_is_given_its_time(
    talk: Talk, header: str, least: float, most: float
) -> None:
    said = header.replace("in 40 s", formatdate(time() + 40, usegmt=True))
    page = Answer(429, "<html>Too Many Requests</html>", {"Retry-After": said})
    talk.telegram.faults.add(Fault("sendMessage", answer=page))

    with pytest.raises(RateLimited) as caught:
        await talk.send()

    assert least <= caught.value.retry_after_s <= most
    assert talk.asked == 1


async def test_a_message_that_had_to_wait_is_sent_once_and_then(
    shop: Connected,
) -> None:
    ada = shop.somebody()
    shop.telegram.flood(1, method="sendMessage")

    answer = await shop.send(ada, "hi")

    assert answer.outcome is Outcome.ACCEPTED
    assert [each.text for each in shop.bot.sent()] == ["hi"]


async def test_a_server_of_ones_own_that_lacks_a_call_is_too_old(talk: Talk) -> None:
    talk.telegram.fail_next("sendMessage", 404, "Not Found: method not found")

    with pytest.raises(PlatformRefused, match="no such call"):
        await talk.send()


TROUBLE: Mapping[str, Callable[[FakeTelegram], None]] = {
    "gone": lambda telegram: telegram.break_down("", 502),
    "hang": lambda telegram: telegram.accept_then_hang(""),
    "cut": lambda telegram: telegram.cut(""),
    "odd": lambda telegram: telegram.break_down("", 200),
    "later": lambda telegram: telegram.flood(1),
    "refused": lambda telegram: telegram.fail_next("", 400),
}


@pytest.mark.parametrize("trouble", TROUBLE)
async def test_no_fault_and_no_log_holds_the_token(
    talk: Talk, trouble: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    ref = MessageRef(native_id="1", from_me=True)
    secret = talk.bot.token.partition(":")[2]
    told: list[str] = []
    for call in (
        lambda: talk.send(),
        lambda: talk.provider.edit(talk.chat, ref, "x"),
        lambda: talk.provider.download(Attachment(kind="image", native_ref="f"), 10),
    ):
        TROUBLE[trouble](talk.telegram)
        with pytest.raises(MessengersError) as caught:
            await call()
        told += traceback.format_exception(caught.value)
        talk.telegram.heal()

    everything = "\n".join([*told, *(record.getMessage() for record in caplog.records)])
    assert secret not in everything


async def test_the_token_is_in_no_word_of_the_instance(
    telegram: FakeTelegram, reopen: OpenCore
) -> None:
    bot = telegram.add_bot("shop_bot")
    telegram.revoke(bot)
    async with reopen() as core:
        shop = await add(telegram, core, bot)
        await shop.reaches(Lifecycle.BAD_CREDENTIALS)
        said = f"{shop.entry.health} {shop.entry.problems} {await core.instances.list(OWNER)}"

    assert bot.token.partition(":")[2] not in said
