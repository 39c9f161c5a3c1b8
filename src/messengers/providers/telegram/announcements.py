"""What Telegram shows between messages, in words: who joined, what was paid, what was changed.

The fields are those of https://core.telegram.org/bots/api#message. One that this version does not
know is named, so that nothing is silently missing.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime

from messengers.providers.telegram.people import Json, name_of, title_of

__all__ = ["amount", "change_words", "is_service", "service_words"]

_STARS = "XTR"
_PLAIN = frozenset(
    {
        *("message_id", "message_thread_id", "from", "date", "chat", "sender_chat", "via_bot"),
        *("is_topic_message", "reply_to_message", "reply_markup", "author_signature"),
        *("business_connection_id", "sender_tag", "effect_id", "sender_boost_count"),
    }
)
"""Fields that say nothing of their own."""
_INSIDE = frozenset({"creator", "administrator", "member"})


_SAID = frozenset(
    {
        *("successful_payment", "refunded_payment", "users_shared", "chat_shared"),
        *("web_app_data", "gift", "unique_gift", "giveaway", "passport_data"),
    }
)
"""What somebody does towards the account or the others."""


def service_words(message: Json) -> str:
    """One clause, without its brackets."""
    for name, said in _WORDS.items():
        if name in message:
            return said(message)
    unknown = next((name for name in message if name not in _PLAIN), "message")
    return f"{unknown.replace('_', ' ')}: shown in Telegram only"


def is_service(message: Json) -> bool:
    """Whether nobody needs to answer: nobody said it to anybody."""
    return any(name in _WORDS and name not in _SAID for name in message)


def amount(total: int, currency: str) -> str:
    """A price. Telegram counts in the smallest units of a currency and does not say how many."""
    if currency == _STARS:
        return f"{total} Telegram Stars"
    return f"{total} {currency} in its smallest unit"


def change_words(actor: Json, before: Json, after: Json, me: int) -> tuple[str, str]:
    """What happened to a member: the word of it for its id, and a clause; '' for what is no news.

    `before` and `after` are ChatMembers of one person.
    """
    user = after["user"]
    who = "this bot" if user["id"] == me else name_of(user)
    by = "" if actor["id"] == user["id"] else name_of(actor)
    was, is_ = before["status"], after["status"]
    if _inside(before) != _inside(after):
        if _inside(after):
            return "joined", f"{by} added {who}" if by else f"{who} joined"
        if is_ == "kicked":
            return "left", f"{by} banned {who}" if by else f"{who} left"
        return "left", f"{by} removed {who}" if by else f"{who} left"
    if was == is_:
        return "", ""
    return is_, f"{who} is now {_STATUS.get(is_, is_)}" + (f", by {by}" if by else "")


_STATUS = {
    "creator": "the owner",
    "administrator": "an admin",
    "member": "an ordinary member",
    "restricted": "restricted",
    "left": "gone",
    "kicked": "banned",
}


def _inside(member: Json) -> bool:
    return member["status"] in _INSIDE or bool(member.get("is_member"))


def _names(users: Iterable[Json]) -> str:
    return ", ".join(map(name_of, users))


def _minute(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _joined(message: Json) -> str:
    new, actor = message["new_chat_members"], message.get("from", {})
    if [user["id"] for user in new] == [actor.get("id")]:
        return f"{_names(new)} joined"
    return f"{name_of(actor)} added {_names(new)}"


def _left(message: Json) -> str:
    gone, actor = message["left_chat_member"], message.get("from", {})
    if gone["id"] == actor.get("id", gone["id"]):
        return f"{name_of(gone)} left"
    return f"{name_of(actor)} removed {name_of(gone)}"


def _pinned(message: Json) -> str:
    text = message["pinned_message"].get("text", "")
    return f"pinned: {text[:100]}" if text else "pinned a message"


def _timer(message: Json) -> str:
    days = message["message_auto_delete_timer_changed"]["message_auto_delete_time"] / 86_400
    return f"messages disappear after {days:g} days" if days else "messages stay now"


def _shared(message: Json) -> str:
    users = message["users_shared"]["users"]
    return "shared: " + ", ".join(f"{name_of(user)} ({user['user_id']})" for user in users)


def _chat_shared(message: Json) -> str:
    chat = message["chat_shared"]
    return f"shared the chat {chat.get('title', '')} ({chat['chat_id']})"


def _gift(message: Json) -> str:
    gift = message.get("gift") or message["gift_upgrade_sent"]
    said = f"gift worth {amount(gift['gift']['star_count'], _STARS)}"
    return f"{said}: {gift['text']}" if gift.get("text") else said


def _unique_gift(message: Json) -> str:
    gift = message["unique_gift"]["gift"]
    return f"gift {gift['base_name']} #{gift['number']}"


def _tasks_done(message: Json) -> str:
    change = message["checklist_tasks_done"]
    texts = {task["id"]: task["text"] for task in _tasks(change.get("checklist_message", {}))}

    def listed(name: str) -> str:
        return ", ".join(str(texts.get(each, each)) for each in change.get(name, ()))

    done, open_ = listed("marked_as_done_task_ids"), listed("marked_as_not_done_task_ids")
    parts = (f"done: {done}" if done else "", f"not done any more: {open_}" if open_ else "")
    return "; ".join(part for part in parts if part) or "the checklist was changed"


def _tasks(message: Json) -> Iterable[Json]:
    return message.get("checklist", {}).get("tasks", ())


def _giveaway(message: Json) -> str:
    giveaway = message["giveaway"]
    ends = _minute(giveaway["winners_selection_date"])
    return f"giveaway for {giveaway['winner_count']} winners, drawn {ends}"


def _paid(message: Json) -> str:
    payment = message["successful_payment"]
    price = amount(payment["total_amount"], payment["currency"])
    return f"paid {price} for {payment['invoice_payload']}"


def _refunded(message: Json) -> str:
    payment = message["refunded_payment"]
    return f"refunded {amount(payment['total_amount'], payment['currency'])}"


def _topic_edited(message: Json) -> str:
    name = message["forum_topic_edited"].get("name", "")
    return f"the topic is called {name} now" if name else "the topic has another icon"


def _new_owner(message: Json) -> str:
    change = message.get("chat_owner_changed") or message["chat_owner_left"]
    owner = change.get("new_owner")
    left = "the owner left; " if "chat_owner_left" in message else ""
    return f"{left}{name_of(owner)} owns the group" if owner else f"{left}the group has no owner"


def _web_app(message: Json) -> str:
    data = message["web_app_data"]
    return f"{data['button_text']}: {data['data']}"


def _proximity(message: Json) -> str:
    alert = message["proximity_alert_triggered"]
    near = f"{name_of(alert['traveler'])} is {alert['distance']} m from"
    return f"{near} {name_of(alert['watcher'])}"


def _message_price(message: Json) -> str:
    stars = message["paid_message_price_changed"]["paid_message_star_count"]
    return f"a message costs {amount(stars, _STARS)} now"


def _direct_price(message: Json) -> str:
    change = message["direct_message_price_changed"]
    if not change["are_direct_messages_enabled"]:
        return "the channel takes no direct messages any more"
    stars = change.get("direct_message_star_count", 0)
    return f"a direct message to the channel costs {amount(stars, _STARS)} now"


def _always(words: str) -> Callable[[Json], str]:
    return lambda _: words


_WORDS: Mapping[str, Callable[[Json], str]] = {
    "new_chat_members": _joined,
    "left_chat_member": _left,
    "chat_owner_left": _new_owner,
    "chat_owner_changed": _new_owner,
    "new_chat_title": lambda m: f"the chat is called {m['new_chat_title']} now",
    "new_chat_photo": _always("the chat has a new picture"),
    "delete_chat_photo": _always("the chat has no picture any more"),
    "group_chat_created": lambda m: f"the group {title_of(m['chat'])} was made",
    "supergroup_chat_created": lambda m: f"the group {title_of(m['chat'])} was made",
    "channel_chat_created": lambda m: f"the channel {title_of(m['chat'])} was made",
    "message_auto_delete_timer_changed": _timer,
    "migrate_to_chat_id": _always("the group became a supergroup"),
    "migrate_from_chat_id": _always("the group became a supergroup"),
    "pinned_message": _pinned,
    "successful_payment": _paid,
    "refunded_payment": _refunded,
    "users_shared": _shared,
    "chat_shared": _chat_shared,
    "gift": _gift,
    "gift_upgrade_sent": _gift,
    "unique_gift": _unique_gift,
    "connected_website": lambda m: f"logged in at {m['connected_website']}",
    "write_access_allowed": _always("allowed this bot to write"),
    "passport_data": _always("Telegram Passport data: shown in Telegram only"),
    "proximity_alert_triggered": _proximity,
    "boost_added": lambda m: f"boosted the chat {m['boost_added']['boost_count']} times",
    "chat_background_set": _always("the chat has a new background"),
    "checklist_tasks_done": _tasks_done,
    "checklist_tasks_added": lambda m: (
        "new tasks: " + ", ".join(str(t["text"]) for t in m["checklist_tasks_added"]["tasks"])
    ),
    "direct_message_price_changed": _direct_price,
    "forum_topic_created": lambda m: f"the topic {m['forum_topic_created']['name']} was made",
    "forum_topic_edited": _topic_edited,
    "forum_topic_closed": _always("the topic was closed"),
    "forum_topic_reopened": _always("the topic is open again"),
    "general_forum_topic_hidden": _always("the topic General is hidden"),
    "general_forum_topic_unhidden": _always("the topic General is shown again"),
    "giveaway_created": _always("a giveaway was announced"),
    "giveaway": _giveaway,
    "giveaway_winners": lambda m: (
        f"the giveaway has {m['giveaway_winners']['winner_count']} winners:"
        f" {_names(m['giveaway_winners']['winners'])}"
    ),
    "giveaway_completed": lambda m: (
        f"the giveaway ended with {m['giveaway_completed']['winner_count']} winners"
    ),
    "managed_bot_created": lambda m: (
        f"made the bot {name_of(m['managed_bot_created']['bot'])}, which this bot manages"
    ),
    "paid_message_price_changed": _message_price,
    "poll_option_added": lambda m: f"new option: {m['poll_option_added']['option_text']}",
    "poll_option_deleted": lambda m: f"option removed: {m['poll_option_deleted']['option_text']}",
    "suggested_post_approved": _always("the suggested post was approved"),
    "suggested_post_approval_failed": _always("the suggested post could not be approved"),
    "suggested_post_declined": _always("the suggested post was declined"),
    "suggested_post_paid": _always("the suggested post was paid"),
    "suggested_post_refunded": _always("the suggested post was refunded"),
    "video_chat_scheduled": lambda m: (
        f"a video chat starts {_minute(m['video_chat_scheduled']['start_date'])}"
    ),
    "video_chat_started": _always("a video chat started"),
    "video_chat_ended": lambda m: (
        f"the video chat ended after {m['video_chat_ended']['duration']} s"
    ),
    "video_chat_participants_invited": lambda m: (
        f"{_names(m['video_chat_participants_invited']['users'])} asked into the video chat"
    ),
    "web_app_data": _web_app,
}
"""Field → its words."""
