"""Everything that is sent, as Telegram shows it to people."""

import base64
import io
import json
import re

import pytest
from PIL import Image

from messengers.core.callers import OWNER
from messengers.errors import (
    Forbidden,
    InvalidInput,
    NotFound,
    PlatformRefused,
    Unsupported,
)
from messengers.models import Button, Card, Lifecycle, Location, Outcome, Poll
from messengers.providers.base import MediaBytes, Part
from messengers.providers.telegram.limits import CAPABILITIES
from tests.fakes.telegram import FakeTelegram
from tests.providers.telegram.conftest import AGENT, Connected, OpenCore, becomes, connected_bot

PDF = b"%PDF-1.4\n%%EOF\n"
OGG = b"OggS\x00\x02" + bytes(64)
MP3 = b"ID3\x04\x00\x00\x00\x00\x00\x00" + bytes(64)
MP4 = b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom" + bytes(64)


def picture(format: str = "PNG", size: tuple[int, int] = (40, 30)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, (200, 30, 30)).save(out, format)
    return out.getvalue()


def uri(mime: str, data: bytes) -> str:
    return f"data:{mime};base64,{base64.b64encode(data).decode()}"


async def change(shop: Connected, message: str, text: str) -> None:
    act = await shop.core.changes.prepare_edit(AGENT, message, text)
    await shop.core.approvals.perform(act, 10)


async def test_a_text_leaves_with_its_marks_and_is_stored_once(shop: Connected) -> None:
    ada = shop.somebody()

    answer = await shop.send(ada, "**hello** _you_, see [this](https://example.org)")

    (sent,) = shop.bot.sent()
    assert sent.text == "hello you, see this"
    assert sent.marks == [("bold", "hello"), ("italic", "you"), ("text_link", "this")]
    assert answer.outcome is Outcome.ACCEPTED
    stored = [each for each in await shop.messages(ada.id) if each.direction == "out"]
    assert [each.id for each in stored] == [answer.message]
    assert stored[0].native_id == str(sent.id)


@pytest.mark.case("S23")
async def test_telegram_is_told_to_fetch_no_page_that_we_name(shop: Connected) -> None:
    ada = shop.somebody()
    answer = await shop.send(ada, "see https://example.org/secret?x=1")

    await change(shop, answer.message, "see https://example.org/other")

    asked = shop.telegram.asked("sendMessage") + shop.telegram.asked("editMessageText")
    assert [each["link_preview_options"] for each in asked] == ['{"is_disabled": true}'] * 2


@pytest.mark.case("S23")
async def test_previews_are_there_when_the_owner_wants_them(
    telegram: FakeTelegram, reopen: OpenCore
) -> None:
    async with connected_bot(telegram, reopen, link_previews="on") as shop:
        await shop.send(shop.somebody(), "see https://example.org")

    (asked,) = telegram.asked("sendMessage")
    assert asked["link_preview_options"] == '{"is_disabled": false}'


@pytest.mark.case("S24")
async def test_a_caller_chooses_no_markup(shop: Connected) -> None:
    ada, eve = shop.somebody("Ada"), shop.somebody("Eve")

    await shop.send(ada, f"[all](tg://user?id={eve.id}) <b>x</b> <a href='tg://user?id=1'>y</a>")

    (sent,) = shop.bot.sent()
    assert "text_mention" not in {kind for kind, _ in sent.marks}
    assert sent.text == f"all (tg://user?id={eve.id}) <b>x</b> <a href='tg://user?id=1'>y</a>"
    assert {asked["parse_mode"] for asked in shop.telegram.asked("sendMessage")} == {"HTML"}


async def test_a_long_text_becomes_parts_in_their_order(shop: Connected) -> None:
    ada = shop.somebody()
    words = [f"word{number}" for number in range(1_200)]

    answer = await shop.send(ada, " ".join(words))

    sent = shop.bot.sent()
    assert len(sent) == 3
    assert " ".join(each.text for each in sent).split() == words
    assert "part 1 of 3" in answer.notes


async def test_the_transcript_has_the_words_of_a_long_text_and_not_its_marks(
    shop: Connected,
) -> None:
    ada = shop.somebody()

    await shop.send(ada, "**loud** & <clear> " + "word " * 1_000)

    first = await shop.message(ada.id, lambda message: message.part == "1/2")
    assert first.text.startswith("loud & <clear> word")
    assert shop.bot.sent()[0].text == first.text


@pytest.mark.parametrize(
    ("mime", "data", "kind"),
    [
        ("image/png", picture(), "photo"),
        ("image/jpeg", picture("JPEG"), "photo"),
        ("image/gif", picture("GIF"), "animation"),
        ("image/png", picture(size=(900, 10)), "document"),
        ("video/mp4", MP4, "video"),
        ("audio/ogg", OGG, "voice"),
        ("audio/mpeg", MP3, "audio"),
        ("application/pdf", PDF, "document"),
        ("text/plain", b"hello", "document"),
    ],
)
async def test_a_file_leaves_as_what_telegram_shows_it_as(
    shop: Connected, mime: str, data: bytes, kind: str
) -> None:
    ada = shop.somebody()

    answer = await shop.send(ada, "*look*", attachments=(uri(mime, data),))

    (sent,) = shop.bot.sent()
    assert kind in sent.content
    assert sent.content["caption"] == "look"
    assert answer.outcome is Outcome.ACCEPTED


async def test_a_long_caption_follows_as_a_text_also_where_emoji_make_it_long(
    shop: Connected,
) -> None:
    ada = shop.somebody()

    await shop.send(ada, "👍" * 600, attachments=(uri("image/png", picture()),))

    photo, text = shop.bot.sent()
    assert "caption" not in photo.content
    assert text.text == "👍" * 600


async def test_a_photo_that_telegram_cannot_read_leaves_as_a_file(shop: Connected) -> None:
    ada = shop.somebody()
    shop.telegram.fail_next("sendPhoto", 400, "Bad Request: IMAGE_PROCESS_FAILED")

    answer = await shop.send(ada, "look", attachments=(uri("image/png", picture()),))

    (sent,) = shop.bot.sent()
    assert "document" in sent.content
    assert any("as a file" in note for note in answer.notes)


async def test_a_voice_note_is_sent_again_as_one(shop: Connected) -> None:
    ada, eve = shop.somebody("Ada"), shop.somebody("Eve")
    shop.telegram.send(ada, shop.bot, "voice")
    heard = await shop.message(ada.id, lambda message: message.attachments)

    to = await shop.core.chats.find(OWNER, str(eve.id), shop.name, write=True)
    await shop.core.chats.decide(OWNER, to, "always")

    await shop.send(eve, attachments=(heard.id,))

    assert ["voice" in each.content for each in shop.bot.sent()] == [True]


async def test_a_picture_becomes_a_sticker(shop: Connected) -> None:
    ada = shop.somebody()

    await shop.send(ada, sticker=uri("image/png", picture(size=(300, 200))))

    (sent,) = shop.bot.sent()
    assert (sent.content["sticker"]["width"], sent.content["sticker"]["height"]) == (512, 512)


async def test_a_place_with_a_name_is_a_venue(shop: Connected) -> None:
    ada = shop.somebody()
    point = Location(latitude_deg=56.95, longitude_deg=24.1)

    for title in ("", "Bakery, Main street 1", "Bakery"):
        await shop.send(ada, location=point.model_copy(update={"title": title}))

    plain, venue, unnamed = (each.content for each in shop.bot.sent())
    assert (plain["location"]["latitude"], "venue" in plain) == (56.95, False)
    assert (venue["venue"]["title"], venue["venue"]["address"]) == ("Bakery", "Main street 1")
    assert unnamed["venue"]["address"] == "56.95000, 24.10000"


async def test_a_contact_and_a_poll_whose_votes_are_told(shop: Connected) -> None:
    ada = shop.somebody()

    await shop.send(ada, contact=Card(name="Eve", phone="+37120000001"))
    asked = await shop.send(ada, poll=Poll(question="Which?", options=("Rye", "Wheat")))

    contact, poll = shop.bot.sent()
    assert contact.content["contact"]["phone_number"] == "+37120000001"
    shop.telegram.vote(ada, poll, 1)
    voted = await shop.message(ada.id, lambda message: message.poll and any(message.poll.votes))
    assert voted.id == asked.message
    assert voted.poll is not None
    assert voted.poll.votes == (0, 1)


async def test_a_button_under_a_message_comes_back_as_what_it_said(shop: Connected) -> None:
    ada = shop.somebody()
    long = "Yes, and a very long explanation of why: ё" + "ё" * 20
    buttons = (Button(text="No"), Button(text=long), Button(text="Menu", url="https://a.example"))

    asked = await shop.send(ada, "*Bread?*", buttons=buttons)

    (sent,) = shop.bot.sent()
    assert [[each["text"] for each in row] for row in sent.buttons] == [["No"], [long], ["Menu"]]
    press = shop.telegram.press(ada, sent, long)
    pressed = await shop.heard(ada.id, f"(pressed: {long})")
    assert pressed.reply_to == asked.message
    await becomes(lambda: press.answer is not None)


async def test_a_pressed_button_is_understood_also_when_its_message_is_gone(
    shop: Connected,
) -> None:
    ada = shop.somebody()
    await shop.send(ada, "Bread?", buttons=(Button(text="No"), Button(text="Yes")))
    (sent,) = shop.bot.sent()
    shop.telegram.delete(sent)

    shop.telegram.press(ada, sent, "Yes")

    await shop.heard(ada.id, "(pressed: Yes)")


async def test_a_keyboard_writes_what_stands_on_it(shop: Connected) -> None:
    ada = shop.somebody()
    buttons = tuple(Button(text=text) for text in ("Rye", "Wheat", "Oats", "None"))

    await shop.send(ada, "Which?", buttons=buttons, keyboard=True)

    (asked,) = shop.telegram.asked("sendMessage")
    markup = json.loads(asked["reply_markup"])
    assert [[each["text"] for each in row] for row in markup["keyboard"]] == [
        ["Rye", "Wheat", "Oats"],
        ["None"],
    ]
    assert markup["one_time_keyboard"]


async def test_of_a_long_text_the_last_part_has_the_buttons(shop: Connected) -> None:
    ada = shop.somebody()

    await shop.send(ada, "word " * 1_000, buttons=(Button(text="Yes"),))

    assert [bool(each.buttons) for each in shop.bot.sent()] == [False, True]


async def test_an_answer_quotes_and_counts_also_when_the_message_is_gone(shop: Connected) -> None:
    ada = shop.somebody()
    question = shop.telegram.write(ada, shop.bot, "when?")
    heard = await shop.heard(ada.id, "when?")

    await shop.send(ada, "at five", reply_to=heard.id)
    shop.telegram.delete(question)
    await shop.send(ada, "at six", reply_to=heard.id)

    first, second = shop.bot.sent()
    assert first.reply_to is question
    assert second.reply_to is None


async def test_a_silent_message_rings_nowhere(shop: Connected) -> None:
    ada = shop.somebody()

    await shop.send(ada, "psst", silent=True)
    await shop.send(ada, "hey")

    assert [each.silent for each in shop.bot.sent()] == [True, False]


async def test_a_message_is_edited_its_caption_too_and_the_same_text_is_no_error(
    shop: Connected,
) -> None:
    ada = shop.somebody()
    text = await shop.send(ada, "one")
    photo = await shop.send(ada, "two", attachments=(uri("image/png", picture()),))

    await change(shop, text.message, "**three**")
    await change(shop, text.message, "**three**")
    await change(shop, photo.message, "four")

    first, second = shop.bot.sent()
    assert (first.text, first.marks) == ("three", [("bold", "three")])
    assert second.content["caption"] == "four"
    with pytest.raises(InvalidInput):
        await change(shop, photo.message, "x" * 1_025)


async def test_a_message_is_deleted_and_after_two_days_no_more(shop: Connected) -> None:
    ada = shop.somebody()
    first, second = await shop.send(ada, "one"), await shop.send(ada, "two")

    act = await shop.core.changes.prepare_delete(AGENT, first.message)
    await shop.core.approvals.perform(act, 10)
    shop.telegram.pass_time(49 * 3600)
    act = await shop.core.changes.prepare_delete(AGENT, second.message)
    with pytest.raises(PlatformRefused, match="48 hours"):
        await shop.core.approvals.perform(act, 10)

    assert [each.text for each in shop.bot.sent()] == ["two"]


async def test_a_reaction_is_given_and_taken_back(shop: Connected) -> None:
    ada = shop.somebody()
    theirs = shop.telegram.write(ada, shop.bot, "bread!")
    heard = await shop.heard(ada.id, "bread!")

    async def react(emoji: str) -> None:
        act = await shop.core.changes.prepare_react(AGENT, heard.id, emoji)
        await shop.core.approvals.perform(act, 10)

    await react("❤️")
    given = theirs.reactions[shop.bot.id]
    await react("")

    assert [each["emoji"] for each in given] == ["❤"]
    assert theirs.reactions[shop.bot.id] == []
    with pytest.raises(Unsupported):
        await react("🥖")


async def test_a_message_is_pinned_and_taken_down(shop: Connected) -> None:
    ada = shop.somebody()
    answer = await shop.send(ada, "Open from six")
    (sent,) = shop.bot.sent()

    async def pin(*, pinned: bool) -> list[object]:
        act = await shop.core.changes.prepare_pin(AGENT, answer.message, pinned=pinned)
        await shop.core.approvals.perform(act, 10)
        return [*shop.telegram.private(shop.bot, ada).pinned]

    assert await pin(pinned=True) == [sent]
    assert await pin(pinned=False) == []


async def test_typing_shows_while_it_lasts(shop: Connected) -> None:
    ada = shop.somebody()

    await shop.provider.typing(str(ada.id), active=True)
    await shop.provider.typing(str(ada.id), active=False)

    assert [each.kind for each in shop.telegram.actions] == ["typing"]


async def test_a_topic_gets_what_is_sent_to_it(shop: Connected) -> None:
    ada = shop.somebody()
    forum = shop.telegram.add_supergroup("Bakers", ada, shop.bot, is_forum=True)
    shop.telegram.write(ada, forum, "first")
    topic = shop.telegram.create_topic(forum, ada, "Ovens")
    shop.telegram.write(ada, forum, "hot?", topic=topic.id)
    await shop.heard(f"{forum.id}:{topic.id}", "hot?")

    await shop.send(f"{forum.id}:{topic.id}", "very")

    (sent,) = shop.bot.sent()
    assert (sent.chat, sent.thread) == (forum, topic.id)


async def test_a_business_account_is_answered_for(shop: Connected) -> None:
    owner, ada = shop.somebody("Owner"), shop.somebody("Ada", started=False)
    connection = shop.telegram.connect_business(owner, shop.bot)
    shop.telegram.write_business(connection, ada, "open?")
    chat = f"business:{connection.id}:{ada.id}"
    await shop.heard(chat, "open?")

    answer = await shop.send(chat, "until six")

    assert answer.outcome is Outcome.ACCEPTED
    (asked,) = shop.telegram.asked("sendMessage")
    assert asked["business_connection_id"] == connection.id


async def test_in_a_channel_voters_stay_unknown_and_it_is_said(shop: Connected) -> None:
    eve = shop.somebody("Eve")
    news = shop.telegram.add_channel("News", eve, shop.bot, username="breadnews")

    answer = await shop.send("@breadnews", poll=Poll(question="Which?", options=("A", "B")))

    (sent,) = shop.bot.sent(news)
    assert sent.content["poll"].is_anonymous
    assert any("Voters stay unknown" in note for note in answer.notes)
    shop.telegram.vote(eve, sent, 1)
    voted = await shop.message(news.id, lambda message: message.poll and any(message.poll.votes))
    assert (voted.id, voted.poll and voted.poll.votes) == (answer.message, (0, 1))


async def test_what_telegram_cannot_format_leaves_as_plain_text(shop: Connected) -> None:
    ada = shop.somebody()
    shop.telegram.fail_next("sendMessage", 400, "Bad Request: can't parse entities: odd tag")

    answer = await shop.send(ada, "**a** < b")

    (sent,) = shop.bot.sent()
    assert (sent.text, sent.marks) == ("a < b", [])
    assert any("without formatting" in note for note in answer.notes)


async def test_whom_the_bot_may_not_write_to_is_said_before_anything_leaves(
    shop: Connected,
) -> None:
    stranger = shop.somebody("Eve", started=False)

    for target, fault in (
        (str(stranger.id), NotFound),
        ("@nobody_there", NotFound),
        ("+37120000001", InvalidInput),
    ):
        with pytest.raises(fault):
            await shop.send(target, "hi")

    assert shop.telegram.asked("sendMessage") == []


@pytest.mark.parametrize(
    ("description", "words"),
    [
        ("Forbidden: bot was blocked by the user", "blocked"),
        ("Forbidden: bot can't initiate conversation with a user", "has not started"),
        ("Forbidden: bot was kicked from the supergroup chat", "removed"),
        ("Forbidden: user is deactivated", "deleted"),
        ("Forbidden: bot is not a member of the channel chat", "not in that chat"),
        ("Forbidden: not enough rights to send text messages to the chat", "no right"),
        ('Forbidden: "secret words" of somebody at https://a.example/x', "refused it: … of"),
    ],
)
async def test_a_refusal_says_why_and_repeats_no_strangers_words(
    shop: Connected, description: str, words: str
) -> None:
    ada = shop.somebody()
    await shop.send(ada, "before")
    shop.telegram.fail_next("sendMessage", 403, description)

    answer = await shop.send(ada, "hi")

    assert answer.outcome is Outcome.FAILED
    assert any(words in note for note in answer.notes)
    assert not re.search(r"secret|a\.example", " ".join(answer.notes))
    assert shop.entry.health.lifecycle is Lifecycle.CONNECTED


async def test_a_person_who_blocked_the_bot_is_not_written_to(shop: Connected) -> None:
    ada = shop.somebody()
    await shop.send(ada, "hi")
    shop.telegram.block(ada, shop.bot)
    await shop.heard(ada.id, "(blocked this bot)")

    answer = await shop.send(ada, "are you there?")

    assert answer.outcome is Outcome.FAILED
    assert "blocked" in " ".join(answer.notes)


async def test_a_group_that_became_a_supergroup_meanwhile_still_gets_it(shop: Connected) -> None:
    ada = shop.somebody()
    group = shop.telegram.add_group("Bakers", ada, shop.bot)
    shop.telegram.write(ada, group, "hello")
    heard = await shop.heard(group.id, "hello")
    moved = shop.telegram.migrate(group)

    part = Part(text="hi", reply_to=None)
    sent = await shop.provider.send(str(group.id), part, "key")
    quoting = await shop.core.history.row(OWNER, heard.id)

    assert [each.text for each in shop.bot.sent(moved)] == ["hi"]
    assert sent.native_id == str(shop.bot.sent(moved)[0].id)
    assert quoting["native_id"].startswith("g")


async def test_how_large_files_may_be_depends_on_whose_server_it_is(shop: Connected) -> None:
    own, cloud = shop.provider.capabilities(), CAPABILITIES

    assert own.media["document"].max_bytes == 2_000 * 1024 * 1024
    assert cloud.media["document"].max_bytes == 50 * 1024 * 1024
    assert own.model_copy(update={"media": {}}) == cloud.model_copy(update={"media": {}})


async def test_an_instance_that_only_reads_sends_nothing(shop: Connected) -> None:
    ada = shop.somebody()
    await shop.heard(ada.id, "/start")
    await shop.core.instances.set_policy(OWNER, shop.name, read_only=True)

    with pytest.raises(Forbidden):
        await shop.send(ada, "hi")


async def test_a_file_name_breaks_no_form(shop: Connected) -> None:
    ada = shop.somebody()
    file = MediaBytes("document", "application/pdf", 'a"b\r\nc;ё.pdf', PDF)

    await shop.provider.send(str(ada.id), Part(media=file), "key")

    (sent,) = shop.bot.sent()
    assert sent.content["document"]["file_name"] == 'a"bc;ё.pdf'
