"""What people do in Discord, as it stands in the store."""

from datetime import UTC, datetime, timedelta

import pytest

from messengers.core.callers import OWNER
from messengers.providers.base import HistorySeen
from tests.desk import becomes, until
from tests.fakes.discord import Bot, FakeDiscord, Guild, Intent, Kind, Permission
from tests.fakes.discord.messages import MessageKind
from tests.providers.discord.conftest import Connected, OpenCore, connected_bot

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
)


async def test_a_message_in_a_channel_is_stored_with_who_and_where(shop: Connected) -> None:
    shop.discord.write(shop.ada, shop.general, f"hi {shop.bot.mention}")

    message = await shop.heard(shop.general, "hi @shop")
    chat = await shop.chat(shop.general)
    server = await shop.chat(shop.guild)

    assert (message.sender.display_name, message.sender.username) == ("Ada", "ada")
    assert (message.direction, message.mentions_me) == ("in", True)
    assert (chat.name, chat.kind, chat.parent) == ("Cellar · #general", "channel", server.id)
    assert (server.name, server.kind) == ("Cellar", "group")


async def test_roles_are_named_and_its_own_role_means_the_bot(shop: Connected) -> None:
    bakers = shop.discord.create_role(shop.guild, "bakers", Permission(0))
    (own,) = [each for each in shop.guild.roles.values() if each.bot_id == shop.bot.id]
    shop.discord.write(shop.ada, shop.general, f"{bakers.mention} wake up in <#{shop.general.id}>")
    shop.discord.write(shop.ada, shop.general, f"{own.mention} too")

    others = await shop.heard(shop.general, "@bakers wake up in #general")
    mine = await shop.heard(shop.general, "@shop too")
    soon = datetime.now(UTC) + timedelta(minutes=1)
    found = await shop.provider.history(str(shop.general.id), soon, 2)
    (seen,) = [each for each in found if isinstance(each, HistorySeen)]

    assert (others.mentions_me, mine.mentions_me) == (False, True)
    assert [each.text for each in seen.messages] == [mine.text, others.text]


@pytest.mark.case("F06")
@pytest.mark.parametrize("backwards", [False, True])
async def test_events_that_come_again_and_in_another_order_are_what_discord_shows(
    shop: Connected, backwards: bool
) -> None:
    said = [shop.discord.write(shop.ada, shop.general, f"line {number}") for number in range(6)]
    await shop.heard(shop.general, "line 5")
    shop.discord.hold(shop.bot)
    shop.discord.edit(said[1], "line 1, better")
    shop.discord.delete(said[2])
    shop.discord.react(shop.ada, said[3], "👍")
    said.append(shop.discord.write(shop.ada, shop.general, "line 6"))
    shop.discord.edit(said[6], "line 6, better")
    shop.discord.release(shop.bot, backwards=backwards)
    for event in ("MESSAGE_CREATE", "MESSAGE_UPDATE", "MESSAGE_DELETE", "MESSAGE_REACTION_ADD"):
        shop.discord.repeat(shop.bot, event, 2)
    shop.discord.write(shop.ada, shop.general, "the end")
    await shop.heard(shop.general, "the end")

    stored = await shop.messages(shop.general)
    assert [each.text for each in stored if each.status != "deleted"] == [
        *("line 0", "line 1, better", "line 3", "line 4", "line 5", "line 6, better", "the end")
    ]
    assert [each.native_id for each in stored if each.status == "deleted"] == [str(said[2].id)]
    (liked,) = [each for each in stored if each.reactions]
    assert (liked.text, liked.reactions[0].emoji, liked.reactions[0].count) == ("line 3", "👍", 1)


async def test_a_direct_message_is_a_chat_with_its_person(shop: Connected) -> None:
    shop.discord.write(shop.ada, shop.bot, "psst")

    message = await shop.heard(shop.ada, "psst")
    chat = await shop.chat(shop.ada)

    assert (chat.kind, chat.name, chat.username) == ("dm", "Ada", "ada")
    assert message.sender.native_id == f"user:{shop.ada.id}"


async def test_a_message_that_comes_again_is_stored_once(shop: Connected) -> None:
    shop.discord.write(shop.ada, shop.general, "once")
    await shop.heard(shop.general, "once")

    shop.discord.repeat(shop.bot, "MESSAGE_CREATE", 5)
    shop.discord.write(shop.ada, shop.general, "then")
    await shop.heard(shop.general, "then")

    assert [each.text for each in await shop.messages(shop.general)] == ["once", "then"]


async def test_edits_and_deletions_follow(shop: Connected) -> None:
    first = shop.discord.write(shop.ada, shop.bot, "teh")
    second = shop.discord.write(shop.ada, shop.bot, "gone soon")
    await shop.heard(shop.ada, "gone soon")

    shop.discord.edit(first, "the")
    shop.discord.delete(second)

    edited = await shop.heard(shop.ada, "the")
    await shop.message(shop.ada, lambda message: message.status == "deleted")
    assert edited.status == "edited"


async def test_what_a_moderator_deletes_in_bulk_is_deleted(shop: Connected) -> None:
    sent = [shop.discord.write(shop.ada, shop.general, text) for text in ("a", "b", "c")]
    await shop.heard(shop.general, "c")

    shop.discord.delete(*sent[:2])

    async def gone() -> bool | None:
        states = [each.status for each in await shop.messages(shop.general)]
        return True if states == ["deleted", "deleted", "active"] else None

    assert await until(gone)


async def test_a_preview_that_appears_later_is_no_edit(shop: Connected) -> None:
    sent = shop.discord.write(shop.ada, shop.general, "see https://example.org")
    await shop.heard(shop.general, "see https://example.org")

    shop.discord.unfurl(sent, title="Example", url="https://example.org")
    shop.discord.write(shop.ada, shop.general, "next")
    await shop.heard(shop.general, "next")

    assert [each.status for each in await shop.messages(shop.general)] == ["active", "active"]


async def test_reactions_are_given_and_taken_one_by_one(shop: Connected) -> None:
    bob = shop.guild.owner
    sent = shop.discord.write(shop.ada, shop.general, "cake?")
    await shop.heard(shop.general, "cake?")

    for user, emoji in ((shop.ada, "👍"), (bob, "👍"), (bob, "🎉")):
        shop.discord.react(user, sent, emoji)
    shop.discord.unreact(bob, sent, "👍")

    found = await shop.message(
        shop.general, lambda m: {(r.emoji, r.count) for r in m.reactions} == {("👍", 1), ("🎉", 1)}
    )
    assert {each.emoji: each.by for each in found.reactions} == {
        "👍": (f"user:{shop.ada.id}",),
        "🎉": (f"user:{bob.id}",),
    }

    shop.discord.clear_reactions(sent)
    await shop.message(shop.general, lambda message: not message.reactions)


async def test_typing_is_told_and_not_stored(shop: Connected) -> None:
    shop.discord.write(shop.ada, shop.bot, "hm")
    await shop.heard(shop.ada, "hm")
    heard: list[str] = []
    before = shop.core.events.signal

    def signal(instance_id: str, chat_key: str, kind: str, data: str) -> None:
        heard.append(f"{chat_key} {kind} {data}")
        before(instance_id, chat_key, kind, data)

    shop.core.events.signal = signal
    shop.discord.type(shop.ada, shop.bot)
    shop.discord.type(shop.ada, shop.general)
    await becomes(lambda: len(heard) == 2)

    assert heard == [f"user:{shop.ada.id} typing on", f"{shop.general.id} typing on"]


async def test_an_answer_names_what_it_answers(shop: Connected) -> None:
    first = shop.discord.write(shop.ada, shop.general, "one")
    shop.discord.write(shop.ada, shop.general, "two", reply_to=first)

    answer = await shop.heard(shop.general, "two")

    assert answer.reply_to == (await shop.heard(shop.general, "one")).id


async def test_files_are_fetched_when_they_are_asked_for(shop: Connected) -> None:
    shop.discord.write(shop.ada, shop.general, "look", files=[("a.png", PNG)])
    message = await shop.heard(shop.general, "look")
    (file,) = message.attachments
    shop.discord.pass_time(2 * 24 * 3600)  # the first address has ended by now

    data = await shop.provider.download(file, 1000)

    assert (file.kind, file.mime, file.name, file.width) == ("image", "image/png", "a.png", 1)
    assert data == PNG


async def test_threads_and_posts_are_chats_below_their_channel(shop: Connected) -> None:
    forum = shop.discord.create_channel(shop.guild, "help", Kind.FORUM)
    thread = shop.discord.start_thread(shop.ada, shop.general, "Plans")
    shop.discord.write(shop.ada, thread, "in the thread")
    post = shop.discord.start_post(shop.ada, forum, "It breaks", "how?")

    await shop.heard(thread, "in the thread")
    await shop.heard(post, "how?")
    place, above = await shop.chat(thread), await shop.chat(shop.general)

    assert (place.kind, place.name) == ("thread", "Cellar · #general · Plans")
    assert place.parent == above.id
    assert (await shop.chat(post)).parent == (await shop.chat(forum)).id


async def test_what_is_renamed_is_renamed_here(shop: Connected) -> None:
    shop.discord.change_channel(shop.general, name="lobby")
    shop.discord.rename_guild(shop.guild, "Attic")

    async def renamed() -> bool | None:
        names = (await shop.chat(shop.general)).name, (await shop.chat(shop.guild)).name
        return True if names == ("Cellar · #lobby", "Attic") else None

    assert await until(renamed)


async def test_a_server_that_the_bot_joins_later_is_there_with_its_channels(
    shop: Connected,
) -> None:
    attic = shop.discord.add_guild("Attic", shop.ada)
    shop.discord.join(attic, shop.bot)

    (general,) = attic.channels.values()
    assert (await shop.chat(general)).name == "Attic · #general"
    await becomes(lambda: len(shop.provider.calls().rooms.guilds) == 2)


async def test_who_joins_is_a_contact_and_who_leaves_is_told(shop: Connected) -> None:
    eve = shop.discord.add_user("eve", "Eve")
    shop.discord.join(shop.guild, eve, greeted_in=shop.general)
    await shop.heard(shop.general, "(Eve joined)")
    shop.discord.kick(shop.guild, eve)

    line = await shop.heard(shop.guild, "(Eve left)")
    (contact,) = await shop.core.contacts.find(OWNER, "eve")

    assert line.marks == ("service",)
    assert contact.display_name == "Eve"


async def test_polls_are_read_and_their_votes_counted(shop: Connected) -> None:
    poll = shop.discord.ask(shop.ada, shop.general, "Tea?", "yes", "no")
    asked = await shop.heard(shop.general, "Poll: Tea?\n- yes\n- no")
    assert asked.poll
    assert (asked.poll.options, asked.poll.votes) == (("yes", "no"), (0, 0))

    shop.discord.vote(shop.ada, poll, 1)
    shop.discord.vote(shop.guild.owner, poll, 2)

    await shop.message(shop.general, lambda m: m.poll is not None and m.poll.votes == (1, 1))
    shop.discord.end_poll(poll)
    ended = await shop.message(shop.general, lambda m: m.text.startswith("(the poll ended: Tea?"))
    assert "2 votes" in ended.text


async def test_forwarded_words_say_that_they_are_others(shop: Connected) -> None:
    sent = shop.discord.write(shop.ada, shop.general, "news", files=[("n.png", PNG)])
    shop.discord.forward(shop.ada, sent, shop.bot)

    message = await shop.heard(shop.ada, "(forwarded)\nnews")

    assert message.marks == ("forwarded",)
    assert await shop.provider.download(message.attachments[0], 1000) == PNG


async def test_what_cannot_be_read_is_kept_and_stops_nothing(shop: Connected) -> None:
    shop.discord.inject(shop.bot, "MESSAGE_CREATE", {"id": "5"})
    shop.discord.inject(shop.bot, "MESSAGE_CREATE", ["what?"])
    shop.discord.inject(shop.bot, "GUILD_CREATE", None)
    shop.discord.inject(shop.bot, "AN_EVENT_OF_2030", {"x": 1})
    shop.discord.mangle(shop.bot, "MESSAGE_CREATE", lambda told: {**told, "timestamp": 5})
    shop.discord.write(shop.ada, shop.general, "garbled")
    shop.discord.write(shop.ada, shop.general, "fine")

    await shop.heard(shop.general, "fine")

    # The channel itself tells what its event did not.
    assert [each.text for each in await shop.messages(shop.general)] == ["garbled", "fine"]
    assert shop.bot.identifies_left == 999


async def test_without_the_intent_it_is_said_that_text_is_hidden(
    discord: FakeDiscord, reopen: OpenCore, cellar: Guild, bot: Bot
) -> None:
    bot.enabled = Intent(0)
    async with connected_bot(discord, reopen, cellar) as shop:
        discord.write(shop.ada, shop.general, "secret")
        discord.write(shop.ada, shop.general, f"open {bot.mention}")
        await shop.heard(shop.general, "open @shop")
        hidden, _ = await shop.messages(shop.general)
        reason = shop.entry.health.reason

    assert "Message Content Intent is off" in reason
    assert "Server Members Intent is off" in reason
    assert hidden.text == "(Discord does not show this bot what the message says)"


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (MessageKind.CHANNEL_PINNED_MESSAGE, "(Ada pinned a message)"),
        (MessageKind.RECIPIENT_ADD, "(Ada added somebody)"),
    ],
)
async def test_what_discord_says_itself_is_in_words(
    shop: Connected, kind: MessageKind, words: str
) -> None:
    shop.discord.write(shop.ada, shop.general, kind=kind)

    message = await shop.heard(shop.general, words)

    assert message.marks == ("service",)
