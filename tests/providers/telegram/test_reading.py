"""What messages of every kind say."""

from datetime import UTC, datetime

import pytest

from messengers.models import Attachment, Card, Location, Poll, Sender
from messengers.providers.base import (
    ChatSeen,
    MessageSeen,
)
from tests.providers.telegram.updates import (
    ADA,
    BOB,
    CHANNEL,
    NOON,
    SUPERGROUP,
    Json,
    file,
    message,
    seen,
)

PHOTO = [
    file(file_id="small", width=90, height=60, file_size=1_000),
    file(file_id="large", width=900, height=600, file_size=90_000),
]


def test_a_text_in_a_private_chat() -> None:
    assert seen(text="hello") == MessageSeen(
        chat=ChatSeen(str(ADA["id"]), "dm", "Ada Lovelace", "stranger", username="ada"),
        native_id="11",
        sender=Sender(native_id=str(ADA["id"]), display_name="Ada Lovelace", username="ada"),
        sent_at=datetime.fromtimestamp(NOON, UTC),
        direction="in",
        text="hello",
    )


def test_start_with_a_payload_is_said_as_it_came() -> None:
    command = [{"type": "bot_command", "offset": 0, "length": 6}]

    assert seen(text="/start from_the_poster", entities=command).text == "/start from_the_poster"


def test_the_address_behind_words_is_told_at_its_place_also_after_emoji() -> None:
    links = [
        {"type": "text_link", "offset": 3, "length": 4, "url": "https://a.example/1"},
        {"type": "bold", "offset": 3, "length": 4},
        {"type": "text_link", "offset": 8, "length": 5, "url": "https://b.example/2"},
    ]

    found = seen(text="👍 this there", entities=links)

    assert found.text == "👍 this (https://a.example/1) there (https://b.example/2)"


def test_a_photo_is_its_largest_size_with_its_caption() -> None:
    found = seen(photo=PHOTO, caption="bread", media_group_id="album-7")

    assert found.text == "bread"
    assert found.album == "album-7"
    assert found.attachments == (
        Attachment(
            kind="image",
            native_ref="large",
            mime="image/jpeg",
            size_bytes=90_000,
            width=900,
            height=600,
        ),
    )


@pytest.mark.parametrize(
    ("field", "content", "kind", "mime", "name"),
    [
        ("voice", file(duration=3, mime_type="audio/ogg"), "voice", "audio/ogg", ""),
        (
            "audio",
            file(duration=3, mime_type="audio/mpeg", title="Song", performer="Duo"),
            "audio",
            "audio/mpeg",
            "Song",
        ),
        ("video_note", file(duration=3, length=240), "video", "video/mp4", ""),
        ("video", file(duration=3, width=10, height=20), "video", "video/mp4", ""),
        (
            "document",
            file(file_name="a.pdf", mime_type="application/pdf"),
            "document",
            "application/pdf",
            "a.pdf",
        ),
    ],
)
def test_a_file_of_each_kind(field: str, content: Json, kind: str, mime: str, name: str) -> None:
    (found,) = seen(**{field: content}).attachments

    assert (found.kind, found.mime, found.name) == (kind, mime, name)
    assert found.native_ref == "file-1"


def test_an_animation_is_one_file_although_telegram_tells_it_twice() -> None:
    moving = file(duration=2, width=10, height=10, mime_type="video/mp4")

    found = seen(animation=moving, document=file(mime_type="video/mp4"))

    assert [each.kind for each in found.attachments] == ["gif"]


def test_of_a_file_that_bots_cannot_fetch_the_thumbnail_comes_along() -> None:
    picture = file(file_id="thumb", width=320, height=180, file_size=9_000)
    large = file(duration=900, width=1920, height=1080, file_size=90_000_000, thumbnail=picture)

    video, thumbnail = seen(video=large).attachments

    assert (video.kind, video.size_bytes) == ("video", 90_000_000)
    assert (thumbnail.kind, thumbnail.native_ref, thumbnail.name) == (
        *("image", "thumb"),
        "thumbnail.jpg",
    )


def test_a_live_photo_is_its_picture_and_its_video() -> None:
    live = file(file_id="moving", width=9, height=9, duration=2)

    found = seen(photo=PHOTO, live_photo=live)

    assert [(each.kind, each.native_ref) for each in found.attachments] == [
        ("image", "large"),
        ("video", "moving"),
    ]


@pytest.mark.parametrize(
    ("flags", "mime"),
    [
        ({"is_animated": False, "is_video": False}, "image/webp"),
        ({"is_animated": True, "is_video": False}, "application/gzip"),
        ({"is_animated": False, "is_video": True}, "video/webm"),
    ],
)
def test_a_sticker_says_its_emoji(flags: dict[str, bool], mime: str) -> None:
    found = seen(sticker=file(type="regular", width=512, height=512, emoji="🥐", **flags))

    assert found.text == "🥐"
    assert [(each.kind, each.mime) for each in found.attachments] == [("sticker", mime)]


def test_a_place_a_venue_and_a_live_place() -> None:
    point = {"latitude": 56.95, "longitude": 24.1}
    venue = {"location": point, "title": "Bakery", "address": "Main street 1"}

    place, shop, live = (
        seen(location=point),
        seen(location=point, venue=venue),
        seen(location={**point, "live_period": 900}),
    )

    assert place.text == "Location: 56.950000, 24.100000"
    assert shop.location == Location(
        latitude_deg=56.95, longitude_deg=24.1, title="Bakery, Main street 1"
    )
    assert shop.text == "Location: Bakery, Main street 1 (56.950000, 24.100000)"
    assert live.text == "Live location: 56.950000, 24.100000"


def test_a_contact_has_a_number_that_can_be_called() -> None:
    found = seen(contact={"phone_number": "37120000001", "first_name": "Eve", "last_name": "B"})

    assert found.contact == Card(name="Eve B", phone="+37120000001")
    assert found.text == "Contact: Eve B, +37120000001"


def test_a_poll_and_a_quiz() -> None:
    options = [
        {"persistent_id": "a", "text": "Rye", "voter_count": 2},
        {"persistent_id": "b", "text": "Wheat", "voter_count": 0},
    ]
    poll = {
        "id": "poll-1",
        "question": "Which?",
        "options": options,
        "total_voter_count": 2,
        "is_closed": False,
        "is_anonymous": True,
        "type": "regular",
        "allows_multiple_answers": True,
        "allows_revoting": True,
        "members_only": False,
    }

    found, quiz = seen(poll=poll), seen(poll={**poll, "type": "quiz", "description": "About bread"})

    assert found.poll == Poll(
        question="Which?", options=("Rye", "Wheat"), votes=(2, 0), multiple=True
    )
    assert found.text == "Poll: Which?\n- Rye\n- Wheat"
    assert quiz.text == "Quiz: Which?\nAbout bread\n- Rye\n- Wheat"


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ({"dice": {"emoji": "🎲", "value": 4}}, "🎲 (shows 4)"),
        (
            {"game": {"title": "Chess", "description": "Play", "photo": PHOTO}},
            "Game: Chess\nPlay",
        ),
        (
            {
                "invoice": {
                    "title": "Bread",
                    "description": "A loaf",
                    "start_parameter": "x",
                    "currency": "XTR",
                    "total_amount": 5,
                }
            },
            "Invoice: Bread, 5 Telegram Stars\nA loaf",
        ),
        ({"story": {"chat": CHANNEL, "id": 3}}, "(a story of Bread news)"),
        (
            {
                "checklist": {
                    "title": "Day",
                    "tasks": [
                        {"id": 1, "text": "knead", "completion_date": NOON},
                        {"id": 2, "text": "bake"},
                    ],
                }
            },
            "Checklist: Day\n- [x] knead\n- [ ] bake",
        ),
    ],
)
def test_what_else_a_message_can_be_is_said_in_words(content: Json, text: str) -> None:
    found = seen(**content)

    assert found.text == text
    assert found.marks == ()


def test_paid_media_show_what_is_there_to_be_seen() -> None:
    items = [
        {"type": "photo", "photo": PHOTO},
        {"type": "preview", "width": 10, "height": 10},
    ]

    found = seen(paid_media={"star_count": 50, "paid_media": items}, caption="look")

    assert found.text == "(paid media for 50 Telegram Stars)\nlook"
    assert [each.native_ref for each in found.attachments] == ["large"]


def test_a_rich_message_is_read_block_by_block() -> None:
    bold = {"type": "bold", "text": "good"}
    link = {"type": "url", "text": "here", "url": "https://a.example"}
    cell = {"align": "left", "valign": "top"}
    blocks = [
        {"type": "heading", "text": "Bread", "size": 1},
        {"type": "paragraph", "text": ["It is ", bold, ", see ", link]},
        {
            "type": "list",
            "items": [
                {"label": "1.", "blocks": [{"type": "paragraph", "text": "Rye"}]},
                {
                    "label": "•",
                    "blocks": [{"type": "paragraph", "text": "Wheat"}],
                    "has_checkbox": True,
                    "is_checked": True,
                },
            ],
        },
        {"type": "table", "cells": [[{"text": "a", **cell}, {"text": "b", **cell}]]},
        {"type": "photo", "photo": PHOTO, "caption": {"text": "a loaf"}},
        {"type": "divider"},
        {"type": "mathematical_expression", "expression": "x^2"},
        {
            "type": "details",
            "summary": "More",
            "blocks": [{"type": "paragraph", "text": "inside"}],
        },
        {"type": "pullquote", "text": "Said", "credit": "Eve"},
        {
            "type": "map",
            "location": {"latitude": 1.0, "longitude": 2.0},
            "zoom": 13,
            "width": 10,
            "height": 10,
        },
    ]

    found = seen(rich_message={"blocks": blocks})

    assert found.text.split("\n") == [
        *("Bread", "It is good, see here (https://a.example)", "1. Rye", "• [x] Wheat", "a | b"),
        *("a loaf", "———", "x^2", "More", "inside", "Said", "— Eve"),
        "Location: 1.000000, 2.000000",
    ]
    assert [each.native_ref for each in found.attachments] == ["large"]


@pytest.mark.parametrize(
    ("origin", "name"),
    [
        ({"type": "user", "date": NOON, "sender_user": BOB}, "Bob"),
        ({"type": "hidden_user", "date": NOON, "sender_user_name": "Eve"}, "Eve"),
        ({"type": "chat", "date": NOON, "sender_chat": SUPERGROUP}, "Big bakers"),
        ({"type": "channel", "date": NOON, "chat": CHANNEL, "message_id": 3}, "Bread news"),
    ],
)
def test_forwarded_words_are_not_the_senders_own(origin: Json, name: str) -> None:
    found = seen(text="free bread", forward_origin=origin)

    assert found.text == f"(forwarded from {name})\nfree bread"
    assert found.marks == ("forwarded",)


def test_a_quoted_part_is_told_and_the_answered_message_named() -> None:
    answered = message(message_id=7, text="one two three")
    quote = {"text": "two", "position": 4, "is_manual": True}

    found = seen(text="yes", reply_to_message=answered, quote=quote)

    assert (found.text, found.reply_to_native_id) == ("> two\nyes", "7")


def test_an_answer_to_a_message_elsewhere_tells_what_it_was() -> None:
    elsewhere = {
        "origin": {"type": "channel", "date": NOON, "chat": CHANNEL, "message_id": 3},
        "chat": CHANNEL,
        "message_id": 3,
    }
    quote = {"text": "news\nof bread", "position": 0}

    found = seen(text="nice", external_reply=elsewhere, quote=quote)

    assert (found.text, found.reply_to_native_id) == ("> news\n> of bread\nnice", "")


def test_buttons_under_a_message_are_told() -> None:
    rows = [[{"text": "Yes", "callback_data": "1"}], [{"text": "Site", "url": "https://a.example"}]]

    assert seen(text="?", reply_markup={"inline_keyboard": rows}).buttons == ("Yes", "Site")
