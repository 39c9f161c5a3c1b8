"""Guilds, channels, threads, members and roles of the fake Discord, as discord.py sees them."""

from datetime import timedelta

import discord as sdk
import pytest
from discord import Forbidden, HTTPException, Intents, NotFound

from tests.fakes.discord import Bot, Channel, FakeDiscord, Guild, Intent, Kind, Permission, User
from tests.fakes.discord.clients import Listener, connected


@pytest.fixture
def general(cellar: Guild) -> Channel:
    return next(iter(cellar.channels.values()))


@pytest.fixture
def room(client: Listener, general: Channel) -> sdk.TextChannel:
    found = client.get_channel(general.id)
    assert isinstance(found, sdk.TextChannel)
    return found


@pytest.fixture
def house(client: Listener, cellar: Guild) -> sdk.Guild:
    found = client.get_guild(cellar.id)
    assert found
    return found


def code(error: pytest.ExceptionInfo[HTTPException]) -> int:
    return error.value.code


async def test_a_bot_comes_to_a_guild_and_is_thrown_out(
    discord: FakeDiscord, shop: Bot, ada: User, client: Listener
) -> None:
    attic = discord.add_guild("Attic", ada)

    discord.join(attic, shop)
    joined = await client.until("guild_join")
    discord.kick(attic, shop)
    left = await client.until("guild_remove")
    with pytest.raises(Forbidden) as outside:
        await client.fetch_guild(attic.id)

    assert (joined.name, left.id) == ("Attic", attic.id)
    assert code(outside) == 50001


async def test_a_guild_has_an_outage(
    discord: FakeDiscord, cellar: Guild, ada: User, general: Channel, client: Listener
) -> None:
    discord.break_guild(cellar)
    await client.until("guild_unavailable")
    discord.write(ada, general, "nobody hears this")
    discord.mend_guild(cellar)
    await client.until("guild_available", 2)

    assert client.messages == []


async def test_rooms_are_made_changed_hidden_and_removed(
    discord: FakeDiscord, cellar: Guild, ada: User, client: Listener, house: sdk.Guild
) -> None:
    made = discord.create_channel(cellar, "plans")
    await client.until("guild_channel_create")
    discord.change_channel(made, name="old plans", topic="ideas")
    await client.until("guild_channel_update")
    discord.hide_now(made)
    await client.until("guild_channel_update", 2)
    discord.write(ada, made, "unseen")
    known = house.get_channel(made.id)
    assert isinstance(known, sdk.TextChannel)
    shown = (known.name, known.topic, known.permissions_for(house.me).view_channel)
    discord.delete_channel(made)
    await client.until("guild_channel_delete")

    assert shown == ("old plans", "ideas", False)
    assert client.messages == []


async def test_bots_make_and_remove_rooms_where_they_may(
    discord: FakeDiscord, shop: Bot, cellar: Guild, house: sdk.Guild
) -> None:
    with pytest.raises(Forbidden) as forbidden:
        await house.create_text_channel("plans")
    discord.allow(cellar, shop, Permission.MANAGE_CHANNELS | Permission.MANAGE_ROLES)
    made = await house.create_text_channel("plans", topic="ideas")
    await made.edit(name="more plans", slowmode_delay=5)
    await made.set_permissions(house.default_role, send_messages=False)
    mine = cellar.channels[made.id]
    kept = (mine.name, mine.topic, mine.slowmode_s, mine.overwrites[cellar.id].deny)
    forum = await house.create_forum("questions", available_tags=[sdk.ForumTag(name="howto")])
    await made.delete()

    assert code(forbidden) == 50013
    assert kept == ("more plans", "ideas", 5, Permission.SEND_MESSAGES)
    assert made.id not in discord.channels
    assert [tag.name for tag in forum.available_tags] == ["howto"]
    assert sorted(each.name for each in await house.fetch_channels()) == ["general", "questions"]


async def test_threads_begin_from_messages_or_without(
    discord: FakeDiscord, shop: Bot, ada: User, room: sdk.TextChannel, general: Channel
) -> None:
    message = await room.fetch_message(discord.write(ada, general, "topic").id)

    thread = await message.create_thread(name="about it")
    sent = await thread.send("inside")
    with pytest.raises(HTTPException) as twice:
        await message.create_thread(name="again")
    private = await room.create_thread(name="secret", type=sdk.ChannelType.private_thread)
    await private.add_user(sdk.Object(ada.id))
    people = [each.id for each in await private.fetch_members()]

    mine = discord.channels[thread.id]
    assert (mine.id, mine.parent, mine.kind) == (message.id, general, Kind.PUBLIC_THREAD)
    assert shop.sent(mine)[0].id == sent.id
    assert code(twice) == 160004
    assert sorted(people) == sorted([shop.id, ada.id])


async def test_what_people_do_in_threads_is_heard(
    discord: FakeDiscord, shop: Bot, ada: User, general: Channel, client: Listener
) -> None:
    thread = discord.start_thread(ada, general, "chat", message=discord.write(ada, general, "x"))
    seen = await client.until("thread_create")
    discord.write(ada, thread, "in the thread")
    secret = discord.start_thread(ada, general, "secret", kind=Kind.PRIVATE_THREAD)
    discord.write(ada, secret, "unseen")
    discord.add_to_thread(secret, shop)
    discord.write(ada, secret, "seen")
    await client.until("message", 3)
    discord.archive(thread)
    discord.delete_channel(secret)
    await client.until("thread_update")
    await client.until("thread_delete")

    assert (seen.name, seen.parent_id) == ("chat", general.id)
    assert [each.content for each in client.messages] == ["x", "in the thread", "seen"]
    assert [each.channel.id for each in client.messages] == [general.id, thread.id, secret.id]


async def test_forums_have_posts(
    discord: FakeDiscord, shop: Bot, ada: User, cellar: Guild, client: Listener
) -> None:
    forum = discord.add_channel(cellar, "questions", Kind.FORUM, tags=["howto", "bug"])
    post = discord.start_post(ada, forum, "How?", "like this", "howto")
    message = await client.until("message")
    room = await client.fetch_channel(forum.id)
    assert isinstance(room, sdk.ForumChannel)
    made = await room.create_thread(
        name="Why?", content="because", applied_tags=[room.available_tags[1]]
    )
    with pytest.raises(HTTPException) as direct:
        await client.get_partial_messageable(forum.id).send("no")

    assert (message.id, message.channel.id, message.content) == (post.id, post.id, "like this")
    assert made.message.id == made.thread.id
    thread = discord.channels[made.thread.id].thread
    assert thread
    assert thread.tags == [forum.tags[1].id]
    assert code(direct) == 40058


async def test_archived_threads_wake_when_somebody_writes(
    discord: FakeDiscord, shop: Bot, ada: User, cellar: Guild, general: Channel, client: Listener
) -> None:
    mine = discord.start_thread(ada, general, "old")
    first = discord.write(ada, mine, "first")
    discord.archive(mine)
    thread = client.get_partial_messageable(mine.id)
    with pytest.raises(HTTPException) as asleep:
        await thread.get_partial_message(first.id).add_reaction("👍")
    await thread.send("good morning")
    assert mine.thread
    awake = not mine.thread.archived
    discord.archive(mine, locked=True)
    with pytest.raises(HTTPException) as locked:
        await thread.send("hello?")
    parent = await client.fetch_channel(general.id)
    assert isinstance(parent, sdk.TextChannel)
    archived = [each.id async for each in parent.archived_threads()]

    assert (code(asleep), awake, code(locked)) == (50083, True, 160005)
    assert archived == [mine.id]


async def test_members_come_and_go(
    discord: FakeDiscord, cellar: Guild, ada: User, general: Channel, client: Listener
) -> None:
    eve = discord.add_user("eve")
    discord.join(cellar, eve, greeted_in=general)
    joined = await client.until("member_join")
    discord.rename_member(cellar, eve, "Evie")
    await client.until("member_update")
    discord.ban(cellar, eve, "spam")
    await client.until("member_ban")
    await client.until("raw_member_remove")
    greeting = await client.until("message")

    assert joined.id == eve.id
    assert greeting.type is sdk.MessageType.new_member
    assert cellar.bans == {eve.id: "spam"}


async def test_members_are_listed_searched_and_disciplined(
    discord: FakeDiscord, shop: Bot, cellar: Guild, ada: User, house: sdk.Guild
) -> None:
    listed = {each.id async for each in house.fetch_members(limit=None)}
    found = await house.query_members("ad")
    (member,) = found
    with pytest.raises(Forbidden) as forbidden:
        await member.kick()
    discord.allow(cellar, shop, Permission.KICK_MEMBERS | Permission.BAN_MEMBERS)
    discord.allow(cellar, shop, Permission.MODERATE_MEMBERS | Permission.MANAGE_ROLES)
    await member.timeout(timedelta(minutes=5))
    silenced = cellar.members[ada.id].timeout_until > discord.now()
    role = await house.create_role(name="guest")
    with pytest.raises(Forbidden) as too_high:
        await (await house.fetch_member(cellar.owner.id)).ban()
    await member.ban(reason="enough")
    bans = [(each.user.id, each.reason) async for each in house.bans()]
    await house.unban(sdk.Object(ada.id))

    assert listed == set(cellar.members) | {ada.id}
    assert (code(forbidden), code(too_high), silenced) == (50013, 50013, True)
    assert cellar.roles[role.id].name == "guest"
    assert bans == [(ada.id, "enough")]
    assert cellar.bans == {}


async def test_lists_of_members_need_their_intent(discord: FakeDiscord, cellar: Guild) -> None:
    modest = discord.add_bot("modest", enabled=Intent.MESSAGE_CONTENT)
    discord.seat(cellar, modest)
    async with connected(discord, modest, Intents.default()) as client:
        with pytest.raises(Forbidden) as refused:
            await client.http.get_members(cellar.id, 10, None)

    assert code(refused) == 50001


async def test_unknown_things_have_names(client: Listener, house: sdk.Guild) -> None:
    with pytest.raises(NotFound) as user:
        await client.fetch_user(17)
    with pytest.raises(NotFound) as member:
        await house.fetch_member(17)
    with pytest.raises(NotFound) as guild:
        await client.fetch_guild(17)

    assert [code(each) for each in (user, member, guild)] == [10013, 10013, 10004]
