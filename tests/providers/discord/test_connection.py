"""How a bot comes, goes on and goes, and what happens to messages when Discord fails."""

import pytest

from messengers.core.callers import OWNER
from messengers.errors import BadCredentials
from messengers.models import Lifecycle, Outcome
from tests.desk import becomes
from tests.fakes.discord import Bot, FakeDiscord, Guild, Kind
from tests.providers.discord.conftest import Connected, OpenCore, add, connected_bot


async def test_a_connection_that_breaks_goes_on_where_it_was(shop: Connected) -> None:
    shop.discord.write(shop.ada, shop.general, "before")
    await shop.heard(shop.general, "before")

    shop.discord.drop(shop.bot)
    shop.discord.write(shop.ada, shop.general, "meanwhile")
    await shop.heard(shop.general, "meanwhile")
    shop.discord.ask_to_reconnect(shop.bot)
    await becomes(lambda: len(shop.discord.resumes) == 2)
    shop.discord.write(shop.ada, shop.general, "after")
    await shop.heard(shop.general, "after")

    assert [each.text for each in await shop.messages(shop.general)] == [
        "before",
        "meanwhile",
        "after",
    ]
    assert shop.bot.identifies_left == 999


async def test_a_restart_goes_on_with_the_session_and_knows_the_rooms(
    discord: FakeDiscord, reopen: OpenCore, cellar: Guild, bot: Bot
) -> None:
    async with connected_bot(discord, reopen, cellar) as shop:
        sent = discord.write(shop.ada, shop.general, "tpyo")
        await shop.heard(shop.general, "tpyo")
    discord.edit(sent, "typo")
    thread = discord.start_thread(shop.ada, shop.general, "Plans")
    discord.write(shop.ada, thread, "while nothing ran")

    async with connected_bot(discord, reopen, cellar) as shop:
        await shop.heard(shop.general, "typo")
        await shop.heard(thread, "while nothing ran")
        (group,) = await shop.provider.groups()
        assert (await shop.chat(thread)).name == "Cellar · #general · Plans"

    assert group.name == "Cellar"
    assert len(discord.resumes) == 1
    assert bot.identifies_left == 999


async def test_what_was_written_after_the_session_ended_is_fetched_once(
    discord: FakeDiscord, reopen: OpenCore, cellar: Guild, bot: Bot
) -> None:
    hidden = discord.add_channel(cellar, "board")
    discord.hide(hidden)
    async with connected_bot(discord, reopen, cellar) as shop:
        discord.write(shop.ada, shop.general, "first")
        discord.write(shop.ada, bot, "psst")
        await shop.heard(shop.ada, "psst")
    discord.forget_sessions(bot)
    for number in range(130):
        discord.write(shop.ada, shop.general, str(number))
    discord.write(shop.ada, bot, "psst again")
    discord.write(cellar.owner, hidden, "not for bots")

    async with connected_bot(discord, reopen, cellar) as shop:
        await shop.heard(shop.ada, "psst again")
        texts = [each.text for each in await shop.messages(shop.general)]

    assert texts == ["first", *map(str, range(130))]


async def test_a_session_that_cannot_go_on_is_begun_anew(shop: Connected) -> None:
    shop.discord.invalidate(shop.bot)

    await becomes(lambda: shop.bot.identifies_left == 998 and shop.bot.is_connected)
    shop.discord.write(shop.ada, shop.general, "hello again")
    await shop.heard(shop.general, "hello again")


async def test_a_first_connection_that_fails_is_tried_again(
    discord: FakeDiscord, reopen: OpenCore, cellar: Guild, bot: Bot
) -> None:
    discord.gateway_down = True
    async with reopen() as core:
        await add(core, discord, bot)
        shop = Connected(discord, core, bot, cellar, cellar.owner)
        await shop.reaches(Lifecycle.BACKOFF)
        reason = shop.entry.health.reason
        discord.gateway_down = False
        await core.instances.connect(OWNER, "shop", wait_s=0)
        await shop.reaches(Lifecycle.CONNECTED)

    assert "cannot be reached" in reason


async def test_a_token_that_was_reset_ends_it(shop: Connected) -> None:
    shop.discord.revoke(shop.bot)

    await shop.reaches(Lifecycle.BAD_CREDENTIALS)

    assert "Reset it on the bot's page" in shop.entry.health.reason


async def test_a_token_that_is_wrong_is_told_at_once(
    discord: FakeDiscord, reopen: OpenCore, cellar: Guild, bot: Bot
) -> None:
    discord.revoke(bot)
    async with reopen() as core:
        await add(core, discord, bot)
        shop = Connected(discord, core, bot, cellar, cellar.owner)
        await shop.reaches(Lifecycle.BAD_CREDENTIALS)
        with pytest.raises(BadCredentials):
            await core.instances.registry.build(shop.entry).probe()

    assert bot.identifies == []


async def test_an_intent_that_is_refused_is_done_without_and_said(
    discord: FakeDiscord, reopen: OpenCore, cellar: Guild, bot: Bot
) -> None:
    discord.refuse_identify(bot, 4014)
    async with reopen() as core:
        await add(core, discord, bot)
        shop = Connected(discord, core, bot, cellar, cellar.owner)
        await becomes(lambda: 4014 in discord.records.closes)
        discord.refuse_identify(bot, None)
        await shop.reaches(Lifecycle.CONNECTED)
        reason = shop.entry.health.reason

    assert "Message Content Intent is off" in reason


async def test_a_gateway_that_ends_each_session_at_once_is_left_alone_for_a_while(
    shop: Connected,
) -> None:
    for _ in range(3):
        known = len(shop.discord.resumes)
        await becomes(lambda: shop.bot.is_connected)
        shop.discord.drop(shop.bot, 4000)
        await becomes(
            lambda known=known: len(shop.discord.resumes) > known or not shop.entry.running
        )

    await shop.reaches(Lifecycle.BACKOFF)
    assert "at once" in shop.entry.health.reason
    await shop.reaches(Lifecycle.CONNECTED)
    assert shop.bot.identifies_left == 999


async def test_sessions_of_a_day_that_are_used_up_are_waited_for(
    discord: FakeDiscord, reopen: OpenCore, cellar: Guild, bot: Bot
) -> None:
    bot.identifies_left = 0
    async with reopen() as core:
        await add(core, discord, bot)
        shop = Connected(discord, core, bot, cellar, cellar.owner)
        await shop.reaches(Lifecycle.BACKOFF)
        health = shop.entry.health

    assert "no more sessions today" in health.reason
    assert bot.identifies == []


async def test_another_bots_token_is_refused(
    discord: FakeDiscord, reopen: OpenCore, cellar: Guild
) -> None:
    async with connected_bot(discord, reopen, cellar) as shop:
        other = discord.add_bot("other")
        token = {"token": other.token}
        await shop.core.instances.update(OWNER, "shop", credentials=token, wait_s=0)
        await shop.reaches(Lifecycle.BAD_CREDENTIALS)
        reason = shop.entry.health.reason

    assert "another bot's" in reason


@pytest.mark.case("F15")
async def test_when_discord_says_later_the_message_waits_and_leaves_once(shop: Connected) -> None:
    shop.discord.flood(0.2, operation="create_message")

    sent = await shop.send(shop.general, "patient")

    assert sent.outcome is Outcome.ACCEPTED
    assert [each.content for each in shop.bot.sent()] == ["patient"]


@pytest.mark.case("F15")
@pytest.mark.parametrize(("wait_s", "via"), [(120, True), (1e9, True), (None, True), (60, False)])
async def test_a_long_wait_is_not_waited_out_in_a_call(
    shop: Connected, wait_s: float | None, via: bool
) -> None:
    shop.discord.flood(wait_s, operation="create_message", channel=shop.general, via=via)

    later = await shop.send(shop.general, "later", wait_s=1)
    now = await shop.send(shop.ada, "now")

    assert later.outcome is Outcome.QUEUED
    assert now.outcome is Outcome.ACCEPTED
    assert [each.content for each in shop.bot.sent()] == ["now"]


@pytest.mark.case("F15")
async def test_while_an_address_is_banned_nothing_leaves(shop: Connected) -> None:
    shop.discord.ban_address(times=1)

    sent = await shop.send(shop.general, "hello", wait_s=1)
    other = await shop.send(shop.ada, "hello", wait_s=1)

    assert sent.outcome is other.outcome is Outcome.QUEUED
    assert shop.bot.sent() == []


@pytest.mark.case("F16")
@pytest.mark.parametrize("carried_out", [True, False])
async def test_a_message_that_was_cut_off_leaves_once(shop: Connected, carried_out: bool) -> None:
    shop.discord.cut("create_message", carried_out=carried_out)

    sent = await shop.send(shop.general, "once")

    assert sent.outcome is Outcome.ACCEPTED
    assert [each.content for each in shop.bot.sent()] == ["once"]
    assert [each.text for each in await shop.messages(shop.general)] == ["once"]


@pytest.mark.case("F16")
@pytest.mark.parametrize("status", [500, 502, 503, 520])
async def test_a_server_that_fails_is_asked_again_under_the_same_nonce(
    shop: Connected, status: int
) -> None:
    shop.discord.break_down("create_message", status)

    sent = await shop.send(shop.general, "once")

    assert sent.outcome is Outcome.ACCEPTED
    assert [each.content for each in shop.bot.sent()] == ["once"]


@pytest.mark.case("F17")
async def test_a_message_that_was_taken_without_an_answer_is_known_by_its_echo(
    shop: Connected,
) -> None:
    shop.discord.cut("create_message")
    shop.discord.fail_next("create_message", status=503, times=None)

    sent = await shop.send(shop.general, "taken")

    assert sent.outcome is Outcome.ACCEPTED
    assert [each.content for each in shop.bot.sent()] == ["taken"]
    assert len(shop.discord.asked("create_message")) == 1


@pytest.mark.case("F17")
async def test_what_no_answer_and_no_echo_tells_of_is_unknown(shop: Connected) -> None:
    shop.discord.hold(shop.bot)
    shop.discord.cut("create_message")
    shop.discord.fail_next("create_message", status=503, times=None)

    sent = await shop.send(shop.general, "taken?", wait_s=12)

    assert sent.outcome is Outcome.UNKNOWN
    assert [each.content for each in shop.bot.sent()] == ["taken?"]


async def test_a_post_that_failed_is_in_doubt_and_not_repeated(shop: Connected) -> None:
    forum = shop.discord.create_channel(shop.guild, "help", Kind.FORUM)
    await shop.chat(forum)
    shop.discord.break_down("create_thread", 502, times=None)

    sent = await shop.send(forum, "It breaks")

    assert sent.outcome is Outcome.UNKNOWN
    assert len(shop.discord.asked("create_thread")) == 1


async def test_presses_that_go_elsewhere_are_told(
    discord: FakeDiscord, reopen: OpenCore, cellar: Guild, bot: Bot
) -> None:
    bot.interactions_url = "https://elsewhere.example/in"
    bot.identifies_left = 20
    async with connected_bot(discord, reopen, cellar) as shop:
        reason = shop.entry.health.reason
        findings = {each.what: each for each in await shop.provider.examine()}

    assert "Presses of buttons go to elsewhere.example" in reason
    assert len(reason) < 300
    assert (findings["presses"].state, findings["sessions"].state) == ("warn", "warn")
    assert findings["servers"].found.startswith("It is in 1.")
    assert findings["text in servers"].state == "ok"
