"""What Telegram tells beside messages: members, payments, settings, in words."""

import json
from pathlib import Path

import pytest

from messengers.providers.base import ChatSeen, MessageSeen
from messengers.providers.telegram.incoming import UPDATES
from tests.programs import ROOT
from tests.providers.telegram.updates import (
    ADA,
    BOB,
    BOT,
    CHANNEL,
    DM,
    GROUP,
    NOON,
    SUPERGROUP,
    Json,
    file,
    message,
    only,
    read,
    seen,
)

SPECIFICATION = ROOT.parent / "shared" / "specs" / "telegram_api.json"
PHOTO = [file(width=90, height=60)]
GIFT: Json = {
    "id": "g",
    "sticker": file(type="regular", width=1, height=1, is_animated=False, is_video=False),
    "star_count": 15,
}
EMPTY: Json = {}


def types_of(place: Path) -> Json:
    if not place.is_file():
        pytest.skip("the platform's specification is not beside the repository")
    types: Json = json.loads(place.read_text("utf-8"))["types"]
    return types


def member(user: Json, status: str, **more: object) -> Json:
    return {"user": user, "status": status, **more}


def changed(before: Json, after: Json, by: Json = ADA, chat: Json = SUPERGROUP) -> MessageSeen:
    """What is told of a change of a member."""
    kind = "my_chat_member" if after["user"] is BOT else "chat_member"
    change = {"chat": chat, "from": by, "date": NOON}
    return only(
        read(kind, {**change, "old_chat_member": before, "new_chat_member": after}), MessageSeen
    )


ADMIN: Json = dict.fromkeys(
    (
        *("can_be_edited", "is_anonymous", "can_manage_chat", "can_delete_messages"),
        *("can_manage_video_chats", "can_restrict_members", "can_promote_members"),
        *("can_change_info", "can_invite_users", "can_post_stories", "can_edit_stories"),
        *("can_delete_stories", "can_send_welcome_messages"),
    ),
    True,
)
LIMITS: Json = dict.fromkeys(
    (
        *("can_send_messages", "can_send_audios", "can_send_documents", "can_send_photos"),
        *("can_send_videos", "can_send_video_notes", "can_send_voice_notes", "can_send_polls"),
        *("can_send_other_messages", "can_add_web_page_previews", "can_change_info"),
        *("can_invite_users", "can_pin_messages", "can_manage_topics", "can_react_to_messages"),
        *("can_edit_tag",),
    ),
    False,
)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ({"new_chat_title": "Bakers"}, "(the chat is called Bakers now)"),
        ({"new_chat_photo": PHOTO}, "(the chat has a new picture)"),
        ({"delete_chat_photo": True}, "(the chat has no picture any more)"),
        ({"group_chat_created": True}, "(the group Bakers was made)"),
        ({"supergroup_chat_created": True}, "(the group Bakers was made)"),
        ({"channel_chat_created": True}, "(the channel Bakers was made)"),
        (
            {"message_auto_delete_timer_changed": {"message_auto_delete_time": 172_800}},
            "(messages disappear after 2 days)",
        ),
        (
            {"message_auto_delete_timer_changed": {"message_auto_delete_time": 0}},
            "(messages stay now)",
        ),
        (
            {"pinned_message": message(message_id=3, chat=GROUP, text="Open at 6")},
            "(pinned: Open at 6)",
        ),
        ({"pinned_message": message(message_id=3, chat=GROUP, photo=PHOTO)}, "(pinned a message)"),
        ({"chat_owner_left": {"new_owner": BOB}}, "(the owner left; Bob owns the group)"),
        ({"chat_owner_left": {}}, "(the owner left; the group has no owner)"),
        ({"chat_owner_changed": {"new_owner": BOB}}, "(Bob owns the group)"),
        ({"connected_website": "bread.example"}, "(logged in at bread.example)"),
        ({"write_access_allowed": {}}, "(allowed this bot to write)"),
        (
            {"proximity_alert_triggered": {"traveler": ADA, "watcher": BOB, "distance": 50}},
            "(Ada Lovelace is 50 m from Bob)",
        ),
        ({"boost_added": {"boost_count": 2}}, "(boosted the chat 2 times)"),
        (
            {
                "checklist_tasks_done": {
                    "checklist_message": message(
                        checklist={"title": "Day", "tasks": [{"id": 1, "text": "knead"}]}
                    ),
                    "marked_as_done_task_ids": [1],
                    "marked_as_not_done_task_ids": [2],
                }
            },
            "(done: knead; not done any more: 2)",
        ),
        ({"checklist_tasks_done": {}}, "(the checklist was changed)"),
        (
            {"checklist_tasks_added": {"tasks": [{"id": 3, "text": "clean"}]}},
            "(new tasks: clean)",
        ),
        (
            {"direct_message_price_changed": {"are_direct_messages_enabled": False}},
            "(the channel takes no direct messages any more)",
        ),
        (
            {
                "direct_message_price_changed": {
                    "are_direct_messages_enabled": True,
                    "direct_message_star_count": 5,
                }
            },
            "(a direct message to the channel costs 5 Telegram Stars now)",
        ),
        (
            {"paid_message_price_changed": {"paid_message_star_count": 3}},
            "(a message costs 3 Telegram Stars now)",
        ),
        (
            {"forum_topic_created": {"name": "Ovens", "icon_color": 1}},
            "(the topic Ovens was made)",
        ),
        ({"forum_topic_edited": {"name": "Stoves"}}, "(the topic is called Stoves now)"),
        ({"forum_topic_edited": {}}, "(the topic has another icon)"),
        ({"forum_topic_closed": EMPTY}, "(the topic was closed)"),
        ({"forum_topic_reopened": EMPTY}, "(the topic is open again)"),
        ({"general_forum_topic_hidden": EMPTY}, "(the topic General is hidden)"),
        ({"general_forum_topic_unhidden": EMPTY}, "(the topic General is shown again)"),
        ({"giveaway_created": EMPTY}, "(a giveaway was announced)"),
        (
            {
                "giveaway_winners": {
                    "chat": CHANNEL,
                    "giveaway_message_id": 3,
                    "winners_selection_date": NOON,
                    "winner_count": 2,
                    "winners": [ADA, BOB],
                }
            },
            "(the giveaway has 2 winners: Ada Lovelace, Bob)",
        ),
        ({"giveaway_completed": {"winner_count": 2}}, "(the giveaway ended with 2 winners)"),
        (
            {"managed_bot_created": {"bot": BOT}},
            "(made the bot Shop, which this bot manages)",
        ),
        (
            {"poll_option_added": {"option_persistent_id": "x", "option_text": "Oats"}},
            "(new option: Oats)",
        ),
        (
            {"poll_option_deleted": {"option_persistent_id": "x", "option_text": "Oats"}},
            "(option removed: Oats)",
        ),
        ({"suggested_post_declined": EMPTY}, "(the suggested post was declined)"),
        (
            {"video_chat_scheduled": {"start_date": NOON}},
            "(a video chat starts 2026-05-28 20:26 UTC)",
        ),
        ({"video_chat_started": EMPTY}, "(a video chat started)"),
        ({"video_chat_ended": {"duration": 90}}, "(the video chat ended after 90 s)"),
        (
            {"video_chat_participants_invited": {"users": [BOB]}},
            "(Bob asked into the video chat)",
        ),
    ],
)
def test_what_the_app_shows_between_messages_is_a_line_that_waits_for_no_answer(
    content: Json, text: str
) -> None:
    found = seen(chat=GROUP, **content)

    assert found.text == text
    assert found.marks == ("service",)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (
            {
                "successful_payment": {
                    "currency": "EUR",
                    "total_amount": 250,
                    "invoice_payload": "loaf",
                    "telegram_payment_charge_id": "t",
                    "provider_payment_charge_id": "p",
                }
            },
            "(paid 250 EUR in its smallest unit for loaf)",
        ),
        (
            {
                "refunded_payment": {
                    "currency": "XTR",
                    "total_amount": 5,
                    "invoice_payload": "loaf",
                    "telegram_payment_charge_id": "t",
                }
            },
            "(refunded 5 Telegram Stars)",
        ),
        (
            {"users_shared": {"request_id": 1, "users": [{"user_id": 5, "first_name": "Eve"}]}},
            "(shared: Eve (5))",
        ),
        (
            {"chat_shared": {"request_id": 1, "chat_id": -100, "title": "Bakers"}},
            "(shared the chat Bakers (-100))",
        ),
        ({"web_app_data": {"data": "42", "button_text": "Order"}}, "(Order: 42)"),
        ({"gift": {"gift": GIFT, "text": "thanks"}}, "(gift worth 15 Telegram Stars: thanks)"),
        (
            {
                "giveaway": {
                    "chats": [CHANNEL],
                    "winners_selection_date": NOON,
                    "winner_count": 2,
                }
            },
            "(giveaway for 2 winners, drawn 2026-05-28 20:26 UTC)",
        ),
    ],
)
def test_what_somebody_does_towards_the_bot_waits_for_an_answer(content: Json, text: str) -> None:
    found = seen(**content)

    assert found.text == text
    assert found.marks == ()


def test_a_unique_gift_is_named() -> None:
    piece = {"name": "x", "sticker": GIFT["sticker"], "rarity_per_mille": 1}
    colors = dict.fromkeys(("center_color", "edge_color", "symbol_color", "text_color"), 1)
    backdrop = {"name": "x", "colors": colors, "rarity_per_mille": 1}
    gift = {
        "gift_id": "g",
        "base_name": "Loaf",
        "name": "Loaf-7",
        "number": 7,
        "model": piece,
        "symbol": piece,
        "backdrop": backdrop,
    }

    assert seen(unique_gift={"gift": gift, "origin": "transfer"}).text == "(gift Loaf #7)"


def test_a_kind_of_message_that_does_not_exist_yet_is_named() -> None:
    assert seen(hologram={"size": 3}).text == "(hologram: shown in Telegram only)"


def test_every_field_of_the_specification_has_words() -> None:
    fields = {field["name"] for field in types_of(SPECIFICATION)["Message"]["fields"]}
    source = "".join(
        (ROOT / "src/messengers/providers/telegram" / f"{name}.py").read_text("utf-8")
        for name in ("incoming", "people", "reading", "announcements")
    )
    told_elsewhere = {
        *("sender_business_bot", "guest_query_id", "guest_bot_caller_user"),
        *("guest_bot_caller_chat", "has_protected_content", "is_from_offline", "is_paid_post"),
        *("paid_star_count", "link_preview_options", "suggested_post_info"),
        *("show_caption_above_media", "has_media_spoiler", "reply_to_checklist_task_id"),
        "reply_to_poll_option_id",
    }

    assert {field for field in fields if f'"{field}"' not in source} == told_elsewhere


def test_every_kind_of_update_of_the_specification_is_asked_for() -> None:
    fields = {field["name"] for field in types_of(SPECIFICATION)["Update"]["fields"]}

    assert set(UPDATES) == fields - {"update_id"}


@pytest.mark.parametrize(
    ("content", "by", "text"),
    [
        ({"new_chat_members": [BOB]}, BOB, "(Bob joined)"),
        ({"new_chat_members": [BOB]}, ADA, "(Ada Lovelace added Bob)"),
        ({"new_chat_members": [BOT]}, ADA, "(Ada Lovelace added this bot)"),
        ({"left_chat_member": BOB}, BOB, "(Bob left)"),
        ({"left_chat_member": BOB}, ADA, "(Ada Lovelace removed Bob)"),
    ],
)
def test_who_joins_and_leaves_is_told(content: Json, by: Json, text: str) -> None:
    found = seen(by, chat=GROUP, **content)

    assert found.text == text
    assert found.marks == ("service",)


def test_several_who_join_are_a_line_each() -> None:
    found = read("message", message(chat=GROUP, new_chat_members=[BOB, BOT]))

    assert [each.text for each in found if isinstance(each, MessageSeen)] == [
        "(Ada Lovelace added Bob)",
        "(Ada Lovelace added this bot)",
    ]


@pytest.mark.parametrize(
    ("before", "after", "by", "text"),
    [
        (member(BOB, "left"), member(BOB, "member"), BOB, "(Bob joined)"),
        (member(BOB, "left"), member(BOB, "member"), ADA, "(Ada Lovelace added Bob)"),
        (
            member(BOB, "member"),
            member(BOB, "kicked", until_date=0),
            ADA,
            "(Ada Lovelace banned Bob)",
        ),
        (member(BOB, "member"), member(BOB, "left"), ADA, "(Ada Lovelace removed Bob)"),
        (member(BOB, "member"), member(BOB, "left"), BOB, "(Bob left)"),
        (
            member(BOB, "member"),
            member(BOB, "administrator", **ADMIN),
            ADA,
            "(Bob is now an admin, by Ada Lovelace)",
        ),
        (
            member(BOB, "administrator", **ADMIN),
            member(BOB, "member"),
            ADA,
            "(Bob is now an ordinary member, by Ada Lovelace)",
        ),
        (
            member(BOB, "member"),
            member(BOB, "restricted", is_member=True, until_date=0, **LIMITS),
            ADA,
            "(Bob is now restricted, by Ada Lovelace)",
        ),
        (
            member(BOT, "left"),
            member(BOT, "administrator", **ADMIN),
            ADA,
            "(Ada Lovelace added this bot)",
        ),
        (
            member(BOT, "member"),
            member(BOT, "kicked", until_date=0),
            ADA,
            "(Ada Lovelace banned this bot)",
        ),
    ],
)
def test_what_becomes_of_a_member_is_told(before: Json, after: Json, by: Json, text: str) -> None:
    found = changed(before, after, by)

    assert found.text == text
    assert found.marks == ("service",)
    assert found.chat.native_id == str(SUPERGROUP["id"])


def test_the_two_ways_in_which_telegram_tells_of_one_arrival_are_one_line() -> None:
    line = seen(BOB, chat=SUPERGROUP, new_chat_members=[BOB])

    assert line.native_id == changed(member(BOB, "left"), member(BOB, "member"), BOB).native_id


@pytest.mark.parametrize(
    ("before", "after", "text"),
    [("member", "kicked", "(blocked this bot)"), ("kicked", "member", "(unblocked this bot)")],
)
def test_a_person_who_blocks_the_bot_is_told(before: str, after: str, text: str) -> None:
    until: Json = {"until_date": 0}
    found = changed(
        member(BOT, before, **(until if before == "kicked" else {})),
        member(BOT, after, **(until if after == "kicked" else {})),
        chat=DM,
    )

    assert found.text == text
    assert found.chat.kind == "dm"


def test_a_change_of_rights_alone_is_no_line_and_still_shows_the_chat() -> None:
    change = {
        "chat": SUPERGROUP,
        "from": ADA,
        "date": NOON,
        "old_chat_member": member(BOB, "administrator", **ADMIN),
        "new_chat_member": member(BOB, "administrator", **{**ADMIN, "can_pin_messages": True}),
    }

    (found,) = read("chat_member", change)

    assert isinstance(found, ChatSeen)


@pytest.mark.parametrize(
    ("kind", "body", "text"),
    [
        (
            "chat_join_request",
            {"chat": SUPERGROUP, "from": BOB, "user_chat_id": 5, "date": NOON, "bio": "I bake"},
            "(Bob asks to join: I bake)",
        ),
        (
            "chat_boost",
            {
                "chat": CHANNEL,
                "boost": {
                    "boost_id": "b",
                    "add_date": NOON,
                    "expiration_date": NOON + 9,
                    "source": {"source": "premium", "user": BOB},
                },
            },
            "(Bob boosted the chat)",
        ),
        (
            "removed_chat_boost",
            {
                "chat": CHANNEL,
                "boost_id": "b",
                "remove_date": NOON,
                "source": {"source": "giveaway", "giveaway_message_id": 3},
            },
            "(somebody boosts the chat no more)",
        ),
        (
            "business_connection",
            {
                "id": "c",
                "user": BOB,
                "user_chat_id": BOB["id"],
                "date": NOON,
                "is_enabled": True,
            },
            "(Bob lets this bot answer for a business account)",
        ),
        (
            "purchased_paid_media",
            {"from": BOB, "paid_media_payload": "film"},
            "(bought film)",
        ),
        (
            "pre_checkout_query",
            {
                "id": "q",
                "from": BOB,
                "currency": "XTR",
                "total_amount": 5,
                "invoice_payload": "loaf",
            },
            "(wants to pay 5 Telegram Stars for loaf)",
        ),
        (
            "shipping_query",
            {
                "id": "q",
                "from": BOB,
                "invoice_payload": "loaf",
                "shipping_address": {
                    "country_code": "LV",
                    "state": "",
                    "city": "Riga",
                    "street_line1": "Main 1",
                    "street_line2": "",
                    "post_code": "1010",
                },
            },
            "(asks what it costs to send loaf to LV, Riga, Main 1, 1010)",
        ),
        (
            "managed_bot",
            {"user": BOB, "bot": BOT},
            "(lets this bot manage Shop)",
        ),
    ],
)
def test_other_updates_are_told_in_words(kind: str, body: Json, text: str) -> None:
    assert only(read(kind, body), MessageSeen).text == text


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("inline_query", {"id": "q", "from": BOB, "query": "bread", "offset": ""}),
        ("chosen_inline_result", {"result_id": "r", "from": BOB, "query": "bread"}),
    ],
)
def test_what_no_chat_shows_is_understood_and_nothing(kind: str, body: Json) -> None:
    assert read(kind, body) == []
