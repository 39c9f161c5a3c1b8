"""What an account's own state is called, and what its owner must know or do about it."""

from messengers.models import Health, Lifecycle
from messengers.providers.slack.intake import Account

__all__ = ["CONFLICT", "UNHEARD", "connected", "lacking", "unheard", "where_to_enter"]

CONFLICT = Health(
    lifecycle=Lifecycle.CONFLICT,
    reason=(
        "Another connection receives for this app, in another instance or program, and Slack would"
        " share the events out between them. Stop that one, or make an app of its own for this;"
        " until then it is tried again."
    ),
)
UNHEARD = "Nothing came from Slack yet."
_WANTED = frozenset(
    {
        *("chat:write", "channels:read", "groups:read", "im:read", "mpim:read", "users:read"),
        *("channels:history", "groups:history", "im:history", "mpim:history", "im:write"),
        *("reactions:read", "reactions:write", "files:read", "files:write"),
    }
)


def lacking(scopes: frozenset[str]) -> str:
    """Which scopes it would need beside those it has; empty where Slack did not tell them."""
    return ", ".join(sorted(_WANTED - scopes)) if scopes else ""


def connected(account: Account, scopes: frozenset[str]) -> Health:
    """It receives; what it may not do for want of a scope is said plainly."""
    who = f"As @{account.handle} in {account.team_name}."
    if account.bot:
        who += " It hears the channels that it is invited to."
    if names := lacking(scopes):
        who += f" Scopes it lacks: {names}."
    return Health(lifecycle=Lifecycle.CONNECTED, reason=who)


def unheard(url: str) -> Health:
    """Slack was not heard yet: it may not know where to deliver."""
    return Health(lifecycle=Lifecycle.DEGRADED, reason=f"{UNHEARD} {where_to_enter(url)}")


def where_to_enter(url: str) -> str:
    """What the owner does so that Slack delivers."""
    return (
        f"In the app's settings enter {url} as the Request URL of Event Subscriptions and of"
        " Interactivity; Slack tries it at once."
    )
