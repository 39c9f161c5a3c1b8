"""The fake Telegram's updates, webhooks and failures; aiogram and its types judge what it says."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field

import anyio
import httpx2
import pytest
from aiogram.exceptions import (
    ClientDecodeError,
    TelegramBadRequest,
    TelegramConflictError,
    TelegramNetworkError,
    TelegramRetryAfter,
    TelegramServerError,
    TelegramUnauthorizedError,
)
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.fakes.loopback import listening
from tests.fakes.telegram import Bot, FakeTelegram, User
from tests.fakes.telegram.beside import beside
from tests.fakes.telegram.clients import Client, connected, heard
from tests.fakes.telegram.specification import needs_specification


def texts(updates: list[dict[str, dict[str, str]]]) -> list[str]:
    return [each["message"]["text"] for each in updates]


async def raw(telegram: FakeTelegram, bot: Bot, method: str, **params: str) -> httpx2.Response:
    """What any HTTP client gets."""
    async with httpx2.AsyncClient(trust_env=False) as client:
        return await client.post(f"{telegram.url}/bot{bot.token}/{method}", data=params)


async def test_texts_go_both_ways(telegram: FakeTelegram, shop: Bot, client: Client) -> None:
    ada = telegram.add_user("Ada", "Lovelace", "ada")

    telegram.start(ada, shop, "promo")
    (update,) = await client.get_updates()
    sent = await client.send_message(ada.id, "Hello <b>Ada</b>", parse_mode="HTML")

    assert update.message
    assert (update.message.text, update.message.chat.id) == ("/start promo", ada.id)
    assert [each.type for each in update.message.entities or []] == ["bot_command"]
    (message,) = shop.sent()
    assert (message.id, message.text) == (sent.message_id, "Hello Ada")
    assert message.marks == [("bold", "Ada")]


async def test_a_poll_waits_for_what_happens(
    telegram: FakeTelegram, shop: Bot, ada: User, client: Client
) -> None:
    got: list[object] = []

    async def poll() -> None:
        found = await client.get_updates(timeout=20)
        got.extend(each.message and each.message.text for each in found)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(poll)
        await telegram.until(lambda: shop.poll)
        telegram.write(ada, shop, "hi")

    assert got == ["hi"]


async def test_updates_stay_until_their_offset_confirms_them(
    telegram: FakeTelegram, shop: Bot, ada: User, client: Client
) -> None:
    for text in ("one", "two", "three"):
        telegram.write(ada, shop, text)

    first = await client.get_updates(limit=2)
    again = await client.get_updates(limit=2)
    rest = await client.get_updates(offset=first[-1].update_id + 1)
    last = await client.get_updates(offset=-1)

    assert [each.update_id for each in first] == [each.update_id for each in again]
    assert [each.message and each.message.text for each in rest] == ["three"]
    assert [each.update_id for each in last] == [rest[0].update_id]


async def test_an_offset_far_in_the_future_confirms_nothing(
    telegram: FakeTelegram, shop: Bot, ada: User, client: Client
) -> None:
    telegram.write(ada, shop, "one")
    (one,) = await client.get_updates()

    again = await client.get_updates(offset=one.update_id + 1000)
    near = await client.get_updates(offset=one.update_id + 9)

    assert [each.update_id for each in again] == [one.update_id]
    assert near == []


async def test_updates_that_were_not_asked_for_never_come(
    telegram: FakeTelegram, shop: Bot, ada: User, client: Client
) -> None:
    await client.get_updates(allowed_updates=["message"])
    telegram.edit(telegram.write(ada, shop, "teh"), "the")
    remembered = await client.get_updates()
    await client.get_updates(allowed_updates=[])
    telegram.edit(telegram.write(ada, shop, "teh"), "the")
    by_default = await client.get_updates(offset=remembered[-1].update_id + 1)

    assert [each.event_type for each in remembered] == ["message"]
    assert [each.event_type for each in by_default] == ["message", "edited_message"]


async def test_of_two_pollers_the_earlier_is_told(
    telegram: FakeTelegram, shop: Bot, ada: User, client: Client
) -> None:
    refused = anyio.Event()

    async def earlier() -> None:
        with pytest.raises(TelegramConflictError, match="terminated by other getUpdates request"):
            await client.get_updates(timeout=20)
        refused.set()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(earlier)
        await telegram.until(lambda: shop.poll)
        first = shop.poll
        tasks.start_soon(client.get_updates, None, None, 20)
        await telegram.until(lambda: shop.poll is not first)
        await refused.wait()
        telegram.write(ada, shop, "to the later one")


async def test_ids_leave_gaps_and_come_again(
    telegram: FakeTelegram, shop: Bot, ada: User, client: Client
) -> None:
    telegram.write(ada, shop, "one")
    telegram.skip_update_ids(shop, 5)
    telegram.write(ada, shop, "two")
    one, two = await heard(client)

    telegram.repeat(shop, one.update_id)
    (again,) = await heard(client)

    assert two.update_id - one.update_id == 6
    assert again == one


async def test_an_injected_update_is_what_no_sdk_can_read(
    telegram: FakeTelegram, shop: Bot, client: Client
) -> None:
    telegram.inject(shop, {"message": {"message_id": "no number"}})

    with pytest.raises(ClientDecodeError):
        await client.get_updates()

    answer = await raw(telegram, shop, "getUpdates")
    assert answer.json()["result"][0]["message"] == {"message_id": "no number"}


async def test_a_revoked_token_is_unauthorized(telegram: FakeTelegram, shop: Bot) -> None:
    async with connected(telegram, shop) as client:
        telegram.revoke(shop)
        with pytest.raises(TelegramUnauthorizedError, match="Unauthorized"):
            await client.get_me()

    answer = await raw(telegram, shop, "getMe")
    assert (answer.status_code, answer.json()) == (
        401,
        {"ok": False, "error_code": 401, "description": "Unauthorized"},
    )


async def test_a_request_that_nobody_carries_out_gets_the_scripted_error(
    telegram: FakeTelegram, shop: Bot, ada: User, client: Client
) -> None:
    telegram.flood(7, chat=telegram.private(shop, ada))
    telegram.break_down("sendMessage")
    telegram.fail_next("sendMessage", 500, "Internal Server Error: restart")

    with pytest.raises(TelegramRetryAfter) as flooded:
        await client.send_message(ada.id, "hi")
    with pytest.raises(ClientDecodeError):
        await client.send_message(ada.id, "hi")
    with pytest.raises(TelegramServerError):
        await client.send_message(ada.id, "hi")

    assert flooded.value.retry_after == 7
    assert shop.sent() == []


@pytest.mark.parametrize("told", [None, 10**9])
async def test_a_flood_may_tell_no_time_or_an_absurd_one(
    telegram: FakeTelegram, shop: Bot, told: int | None
) -> None:
    telegram.flood(told, bot=shop)

    answer = await raw(telegram, shop, "getMe")

    assert answer.status_code == 429
    assert answer.json().get("parameters") == (told and {"retry_after": told})
    assert answer.headers.get("retry-after") == (told and str(told))


async def test_a_sent_message_may_stay_unanswered(
    telegram: FakeTelegram, shop: Bot, ada: User, client: Client
) -> None:
    telegram.accept_then_hang("sendMessage")
    with pytest.raises(TelegramNetworkError, match="timeout"):
        await client.send_message(ada.id, "hangs", request_timeout=1)
    telegram.cut("sendMessage")
    with pytest.raises(TelegramNetworkError):
        await client.send_message(ada.id, "cut after")
    telegram.cut("sendMessage", carried_out=False)
    with pytest.raises(TelegramNetworkError):
        await client.send_message(ada.id, "cut before")

    assert [message.text for message in shop.sent()] == ["hangs", "cut after"]


async def test_a_method_that_does_not_exist_is_not_found(telegram: FakeTelegram, shop: Bot) -> None:
    answer = await raw(telegram, shop, "sendTelepathy")

    assert answer.status_code == 404
    assert answer.json()["description"] == "Not Found: method not found"
    with pytest.raises(AssertionError, match="sendTelepathy: no such method"):
        telegram.check()
    telegram.mistakes.clear()


async def test_a_method_the_fake_does_not_have_fails_the_test(
    telegram: FakeTelegram, shop: Bot
) -> None:
    needs_specification()
    await raw(telegram, shop, "getMyStarBalance")

    with pytest.raises(NotImplementedError, match="getMyStarBalance"):
        telegram.check()
    telegram.records.unhandled.clear()


@pytest.mark.parametrize(
    ("params", "mistake"),
    [
        ({"text": "hi", "volume": "11"}, "unknown parameter volume"),
        ({"text": "hi", "message_thread_id": "seven"}, "message_thread_id is not Integer"),
        ({"text": "hi", "disable_notification": "maybe"}, "disable_notification is not Boolean"),
        ({}, "text is missing"),
        (
            {"text": "hi", "reply_markup": '{"inline_keyboard": [[{"text": "x", "data": "y"}]]}'},
            "data is unknown to InlineKeyboardButton",
        ),
        ({"text": "hi", "entities": '[{"type": "bold", "offset": 0}]'}, "length is missing"),
    ],
)
async def test_what_the_specification_does_not_allow_fails_the_test(
    telegram: FakeTelegram, shop: Bot, ada: User, params: dict[str, str], mistake: str
) -> None:
    needs_specification()
    await raw(telegram, shop, "sendMessage", chat_id=str(ada.id), **params)

    with pytest.raises(AssertionError, match=mistake):
        telegram.check()
    telegram.mistakes.clear()


@dataclass
class Hook:
    """A webhook of the test."""

    statuses: list[int] = field(default_factory=list[int])
    """Given in turn; then 200."""
    bodies: list[dict[str, dict[str, str]]] = field(default_factory=list[dict[str, dict[str, str]]])
    secrets: list[str | None] = field(default_factory=list[str | None])

    async def take(self, request: Request) -> Response:
        self.bodies.append(await request.json())
        self.secrets.append(request.headers.get("x-telegram-bot-api-secret-token"))
        return Response(status_code=self.statuses.pop(0) if self.statuses else 200)


@pytest.fixture
async def hook() -> AsyncGenerator[tuple[Hook, str]]:
    hook = Hook()
    routes = [Route("/hook", hook.take, methods=["POST"])]
    async with listening(Starlette(routes=routes)) as listener:
        yield hook, f"{listener.url}/hook"


async def test_a_webhook_gets_each_update_until_it_takes_it(
    telegram: FakeTelegram, shop: Bot, ada: User, client: Client, hook: tuple[Hook, str]
) -> None:
    taken, url = hook
    taken.statuses = [500, 403]
    telegram.write(ada, shop, "one")

    await client.set_webhook(url, secret_token="s3cret")
    telegram.write(ada, shop, "two")
    await telegram.until(lambda: len(taken.bodies) == 4)
    await telegram.until(lambda: not shop.queue.updates)
    info = await client.get_webhook_info()

    assert texts(taken.bodies) == ["one", "one", "one", "two"]
    assert set(taken.secrets) == {"s3cret"}
    assert (info.url, info.pending_update_count) == (url, 0)
    assert info.last_error_message == "Wrong response from the webhook: 403 Forbidden"


async def test_nobody_polls_while_a_webhook_is_set(
    telegram: FakeTelegram, shop: Bot, ada: User, client: Client, hook: tuple[Hook, str]
) -> None:
    taken, url = hook
    await client.set_webhook(url)
    with pytest.raises(TelegramConflictError, match="use deleteWebhook to delete the webhook"):
        await client.get_updates()

    await client.delete_webhook()
    telegram.write(ada, shop, "after")
    updates = await client.get_updates()

    assert [each.message and each.message.text for each in updates] == ["after"]
    assert taken.bodies == []


async def test_a_public_webhook_address_leads_where_a_test_says(
    telegram: FakeTelegram, shop: Bot, ada: User, client: Client, hook: tuple[Hook, str]
) -> None:
    taken, url = hook
    telegram.publish("https://bots.example", url.removesuffix("/hook"))

    await client.set_webhook("https://bots.example/hook")
    telegram.write(ada, shop, "hi")
    await telegram.until(lambda: taken.bodies)

    assert taken.secrets == [None]


@pytest.mark.parametrize(
    ("url", "secret", "error"),
    [
        ("http://bots.example", "", "An HTTPS URL must be provided"),
        ("https://bots.example:3000", "", "only on ports 80, 88, 443 or 8443"),
        ("https://bots.example", "", "Failed to resolve host"),
        ("http://127.0.0.1:9", "no spaces", "secret token contains unallowed characters"),
        ("http://127.0.0.1:9", "x" * 257, "secret token is too long"),
    ],
)
async def test_a_webhook_no_server_would_reach_is_refused(
    client: Client, url: str, secret: str, error: str
) -> None:
    with pytest.raises(TelegramBadRequest, match=error):
        await client.set_webhook(url, secret_token=secret)


def test_the_fake_can_run_beside_a_test_that_blocks() -> None:
    with beside() as (telegram, portal):
        shop, ada = telegram.add_bot("shop_bot"), telegram.add_user("Ada")
        portal.call(telegram.write, ada, shop, "hi")
        answer = httpx2.post(f"{telegram.url}/bot{shop.token}/getUpdates", trust_env=False)

    assert texts(answer.json()["result"]) == ["hi"]
