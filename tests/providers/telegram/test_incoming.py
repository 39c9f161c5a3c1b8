"""Where messages stand, who wrote them, and what becomes of them."""

from datetime import UTC, datetime

import orjson
import pytest

from messengers.errors import InvalidInput
from messengers.models import Reaction
from messengers.providers.base import (
    ChatSeen,
    MessageDeleted,
    MessageEdited,
    MessageSeen,
    PollCounted,
    PollVoted,
    ReactionChanged,
    ReactionSeen,
)
from messengers.providers.telegram.incoming import translate
from tests.providers.telegram.updates import (
    ADA,
    BOB,
    BOT,
    CHANNEL,
    DM,
    FORUM,
    GROUP,
    ME,
    NOON,
    SUPERGROUP,
    Json,
    file,
    message,
    only,
    read,
    seen,
)

PHOTO = [
    file(file_id="small", width=90, height=60, file_size=1_000),
    file(file_id="large", width=900, height=600, file_size=90_000),
]


def test_a_topic_of_a_forum_is_a_chat_of_its_own_under_the_group() -> None:
    created = message(
        chat=FORUM,
        message_id=5,
        message_thread_id=5,
        is_topic_message=True,
        forum_topic_created={"name": "Ovens", "icon_color": 7_322_096},
    )
    in_topic: Json = {"chat": FORUM, "message_thread_id": 5, "is_topic_message": True}

    group, found = read("message", message(text="hot", reply_to_message=created, **in_topic))

    assert isinstance(found, MessageSeen)
    assert group == ChatSeen(str(FORUM["id"]), "group", "Big bakers", "platform")
    assert found.chat == ChatSeen(
        f"{FORUM['id']}:5",
        "thread",
        "Big bakers · Ovens",
        "platform",
        parent_native_id=str(FORUM["id"]),
    )
    assert found.reply_to_native_id == ""
    renamed = seen(forum_topic_edited={"name": "Stoves"}, **in_topic)
    assert renamed.chat.name == "Big bakers · Stoves"


@pytest.mark.parametrize(
    "where",
    [
        {"chat": FORUM, "message_thread_id": 1, "is_topic_message": True},
        {"chat": SUPERGROUP, "message_thread_id": 40},
    ],
)
def test_the_general_topic_and_threads_of_answers_are_the_group_itself(where: Json) -> None:
    assert seen(text="hi", **where).chat.native_id == str(SUPERGROUP["id"])


def test_a_channels_direct_messages_are_one_chat_a_person() -> None:
    chat = {**SUPERGROUP, "is_direct_messages": True}
    topic = {"topic_id": 77, "user": BOB}

    found = seen(BOB, text="hi", chat=chat, direct_messages_topic=topic)

    assert (found.chat.native_id, found.chat.kind) == (f"{SUPERGROUP['id']}:d77", "dm")
    assert found.chat.name == "Big bakers · Bob"


def test_a_group_that_becomes_a_supergroup_stays_the_same_chat() -> None:
    new = SUPERGROUP["id"]
    leaving = only(read("message", message(chat=GROUP, migrate_to_chat_id=new)), MessageSeen)
    arriving = only(
        read("message", message(chat=SUPERGROUP, migrate_from_chat_id=GROUP["id"])), MessageSeen
    )

    assert (leaving.chat.native_id, leaving.chat.alt_ids) == (str(new), (str(GROUP["id"]),))
    assert (arriving.chat.native_id, arriving.chat.alt_ids) == (str(new), (str(GROUP["id"]),))
    assert (leaving.native_id, arriving.native_id) == ("g11", "11")
    assert leaving.marks == ("service",)


def test_a_post_in_a_channel_is_the_channels_own() -> None:
    post = {"message_id": 4, "date": NOON, "chat": CHANNEL, "sender_chat": CHANNEL}

    found = only(
        read("channel_post", {**post, "text": "News", "author_signature": "Eve"}), MessageSeen
    )

    assert found.chat == ChatSeen(
        str(CHANNEL["id"]), "channel", "Bread news", "platform", username="breadnews"
    )
    assert found.sender.display_name == "Bread news (Eve)"
    assert found.sender.native_id == str(CHANNEL["id"])


def test_an_admin_who_hides_behind_the_group_speaks_as_the_group() -> None:
    anonymous = {"id": 1_087_968_824, "is_bot": True, "first_name": "Group"}

    found = seen(anonymous, text="rules", chat=SUPERGROUP, sender_chat=SUPERGROUP)

    assert found.sender.native_id == str(SUPERGROUP["id"])
    assert found.sender.display_name == "Big bakers"


def test_of_a_business_account_the_person_writes_in_and_the_account_out() -> None:
    business: Json = {"business_connection_id": "Conn-1"}

    theirs = only(read("business_message", message(text="hi", **business)), MessageSeen)
    ours = only(read("business_message", message(BOB, text="yes?", **business)), MessageSeen)

    assert theirs.chat.native_id == ours.chat.native_id == f"business:Conn-1:{ADA['id']}"
    assert (theirs.direction, ours.direction) == ("in", "out")
    assert ours.sender.display_name == "Bob"


def test_what_a_business_account_deletes_is_deleted() -> None:
    change = {"business_connection_id": "Conn-1", "chat": DM, "message_ids": [4, 5]}

    found = [
        (each.chat_native_id, each.native_id)
        for each in read("deleted_business_messages", change)
        if isinstance(each, MessageDeleted)
    ]

    chat = f"business:Conn-1:{ADA['id']}"
    assert found == [(chat, "4"), (chat, "5")]


@pytest.mark.parametrize(
    ("content", "mentioned"),
    [
        ({"text": "@shop_bot hi", "entities": [{"type": "mention", "offset": 0, "length": 9}]}, 1),
        ({"text": "@other hi", "entities": [{"type": "mention", "offset": 0, "length": 6}]}, 0),
        ({"text": "/help", "entities": [{"type": "bot_command", "offset": 0, "length": 5}]}, 1),
        (
            {
                "text": "/help@other_bot",
                "entities": [{"type": "bot_command", "offset": 0, "length": 15}],
            },
            0,
        ),
        (
            {
                "text": "you!",
                "entities": [{"type": "text_mention", "offset": 0, "length": 3, "user": BOT}],
            },
            1,
        ),
        (
            {
                "photo": PHOTO,
                "caption": "for @Shop_bot",
                "caption_entities": [{"type": "mention", "offset": 4, "length": 9}],
            },
            1,
        ),
        ({"text": "hi"}, 0),
    ],
)
def test_in_a_group_it_is_told_what_is_meant_for_the_bot(content: Json, mentioned: int) -> None:
    assert seen(chat=GROUP, **content).mentions_me is bool(mentioned)


def test_an_answer_to_the_bot_is_meant_for_it() -> None:
    ours = message(BOT, message_id=3, chat=GROUP, text="so?")

    found = seen(chat=GROUP, text="yes", reply_to_message=ours)

    assert found.mentions_me
    assert found.reply_to_native_id == "g3"


def test_what_the_bot_itself_wrote_is_our_own() -> None:
    found = seen(BOT, chat=CHANNEL, text="mine")

    assert found.sender.is_me
    assert found.direction == "out"


@pytest.mark.parametrize(
    "kind", ["edited_message", "edited_channel_post", "edited_business_message"]
)
def test_an_edit_has_the_new_text_and_its_time(kind: str) -> None:
    found = only(read(kind, message(text="better", edit_date=NOON + 60)), MessageEdited)

    assert found == MessageEdited(
        str(ADA["id"]), "11", "better", datetime.fromtimestamp(NOON + 60, UTC)
    )


def test_a_reaction_is_all_that_its_sender_gives() -> None:
    change = {
        "chat": SUPERGROUP,
        "message_id": 9,
        "user": ADA,
        "date": NOON,
        "old_reaction": [],
        "new_reaction": [
            {"type": "emoji", "emoji": "👍"},
            {"type": "custom_emoji", "custom_emoji_id": "5"},
            {"type": "paid"},
        ],
    }

    found = only(read("message_reaction", change), ReactionChanged)

    assert found.emojis == ("👍", "custom emoji", "⭐")
    assert (found.native_id, found.sender_native_id, found.is_me) == ("9", str(ADA["id"]), False)
    by_chat = {**change, "actor_chat": CHANNEL}
    del by_chat["user"]
    assert only(read("message_reaction", by_chat), ReactionChanged).sender_native_id == str(
        CHANNEL["id"]
    )


def test_counted_reactions_are_all_there_are() -> None:
    counts = [{"type": {"type": "emoji", "emoji": "🔥"}, "total_count": 12}]
    change = {"chat": CHANNEL, "message_id": 4, "date": NOON, "reactions": counts}

    found = only(read("message_reaction_count", change), ReactionSeen)

    assert found.reactions == (Reaction(emoji="🔥", count=12),)


def test_a_pressed_button_is_what_stood_on_it_in_answer_to_its_message() -> None:
    rows = [[{"text": "No", "callback_data": "0"}, {"text": "Yes, please", "callback_data": "1"}]]
    ours = message(BOT, message_id=8, text="Bread?", reply_markup={"inline_keyboard": rows})
    query = {"id": "q1", "from": ADA, "message": ours, "chat_instance": "c", "data": "1"}

    found = only(read("callback_query", query), MessageSeen)

    assert found.text == "(pressed: Yes, please)"
    assert (found.native_id, found.reply_to_native_id) == ("pressed:q1", "8")
    assert found.sent_at == datetime.fromtimestamp(NOON + 5, UTC)
    assert found.sender.native_id == str(ADA["id"])


@pytest.mark.parametrize(
    ("place", "chat", "answered"),
    [
        ({"message": {"chat": GROUP, "message_id": 8, "date": 0}}, str(GROUP["id"]), "g8"),
        ({"inline_message_id": "far"}, str(ADA["id"]), ""),
    ],
)
def test_a_button_whose_message_is_gone_says_what_it_stands_for(
    place: Json, chat: str, answered: str
) -> None:
    query = {"id": "q1", "from": ADA, "chat_instance": "c", "data": "Yes", **place}

    found = only(read("callback_query", query), MessageSeen)

    assert found.text == "(pressed: Yes)"
    assert (found.chat.native_id, found.reply_to_native_id) == (chat, answered)


def test_a_vote_goes_to_the_message_of_its_poll() -> None:
    answer = {
        "poll_id": "p1",
        "user": ADA,
        "option_ids": [1],
        "option_persistent_ids": ["b"],
    }
    poll = {"chat": str(GROUP["id"]), "message": "g4", "options": ["Rye", "Wheat"]}

    found = only(read("poll_answer", answer, poll=poll), PollVoted)

    assert found == PollVoted(
        *(str(GROUP["id"]), "g4", str(ADA["id"]), ("Wheat",)),
        datetime.fromtimestamp(NOON + 5, UTC),
    )
    assert read("poll_answer", answer) == []


def test_of_a_poll_in_a_channel_the_votes_are_counted() -> None:
    options = [
        {"persistent_id": "a", "text": "Rye", "voter_count": 2},
        {"persistent_id": "b", "text": "Wheat", "voter_count": 0},
    ]
    poll = {
        "id": "p1",
        "question": "Which?",
        "options": options,
        "total_voter_count": 2,
        "is_closed": False,
        "is_anonymous": True,
        "type": "regular",
        "allows_multiple_answers": False,
        "allows_revoting": True,
        "members_only": False,
    }
    place = {"chat": str(CHANNEL["id"]), "message": "4", "options": ["Rye", "Wheat"]}

    found = only(read("poll", poll, poll=place), PollCounted)

    assert (found.chat_native_id, found.native_id, found.votes) == (str(CHANNEL["id"]), "4", (2, 0))
    assert read("poll", poll) == []


@pytest.mark.parametrize(
    ("kind", "payload"),
    [
        ("unknown", b'{"unknown": 1}'),
        ("message", b"{}"),
        ("message", b"[]"),
        ("message", b"\xff"),
        ("message", orjson.dumps({"update_id": 1, "message": {"message_id": 1}})),
    ],
)
def test_what_cannot_be_understood_is_kept_for_a_later_version(kind: str, payload: bytes) -> None:
    with pytest.raises(InvalidInput):
        translate(kind, payload)


@pytest.mark.parametrize("broken", [{"text": 5}, {"chat": {"id": "x", "type": "private"}}])
def test_a_message_of_another_shape_is_no_message(broken: Json) -> None:
    whole = {**message(text="hi"), **broken}
    beside = {"at": NOON, "me": ME, "name": "shop_bot"}

    with pytest.raises(InvalidInput):
        translate("message", orjson.dumps({"update_id": 1, "message": whole, "messengers": beside}))
