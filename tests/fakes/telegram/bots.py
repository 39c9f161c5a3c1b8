"""A bot and the updates that wait for it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import anyio

from tests.fakes.telegram.people import Json, User, present, words

if TYPE_CHECKING:
    from tests.fakes.telegram.chats import Chat
    from tests.fakes.telegram.messages import Message

__all__ = ["DEFAULT_UPDATES", "UPDATE_KINDS", "Bot", "Poll", "Queue", "Webhook"]

UPDATE_KINDS = frozenset(
    words(
        "message edited_message channel_post edited_channel_post business_connection "
        "business_message edited_business_message deleted_business_messages guest_message "
        "message_reaction message_reaction_count inline_query chosen_inline_result callback_query "
        "shipping_query pre_checkout_query purchased_paid_media poll poll_answer my_chat_member "
        "chat_member chat_join_request chat_boost removed_chat_boost managed_bot"
    )
)
# The API's page, getUpdates, allowed_updates.
DEFAULT_UPDATES = UPDATE_KINDS - {"chat_member", "message_reaction", "message_reaction_count"}

_AHEAD_MAX = 10


@dataclass
class Webhook:
    url: str
    secret_token: str = ""
    max_connections: int = 40
    ip_address: str = ""
    has_certificate: bool = False


@dataclass
class Poll:
    """A getUpdates that waits."""

    ended: bool = False
    conflict: str = ""
    """Why it got nothing."""


@dataclass
class Queue:
    """What has happened and is not confirmed, oldest first."""

    next_id: int
    updates: list[Json] = field(default_factory=list[Json])
    again: list[Json] = field(default_factory=list[Json])
    """Given out once more, whatever was confirmed."""
    history: dict[int, Json] = field(default_factory=dict[int, Json])
    allowed: frozenset[str] = DEFAULT_UPDATES
    grown: anyio.Event = field(default_factory=anyio.Event)

    def add(self, update: Json) -> int:
        """Its `update_id` is the next one unless it brings its own."""
        update = {"update_id": self.next_id, **update}
        self.next_id = update["update_id"] + 1
        self.updates.append(update)
        self.history[update["update_id"]] = update
        self.wake()
        return update["update_id"]

    def wake(self) -> None:
        self.grown.set()
        self.grown = anyio.Event()

    def confirm(self, offset: int) -> None:
        """Forget what stands before `offset`; a negative one keeps so many at the end.

        One that is far in the future confirms nothing (TDLib's TQueue::get).
        """
        if offset < 0:
            self.updates = self.updates[offset:]
        elif 0 < offset <= self.next_id + _AHEAD_MAX:
            self.updates = [each for each in self.updates if each["update_id"] >= offset]

    @property
    def filled(self) -> bool:
        return bool(self.again or self.updates)

    def batch(self, limit: int) -> list[Json]:
        again, self.again = self.again, []
        return (again + self.updates)[:limit]

    def forget(self, update: Json) -> None:
        """This one was taken."""
        self.updates = [each for each in self.updates if each is not update]

    def allow(self, kinds: Iterable[str]) -> None:
        """Unknown names are passed over; none left is the default, as on the real server."""
        known = UPDATE_KINDS & set(kinds)
        self.allowed = frozenset(known) or DEFAULT_UPDATES


@dataclass(eq=False, kw_only=True)
class Bot(User):
    token: str
    is_bot: bool = True
    flags: Json = field(default_factory=dict[str, object])
    """What only getMe tells, such as `can_read_all_group_messages`."""
    queue: Queue
    webhook: Webhook | None = None
    webhook_error: str = ""
    webhook_error_date: int = 0
    poll: Poll | None = None
    revoked: bool = False
    last_message_id: int = 0
    """Private chats of one bot share their numbers."""
    private_chats: dict[int, "Chat"] = field(default_factory=dict[int, "Chat"])
    settings: dict[str, Any] = field(default_factory=dict[str, Any])
    """What it says about itself: commands, name, descriptions."""
    history: list["Message"] = field(default_factory=list["Message"])
    """All it ever sent."""

    def me(self) -> Json:
        flags = {
            "can_join_groups": True,
            "can_read_all_group_messages": False,
            "supports_inline_queries": False,
            "can_connect_to_business": False,
            "has_main_web_app": False,
            **self.flags,
        }
        return {**self.json(), **flags}

    @property
    def sees_all(self) -> bool:
        """Its privacy mode is off."""
        return bool(self.flags.get("can_read_all_group_messages"))

    def end_poll(self, conflict: str = "") -> None:
        """Whoever waits gets an answer now."""
        if self.poll:
            self.poll.ended, self.poll.conflict = True, conflict
            self.queue.wake()

    def sent(self, chat: "Chat | None" = None) -> list["Message"]:
        """What it sent and people still see, oldest first."""
        return [
            message
            for message in self.history
            if not message.deleted and chat in (None, message.chat)
        ]

    def webhook_info(self) -> Json:
        hook = self.webhook
        return {
            "url": hook.url if hook else "",
            "has_custom_certificate": bool(hook and hook.has_certificate),
            "pending_update_count": len(self.queue.updates),
            **present(
                max_connections=hook and hook.max_connections,
                ip_address=hook and hook.ip_address,
                last_error_date=self.webhook_error_date,
                last_error_message=self.webhook_error,
            ),
            **(
                {"allowed_updates": sorted(self.queue.allowed)}
                if self.queue.allowed != DEFAULT_UPDATES
                else {}
            ),
        }
