"""What Telegram refuses, in our own sentences, and whether anything happened.

The server's sentences are those of https://github.com/tdlib/telegram-bot-api, Client.cpp.
"""

import re
from collections.abc import Generator
from contextlib import contextmanager

from messengers.errors import (
    BadCredentials,
    MessengersError,
    PlatformRefused,
    RateLimited,
    Uncertain,
    Unreachable,
)
from messengers.providers.telegram.wire import Refused, Unanswered

__all__ = ["failure_of", "told"]

_START = "The person must open the bot and press Start."
_ADMIN = "Let an admin of the chat give the bot that right."
_REASONS: tuple[tuple[str, str, str], ...] = (
    ("blocked by the user", "The person blocked the bot.", "Only the person can undo that."),
    ("initiate conversation", "The person has not started the bot.", _START),
    ("chat not found", "Telegram knows no such chat of this bot.", _START),
    ("user is deactivated", "That account was deleted.", "Nobody reads there any more."),
    ("was kicked", "The bot was removed from that chat.", "An admin there can add it again."),
    ("not a member", "The bot is not in that chat.", "Let somebody there add it."),
    ("bots can't send messages to bots", "Bots cannot write to bots.", "Write to a person."),
    ("not enough rights", "The bot has no right to do that in this chat.", _ADMIN),
    ("chat_write_forbidden", "The bot has no right to do that in this chat.", _ADMIN),
    ("chat_admin_required", "The bot is no admin of that chat.", _ADMIN),
    ("need administrator rights", "The bot is no admin of that chat.", _ADMIN),
    ("user is an administrator", "That person is an admin of the chat.", "Demote first."),
    ("topic_closed", "That topic is closed.", "An admin can reopen it."),
    ("topic_deleted", "That topic is gone.", "Write to the group."),
    ("thread not found", "That topic is gone.", "Write to the group."),
    ("can't be deleted", "Telegram lets bots delete for 48 hours only.", ""),
    ("message to delete not found", "That message is gone already.", ""),
    ("can't be edited", "That message cannot be edited.", "Send a correction."),
    ("message to edit not found", "That message is gone.", "Send a new one."),
    ("message not found", "That message is gone.", "Choose another."),
    ("reaction_invalid", "That chat does not allow this reaction.", "Take a common one, as 👍."),
    ("restricted", "Telegram restricts what may be sent in this chat.", "Send plain text."),
    ("voice_messages_forbidden", "That person takes no voice messages.", "Send text."),
    ("too big", "The file is larger than Telegram takes.", "Send a smaller one."),
    ("too large", "The file is larger than Telegram takes.", "Send a smaller one."),
    ("too long", "The text is longer than Telegram takes.", "Shorten it."),
)
"""Part of the server's sentence, in lower case; the first that fits is told."""
_QUOTED = re.compile(r'"[^"]*"|\S+://\S+')


@contextmanager
def told(*, changes: bool) -> Generator[None]:
    """Raise failures of the wire as the product's errors.

    `changes`: the call may have done something, so that without an answer it is in doubt.
    """
    try:
        yield
    except (Refused, Unanswered) as exc:
        raise failure_of(exc, changes=changes) from exc


def failure_of(exc: Refused | Unanswered, *, changes: bool) -> MessengersError:
    """The product's error for a failure of the wire."""
    if isinstance(exc, Unanswered):
        if changes and exc.left:
            return Uncertain("Telegram did not answer.", "Look before repeating.")
        return Unreachable("Telegram cannot be reached.", "It is tried again.")
    match exc.status:
        case 404 if "method" in exc.why:
            return PlatformRefused("This Bot API server knows no such call.", "Update it.")
        case 401 | 404:
            return BadCredentials(
                "Telegram does not accept this token.",
                "@BotFather shows the one that holds: /mybots, API Token.",
            )
        case 413:
            return PlatformRefused("The file is larger than Telegram takes.", "Send a smaller one.")
        case 429:
            return RateLimited("Telegram asks to wait.", retry_after_s=exc.retry_after_s)
        case status if status >= 500:
            # It may have come as far as the message.
            if changes:
                return Uncertain(f"Telegram failed ({status}).", "Look before repeating.")
            return Unreachable(f"Telegram failed ({status}).", "It is tried again.")
        case _:
            return _refusal(exc.why)


def _refusal(why: str) -> PlatformRefused:
    said = why.lower()
    for part, cause, remedy in _REASONS:
        if part in said:
            return PlatformRefused(cause, remedy)
    # What stands in quotes are the caller's or a stranger's words.
    plain = _QUOTED.sub("…", why.partition(": ")[2] or why)[:200].rstrip(".")
    return PlatformRefused(f"Telegram refused it: {plain}." if plain else "Telegram refused it.")
