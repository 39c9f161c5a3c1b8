"""What goes wrong with the fake Discord's HTTP API, as discord.py and plain clients meet it."""

import anyio
import httpx2
import pytest
from discord import DiscordServerError, HTTPException, RateLimited
from discord.http import Route

from tests.fakes.discord import Bot, Channel, FakeDiscord, Guild, User
from tests.fakes.discord.buckets import Limit
from tests.fakes.discord.clients import Listener, connected

AGENT = "DiscordBot (https://example.org, 1.0)"


@pytest.fixture
def general(cellar: Guild) -> Channel:
    return next(iter(cellar.channels.values()))


async def posted(
    discord: FakeDiscord, bot: Bot, channel: Channel, text: str = "hi", *, within_s: float = 5
) -> httpx2.Response:
    """What any HTTP client gets."""
    headers = {"Authorization": f"Bot {bot.token}", "User-Agent": AGENT}
    async with httpx2.AsyncClient(trust_env=False, headers=headers, timeout=within_s) as client:
        url = f"{discord.api_url}/channels/{channel.id}/messages"
        return await client.post(url, json={"content": text})


async def test_every_answer_tells_of_its_bucket(
    discord: FakeDiscord, shop: Bot, general: Channel
) -> None:
    discord.limit("create_message", 2, 60)

    first = await posted(discord, shop, general)
    await posted(discord, shop, general)
    third = await posted(discord, shop, general)

    assert first.headers["X-RateLimit-Limit"] == "2"
    assert first.headers["X-RateLimit-Remaining"] == "1"
    assert 59 < float(first.headers["X-RateLimit-Reset-After"]) <= 60
    assert first.headers["X-RateLimit-Bucket"] == third.headers["X-RateLimit-Bucket"]
    assert (third.status_code, third.headers["X-RateLimit-Scope"]) == (429, "user")
    assert third.headers["Via"]
    assert 59 < third.json()["retry_after"] <= 60
    assert len(shop.sent()) == 2


async def test_discord_py_heeds_a_bucket(
    discord: FakeDiscord, shop: Bot, general: Channel, client: Listener
) -> None:
    discord.limit("create_message", 2, 0.3)
    room = client.get_partial_messageable(general.id)

    async with anyio.create_task_group() as tasks:
        for number in range(6):
            tasks.start_soon(room.send, str(number))

    assert len(shop.sent()) == 6
    assert discord.buckets.limited == []


async def test_channels_have_buckets_of_their_own(
    discord: FakeDiscord, shop: Bot, cellar: Guild, general: Channel
) -> None:
    other = discord.add_channel(cellar, "other")
    discord.limit("create_message", 1, 60)

    answers = [await posted(discord, shop, channel) for channel in (general, other, general)]

    assert [each.status_code for each in answers] == [200, 200, 429]


async def test_a_bot_has_a_limit_for_everything(
    discord: FakeDiscord, shop: Bot, general: Channel
) -> None:
    discord.buckets.global_limit = Limit(3, 60)

    answers = [await posted(discord, shop, general) for _ in range(4)]

    assert [each.status_code for each in answers] == [200, 200, 200, 429]
    assert (answers[3].headers["X-RateLimit-Global"], answers[3].json()["global"]) == ("true", True)


async def test_a_flood_is_waited_for(
    discord: FakeDiscord, shop: Bot, general: Channel, client: Listener
) -> None:
    discord.flood(0.1, operation="create_message", scope="shared")

    await client.get_partial_messageable(general.id).send("patient")

    assert [each.content for each in shop.sent()] == ["patient"]
    assert len(discord.asked("create_message")) == 2


async def test_an_absurd_wait_is_not_waited_for(
    discord: FakeDiscord, shop: Bot, cellar: Guild, general: Channel
) -> None:
    async with connected(discord, shop, max_ratelimit_timeout=30) as client:
        discord.flood(1e9, operation="create_message")
        with pytest.raises(RateLimited) as limited:
            await client.get_partial_messageable(general.id).send("never")

    assert limited.value.retry_after == 1e9


async def test_a_banned_address_is_told_by_a_page(
    discord: FakeDiscord, shop: Bot, general: Channel, client: Listener
) -> None:
    discord.ban_address()
    with pytest.raises(HTTPException) as banned:
        await client.get_partial_messageable(general.id).send("hi")
    discord.heal()

    assert (banned.value.status, banned.value.code) == (429, 0)
    assert "1015" in banned.value.text


async def test_what_was_carried_out_and_not_answered_is_there(
    discord: FakeDiscord, shop: Bot, general: Channel
) -> None:
    discord.accept_then_hang("create_message")
    with pytest.raises(httpx2.ReadTimeout):
        await posted(discord, shop, general, "hung", within_s=0.2)
    discord.cut("create_message")
    with pytest.raises(httpx2.TransportError):
        await posted(discord, shop, general, "cut after")
    discord.cut("create_message", carried_out=False)
    with pytest.raises(httpx2.TransportError):
        await posted(discord, shop, general, "cut before")

    assert [each.content for each in shop.sent()] == ["hung", "cut after"]


async def test_a_retry_after_a_page_of_error_sends_once(
    discord: FakeDiscord, shop: Bot, general: Channel, client: Listener
) -> None:
    discord.break_down("create_message", 502)

    await client.get_partial_messageable(general.id).send("once")

    assert len(shop.sent()) == 1
    assert len(discord.asked("create_message")) == 2


async def test_errors_are_scripted_by_their_code(
    discord: FakeDiscord, shop: Bot, cellar: Guild, general: Channel, client: Listener
) -> None:
    other = discord.add_channel(cellar, "other")
    discord.fail_next("create_message", 50007, channel=other)
    discord.fail_next("create_message", 200000, times=2)
    room = client.get_partial_messageable(general.id)
    with pytest.raises(HTTPException) as blocked:
        await room.send("hi")
    with pytest.raises(HTTPException) as closed:
        await client.get_partial_messageable(other.id).send("hi")

    assert (blocked.value.status, blocked.value.code) == (400, 200000)
    assert (closed.value.status, closed.value.code) == (403, 50007)
    discord.heal()
    await room.send("hi")


async def test_an_overloaded_server_says_so(
    discord: FakeDiscord, general: Channel, client: Listener
) -> None:
    discord.fail_next("create_message", 130000)

    with pytest.raises(DiscordServerError) as busy:
        await client.get_partial_messageable(general.id).send("hi")

    assert (busy.value.status, busy.value.code) == (503, 130000)


async def test_a_slow_answer_comes(discord: FakeDiscord, shop: Bot, general: Channel) -> None:
    discord.slow("create_message", 0.3)

    with pytest.raises(httpx2.ReadTimeout):
        await posted(discord, shop, general, within_s=0.05)
    answer = await posted(discord, shop, general)

    assert answer.status_code == 200


async def test_slow_channels_have_a_pace(discord: FakeDiscord, shop: Bot, general: Channel) -> None:
    general.slowmode_s = 10

    first = await posted(discord, shop, general)
    second = await posted(discord, shop, general)

    assert (first.status_code, second.status_code) == (200, 429)
    assert second.json()["code"] == 20016
    assert 9 < second.json()["retry_after"] <= 10


async def test_what_the_fake_does_not_know_fails_its_check(
    discord: FakeDiscord, client: Listener, cellar: Guild
) -> None:
    with pytest.raises(HTTPException):
        await client.http.request(Route("GET", "/sticker-packs"))
    with pytest.raises(HTTPException):
        await client.http.request(Route("GET", "/stickers/packs/of/mine"))

    assert discord.records.unhandled[0] == "GET /api/v10/sticker-packs"
    with pytest.raises(NotImplementedError, match="sticker-packs"):
        discord.check()
    discord.records.unhandled.clear()
    discord.mistakes.clear()


async def test_who_has_no_proper_name_is_not_let_in(discord: FakeDiscord, shop: Bot) -> None:
    async with httpx2.AsyncClient(trust_env=False) as client:
        headers = {"Authorization": f"Bot {shop.token}"}
        answer = await client.get(f"{discord.api_url}/users/@me", headers=headers)
        headers |= {"User-Agent": AGENT, "Authorization": "Bot nobody"}
        unknown = await client.get(f"{discord.api_url}/users/@me", headers=headers)

    assert answer.status_code == 403
    assert (unknown.status_code, unknown.json()["code"]) == (401, 0)
    assert discord.mistakes == ["the User-Agent is not that of a DiscordBot"]
    discord.mistakes.clear()


async def test_links_to_files_are_signed_and_end(
    discord: FakeDiscord, shop: Bot, ada: User, general: Channel, client: Listener
) -> None:
    discord.write(ada, general, files=[("a b.txt", b"text")])
    (file,) = (await client.until("message")).attachments
    async with httpx2.AsyncClient(trust_env=False) as http:
        fresh = await http.get(file.url)
        forged = await http.get(file.url.replace("hm=", "hm=0"))
        discord.pass_time(25 * 3600)
        late = await http.get(file.url)

    assert (fresh.content, fresh.headers["content-type"]) == (b"text", "text/plain; charset=utf-8")
    assert (forged.status_code, late.status_code) == (404, 404)
