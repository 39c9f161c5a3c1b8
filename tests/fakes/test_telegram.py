"""aiogram's own Bot against the fake Telegram: its types judge the fake, the fake judges it."""

from collections.abc import AsyncGenerator

import anyio
import pytest
from aiogram import Bot as Client
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.exceptions import TelegramBadRequest

from tests.fakes.telegram import Bot, FakeTelegram


@pytest.fixture
async def telegram() -> AsyncGenerator[FakeTelegram]:
    async with FakeTelegram() as telegram:
        yield telegram
        telegram.check()


@pytest.fixture
def shop(telegram: FakeTelegram) -> Bot:
    return telegram.add_bot("shop_bot")


@pytest.fixture
async def client(telegram: FakeTelegram, shop: Bot) -> AsyncGenerator[Client]:
    session = AiohttpSession(api=TelegramAPIServer.from_base(telegram.url))
    async with Client(shop.token, session=session) as client:
        yield client


async def test_texts_go_both_ways(telegram: FakeTelegram, shop: Bot, client: Client) -> None:
    ada = telegram.add_user("Ada", "Lovelace", "ada")

    telegram.start(ada, shop, "promo")
    (update,) = await client.get_updates()
    sent = await client.send_message(ada.id, "Hello <b>Ada</b>", parse_mode="HTML")

    assert (await client.me()).username == "shop_bot"
    assert update.message
    assert (update.message.text, update.message.chat.id) == ("/start promo", ada.id)
    (message,) = shop.sent()
    assert (message.id, message.text, message.marks) == (
        sent.message_id,
        "Hello Ada",
        [("bold", "Ada")],
    )


async def test_a_poll_waits_for_what_happens(
    telegram: FakeTelegram, shop: Bot, client: Client
) -> None:
    ada = telegram.add_user("Ada")
    got: list[object] = []

    async def poll() -> None:
        got.extend(
            each.message and each.message.text for each in await client.get_updates(timeout=20)
        )

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(poll)
        await telegram.until(lambda: shop.poll)
        telegram.write(ada, shop, "hi")

    assert got == ["hi"]


async def test_unknown_tags_are_refused(telegram: FakeTelegram, shop: Bot, client: Client) -> None:
    ada = telegram.add_user("Ada")
    telegram.start(ada, shop)

    with pytest.raises(TelegramBadRequest, match='Unsupported start tag "x" at byte offset 3'):
        await client.send_message(ada.id, "hi <x>", parse_mode="HTML")
