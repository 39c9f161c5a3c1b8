"""Interactions that Discord delivers over HTTP: signed, in time, for this bot, once."""

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import anyio
import httpx2
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from starlette.applications import Starlette

from messengers.web.webhooks import routes
from tests.desk import becomes
from tests.fakes.discord import Bot, FakeDiscord, Message
from tests.fakes.loopback import listening
from tests.providers.discord.conftest import Connected, add


@asynccontextmanager
async def door(shop: Connected) -> AsyncGenerator[str]:
    """The product's own routes, and the address of the instance there."""
    async with listening(Starlette(routes=routes(shop.core))) as server:
        yield f"{server.url}/webhooks/{shop.entry.instance.id}"


async def asked(shop: Connected) -> Message:
    """A question with a button."""
    await shop.send(shop.general, "Well?", buttons=[{"text": "Yes"}])
    return shop.bot.sent()[0]


@pytest.mark.case("S47")
async def test_discord_accepts_the_address_and_a_press_arrives(shop: Connected) -> None:
    message = await asked(shop)
    async with door(shop) as url:
        assert await shop.discord.register_url(shop.bot, url)
        pressed = shop.discord.press(shop.ada, message, "0:Yes")
        heard = await shop.heard(shop.general, "(pressed: Yes)")
        await becomes(lambda: pressed.answer)

    assert heard.sender.native_id == f"user:{shop.ada.id}"
    assert (pressed.status, pressed.answer) == (200, 6)


@pytest.mark.case("S47")
async def test_what_is_not_signed_over_these_bytes_is_refused(shop: Connected) -> None:
    ping = json.dumps(shop.discord.ping(shop.bot)).encode()
    other = Ed25519PrivateKey.generate()
    async with door(shop) as url:
        shop.bot.interactions_url = url
        deliver = shop.discord.deliver
        good = await deliver(shop.bot, ping)
        bad = [
            await deliver(shop.bot, ping, signed=ping + b" "),
            await deliver(shop.bot, ping.replace(b'"type": 1', b'"type": 2'), signed=ping),
            await deliver(shop.bot, ping, headers={"X-Signature-Ed25519": other.sign(ping).hex()}),
            await deliver(shop.bot, ping, headers={"X-Signature-Ed25519": ""}),
            await deliver(shop.bot, ping, headers={"X-Signature-Timestamp": "1"}),
        ]

    assert (good.status_code, good.json()) == (200, {"type": 1})
    assert good.headers["content-type"].startswith("application/json")
    assert [each.status_code for each in bad] == [401] * 5


@pytest.mark.case("S48")
@pytest.mark.parametrize(
    ("age_s", "status"), [(0, 200), (295, 200), (-295, 200), (305, 401), (-305, 401)]
)
async def test_a_signature_of_another_time_is_a_copy(
    shop: Connected, age_s: float, status: int
) -> None:
    async with door(shop) as url:
        shop.bot.interactions_url = url
        answer = await shop.discord.deliver(shop.bot, shop.discord.ping(shop.bot), age_s=age_s)

    assert answer.status_code == status


@pytest.mark.case("S49")
async def test_one_press_that_comes_many_times_is_one_message(shop: Connected) -> None:
    message = await asked(shop)
    async with door(shop) as url:
        pressed = shop.discord.press(shop.ada, message, "0:Yes")
        await shop.heard(shop.general, "(pressed: Yes)")
        shop.bot.interactions_url = url
        payload = shop.discord.described_interaction(pressed)
        codes: list[int] = []

        async def again() -> None:
            codes.append((await shop.discord.deliver(shop.bot, payload)).status_code)

        async with anyio.create_task_group() as tasks:
            for _ in range(30):
                tasks.start_soon(again)
        shop.discord.write(shop.ada, shop.general, "end")
        await shop.heard(shop.general, "end")

    assert codes == [200] * 30
    texts = [each.text for each in await shop.messages(shop.general)]
    assert texts == ["Well?", "(pressed: Yes)", "end"]


@pytest.mark.case("S51")
async def test_before_the_key_is_known_nothing_gets_in(
    shop: Connected, discord: FakeDiscord
) -> None:
    silent = discord.add_bot("silent")
    discord.slow("get_my_user", 30, bot=silent)
    await add(shop.core, discord, silent, "silent")
    quiet = Connected(discord, shop.core, silent, shop.guild, shop.ada, "silent")
    await becomes(lambda: quiet.entry.running)
    async with door(quiet) as url:
        silent.interactions_url = url
        answer = await discord.deliver(silent, discord.ping(silent))

    assert answer.status_code == 401


@pytest.mark.case("S52")
async def test_the_key_of_one_bot_opens_no_other(shop: Connected, discord: FakeDiscord) -> None:
    other: Bot = discord.add_bot("other")
    async with door(shop) as url:
        other.interactions_url = url
        answer = await discord.deliver(other, discord.ping(other))

    assert answer.status_code == 401


@pytest.mark.case("S53")
@pytest.mark.parametrize(
    "headers",
    [
        {"X-Signature-Ed25519": "v1"},
        {"X-Signature-Ed25519": "v1,zz" * 10_000},
        {"X-Signature-Ed25519": "00" * 64},
        {"X-Signature-Ed25519": "00"},
        {"X-Signature-Timestamp": "now"},
        {"X-Signature-Timestamp": "1e9"},
        {"X-Signature-Timestamp": ""},
    ],
)
async def test_malformed_signatures_are_401(shop: Connected, headers: dict[str, str]) -> None:
    async with door(shop) as url:
        shop.bot.interactions_url = url
        ping = shop.discord.ping(shop.bot)
        answer = await shop.discord.deliver(shop.bot, ping, headers=headers)

    assert answer.status_code in (401, 431)


@pytest.mark.case("S53")
@pytest.mark.parametrize(
    "body", [b"", b"\xff\xfe", b"[1]", b'{"type": 3}', b'{"type": 3, "id": 5}']
)
async def test_what_is_signed_and_no_interaction_is_401(shop: Connected, body: bytes) -> None:
    async with door(shop) as url:
        shop.bot.interactions_url = url
        answer = await shop.discord.deliver(shop.bot, body)

    assert answer.status_code == 401


async def test_without_any_header_nothing_gets_in(shop: Connected) -> None:
    async with door(shop) as url, httpx2.AsyncClient(trust_env=False) as client:
        answers = [await client.post(url, json={"type": 1}), await client.get(url)]

    assert [each.status_code for each in answers] == [401, 401]
