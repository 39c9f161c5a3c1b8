"""The webhook: what Telegram delivers to the daemon's own door, and how it comes and goes."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

import anyio
import httpx2
import orjson
import pytest

from messengers.providers.telegram import webhook
from tests.fakes.telegram import Bot, FakeTelegram, User
from tests.fakes.telegram.bots import UPDATE_KINDS
from tests.process.conftest import StartDaemon, home, start_daemon
from tests.providers.telegram.conftest import becomes
from tests.providers.telegram.daemons import PUBLIC, Agent, Desk, desk_of

__all__ = ["home", "start_daemon"]

HEADER = "X-Telegram-Bot-Api-Secret-Token"


@dataclass
class Hooked:
    """A bot that Telegram delivers to, and somebody who pressed Start."""

    desk: Desk
    bot: Bot
    instance: str
    ada: User
    agent: Agent
    http: httpx2.AsyncClient

    @property
    def telegram(self) -> FakeTelegram:
        return self.desk.telegram

    @property
    def secret(self) -> str:
        assert self.bot.webhook
        return self.bot.webhook.secret_token

    async def deliver(
        self, body: object, secret: str | bytes | None = None, instance: str = ""
    ) -> httpx2.Response:
        """Somebody delivers, with Telegram's secret unless it brings another."""
        given = self.secret if secret is None else secret
        proof = given if isinstance(given, bytes) else given.encode()
        content = body if isinstance(body, bytes) else orjson.dumps(body)
        return await self.http.post(
            f"{self.desk.daemon.url}/webhooks/{instance or self.instance}",
            content=content,
            headers=[(HEADER.encode(), proof)] if proof else [],
        )

    def update(self, text: str) -> Mapping[str, object]:
        """What Telegram would deliver, were it true."""
        return {
            "update_id": 900_000_001,
            "message": {
                "message_id": 4_711,
                "date": 1_795_000_000,
                "chat": {"id": self.ada.id, "type": "private", "first_name": "Ada"},
                "from": {"id": self.ada.id, "is_bot": False, "first_name": "Ada"},
                "text": text,
            },
        }


@pytest.fixture
async def desk(telegram: FakeTelegram, start_daemon: StartDaemon) -> AsyncIterator[Desk]:
    async with desk_of(telegram, start_daemon) as desk:
        yield desk


@pytest.fixture
def bot(telegram: FakeTelegram) -> Bot:
    return telegram.add_bot("shop_bot", can_join_groups=True, can_read_all_group_messages=True)


@pytest.fixture
async def hooked(desk: Desk, bot: Bot) -> AsyncIterator[Hooked]:
    instance = await desk.add(bot, receive="webhook")
    ada = desk.telegram.add_user("Ada")
    desk.telegram.start(ada, bot)
    async with desk.agent() as agent, httpx2.AsyncClient(timeout=10) as http:
        yield Hooked(desk, bot, instance, ada, agent, http)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook, "_LOOK_S", 0.05)


async def test_telegram_delivers_what_people_write_and_the_answer_goes_back(hooked: Hooked) -> None:
    hooked.telegram.write(hooked.ada, hooked.bot, "are you there?")
    shown = await hooked.agent.reads(hooked.ada.id, "are you there?")
    await hooked.agent.act("send_message", chat=str(hooked.ada.id), text="yes")
    health = await hooked.desk.health()

    assert "/start" in shown
    assert [each.text for each in hooked.bot.sent()] == ["yes"]
    assert hooked.telegram.asked("getUpdates") == []
    assert (health["lifecycle"], bool(health["last_inbound_at"])) == ("connected", True)
    assert "Telegram delivers to bot.example." in health["reason"]


async def test_the_webhook_is_set_with_a_secret_for_every_kind_of_update(
    hooked: Hooked, caplog: pytest.LogCaptureFixture
) -> None:
    (asked,) = hooked.telegram.asked("setWebhook")

    assert asked["url"] == f"{PUBLIC}/webhooks/{hooked.instance}"
    assert len(asked["secret_token"]) == 64
    assert set(orjson.loads(asked["allowed_updates"])) == UPDATE_KINDS
    assert asked["secret_token"] not in caplog.text
    assert asked["secret_token"] not in await hooked.agent.told("list_instances")


async def test_a_pressed_button_stops_waiting(hooked: Hooked) -> None:
    await hooked.agent.reads(hooked.ada.id, "/start")
    await hooked.agent.act("send_buttons", chat=str(hooked.ada.id), text="Which?", buttons=["Tea"])
    (question,) = hooked.bot.sent()
    press = hooked.telegram.press(hooked.ada, question, "Tea")

    await hooked.agent.reads(hooked.ada.id, "Tea")
    await becomes(lambda: press.answer is not None)


@pytest.mark.case("S47", "S53", "S55")
async def test_what_does_not_bring_the_secret_is_refused(hooked: Hooked) -> None:
    wrong = [b"", b"00", b"v1", b"v1,\xd1\x91", b"\xff\xfe", b"0" * 64, b"sha256=" + b"0" * 64]
    for proof in (*wrong, b"x" * 8_000):
        answer = await hooked.deliver(hooked.update("let me in"), proof)
        assert answer.status_code == 401
        assert answer.json()["error"]["cause"] == "Nothing is taken here."

    assert "let me in" not in await hooked.agent.reads(hooked.ada.id, "/start")


@pytest.mark.case("S47")
async def test_only_the_whole_secret_opens(hooked: Hooked) -> None:
    body, secret = hooked.update("the real one"), hooked.secret
    wrong = [secret[:-1], secret + "0", f"0{secret}", secret.upper(), secret[::-1]]
    refused = [(await hooked.deliver(body, each)).status_code for each in wrong]
    taken = await hooked.deliver(body)

    assert refused == [401] * len(wrong)
    assert (taken.status_code, taken.text) == (200, "")
    await hooked.agent.reads(hooked.ada.id, "the real one")


@pytest.mark.case("S53")
async def test_what_is_no_json_is_refused_even_with_the_secret(hooked: Hooked) -> None:
    for body in (b"", b"\xff\xfe{", b"{", b'{"update_id": '):
        assert (await hooked.deliver(body)).status_code == 401


async def test_an_update_that_nobody_can_read_is_taken_and_stops_nothing(hooked: Hooked) -> None:
    half = b'{"update_id": 1, "message": {"text": "half \\ud83d"}}'
    for body in (b"[]", b"7", b'{"hologram": {}}', half):
        assert (await hooked.deliver(body)).status_code == 200
    hooked.telegram.write(hooked.ada, hooked.bot, "after them")

    await hooked.agent.reads(hooked.ada.id, "after them")


@pytest.mark.case("S49")
async def test_an_update_delivered_many_times_is_one_message(hooked: Hooked) -> None:
    statuses: list[int] = []

    async def deliver() -> None:
        statuses.append((await hooked.deliver(hooked.update("only once"))).status_code)

    async with anyio.create_task_group() as tasks:
        for _ in range(100):
            tasks.start_soon(deliver)
    hooked.telegram.write(hooked.ada, hooked.bot, "the last")
    shown = await hooked.agent.reads(hooked.ada.id, "the last")

    assert statuses == [200] * 100
    assert shown.count("only once") == 1


@pytest.mark.case("S52")
async def test_the_secret_of_one_bot_opens_no_other(hooked: Hooked) -> None:
    other = hooked.telegram.add_bot("other_bot")
    instance = await hooked.desk.add(other, "other", receive="webhook")
    stolen = await hooked.deliver(hooked.update("stolen"), instance=instance)
    nowhere = await hooked.deliver(hooked.update("stolen"), instance=hooked.instance[::-1])

    assert other.webhook
    assert other.webhook.secret_token != hooked.secret
    assert stolen.status_code == 401
    assert nowhere.status_code in (401, 404)


@pytest.mark.case("S51")
@pytest.mark.parametrize("proof", [b"", b"anything"])
async def test_a_bot_that_asks_for_its_messages_is_delivered_nothing(
    desk: Desk, bot: Bot, proof: bytes
) -> None:
    instance = await desk.add(bot)
    headers = [(HEADER.encode(), proof)] if proof else []
    async with httpx2.AsyncClient() as client:
        url = f"{desk.daemon.url}/webhooks/{instance}"
        answer = await client.post(url, json={"update_id": 1}, headers=headers)

    assert answer.status_code == 401


async def test_it_is_removed_when_the_bot_is_stopped_and_nothing_is_lost(hooked: Hooked) -> None:
    await hooked.agent.reads(hooked.ada.id, "/start")
    await hooked.agent.act("disconnect_instance", instance="shop")
    gone = hooked.bot.webhook is None
    hooked.telegram.write(hooked.ada, hooked.bot, "while you were out")
    await hooked.agent.act("connect_instance", instance="shop")
    shown = await hooked.agent.reads(hooked.ada.id, "while you were out")

    assert gone
    assert hooked.bot.webhook is not None
    assert shown.count("/start") == 1


async def test_it_is_removed_with_the_instance(hooked: Hooked) -> None:
    await hooked.agent.act("delete_instance", instance="shop")

    assert hooked.bot.webhook is None
    assert (await hooked.deliver({}, "x")).status_code in (401, 404, 503)


async def test_a_telegram_that_does_not_answer_keeps_no_instance_from_stopping(
    hooked: Hooked, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("messengers.core.sessions._END_S", 0.1)
    hooked.telegram.accept_then_hang("getWebhookInfo")

    told = await hooked.agent.told("disconnect_instance", instance="shop")

    assert "stopped" in told
    assert "still delivered to" in caplog.text


async def test_asking_instead_of_being_delivered_to_removes_it(hooked: Hooked) -> None:
    await hooked.desk.daemon.ask(
        "PUT", "/instances/shop/credentials", {"credentials": {"receive": "poll"}, "wait_s": 5}
    )
    await hooked.desk.becomes("connected")
    hooked.telegram.write(hooked.ada, hooked.bot, "by the other way")

    await hooked.agent.reads(hooked.ada.id, "by the other way")
    assert hooked.bot.webhook is None


async def test_it_stays_while_the_daemon_is_away_and_brings_what_was_missed(
    telegram: FakeTelegram, start_daemon: StartDaemon, bot: Bot
) -> None:
    ada = telegram.add_user("Ada")
    telegram.start(ada, bot)
    async with desk_of(telegram, start_daemon) as desk:
        await desk.add(bot, receive="webhook")
        await becomes(lambda: not bot.queue.updates)
    texts = [f"missed {number:02}" for number in range(30)]
    for text in texts:
        telegram.write(ada, bot, text)
    assert bot.webhook
    async with desk_of(telegram, start_daemon) as desk, desk.agent() as agent:
        shown = await agent.reads(ada.id, texts[-1])

    assert [shown.count(text) for text in texts] == [1] * len(texts)
    assert sorted(texts, key=shown.index) == texts


async def test_a_webhook_of_another_program_is_named_and_left_alone(desk: Desk, bot: Bot) -> None:
    await set_elsewhere(desk.telegram, bot)
    await desk.add(bot, receive="webhook")
    told = await desk.becomes("conflict")
    found = await desk.finding("webhook")

    assert (found["state"], "secret-path" in found["found"]) == ("fail", False)
    assert "take_over" in found["remedy"]
    assert "127.0.0.1" in told
    assert "secret-path" not in told
    assert desk.telegram.asked("setWebhook")[1:] == []


@pytest.mark.usefixtures("quick")
async def test_it_takes_the_place_that_another_program_leaves(desk: Desk, bot: Bot) -> None:
    await set_elsewhere(desk.telegram, bot)
    await desk.add(bot, receive="webhook")
    await desk.becomes("conflict")
    async with httpx2.AsyncClient() as other:
        await other.get(f"{desk.telegram.url}/bot{bot.token}/deleteWebhook")

    await desk.becomes("connected")


async def test_it_replaces_another_one_where_the_owner_wants_that(desk: Desk, bot: Bot) -> None:
    await set_elsewhere(desk.telegram, bot)
    await desk.add(bot, receive="webhook", take_over="on")
    await desk.becomes("connected")

    assert bot.webhook
    assert bot.webhook.url.startswith(PUBLIC)


@pytest.mark.usefixtures("quick")
async def test_a_webhook_that_somebody_removes_is_told_and_set_again(hooked: Hooked) -> None:
    await hooked.desk.becomes("connected")
    async with httpx2.AsyncClient() as other:
        await other.get(f"{hooked.telegram.url}/bot{hooked.bot.token}/deleteWebhook")
    await becomes(lambda: hooked.bot.webhook is not None)

    await hooked.desk.becomes("connected")
    assert len(hooked.telegram.asked("setWebhook")) == 2


@pytest.mark.usefixtures("quick")
async def test_health_says_why_nothing_is_delivered(hooked: Hooked) -> None:
    await hooked.agent.reads(hooked.ada.id, "/start")
    hooked.telegram.publish(PUBLIC, "http://127.0.0.1:9")
    hooked.telegram.write(hooked.ada, hooked.bot, "lost on the way?")
    told = await hooked.desk.becomes("degraded")
    stuck = await hooked.desk.finding("webhook")
    hooked.telegram.publish(PUBLIC, hooked.desk.daemon.url)
    await hooked.agent.reads(hooked.ada.id, "lost on the way?")
    over = await hooked.desk.finding("webhook")

    assert (stuck["state"], over["state"], over["remedy"]) == ("warn", "ok", "")
    assert "public_url" in stuck["remedy"]
    assert "The last failure: Connection refused" in over["found"]
    assert "cannot deliver to bot.example: Connection refused" in told
    assert "Waiting there: 1." in told
    await hooked.desk.becomes("connected")


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("status", [429, 502])
async def test_what_is_delivered_is_taken_while_telegram_does_not_answer(
    hooked: Hooked, status: int
) -> None:
    hooked.telegram.fail_next("getWebhookInfo", status, times=None)
    await hooked.desk.becomes("degraded")
    hooked.telegram.write(hooked.ada, hooked.bot, "can you hear me?")

    await hooked.agent.reads(hooked.ada.id, "can you hear me?")


@pytest.mark.usefixtures("quick")
async def test_a_token_that_is_revoked_ends_it(hooked: Hooked) -> None:
    hooked.telegram.revoke(hooked.bot)

    assert "@BotFather" in await hooked.desk.becomes("bad_credentials")


async def test_what_telegram_refuses_to_tell_is_a_finding_too(hooked: Hooked) -> None:
    hooked.telegram.revoke(hooked.bot)

    found = await hooked.desk.finding("messenger")

    assert (found["state"], "does not accept this token" in found["found"]) == ("fail", True)


async def test_without_a_public_address_the_owner_is_told_what_to_set(
    telegram: FakeTelegram, start_daemon: StartDaemon, bot: Bot
) -> None:
    async with desk_of(telegram, start_daemon, public_url="") as desk:
        await desk.add(bot, receive="webhook")
        told = await desk.becomes("error")

    assert "public_url" in told
    assert telegram.asked("setWebhook") == []


async def test_an_address_that_telegram_does_not_take_is_told_with_its_reason(
    telegram: FakeTelegram, start_daemon: StartDaemon, bot: Bot
) -> None:
    async with desk_of(telegram, start_daemon, public_url="http://plain.example") as desk:
        await desk.add(bot, receive="webhook")
        told = await desk.becomes("backoff")

    assert "An HTTPS URL must be provided" in told
    assert "public_url must be https" in told


async def set_elsewhere(telegram: FakeTelegram, bot: Bot) -> None:
    """Another program receives for the bot."""
    async with httpx2.AsyncClient() as other:
        hook = "http://127.0.0.1:9/secret-path"
        await other.get(f"{telegram.url}/bot{bot.token}/setWebhook?url={hook}")
