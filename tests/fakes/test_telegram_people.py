"""What people do in the fake Telegram, as aiogram's types and the specification see it."""

from collections.abc import Callable

import pytest
from aiogram.types import Message as Seen

from tests.fakes.telegram import Bot, Chat, FakeTelegram, Message, User
from tests.fakes.telegram.clients import Client, heard
from tests.fakes.telegram.files import MB
from tests.fakes.telegram.media import ANIMATED_STICKER, VIDEO_STICKER

Deed = Callable[[FakeTelegram, User, Bot], object]


async def one(client: Client) -> Seen:
    """The message of the only update."""
    (update,) = await heard(client)
    assert isinstance(update.event, Seen)
    return update.event


KINDS: list[tuple[str, Deed]] = [
    ("photo", lambda telegram, user, to: telegram.send(user, to, "photo", caption="<b>x</b>")),
    ("document", lambda telegram, user, to: telegram.send(user, to, "document", name="a.pdf")),
    ("audio", lambda telegram, user, to: telegram.send(user, to, "audio", name="a.mp3")),
    ("voice", lambda telegram, user, to: telegram.send(user, to, "voice", about={"duration": 9})),
    ("video", lambda telegram, user, to: telegram.send(user, to, "video")),
    ("animation", lambda telegram, user, to: telegram.send(user, to, "animation")),
    ("video_note", lambda telegram, user, to: telegram.send(user, to, "video_note")),
    ("sticker", lambda telegram, user, to: telegram.send(user, to, "sticker")),
    ("sticker", lambda telegram, user, to: telegram.send(user, to, "sticker", ANIMATED_STICKER)),
    ("sticker", lambda telegram, user, to: telegram.send(user, to, "sticker", VIDEO_STICKER)),
    ("location", lambda telegram, user, to: telegram.send_location(user, to, live_period=60)),
    ("venue", lambda telegram, user, to: telegram.send_venue(user, to, "Tower", "Paris")),
    ("contact", lambda telegram, user, to: telegram.send_contact(user, to, "+100", "Bob")),
    ("poll", lambda telegram, user, to: telegram.send_poll(user, to, "Tea?", ["yes", "no"])),
    ("dice", lambda telegram, user, to: telegram.send_dice(user, to)),
    ("game", lambda telegram, user, to: telegram.send_game(user, to)),
    ("invoice", lambda telegram, user, to: telegram.send_invoice(user, to)),
    ("successful_payment", lambda telegram, user, to: telegram.pay(user, to)),
    (
        "story",
        lambda telegram, user, to: telegram.send_story(user, to, telegram.add_channel("N", user)),
    ),
]


@pytest.mark.parametrize(("kind", "deed"), KINDS)
async def test_every_kind_of_message_is_one_that_aiogram_knows(
    telegram: FakeTelegram, shop: Bot, ada: User, client: Client, kind: str, deed: Deed
) -> None:
    deed(telegram, ada, shop)

    message = await one(client)

    assert message.content_type == kind
    assert (message.from_user and message.from_user.id, message.chat.id) == (ada.id, ada.id)


async def test_stickers_say_whether_they_move(
    telegram: FakeTelegram, shop: Bot, ada: User, client: Client
) -> None:
    for data in (None, ANIMATED_STICKER, VIDEO_STICKER):
        telegram.send(ada, shop, "sticker", data)

    stickers = [each.message and each.message.sticker for each in await heard(client)]

    moves = [(each.is_animated, each.is_video) for each in stickers if each]
    assert moves == [(False, False), (True, False), (False, True)]


async def test_files_are_downloaded_as_they_were_sent(
    telegram: FakeTelegram, shop: Bot, ada: User, client: Client
) -> None:
    telegram.send(ada, shop, "document", b"%PDF-1.4 hello", name="hello.pdf")
    message = await one(client)
    assert message.document

    downloaded = await client.download(message.document)

    assert downloaded
    assert downloaded.read() == b"%PDF-1.4 hello"
    assert (message.document.file_name, message.document.mime_type) == (
        "hello.pdf",
        "application/pdf",
    )


async def test_a_file_can_be_too_big_to_download(
    telegram: FakeTelegram, shop: Bot, ada: User, client: Client
) -> None:
    telegram.send(ada, shop, "video", size=30 * MB)
    message = await one(client)
    assert message.video

    with pytest.raises(Exception, match="Bad Request: file is too big"):
        await client.get_file(message.video.file_id)
    telegram.library.local = True
    file = await client.get_file(message.video.file_id)

    assert file.file_size == 30 * MB


async def test_an_album_is_held_together_by_its_group(
    telegram: FakeTelegram, shop: Bot, ada: User, client: Client
) -> None:
    telegram.send_album(ada, shop, ["photo", "video", "photo"], "Holidays")

    messages = [each.message for each in await heard(client) if each.message]

    assert len({each.media_group_id for each in messages}) == 1
    assert [(each.content_type, each.caption) for each in messages] == [
        ("photo", "Holidays"),
        ("video", None),
        ("photo", None),
    ]


async def test_an_answer_quotes_what_it_answers(
    telegram: FakeTelegram, shop: Bot, ada: User, client: Client
) -> None:
    await client.send_message(ada.id, "Tea or coffee?")
    (question,) = shop.sent()

    telegram.write(ada, shop, "the second", reply_to=question, quote="coffee")
    message = await one(client)

    assert message.reply_to_message
    assert message.reply_to_message.text == "Tea or coffee?"
    assert message.quote
    assert (message.quote.text, message.quote.position) == ("coffee", 7)


async def test_edits_come_and_deletions_do_not(
    telegram: FakeTelegram, shop: Bot, ada: User, client: Client
) -> None:
    written = telegram.send(ada, shop, "photo", caption="teh tower")
    telegram.edit(written, "the <i>tower</i>", html=True)
    telegram.delete(written)

    _, edited = await heard(client)

    assert edited.edited_message
    assert edited.edited_message.caption == "the tower"
    assert edited.edited_message.edit_date
    assert [each.type for each in edited.edited_message.caption_entities or []] == ["italic"]


async def test_a_live_location_moves(
    telegram: FakeTelegram, shop: Bot, ada: User, client: Client
) -> None:
    sent = telegram.send_location(ada, shop, 1, 2, live_period=900)
    telegram.move(sent, 3, 4)

    _, moved = await heard(client)

    assert moved.edited_message
    assert moved.edited_message.location
    assert moved.edited_message.location.latitude == 3


async def test_forwards_say_where_they_come_from(
    telegram: FakeTelegram, shop: Bot, ada: User, client: Client
) -> None:
    news = telegram.add_channel("News", ada)
    telegram.forward(ada, telegram.write(ada, news, "extra"), shop)
    telegram.forward_from_nobody(ada, "Somebody", shop, "psst")

    origins = [each.message and each.message.forward_origin for each in await heard(client)]

    assert [each and each.type for each in origins] == ["channel", "hidden_user"]


async def test_reactions_come_in_private_chats_and_to_administrators(
    telegram: FakeTelegram, shop: Bot, ada: User, client: Client
) -> None:
    group = telegram.add_supergroup("Team", ada, shop)
    message = telegram.write(ada, group, "look")
    telegram.react(ada, message, "👍")
    telegram.promote(group, ada, shop)
    telegram.react(ada, message, "🔥", "5368324170671202286", "paid")
    telegram.react(ada, message, as_chat=group)
    telegram.react(ada, telegram.write(ada, shop, "hi"), "👀")
    telegram.count_reactions(message)

    updates = [each for each in await heard(client) if "reaction" in each.event_type]
    changes = [each.message_reaction for each in updates if each.message_reaction]
    (count,) = [each.message_reaction_count for each in updates if each.message_reaction_count]

    assert [(len(each.old_reaction), len(each.new_reaction)) for each in changes] == [
        (1, 3),
        (0, 0),
        (0, 1),
    ]
    assert [each.user and each.user.id for each in changes] == [ada.id, None, ada.id]
    assert [each.total_count for each in count.reactions] == [1, 1, 1]


async def test_posts_of_a_channel_come_without_a_person_and_into_its_discussion(
    telegram: FakeTelegram, shop: Bot, ada: User, client: Client
) -> None:
    group = telegram.add_supergroup("Talk", ada, shop)
    news = telegram.add_channel("News", ada, shop, username="news", discussion=group)
    post = telegram.write(ada, news, "extra")
    telegram.edit(post, "extra!")
    telegram.react(ada, post, "👍")

    posted, discussed, edited, counted = await heard(client)

    assert posted.channel_post
    assert posted.channel_post.from_user is None
    assert posted.channel_post.sender_chat
    assert posted.channel_post.sender_chat.id == news.id
    assert discussed.message
    assert discussed.message.is_automatic_forward
    assert edited.edited_channel_post
    assert edited.edited_channel_post.text == "extra!"
    assert counted.message_reaction_count


async def test_who_writes_as_a_chat_stays_hidden(
    telegram: FakeTelegram, shop: Bot, ada: User, client: Client
) -> None:
    group, own = telegram.add_supergroup("Team", ada, shop), telegram.add_channel("Own", ada)
    telegram.write(ada, group, "as an administrator", as_chat=group)
    telegram.write(ada, group, "as a channel", as_chat=own)

    messages = [each.message for each in await heard(client) if each.message]

    assert [each.from_user and each.from_user.username for each in messages] == [
        "GroupAnonymousBot",
        "Channel_Bot",
    ]
    assert [each.sender_chat and each.sender_chat.id for each in messages] == [group.id, own.id]


async def test_business_accounts_are_read_and_answered(
    telegram: FakeTelegram, shop: Bot, ada: User, client: Client
) -> None:
    bob = telegram.add_user("Bob")
    connection = telegram.connect_business(ada, shop, can_reply=True, can_read_messages=True)
    asked = telegram.write_business(connection, bob, "Open today?")
    telegram.edit_business(connection, asked, "Are you open today?")

    answer = await client.send_message(bob.id, "Yes", business_connection_id=connection.id)
    await client.read_business_message(connection.id, bob.id, asked.id)
    telegram.delete_business(connection, asked)
    telegram.disconnect_business(connection)
    updates = await heard(client)

    assert [each.event_type for each in updates] == [
        "business_connection",
        "business_message",
        "edited_business_message",
        "deleted_business_messages",
        "business_connection",
    ]
    assert answer.from_user
    assert answer.sender_business_bot
    assert (answer.from_user.id, answer.sender_business_bot.id) == (ada.id, shop.id)
    assert connection.read == [asked]
    assert [message.text for message in connection.chats[bob.id].visible] == ["Yes"]


async def test_a_business_account_must_let_the_bot_answer(
    telegram: FakeTelegram, shop: Bot, ada: User, client: Client
) -> None:
    bob = telegram.add_user("Bob")
    connection = telegram.connect_business(ada, shop, can_read_messages=True)
    telegram.write_business(connection, bob, "hi")

    with pytest.raises(Exception, match="BUSINESS_PEER_INVALID"):
        await client.send_message(bob.id, "hi", business_connection_id=connection.id)
    with pytest.raises(Exception, match="business connection not found"):
        await client.get_business_connection("another")


def said(chat: Chat) -> list[str]:
    return [message.text for message in chat.visible]


async def test_privacy_mode_hides_what_is_not_for_the_bot(
    telegram: FakeTelegram, ada: User
) -> None:
    shy = telegram.add_bot("shy_bot")
    other = telegram.add_bot("other_bot")
    group = telegram.add_group("Team", ada, shy, other)
    own = telegram.post(group, {"text": "I am shy"}, shy)

    for text in ("hello", "/help", "/help@shy_bot", "/help@other_bot", "hey @shy_bot"):
        telegram.write(ada, group, text)
    telegram.write(ada, group, "to you", reply_to=own)
    telegram.rename(group, ada, "The team")

    heard = [each["message"] for each in shy.queue.updates]
    assert [each.get("text", each.get("new_chat_title")) for each in heard] == [
        "/help",
        "/help@shy_bot",
        "hey @shy_bot",
        "to you",
        "The team",
    ]


async def test_bots_do_not_see_bots(telegram: FakeTelegram, shop: Bot, ada: User) -> None:
    other = telegram.add_bot("other_bot", can_read_all_group_messages=True)
    group = telegram.add_group("Team", ada, shop, other)

    written: Message = telegram.write(other, group, "beep")

    assert said(group) == ["beep"]
    assert written.sender is other
    assert shop.queue.updates == []
