"""What Discord refuses, in our own sentences, and whether anything happened.

The codes: https://docs.discord.com/developers/topics/opcodes-and-status-codes#json.
"""

from collections.abc import Generator, Mapping
from contextlib import contextmanager

from messengers.errors import (
    BadCredentials,
    MessengersError,
    PlatformRefused,
    RateLimited,
    Uncertain,
    Unreachable,
)
from messengers.providers.discord.wire import Refused, Unanswered

__all__ = ["BAD_TOKEN", "failure_of", "told"]

_RIGHT = "Let somebody give the bot's role that permission there."
_FORBIDDEN = 50013
_REASONS: Mapping[int, tuple[str, str]] = {
    10003: ("Discord knows no such channel.", "list_chats names them."),
    10004: ("Discord knows no such server, or the bot is not there.", "Invite the bot first."),
    10007: ("That person is not in that server.", "get_group names its members."),
    10008: ("That message is gone.", "Choose another."),
    10013: ("Discord knows no such person.", "Check the id."),
    10014: ("Discord knows no such emoji.", "Take a common one, as 👍."),
    30003: ("That channel has as many pins as Discord takes.", "Unpin one."),
    30010: ("That message has as many reactions as Discord takes.", "Use one that it has."),
    40005: ("The file is larger than Discord takes there.", "Send a smaller one."),
    40007: ("That person is banned there.", "Unban in Discord first."),
    40058: ("A forum takes posts only.", "Write to one of its posts."),
    40067: ("That forum wants a tag on each post.", "Make the post in Discord."),
    50001: (
        "The bot does not see that channel.",
        "Let somebody give it View Channel and Read Message History there.",
    ),
    50005: ("Only its author can edit a message.", "Send a new one."),
    50006: ("Discord takes no empty message.", "Write something."),
    50007: (
        "That person takes no direct messages from this bot.",
        "They can allow messages from server members, or write to the bot first.",
    ),
    50008: ("That channel takes no text.", "Choose another."),
    50021: ("Discord's own messages cannot be changed.", "Choose another."),
    50045: ("The file is larger than Discord takes there.", "Send a smaller one."),
    50083: ("That thread is archived.", "Write there first, which opens it again."),
    50278: ("The bot shares no server with that person.", "Invite the bot to one of theirs."),
    90001: ("That person blocked the bot's reactions.", "Only the person can undo that."),
    160005: ("That thread is locked.", "Somebody who runs it can open it."),
    200000: ("The server's automatic moderation blocked it.", "Say it in other words."),
    240000: ("Discord takes one of the links for harmful.", "Leave it out."),
    520003: ("A poll cannot be edited.", "End it and ask anew."),
}
BAD_TOKEN = BadCredentials(
    "Discord does not accept this token.",
    "Reset it on the bot's page at https://discord.com/developers/applications and enter it here.",
)


@contextmanager
def told(*, changes: bool, needs: str = "") -> Generator[None]:
    """Raise failures of the wire as the product's errors.

    `changes`: the call may have done something, so that without an answer it is in doubt. `needs`:
    the permissions that it takes, which Discord does not name.
    """
    try:
        yield
    except (Refused, Unanswered) as exc:
        raise failure_of(exc, changes=changes, needs=needs) from exc


def failure_of(exc: Refused | Unanswered, *, changes: bool, needs: str = "") -> MessengersError:
    """The product's error for a failure of the wire."""
    if isinstance(exc, Unanswered):
        if changes and exc.left:
            return Uncertain("Discord did not answer.", "Look before repeating.")
        return Unreachable("Discord cannot be reached.", "It is tried again.")
    if exc.status == 429:
        wait_s = exc.retry_after_s
        return RateLimited("Discord asks to wait.", retry_after_s=wait_s, whole=exc.whole)
    if exc.status >= 500:
        # It may have come as far as the message.
        if changes:
            return Uncertain(f"Discord failed ({exc.status}).", "Look before repeating.")
        return Unreachable(f"Discord failed ({exc.status}).", "It is tried again.")
    if exc.status == 401:
        return BadCredentials(BAD_TOKEN.cause, BAD_TOKEN.remedy)
    if exc.code == _FORBIDDEN:
        lacking = f"it needs {needs}" if needs else "it lacks a permission"
        return PlatformRefused(f"The bot may not do that there: {lacking}.", _RIGHT)
    if exc.code in _REASONS:
        return PlatformRefused(*_REASONS[exc.code])
    known = f"error {exc.code}" if exc.code else f"status {exc.status}"
    return PlatformRefused(f"Discord refused it ({known}).", "Look in Discord why.")
