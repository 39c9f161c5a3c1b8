"""What bots send, edit and delete in the fake Telegram, and what it refuses."""

from collections.abc import Awaitable, Callable

import pytest
from aiogram.enums import ParseMode
from aiogram.exceptions import (
    TelegramBadRequest,
    TelegramEntityTooLarge,
    TelegramForbiddenError,
)
from aiogram.types import (
    BotCommand,
    BufferedInputFile,
    ForceReply,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputMediaDocument,
    InputMediaPhoto,
    InputMediaVideo,
    InputPollOption,
    InputPollOptionUnion,
    LinkPreviewOptions,
    MediaUnion,
    ReactionTypeEmoji,
    ReplyParameters,
)
from aiogram.types import Message as Seen

from tests.fakes.telegram import Bot, FakeTelegram, User
from tests.fakes.telegram.clients import Client, connected, heard
from tests.fakes.telegram.files import MB, PICTURE, picture
from tests.fakes.telegram.media import ANIMATED_STICKER, SAMPLES
from tests.fakes.telegram.specification import needs_specification

Deed = Callable[[Client, int], Awaitable[object]]
HTML = ParseMode.HTML
ANIMATED = BufferedInputFile(ANIMATED_STICKER, "a.tgs")


def keyboard(text: str, data: str | None = None, url: str | None = None) -> InlineKeyboardMarkup:
    button = InlineKeyboardButton(text=text, callback_data=data, url=url)
    return InlineKeyboardMarkup(inline_keyboard=[[button]])


def file(kind: str, name: str = "") -> BufferedInputFile:
    return BufferedInputFile(SAMPLES[kind], name or kind)


@pytest.mark.parametrize(
    ("source", "text", "marks"),
    [
        ("<b>a</b> &lt;b&gt; &amp; &#233;", "a <b> & é", [("bold", "a")]),
        ("<b>a <i>b</i></b>", "a b", [("bold", "a b"), ("italic", "b")]),
        ("🙂 <u>x</u> <s>y</s>", "🙂 x y", [("underline", "x"), ("strikethrough", "y")]),
        ('<a href="http://a.example/?a=1&amp;b=2">x</a>', "x", [("text_link", "x")]),
        ('<a href="http://localhost">x</a>', "x", []),
        ('<pre><code class="language-py">x = 1</code></pre>', "x = 1", [("pre", "x = 1")]),
        ("<code>x &lt; y</code>", "x < y", [("code", "x < y")]),
        ('<span class="tg-spoiler">x</span>', "x", [("spoiler", "x")]),
        ("<blockquote expandable>x</blockquote>", "x", [("expandable_blockquote", "x")]),
        ("  <b>x </b>  \n", "x", [("bold", "x")]),
        ("see a.example or http://a.example/x.", None, [("url", "http://a.example/x")]),
        ("@ada_l #tea /start a@b.example", None, [
            ("mention", "@ada_l"),
            ("hashtag", "#tea"),
            ("bot_command", "/start"),
            ("email", "a@b.example"),
        ]),
        ("<code>@ada_l</code>", "@ada_l", [("code", "@ada_l")]),
    ],
)  # fmt: skip
async def test_html_is_read_as_telegram_does(
    shop: Bot,
    ada: User,
    client: Client,
    source: str,
    text: str | None,
    marks: list[tuple[str, str]],
) -> None:
    await client.send_message(ada.id, source, parse_mode=HTML)

    (message,) = shop.sent()
    assert message.text == (source if text is None else text)
    assert message.marks == marks


async def test_a_mention_without_a_name_is_of_somebody_the_bot_met(
    telegram: FakeTelegram, shop: Bot, ada: User, client: Client
) -> None:
    stranger = telegram.add_user("Stranger")
    source = '<a href="tg://user?id={}">you</a>'

    known = await client.send_message(ada.id, source.format(ada.id), parse_mode=HTML)
    unknown = await client.send_message(ada.id, source.format(stranger.id), parse_mode=HTML)

    assert known.entities
    assert known.entities[0].user
    assert known.entities[0].user.id == ada.id
    assert unknown.entities is None


@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("hi <x>", 'Unsupported start tag "x" at byte offset 3'),
        ("é <b>x", "Can't find end tag corresponding to start tag b"),
        ("é </b>", "Unexpected end tag at byte offset 3"),
        ("<b>x</i>", 'Unmatched end tag at byte offset 4, expected "</b>", found "</i>"'),
        ("<b", "Unclosed start tag at byte offset 0"),
        ("1 < 2", 'Unsupported start tag "" at byte offset 2'),
        ('<span class="x">y</span>', 'Tag "span" must have class "tg-spoiler" at byte offset 0'),
    ],
)
async def test_html_that_cannot_be_read_is_refused(
    ada: User, client: Client, source: str, error: str
) -> None:
    with pytest.raises(TelegramBadRequest) as refused:
        await client.send_message(ada.id, source, parse_mode=HTML)

    assert refused.value.message == f"Bad Request: can't parse entities: {error}"


REFUSED: list[tuple[Deed, str]] = [
    (lambda client, id: client.send_message(id, " \n "), "text must be non-empty"),
    (lambda client, id: client.send_message(id, "🙂" * 2049), "message is too long"),
    (
        lambda client, id: client.send_photo(id, file("photo"), caption="x" * 1025),
        "message caption is too long",
    ),
    (
        lambda client, id: client.send_message(id, "x", parse_mode="BBCode"),
        "unsupported parse_mode",
    ),
    (
        lambda client, id: client.send_message(
            id, "x", reply_parameters=ReplyParameters(message_id=99)
        ),
        "message to be replied not found",
    ),
    (
        lambda client, id: client.send_message(id, "x", reply_markup=keyboard("b", "é" * 33)),
        "BUTTON_DATA_INVALID",
    ),
    (
        lambda client, id: client.send_message(id, "x", reply_markup=keyboard("b")),
        "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard",
    ),
    (lambda client, id: client.send_chat_action(id, "dancing"), "wrong parameter action"),
    (lambda client, id: client.send_message(5, "x"), "chat not found"),
    (lambda client, id: client.send_message("@nobody", "x"), "chat not found"),
    (lambda client, id: client.send_location(id, 91, 0), "wrong latitude or longitude"),
    (lambda client, id: client.send_dice(id, emoji="🐈"), "wrong dice emoji"),
    (lambda client, id: client.send_photo(id, "another"), "wrong file identifier/HTTP URL"),
    (
        lambda client, id: client.send_photo(id, "http://a.example/a.jpg"),
        "failed to get HTTP URL content",
    ),
    (lambda client, id: client.send_photo(id, file("voice")), "IMAGE_PROCESS_FAILED"),
    (
        lambda client, id: client.send_photo(id, BufferedInputFile(picture(2100, 100), "a.jpg")),
        "PHOTO_INVALID_DIMENSIONS",
    ),
    (lambda client, id: client.edit_message_text("x", chat_id=id, message_id=9), "to edit not"),
    (lambda client, id: client.delete_message(id, 9), "message to delete not found"),
    (lambda client, id: client.set_message_reaction(id, 9), "message to react not found"),
    (lambda client, id: client.forward_message(id, id, 9), "message to forward not found"),
    (lambda client, id: client.answer_callback_query("9"), "query is too old"),
    (lambda client, id: client.get_file("9"), "invalid file_id"),
    (lambda client, id: client.get_chat_member(id, 5), "user not found"),
    (lambda client, id: client.get_chat_administrators(id), "no administrators in the private"),
    (
        lambda client, id: client.set_my_commands([BotCommand(command="Öl", description="oil")]),
        "BOT_COMMAND_INVALID",
    ),
]


@pytest.mark.parametrize(("deed", "error"), REFUSED)
async def test_a_bad_request_is_refused_with_the_real_words(
    ada: User, client: Client, deed: Deed, error: str
) -> None:
    with pytest.raises(TelegramBadRequest) as refused:
        await deed(client, ada.id)

    assert refused.value.message.startswith("Bad Request: ")
    assert error in refused.value.message


async def test_a_message_without_text_is_refused_and_a_mistake(
    telegram: FakeTelegram, ada: User, client: Client
) -> None:
    with pytest.raises(TelegramBadRequest, match="Bad Request: message text is empty"):
        await client.send_message(ada.id, "")

    needs_specification()
    assert telegram.mistakes == ["sendMessage: text is missing"]
    telegram.mistakes.clear()


async def test_who_cannot_be_written_to(telegram: FakeTelegram, shop: Bot, client: Client) -> None:
    bob, eve, ghost = (telegram.add_user(name) for name in ("Bob", "Eve", "Ghost"))
    telegram.add_group("Team", eve, shop)
    telegram.start(bob, shop)
    telegram.block(bob, shop)
    telegram.start(ghost, shop)
    ghost.deactivated = True

    async def refusal(user: User) -> str:
        with pytest.raises(TelegramForbiddenError) as refused:
            await client.send_message(user.id, "hi")
        return refused.value.message

    assert await refusal(bob) == "Forbidden: bot was blocked by the user"
    assert await refusal(eve) == "Forbidden: bot can't initiate conversation with a user"
    assert await refusal(ghost) == "Forbidden: user is deactivated"
    telegram.unblock(bob, shop)
    await client.send_message(bob.id, "back again?")


SENDS: list[tuple[str, Deed]] = [
    ("photo", lambda client, id: client.send_photo(id, file("photo"), caption="c")),
    ("video", lambda client, id: client.send_video(id, file("video"), width=10, height=20)),
    ("animation", lambda client, id: client.send_animation(id, file("animation"))),
    ("audio", lambda client, id: client.send_audio(id, file("audio"), performer="P", title="T")),
    ("voice", lambda client, id: client.send_voice(id, file("voice"), duration=4)),
    ("video_note", lambda client, id: client.send_video_note(id, file("video_note"))),
    ("document", lambda client, id: client.send_document(id, file("document", "a.pdf"))),
    ("sticker", lambda client, id: client.send_sticker(id, file("sticker"))),
    ("sticker", lambda client, id: client.send_sticker(id, ANIMATED)),
    ("location", lambda client, id: client.send_location(id, 1.5, 2.5)),
    ("venue", lambda client, id: client.send_venue(id, 1.5, 2.5, "Tower", "Paris")),
    ("contact", lambda client, id: client.send_contact(id, "+100", "Bob")),
    ("dice", lambda client, id: client.send_dice(id)),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "deed"), SENDS)
async def test_every_kind_is_sent(
    shop: Bot, ada: User, client: Client, kind: str, deed: Deed
) -> None:
    answer = await deed(client, ada.id)

    assert isinstance(answer, Seen)
    assert answer.content_type == kind
    assert [message.kind for message in shop.sent()] == [kind]


async def test_a_file_is_sent_again_by_its_id(
    telegram: FakeTelegram, shop: Bot, ada: User, client: Client
) -> None:
    other = telegram.add_bot("other_bot")
    telegram.start(ada, other)
    sent = await client.send_document(ada.id, file("document", "a.pdf"), caption="one")
    assert sent.document

    again = await client.send_document(ada.id, sent.document.file_id, caption="two")
    with pytest.raises(TelegramBadRequest, match="can't use file of type Document as Photo"):
        await client.send_photo(ada.id, sent.document.file_id)
    async with connected(telegram, other) as stranger:
        with pytest.raises(TelegramBadRequest, match="wrong file identifier"):
            await stranger.send_document(ada.id, sent.document.file_id)

    assert again.document
    assert again.document.file_unique_id == sent.document.file_unique_id
    assert [message.text for message in shop.sent()] == ["one", "two"]
    stored = telegram.library.get(shop.sent()[1].file_id)
    assert (stored.data, stored.name) == (SAMPLES["document"], "a.pdf")


async def test_a_file_is_fetched_by_its_url(
    telegram: FakeTelegram, shop: Bot, ada: User, client: Client
) -> None:
    telegram.host("http://a.example/a.jpg", PICTURE)

    await client.send_photo(ada.id, "http://a.example/a.jpg")

    assert telegram.library.get(shop.sent()[0].file_id).data == PICTURE


async def test_uploads_have_limits(telegram: FakeTelegram, ada: User, client: Client) -> None:
    large, huge = bytes(10 * MB + 1), bytes(50 * MB + 1)

    with pytest.raises(TelegramBadRequest, match="is too big for a photo; the maximum size is"):
        await client.send_photo(ada.id, BufferedInputFile(large, "a.jpg"))
    with pytest.raises(TelegramEntityTooLarge, match="Request Entity Too Large"):
        await client.send_document(ada.id, BufferedInputFile(huge, "a.bin"))
    telegram.library.local = True
    await client.send_document(ada.id, BufferedInputFile(huge, "a.bin"))


async def test_an_album_is_one_request(
    telegram: FakeTelegram, shop: Bot, ada: User, client: Client
) -> None:
    sent = await client.send_media_group(
        ada.id,
        [
            InputMediaPhoto(media=file("photo"), caption="<b>both</b>", parse_mode=HTML),
            InputMediaVideo(media=file("video")),
        ],
    )
    mixed: list[MediaUnion] = [
        InputMediaPhoto(media=file("photo")),
        InputMediaDocument(media=file("document")),
    ]
    with pytest.raises(TelegramBadRequest, match="can't use the media of the specified type"):
        await client.send_media_group(ada.id, mixed)
    with pytest.raises(TelegramBadRequest, match="too many messages to send as an album"):
        await client.send_media_group(ada.id, [mixed[0]] * 11)

    assert [each.content_type for each in sent] == ["photo", "video"]
    assert len({each.media_group_id for each in sent}) == 1
    assert shop.sent()[0].marks == [("bold", "both")]
    assert len(telegram.asked("sendMediaGroup")) == 3


async def test_answers_quote_and_reach_across_chats(
    telegram: FakeTelegram, shop: Bot, ada: User, client: Client
) -> None:
    group = telegram.add_group("Team", ada, shop)
    question = telegram.write(ada, group, "Tea or coffee?")

    await client.send_message(
        group.id, "Tea", reply_parameters=ReplyParameters(message_id=question.id, quote="Tea")
    )
    outside = ReplyParameters(message_id=question.id, chat_id=group.id)
    elsewhere = await client.send_message(ada.id, "there", reply_parameters=outside)
    missing = ReplyParameters(message_id=99, allow_sending_without_reply=True)
    alone = await client.send_message(ada.id, "alone", reply_parameters=missing)

    assert shop.sent()[0].reply_to is question
    assert shop.sent()[0].extra["quote"] == {"text": "Tea", "position": 0, "is_manual": True}
    assert elsewhere.external_reply
    assert elsewhere.external_reply.message_id == question.id
    assert alone.reply_to_message is None


async def test_silence_previews_and_typing_are_seen(
    telegram: FakeTelegram, shop: Bot, ada: User, client: Client
) -> None:
    await client.send_chat_action(ada.id, "typing")
    await client.send_message(
        ada.id,
        "http://a.example",
        disable_notification=True,
        link_preview_options=LinkPreviewOptions(is_disabled=True),
    )
    await client.send_message_draft(ada.id, draft_id=1, text="It gr")

    (message,) = shop.sent()
    assert message.silent
    assert message.content["link_preview_options"] == {"is_disabled": True}
    assert [each.kind for each in telegram.actions] == ["typing"]
    assert [each.text for each in telegram.records.drafts] == ["It gr"]


async def test_messages_are_edited(
    telegram: FakeTelegram, shop: Bot, ada: User, client: Client
) -> None:
    text = await client.send_message(ada.id, "teh", reply_markup=keyboard("b", url="a.example"))
    photo = await client.send_photo(ada.id, file("photo"), caption="teh")
    asked = await client.send_message(ada.id, "name?", reply_markup=ForceReply())
    theirs = telegram.write(ada, shop, "mine")

    await client.edit_message_text("<b>the</b>", None, ada.id, text.message_id, parse_mode=HTML)
    await client.edit_message_caption(None, ada.id, photo.message_id, caption="the")
    await client.edit_message_media(
        InputMediaDocument(media=file("document"), caption="paper"), None, ada.id, photo.message_id
    )
    buttons = keyboard("b", "x")
    await client.edit_message_reply_markup(None, ada.id, text.message_id, reply_markup=buttons)

    first, second, _ = shop.sent()
    assert (first.marks, first.buttons) == (
        [("bold", "the")],
        [[{"text": "b", "callback_data": "x"}]],
    )
    assert (second.kind, second.text) == ("document", "paper")
    for message_id, error in [
        (text.message_id, "message is not modified"),
        (photo.message_id, "there is no text in the message to edit"),
        (asked.message_id, "message can't be edited"),
        (theirs.id, "message can't be edited"),
    ]:
        with pytest.raises(TelegramBadRequest, match=error):
            await client.edit_message_text(
                "<b>the</b>",
                chat_id=ada.id,
                message_id=message_id,
                parse_mode=HTML,
                reply_markup=buttons,
            )


async def test_messages_are_deleted_for_two_days(
    telegram: FakeTelegram, shop: Bot, ada: User, client: Client
) -> None:
    group = telegram.add_supergroup("Team", ada, shop)
    theirs, old = telegram.write(ada, group, "theirs"), telegram.write(ada, shop, "old")
    telegram.pass_time(2 * 86400 + 1)
    new = [(await client.send_message(ada.id, text)).message_id for text in "abc"]

    await client.delete_message(ada.id, new[0])
    await client.delete_messages(ada.id, [*new[1:], 99])
    with pytest.raises(TelegramBadRequest, match="message can't be deleted for everyone"):
        await client.delete_message(ada.id, old.id)
    with pytest.raises(TelegramBadRequest, match="message can't be deleted"):
        await client.delete_message(group.id, theirs.id)
    telegram.promote(group, ada, shop)
    await client.delete_message(group.id, theirs.id)

    assert shop.sent() == []
    assert [message.text for message in telegram.private(shop, ada).visible] == ["old"]
    assert group.visible == []


async def test_a_bot_reacts_once(
    telegram: FakeTelegram, shop: Bot, ada: User, client: Client
) -> None:
    message = telegram.write(ada, shop, "hi")
    await client.set_message_reaction(ada.id, message.id, [ReactionTypeEmoji(emoji="👍")])

    assert message.reactions[shop.id] == [{"type": "emoji", "emoji": "👍"}]
    for emoji, error in [(["🐈"], "REACTION_INVALID"), (["👍", "🔥"], "REACTIONS_TOO_MANY")]:
        with pytest.raises(TelegramBadRequest, match=error):
            await client.set_message_reaction(
                ada.id, message.id, [ReactionTypeEmoji(emoji=each) for each in emoji]
            )
    await client.set_message_reaction(ada.id, message.id, [])
    assert message.reactions[shop.id] == []


async def test_a_button_is_pressed_and_answered(
    telegram: FakeTelegram, shop: Bot, ada: User, client: Client
) -> None:
    await client.send_message(ada.id, "Sure?", reply_markup=keyboard("Yes", "sure:yes"))
    press = telegram.press(ada, shop.sent()[0], "Yes")

    (update,) = await heard(client)
    assert update.callback_query
    await client.answer_callback_query(update.callback_query.id, text="Fine", show_alert=True)

    assert update.callback_query.data == "sure:yes"
    assert update.callback_query.message
    assert update.callback_query.message.message_id == shop.sent()[0].id
    assert press.answer == {"text": "Fine", "show_alert": True}
    telegram.pass_time(3601)
    with pytest.raises(TelegramBadRequest, match="query is too old and response timeout expired"):
        await client.answer_callback_query(update.callback_query.id)


async def test_votes_are_counted(
    telegram: FakeTelegram, shop: Bot, ada: User, client: Client
) -> None:
    options: list[InputPollOptionUnion] = [
        InputPollOption(text="Tea"),
        InputPollOption(text="Coffee"),
    ]
    sent = await client.send_poll(ada.id, "What?", options, is_anonymous=False)
    await client.send_poll(ada.id, "Secretly?", options)
    openly, secretly = shop.sent()
    telegram.vote(ada, openly, 1)
    telegram.vote(ada, openly)
    telegram.vote(ada, secretly, 0)

    answered, taken_back, counted = await heard(client)
    stopped = await client.stop_poll(ada.id, sent.message_id)

    assert answered.poll_answer
    assert (answered.poll_answer.option_ids, answered.poll_answer.poll_id) == (
        [1],
        sent.poll and sent.poll.id,
    )
    assert taken_back.poll_answer
    assert taken_back.poll_answer.option_ids == []
    assert counted.poll
    assert [each.voter_count for each in counted.poll.options] == [1, 0]
    assert stopped.is_closed
    with pytest.raises(TelegramBadRequest, match="poll has already been closed"):
        await client.stop_poll(ada.id, sent.message_id)


async def test_messages_are_passed_on(
    telegram: FakeTelegram, shop: Bot, ada: User, client: Client
) -> None:
    group = telegram.add_group("Team", ada, shop)
    photo = telegram.send(ada, group, "photo", caption="tower")
    text = telegram.write(ada, group, "look")

    forwarded = await client.forward_message(ada.id, group.id, photo.id)
    copied = await client.copy_message(ada.id, group.id, photo.id, caption="my tower")
    both = await client.copy_messages(ada.id, group.id, [photo.id, text.id, 99])

    assert forwarded.forward_origin
    assert forwarded.forward_origin.type == "user"
    assert [message.text for message in shop.sent()] == ["tower", "my tower", "tower", "look"]
    assert [shop.sent()[1].id, *(each.id for each in shop.sent()[2:])] == [
        copied.message_id,
        *(each.message_id for each in both),
    ]


async def test_a_bot_tells_of_itself(
    telegram: FakeTelegram, shop: Bot, ada: User, client: Client
) -> None:
    await client.set_my_commands([BotCommand(command="start", description="Begin")])
    await client.set_my_name("The shop")
    await client.set_my_description("We sell tea")

    me = await client.get_me()

    assert (me.first_name, me.username, me.can_read_all_group_messages) == (
        "The shop",
        "shop_bot",
        True,
    )
    (command,) = await client.get_my_commands()
    assert (command.command, command.description) == ("start", "Begin")
    assert (await client.get_my_name()).name == "The shop"
    assert (await client.get_my_description()).description == "We sell tea"
    assert (await client.get_chat(ada.id)).first_name == "Ada"
    assert (await client.get_user_profile_photos(ada.id)).total_count == 0
    await client.delete_my_commands()
    assert await client.get_my_commands() == []
