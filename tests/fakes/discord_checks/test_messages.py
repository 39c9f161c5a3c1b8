"""Messages in the fake Discord, written and read by discord.py over HTTP."""

from io import BytesIO

import discord as sdk
import pytest
from discord import AllowedMentions, Embed, File, Forbidden, HTTPException, Intents, NotFound
from discord.http import Route

from tests.fakes.discord import Bot, Channel, FakeDiscord, Guild, Intent, Kind, Permission, User
from tests.fakes.discord.clients import Listener, connected
from tests.fakes.discord.messages import Flag
from tests.fakes.discord.specification import needs_specification

PNG = bytes.fromhex("89504e470d0a1a0a0000000d49484452000000020000000308060000009d74661a")


@pytest.fixture
def general(cellar: Guild) -> Channel:
    return next(iter(cellar.channels.values()))


@pytest.fixture
def room(client: Listener, general: Channel) -> sdk.TextChannel:
    found = client.get_channel(general.id)
    assert isinstance(found, sdk.TextChannel)
    return found


def codes(error: pytest.ExceptionInfo[HTTPException]) -> tuple[int, int]:
    return error.value.status, error.value.code


async def test_a_message_has_all_that_discord_py_can_send(
    discord: FakeDiscord, shop: Bot, ada: User, room: sdk.TextChannel, general: Channel
) -> None:
    view = sdk.ui.View(timeout=None)
    view.add_item(sdk.ui.Button(label="Yes", custom_id="yes"))
    view.add_item(sdk.ui.Select(custom_id="pick", options=[sdk.SelectOption(label="One")]))

    sent = await room.send(
        f"look {ada.mention} @everyone",
        embed=Embed(title="T", description="D").add_field(name="a", value="b"),
        files=[File(BytesIO(PNG), "my cat.png", description="a cat"), File(BytesIO(b"x"), "b.txt")],
        view=view,
        allowed_mentions=AllowedMentions.none(),
        silent=True,
        suppress_embeds=True,
    )

    (message,) = shop.sent(general)
    assert message.id == sent.id
    assert message.flags == Flag.SUPPRESS_NOTIFICATIONS | Flag.SUPPRESS_EMBEDS
    assert (message.mentions, message.mentions_everyone) == ([], False)
    assert [each["title"] for each in message.embeds] == ["T"]
    assert [each.data for each in message.attachments] == [PNG, b"x"]
    assert [each.filename for each in sent.attachments] == ["my_cat.png", "b.txt"]
    assert (sent.attachments[0].width, sent.attachments[0].height) == (2, 3)
    assert await sent.attachments[0].read() == PNG
    kinds = [[each["type"] for each in row["components"]] for row in message.components]
    assert kinds == [[2], [3]]
    assert len(sent.components) == 2


async def test_the_same_nonce_is_the_same_message(
    discord: FakeDiscord, shop: Bot, room: sdk.TextChannel
) -> None:
    first = await room.send("once", nonce="row-7")
    again = await room.send("once", nonce="row-7")
    discord.pass_time(600)
    later = await room.send("once", nonce="row-7")

    assert again.id == first.id
    assert later.id != first.id
    assert len(shop.sent()) == 2


async def test_forms_are_refused_with_the_place_of_each_fault(
    discord: FakeDiscord, room: sdk.TextChannel
) -> None:
    with pytest.raises(HTTPException) as long:
        await room.send("x" * 2001)
    with pytest.raises(HTTPException) as empty:
        await room.send("   ")
    with pytest.raises(HTTPException) as wide:
        await room.send(embeds=[Embed(description="x" * 4000)] * 2)

    assert codes(long) == (400, 50035)
    assert "In content: Must be 2000 or fewer in length." in long.value.text
    assert codes(empty) == (400, 50006)
    assert "Embed size exceeds maximum size of 6000" in wide.value.text


async def test_who_may_not_is_told_why(
    discord: FakeDiscord, shop: Bot, room: sdk.TextChannel, general: Channel, client: Listener
) -> None:
    discord.forbid(general, shop, Permission.SEND_MESSAGES)
    with pytest.raises(Forbidden) as silenced:
        await room.send("hi")
    discord.hide(general)
    with pytest.raises(Forbidden) as blind:
        await room.send("hi")
    with pytest.raises(NotFound) as nowhere:
        await client.fetch_channel(17)

    assert codes(silenced) == (403, 50013)
    assert codes(blind) == (403, 50001)
    assert codes(nowhere) == (404, 10003)


async def test_direct_messages_can_be_closed_to_a_bot(
    discord: FakeDiscord, cellar: Guild, ada: User, client: Listener
) -> None:
    person = await client.fetch_user(ada.id)
    await person.create_dm()
    ada.closed_dms = True
    with pytest.raises(Forbidden) as closed:
        await person.send("hi")
    ada.closed_dms = False
    del cellar.members[ada.id]
    with pytest.raises(Forbidden) as stranger:
        await person.send("hi")

    assert codes(closed) == (403, 50007)
    assert codes(stranger) == (403, 50278)


async def test_too_large_a_file_is_refused_by_the_guilds_tier(
    discord: FakeDiscord, cellar: Guild, room: sdk.TextChannel
) -> None:
    with pytest.raises(HTTPException) as large:
        await room.send(file=File(BytesIO(bytes(10 * 2**20 + 1)), "a.bin"))
    cellar.tier = 2
    sent = await room.send(file=File(BytesIO(bytes(10 * 2**20 + 1)), "a.bin"))

    assert codes(large) == (413, 40005)
    assert sent.attachments[0].size == 10 * 2**20 + 1


async def test_answers_and_forwards_name_their_message(
    discord: FakeDiscord, shop: Bot, ada: User, room: sdk.TextChannel, general: Channel
) -> None:
    asked = discord.write(ada, general, "why?")
    found = await room.fetch_message(asked.id)
    answer = await found.reply("so")
    forwarded = await found.forward(room)
    discord.delete(asked)
    with pytest.raises(HTTPException) as gone:
        await found.reply("and so")

    assert answer.reference
    assert isinstance(answer.reference.resolved, sdk.Message)
    assert answer.reference.resolved.content == "why?"
    assert [each.content for each in forwarded.message_snapshots] == ["why?"]
    assert shop.sent()[0].mentions == [ada]
    assert "Unknown message" in gone.value.text


async def test_bots_edit_and_delete_what_is_theirs(
    discord: FakeDiscord, shop: Bot, ada: User, cellar: Guild, room: sdk.TextChannel
) -> None:
    sent = await room.send("teh", file=File(BytesIO(b"x"), "a.txt"))
    edited = await sent.edit(content="the", attachments=[])
    (message,) = shop.sent()
    assert (edited.content, message.attachments, bool(message.edited_at)) == ("the", [], True)

    other = await room.fetch_message(discord.write(ada, message.channel, "mine").id)
    with pytest.raises(Forbidden) as foreign:
        await other.edit(content="yours")
    with pytest.raises(Forbidden) as kept:
        await other.delete()
    discord.allow(cellar, shop, Permission.MANAGE_MESSAGES)
    await room.delete_messages([other, sent])

    assert (codes(foreign), codes(kept)) == ((403, 50005), (403, 50013))
    assert message.channel.visible == []


async def test_history_is_paged_by_ids(
    discord: FakeDiscord, ada: User, room: sdk.TextChannel, general: Channel
) -> None:
    written = [discord.write(ada, general, str(number)) for number in range(105)]

    everything = [each.content async for each in room.history(limit=None)]
    after = [each.id async for each in room.history(limit=2, after=written[10])]
    around = [each.content async for each in room.history(limit=3, around=written[50])]
    discord.forbid(general, None, Permission.READ_MESSAGE_HISTORY)
    nothing = [each async for each in room.history()]

    assert everything == [str(number) for number in reversed(range(105))]
    assert after == [written[11].id, written[12].id]
    assert sorted(around) == ["49", "50", "51"]
    assert nothing == []


async def test_content_is_hidden_without_the_intent(
    discord: FakeDiscord, cellar: Guild, ada: User, general: Channel
) -> None:
    blind = discord.add_bot("blind", enabled=Intent(0))
    discord.seat(cellar, blind)
    async with connected(discord, blind, Intents.default()) as client:
        hidden = discord.write(ada, general, "secret", files=[("a.txt", b"x")])
        discord.write(ada, general, f"for {blind.mention}")
        discord.write(ada, blind, "direct")
        await client.until("message", 3)
        room = client.get_partial_messageable(general.id)
        fetched = await room.fetch_message(hidden.id)

    assert [each.content for each in client.messages] == ["", f"for {blind.mention}", "direct"]
    assert (client.messages[0].attachments, fetched.content) == ([], "")


async def test_reactions_pins_and_typing(
    discord: FakeDiscord,
    shop: Bot,
    ada: User,
    cellar: Guild,
    room: sdk.TextChannel,
    general: Channel,
) -> None:
    discord.allow(cellar, shop, Permission.PIN_MESSAGES | Permission.MANAGE_MESSAGES)
    message = discord.write(ada, general, "hi")
    cellar.emojis[77] = "party"
    found = await room.fetch_message(message.id)

    await found.add_reaction("👍")
    await found.add_reaction("party:77")
    discord.react(ada, message, "👍")
    with pytest.raises(HTTPException) as unknown:
        await found.add_reaction("nope")
    users = [user.id async for user in (await room.fetch_message(message.id)).reactions[0].users()]
    await found.remove_reaction("👍", sdk.Object(shop.id))
    await found.clear_reaction("party:77")
    await found.pin()
    pins = [each.id async for each in room.pins()]
    async with room.typing():
        pass

    assert sorted(users) == sorted([ada.id, shop.id])
    assert codes(unknown) == (400, 10014)
    assert message.reacted("👍") == [ada]
    assert "party:77" not in message.reactions
    assert pins == [message.id]
    assert [(each.bot, each.channel) for each in discord.records.typing] == [(shop, general)]


async def test_posts_are_published_to_those_who_follow(
    discord: FakeDiscord, shop: Bot, cellar: Guild, general: Channel, client: Listener
) -> None:
    news = discord.add_channel(cellar, "news", Kind.ANNOUNCEMENT)
    news.followers.append(general)

    sent = await client.get_partial_messageable(news.id).send("big news")
    await sent.publish()
    with pytest.raises(HTTPException) as twice:
        await sent.publish()

    assert Flag.CROSSPOSTED in shop.sent(news)[0].flags
    assert [each.content for each in general.visible] == ["big news"]
    assert codes(twice) == (400, 40033)


async def test_requests_are_held_against_the_specification(
    discord: FakeDiscord, room: sdk.TextChannel, client: Listener
) -> None:
    needs_specification()
    route = Route("POST", "/channels/{channel_id}/messages", channel_id=room.id)

    await client.http.request(route, json={"content": "x", "colour": "red"})

    assert discord.mistakes == ["create_message: colour is unknown"]
    with pytest.raises(AssertionError, match="colour"):
        discord.check()
    discord.mistakes.clear()
