"""What a bot's own state is called, and what its owner must know or do about it."""

from datetime import UTC, datetime
from urllib.parse import urlsplit

from messengers.models import Health, Lifecycle, UserAction
from messengers.providers.telegram.intake import Account
from messengers.providers.telegram.people import Json

__all__ = [
    "CONFLICT",
    "NO_ADDRESS",
    "REMOVED",
    "connected",
    "groups_of",
    "host_of",
    "trouble",
    "undelivered",
    "webhook_conflict",
]

_MAX_WHY = 100
CONFLICT = Health(
    lifecycle=Lifecycle.CONFLICT,
    reason=(
        "Another program receives for this bot, and Telegram lets only one. Stop that one, or make"
        " a new token at @BotFather (/revoke) and enter it here; until then it is tried again."
    ),
)


REMOVED = Health(
    lifecycle=Lifecycle.CONFLICT,
    reason=(
        "Another program removed this bot's webhook; it was set again. Stop that one, or make a new"
        " token at @BotFather (/revoke) and enter it here."
    ),
)
NO_ADDRESS = Health(
    lifecycle=Lifecycle.ERROR,
    user_action=UserAction.FIX_CREDENTIALS,
    reason=(
        "Telegram has no address to deliver to: set public_url, which the internet reaches by"
        " https, and start Messengers anew; or choose poll for receive."
    ),
)


def host_of(url: str) -> str:
    """Of an address only what may be shown: its path may be a secret."""
    return urlsplit(url).hostname or "an address"


def webhook_conflict(url: str) -> Health:
    """Somebody set a webhook: Telegram gives updates there and nowhere else."""
    host = host_of(url)
    return Health(
        lifecycle=Lifecycle.CONFLICT,
        reason=(
            f"A webhook of this bot leads to {host}, so nothing arrives here. Remove it there, or"
            " set take_over for this instance."
        ),
    )


def trouble(info: Json) -> str:
    """Why the last delivery to a webhook failed and when, '' where none did."""
    why, at = info.get("last_error_message", "")[:_MAX_WHY], info.get("last_error_date", 0)
    return f"{why} ({datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M} UTC)" if why and at else ""


def undelivered(info: Json) -> Health:
    """Our webhook is set, and what waits for it does not arrive."""
    return Health(
        lifecycle=Lifecycle.DEGRADED,
        reason=(
            f"Telegram cannot deliver to {host_of(info['url'])}: {trouble(info)}. Waiting there:"
            f" {info['pending_update_count']}. Look whether public_url leads here."
        ),
    )


def connected(account: Account, webhook: str = "") -> Health:
    """It receives; what it does not get in groups is said plainly."""
    start = f"People open t.me/{account.username} and press Start."
    comes = f"Telegram delivers to {host_of(webhook)}." if webhook else ""
    return Health(
        lifecycle=Lifecycle.CONNECTED,
        user_action=UserAction.NONE,
        reason=" ".join(filter(None, (start, comes, groups_of(account)))),
    )


def groups_of(account: Account) -> str:
    """What a bot gets in groups."""
    if not account.joins_groups:
        return "It cannot be added to groups (@BotFather: /setjoingroups)."
    if account.reads_groups:
        return "In groups it gets all messages."
    return (
        "Privacy mode is on: in groups where it is no admin it gets commands, mentions and"
        " replies to it only (@BotFather: /setprivacy, then add it to the group again)."
    )
