"""What leaves, as the fake Discord took it and as people see it."""

import base64

import pytest

from messengers.errors import NotFound, PlatformRefused
from messengers.models import MessageRef, Outcome
from messengers.providers.base import HistorySeen, MediaBytes, Part
from messengers.providers.discord.outgoing import gathered
from tests.desk import becomes
from tests.fakes.discord import Kind, Permission
from tests.fakes.discord.messages import Flag
from tests.providers.discord.conftest import Connected
from tests.providers.discord.test_receiving import PNG


def data(content: bytes, mime: str) -> str:
    return f"data:{mime};base64,{base64.b64encode(content).decode()}"


async def ref(shop: Connected, place: object, text: str) -> MessageRef:
    """What names the newest message of a text."""
    message = await shop.heard(place, text)  # pyright: ignore[reportArgumentType] - as it was given
    return MessageRef(native_id=message.native_id, from_me=message.direction == "out", text=text)


@pytest.mark.case("S23")
async def test_a_text_leaves_without_a_preview_of_its_links(shop: Connected) -> None:
    sent = await shop.send(shop.general, "see https://example.org/a_b")

    (message,) = shop.bot.sent()
    assert sent.outcome is Outcome.ACCEPTED
    assert message.content == "see https://example.org/a_b"
    assert Flag.SUPPRESS_EMBEDS in message.flags
    assert (await shop.heard(shop.general, "see https://example.org/a_b")).direction == "out"


@pytest.mark.case("S24")
async def test_nobody_is_notified_by_what_a_text_says(shop: Connected) -> None:
    shop.discord.allow(shop.guild, shop.bot, Permission.MENTION_EVERYONE)
    role = shop.discord.add_role(shop.guild, "all", mentionable=True)

    await shop.send(shop.general, f"@everyone @here {shop.ada.mention} {role.mention}")

    (message,) = shop.bot.sent()
    (asked,) = shop.discord.asked("create_message")
    assert asked["allowed_mentions"] == {"parse": []}
    assert (message.mentions, message.mentioned_roles) == ([], [])
    assert message.mentions_everyone is False


async def test_markup_is_discords_and_marks_in_words_are_words(shop: Connected) -> None:
    await shop.send(shop.general, "# Title\n\n**bold** snake_case_name 2 * 3 * 4\n\n- `a_b*c`")
    await shop.send(shop.general, "**not bold** _plain_", format="plain")

    first, second = shop.bot.sent()
    assert first.content == ("**Title**\n\n**bold** snake\\_case\\_name 2 \\* 3 \\* 4\n\n- `a_b*c`")
    assert second.content == "\\*\\*not bold\\*\\* \\_plain\\_"


async def test_an_answer_quotes_and_a_quotation_that_is_gone_stops_nothing(
    shop: Connected,
) -> None:
    asked = shop.discord.write(shop.ada, shop.general, "when?")
    question = await shop.heard(shop.general, "when?")
    await shop.send(shop.general, "now", reply_to=question.id)
    shop.discord.delete(asked)
    await shop.send(shop.general, "later", reply_to=question.id)

    first, second = shop.bot.sent()
    assert (first.reference, first.mentions) == (asked, [])
    assert second.reference is None


async def test_where_the_past_is_hidden_an_answer_leaves_without_its_quotation(
    shop: Connected,
) -> None:
    shop.discord.write(shop.ada, shop.general, "when?")
    question = await shop.heard(shop.general, "when?")
    shop.discord.forbid(shop.general, shop.bot, Permission.READ_MESSAGE_HISTORY)

    sent = await shop.send(shop.general, "now", reply_to=question.id)

    assert sent.outcome is Outcome.ACCEPTED
    assert any("without its quotation" in note for note in sent.notes)


async def test_a_long_text_leaves_in_parts_that_fit(shop: Connected) -> None:
    await shop.send(shop.general, "many words_here " * 400)

    parts = shop.bot.sent()
    assert len(parts) > 3
    assert all(len(part.content) <= 2000 for part in parts)
    stored = await shop.messages(shop.general)
    assert all("\\" not in each.text for each in stored)


async def test_a_first_message_opens_the_chat_with_its_person(shop: Connected) -> None:
    by_name = await shop.send("@ada", "hi")
    by_number = await shop.send(str(shop.ada.id), "again")
    by_mention = await shop.send(shop.ada.mention, "and again")

    assert [each.content for each in shop.bot.sent()] == ["hi", "again", "and again"]
    assert all(each.channel.is_dm for each in shop.bot.sent())
    assert by_name.chat == by_number.chat == by_mention.chat
    assert len(shop.discord.asked("create_dm")) == 1


async def test_a_file_leaves_with_its_caption(shop: Connected) -> None:
    await shop.send(shop.general, "look", attachments=[data(PNG, "image/png")])

    (message,) = shop.bot.sent()
    assert (message.content, message.attachments[0].data) == ("look", PNG)


async def test_ten_files_are_one_message(shop: Connected) -> None:
    answer = await shop.send(shop.general, "look", attachments=[data(PNG, "image/png")] * 10)

    (message,) = shop.bot.sent()
    assert (message.content, len(message.attachments)) == ("look", 10)
    (stored,) = [each for each in await shop.messages(shop.general) if each.direction == "out"]
    assert (stored.id, len(stored.attachments)) == (answer.message, 10)


@pytest.mark.parametrize(
    ("megabytes", "messages"),
    [([10, 10, 5], [3]), ([10, 10, 6], [2, 1]), ([30, 1], [1, 1]), ([1, 30, 1], [1, 1, 1])],
)
def test_files_of_one_message_fit_into_one_request(
    megabytes: list[int], messages: list[int]
) -> None:
    sizes = [size * 1024 * 1024 for size in megabytes]
    files = [MediaBytes("document", "text/plain", "a", bytes(size)) for size in sizes]

    found = gathered(files)

    assert [len(each) for each in found] == messages
    assert [file for each in found for file in each] == files


async def test_how_large_a_file_may_be_is_its_servers(shop: Connected) -> None:
    boosted = shop.discord.add_guild("Rich", shop.ada, tier=3)
    shop.discord.join(boosted, shop.bot)
    (hall,) = boosted.channels.values()
    await shop.chat(hall)
    able = shop.provider.capabilities

    assert able(str(hall.id)).media["video"].max_bytes == 100 << 20
    assert able(str(shop.general.id)).media["video"].max_bytes == 10 << 20


async def test_a_silent_message_is_silent(shop: Connected) -> None:
    await shop.send(shop.general, "shh", silent=True)

    assert shop.bot.sent()[0].is_silent


async def test_our_messages_are_edited_and_deleted(shop: Connected) -> None:
    await shop.send(shop.general, "teh")
    place, about = str(shop.general.id), await ref(shop, shop.general, "teh")

    await shop.provider.edit(place, about, "the https://example.org")
    (message,) = shop.bot.sent()
    edited = message.content
    await shop.provider.delete(place, about)

    assert edited == "the https://example.org"
    assert Flag.SUPPRESS_EMBEDS in message.flags
    assert message.deleted


async def test_one_reaction_of_ours_takes_the_place_of_the_last_and_is_taken_back(
    shop: Connected,
) -> None:
    sent = shop.discord.write(shop.ada, shop.general, "cake")
    place, about = str(shop.general.id), await ref(shop, shop.general, "cake")
    shop.guild.emojis[123456789012345678] = "party"

    await shop.provider.react(place, about, "👍")
    await shop.provider.react(place, about, "❤️")
    await shop.provider.react(place, about, "❤")
    heart = [*sent.reactions]
    await shop.provider.react(place, about, ":party:")
    given = [*sent.reactions]
    with pytest.raises(PlatformRefused, match="no emoji of that name"):
        await shop.provider.react(place, about, ":absent:")
    await shop.provider.react(place, about, "")

    assert len({each.replace("\ufe0f", "") for each in heart}) == 1
    assert given == ["party:123456789012345678"]
    assert not sent.reactions


async def test_messages_are_pinned_and_typing_is_shown(shop: Connected) -> None:
    shop.discord.allow(shop.guild, shop.bot, Permission.PIN_MESSAGES)
    sent = shop.discord.write(shop.ada, shop.general, "rules")
    place, about = str(shop.general.id), await ref(shop, shop.general, "rules")

    await shop.provider.pin(place, about, pinned=True)
    pinned = bool(sent.pinned_at)
    await shop.provider.pin(place, about, pinned=False)
    await shop.provider.typing(place, active=True)
    await shop.provider.typing(place, active=False)

    assert (pinned, bool(sent.pinned_at)) == (True, False)
    assert len(shop.discord.asked("trigger_typing_indicator")) == 1


async def test_buttons_are_pressed_and_a_press_is_a_message(shop: Connected) -> None:
    buttons = [{"text": "Yes"}, {"text": "Page", "url": "https://example.org"}]
    await shop.send(shop.general, "Well?", buttons=buttons)
    (message,) = shop.bot.sent()

    pressed = shop.discord.press(shop.ada, message, "0:Yes")

    heard = await shop.heard(shop.general, "(pressed: Yes)")
    assert heard.reply_to == (await shop.heard(shop.general, "Well?")).id
    assert heard.sender.display_name == "Ada"
    await becomes(lambda: pressed.answer == 6)


async def test_polls_leave_and_their_votes_come_back(shop: Connected) -> None:
    poll = {"question": "Tea?", "options": ["yes", "no"]}
    await shop.send(shop.general, poll=poll)
    (message,) = shop.bot.sent()
    assert message.poll
    shop.discord.vote(shop.ada, message, 2)

    voted = await shop.message(shop.general, lambda m: m.poll is not None and sum(m.poll.votes))

    assert voted.poll
    assert (message.poll.question, message.poll.answers) == ("Tea?", ["yes", "no"])
    assert voted.poll.votes == (0, 1)


async def test_places_and_contacts_leave_as_text_and_that_is_told(shop: Connected) -> None:
    place = {"latitude_deg": 56.95, "longitude_deg": 24.1, "title": "Riga"}
    where = await shop.send(shop.general, location=place)
    who = await shop.send(shop.general, contact={"name": "Ann", "phone": "+37120000001"})

    first, second = shop.bot.sent()
    assert first.content.startswith("Riga\nhttps://www.openstreetmap.org/?mlat=56.95")
    assert second.content == "Ann: +37120000001"
    assert "link to a map" in where.notes[0]
    assert "no contact cards" in who.notes[0]


async def test_what_is_written_to_a_forum_is_a_new_post(shop: Connected) -> None:
    forum = shop.discord.create_channel(shop.guild, "help", Kind.FORUM)
    await shop.chat(forum)

    sent = await shop.send(forum, "It breaks\nwhen I sit")

    (message,) = shop.bot.sent()
    assert (message.channel.name, message.channel.parent) == ("It breaks", forum)
    assert "a new post" in sent.notes[0]
    assert (await shop.chat(message.channel)).kind == "thread"
    await shop.provider.edit(str(forum.id), MessageRef(native_id=str(message.id)), "It works")
    assert message.content == "It works"


async def test_a_thread_that_sleeps_is_written_to(shop: Connected) -> None:
    thread = shop.discord.start_thread(shop.ada, shop.general, "Plans")
    await shop.chat(thread)
    shop.discord.archive(thread)

    sent = await shop.send(thread, "still here")

    assert sent.outcome is Outcome.ACCEPTED


async def test_a_server_is_no_place_to_write_to(shop: Connected) -> None:
    sent = await shop.send(shop.guild, "hello")

    assert sent.outcome is Outcome.FAILED
    assert shop.bot.sent() == []


@pytest.mark.parametrize(
    ("code", "words"),
    [(50007, "takes no direct messages"), (50013, "Send Messages"), (59999, "error 59999")],
)
async def test_a_refusal_is_told_in_words_and_final(shop: Connected, code: int, words: str) -> None:
    shop.discord.fail_next("create_message", code, message="secret words of a stranger")

    sent = await shop.send(shop.ada, "hi")

    assert sent.outcome is Outcome.FAILED
    assert words in " ".join(sent.notes)
    assert "stranger" not in " ".join(sent.notes)
    assert shop.bot.sent() == []


async def test_history_is_read_back_by_date(shop: Connected) -> None:
    for number in range(110):
        shop.discord.post(shop.general, shop.ada, str(number))  # long ago: nobody is told
    shop.discord.pass_time(1)
    shop.discord.write(shop.ada, shop.general, "110")
    before = (await shop.heard(shop.general, "110")).sent_at
    assert before

    found = await shop.provider.history(str(shop.general.id), before, 105)

    (seen,) = [each for each in found if isinstance(each, HistorySeen)]
    assert seen.chat.native_id == str(shop.general.id)
    assert [each.text for each in seen.messages] == [
        str(number) for number in reversed(range(5, 110))
    ]


async def test_the_same_key_is_the_same_message(shop: Connected) -> None:
    place = str(shop.general.id)

    first = await shop.provider.send(place, Part(text="hi"), "key")
    second = await shop.provider.send(place, Part(text="hi"), "key")

    assert first.native_id == second.native_id
    assert len(shop.bot.sent()) == 1


@pytest.mark.parametrize("target", ["@nobody", "100000000000000009", "guild:100000000000000009"])
async def test_who_is_not_there_is_not_written_to(shop: Connected, target: str) -> None:
    with pytest.raises(NotFound):
        await shop.send(target, "hello?")

    assert shop.bot.sent() == []


async def test_buttons_and_polls_that_do_not_fit_are_refused_before_they_leave(
    shop: Connected,
) -> None:
    poll = {"question": "Tea?", "options": ["y" * 60, "no"]}

    long = await shop.send(shop.general, poll=poll)

    assert long.outcome is Outcome.FAILED
    assert "at most 55 characters" in " ".join(long.notes)
    assert shop.discord.asked("create_message") == []
