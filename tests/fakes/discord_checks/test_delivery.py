"""The fake Discord's gateway; discord.py and its types judge what it says."""

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest
from discord import ConnectionClosed, Intents, LoginFailure, PrivilegedIntentsRequired
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed as SocketClosed

from tests.fakes.discord import Bot, Channel, FakeDiscord, Guild, Intent, User
from tests.fakes.discord.clients import Listener, connected

Json = dict[str, Any]
QUERY = "?v=10&encoding=json"


@pytest.fixture
def general(cellar: Guild) -> Channel:
    return next(iter(cellar.channels.values()))


@asynccontextmanager
async def dialled(discord: FakeDiscord, query: str = QUERY) -> AsyncGenerator[ClientConnection]:
    """A connection that is not a library's, after HELLO."""
    async with connect(discord.gateway_url + query, proxy=None) as wire:
        if query == QUERY:
            assert json.loads(await wire.recv())["op"] == 10
        yield wire


async def said(wire: ClientConnection, *frames: Json | str) -> int:
    """The code of the close that follows these."""
    with pytest.raises(SocketClosed) as closed, anyio.fail_after(5):  # noqa: PT012 — any frame may be the last
        for frame in frames:
            await wire.send(frame if isinstance(frame, str) else json.dumps(frame))
        while True:
            await wire.recv()
    assert closed.value.rcvd
    return closed.value.rcvd.code


def identify(bot: Bot, intents: int = 0, **more: object) -> Json:
    return {"op": 2, "d": {"token": bot.token, "intents": intents, "properties": {}, **more}}


async def test_texts_go_both_ways(
    discord: FakeDiscord, shop: Bot, ada: User, cellar: Guild, client: Listener, general: Channel
) -> None:
    discord.write(ada, general, "hi")
    message = await client.until("message")
    await message.reply("Hello", mention_author=False)
    person = await client.fetch_user(ada.id)
    await person.send("direct")
    await client.until("message", 3)

    assert (message.content, message.author.id, message.guild.id) == ("hi", ada.id, cellar.id)
    answer, direct = shop.sent()
    assert (answer.content, answer.reference) == ("Hello", general.messages[message.id])
    assert (direct.content, direct.channel) == ("direct", discord.dm(shop, ada))
    assert [each.author.id for each in client.messages] == [ada.id, shop.id, shop.id]


async def test_a_bot_knows_its_guilds_when_it_is_ready(
    cellar: Guild, shop: Bot, ada: User, general: Channel, client: Listener
) -> None:
    (guild,) = client.guilds

    assert (guild.id, guild.name, guild.member_count) == (cellar.id, "Cellar", 3)
    assert [each.id for each in guild.text_channels] == [general.id]
    assert guild.me.id == shop.id
    assert guild.me.guild_permissions.send_messages


async def test_what_a_bot_missed_is_replayed_when_it_resumes(
    discord: FakeDiscord, shop: Bot, ada: User, general: Channel, client: Listener
) -> None:
    discord.drop(shop)
    discord.write(ada, general, "while away")
    message = await client.until("message")
    await client.until("resumed")

    assert message.content == "while away"
    assert (len(discord.resumes), len(shop.identifies)) == (1, 1)
    discord.write(ada, general, "and now")
    await client.until("message", 2)


async def test_a_server_that_goes_away_asks_to_reconnect(
    discord: FakeDiscord, shop: Bot, client: Listener
) -> None:
    discord.ask_to_reconnect(shop)
    await client.until("resumed")

    assert (len(discord.resumes), len(shop.identifies)) == (1, 1)


@pytest.mark.parametrize("code", [4000, 4009, 1001])
async def test_most_closes_can_be_resumed_from(
    discord: FakeDiscord, shop: Bot, client: Listener, code: int
) -> None:
    discord.drop(shop, code)

    await client.until("resumed")


async def test_a_forgotten_session_begins_anew(
    discord: FakeDiscord, shop: Bot, ada: User, general: Channel, client: Listener
) -> None:
    discord.forget_sessions(shop)
    discord.drop(shop)
    discord.write(ada, general, "nobody hears this")
    await client.until("ready", 2)

    assert (len(discord.resumes), len(shop.identifies)) == (0, 2)
    assert client.messages == []


async def test_a_session_can_be_declared_invalid(
    discord: FakeDiscord, shop: Bot, client: Listener
) -> None:
    discord.invalidate(shop, resumable=True)
    await client.until("resumed")
    discord.invalidate(shop)
    await client.until("ready", 2)

    assert (len(discord.resumes), len(shop.identifies)) == (1, 2)


async def test_a_zombie_is_noticed_by_its_silence(discord: FakeDiscord, shop: Bot) -> None:
    discord.heartbeat_ms = 100
    async with connected(discord, shop, heartbeat_timeout=0.5) as client:
        (line,) = discord.connections
        await discord.until(lambda: line.heartbeats >= 2)
        discord.freeze(shop)
        await client.until("resumed")

    assert len(shop.identifies) == 1


async def test_who_is_silent_is_cut_off(discord: FakeDiscord, shop: Bot) -> None:
    discord.heartbeat_ms = 50
    async with dialled(discord) as wire:
        assert await said(wire, identify(shop)) == 4000

    assert not shop.is_connected
    assert len(shop.sessions) == 1


async def test_a_bad_token_is_refused_everywhere(discord: FakeDiscord, shop: Bot) -> None:
    discord.revoke(shop)

    with pytest.RaisesGroup(LoginFailure):
        async with connected(discord, shop):
            pass
    async with dialled(discord) as wire:
        assert await said(wire, identify(shop)) == 4004


async def test_a_token_may_end_while_it_is_used(
    discord: FakeDiscord, shop: Bot, cellar: Guild
) -> None:
    with pytest.RaisesGroup(pytest.RaisesExc(ConnectionClosed, match="4004")):
        async with connected(discord, shop):
            discord.revoke(shop)
            await anyio.sleep_forever()


async def test_privileged_intents_must_be_enabled(discord: FakeDiscord) -> None:
    modest = discord.add_bot("modest", enabled=Intent.MESSAGE_CONTENT)

    with pytest.RaisesGroup(PrivilegedIntentsRequired):
        async with connected(discord, modest, Intents.all()):
            pass
    assert discord.records.closes == [4014]


async def test_only_wanted_events_come(
    discord: FakeDiscord, shop: Bot, ada: User, cellar: Guild, general: Channel
) -> None:
    intents = Intents(guilds=True, guild_messages=True)
    async with connected(discord, shop, intents) as client:
        discord.write(ada, shop, "direct")
        discord.react(ada, discord.write(ada, general, "hi"), "👍")
        discord.type(ada, general)
        message = await client.until("message")

    assert message.guild.id == cellar.id
    heard = {name for name, _ in client.heard}
    assert not heard & {"raw_reaction_add", "typing", "raw_typing"}


@pytest.mark.parametrize(
    ("frame", "times", "code"),
    [
        ("no JSON", 1, 4002),
        ('{"d": 1}', 1, 4002),
        ('{"op": 99, "d": {}}', 1, 4001),
        ('{"op": 3, "d": {"status": "idle"}}', 1, 4003),
        ('{"op": 1, "d": null}', 121, 4008),
        ("x" * 4097, 1, 4002),
    ],
)
async def test_wrong_frames_are_mistakes(
    discord: FakeDiscord, frame: str, times: int, code: int
) -> None:
    async with dialled(discord) as wire:
        assert await said(wire, *[frame] * times) == code

    assert discord.mistakes == [f"gateway: sent away with {code}"]
    discord.mistakes.clear()


async def test_wrong_identities_are_mistakes(discord: FakeDiscord, shop: Bot) -> None:
    async with dialled(discord) as wire:
        assert await said(wire, identify(shop), identify(shop)) == 4005
    async with dialled(discord) as wire:
        assert await said(wire, identify(shop, 1 << 60)) == 4013
    async with dialled(discord) as wire:
        assert await said(wire, identify(shop, shard=[3, 2])) == 4010
    async with dialled(discord, "?v=6&encoding=json") as wire:
        assert await said(wire) == 4012

    assert len(discord.mistakes) == 4
    discord.mistakes.clear()


async def test_sessions_have_a_pace_and_a_daily_number(discord: FakeDiscord, shop: Bot) -> None:
    discord.identify_every_s = 60
    async with dialled(discord) as first, dialled(discord) as second:
        await first.send(json.dumps(identify(shop)))
        assert json.loads(await first.recv())["t"] == "READY"
        await second.send(json.dumps(identify(shop)))
        assert json.loads(await second.recv()) == {"op": 9, "d": False}

    shop.identifies_left = 0
    async with dialled(discord) as wire:
        assert await said(wire, identify(shop)) == 4004
    assert shop.revoked


async def test_events_can_come_twice_and_backwards(
    discord: FakeDiscord, shop: Bot, ada: User, general: Channel, client: Listener
) -> None:
    discord.write(ada, general, "one")
    discord.repeat(shop, "MESSAGE_CREATE")
    discord.hold(shop)
    discord.write(ada, general, "two")
    discord.write(ada, general, "three")
    discord.release(shop, backwards=True)
    await client.until("message", 4)

    assert [each.content for each in client.messages] == ["one", "one", "three", "two"]


async def test_a_malformed_event_ends_discord_py(
    discord: FakeDiscord, shop: Bot, ada: User, cellar: Guild, general: Channel
) -> None:
    def without_type(payload: Json) -> Json:
        return {name: value for name, value in payload.items() if name != "type"}

    with pytest.RaisesGroup(KeyError):
        async with connected(discord, shop) as client:
            discord.mangle(shop, "MESSAGE_CREATE", without_type)
            discord.write(ada, general, "hi")
            await client.until("message")


async def test_a_gateway_that_is_down_refuses_the_handshake(
    discord: FakeDiscord, shop: Bot
) -> None:
    discord.gateway_down = True

    with pytest.raises(Exception, match="503"):
        async with connect(discord.gateway_url + QUERY, proxy=None):
            pass
