"""What a bot's own state is called, and what its owner must know or do about it."""

from urllib.parse import urlsplit

from messengers.models import Health, Lifecycle, UserAction
from messengers.providers.telegram.intake import Account

__all__ = ["CONFLICT", "connected", "webhook_conflict"]

CONFLICT = Health(
    lifecycle=Lifecycle.CONFLICT,
    reason=(
        "Another program receives for this bot, and Telegram lets only one. Stop that one, or make"
        " a new token at @BotFather (/revoke) and enter it here; until then it is tried again."
    ),
)


def webhook_conflict(url: str) -> Health:
    """Somebody set a webhook: Telegram gives updates there and nowhere else."""
    host = urlsplit(url).hostname or "an address"
    return Health(
        lifecycle=Lifecycle.CONFLICT,
        reason=(
            f"A webhook of this bot leads to {host}, so nothing arrives here. Remove it there, or"
            " set take_over for this instance."
        ),
    )


def connected(account: Account) -> Health:
    """It receives; what it does not get in groups is said plainly."""
    name = f"t.me/{account.username}"
    if not account.joins_groups:
        groups = "It cannot be added to groups (@BotFather: /setjoingroups)."
    elif account.reads_groups:
        groups = "In groups it gets all messages."
    else:
        groups = (
            "Privacy mode is on: in groups where it is no admin it gets commands, mentions and"
            " replies to it only (@BotFather: /setprivacy, then add it to the group again)."
        )
    return Health(
        lifecycle=Lifecycle.CONNECTED,
        user_action=UserAction.NONE,
        reason=f"People open {name} and press Start. {groups}",
    )
