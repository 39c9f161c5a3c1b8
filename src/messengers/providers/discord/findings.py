"""What Discord says of a bot when its owner looks for what is wrong."""

from collections.abc import Sequence

from messengers.providers.discord.account import Account
from messengers.providers.discord.fields import Json
from messengers.providers.discord.states import invite_of
from messengers.providers.findings import Finding

__all__ = ["findings_of"]

_FEW = 50
_SWITCH = (
    "Switch it on at discord.com/developers/applications, Bot; then connect the instance anew."
)


def findings_of(
    account: Account, gateway: Json, guilds: int, webhook_url: str
) -> Sequence[Finding]:
    """Who it is, where it is, what it hears, what of today's sessions is left."""
    return (
        Finding(what="bot", found=f"{account.name}, id {account.id}"),
        Finding(what="servers", found=f"It is in {guilds}. Invite: {invite_of(account.id)}"),
        _intent("text in servers", "Message Content Intent", on=account.reads),
        _intent("members", "Server Members Intent", on=account.members),
        _presses(account, webhook_url),
        _sessions(gateway["session_start_limit"]),
    )


def _intent(what: str, name: str, *, on: bool) -> Finding:
    if on:
        return Finding(what=what, found=f"{name} is on.")
    return Finding(what=what, found=f"{name} is off.", state="warn", remedy=_SWITCH)


def _presses(account: Account, webhook_url: str) -> Finding:
    elsewhere = account.presses_go_elsewhere(webhook_url)
    if elsewhere:
        return Finding(
            what="presses",
            found=f"Discord delivers them to {elsewhere}.",
            state="warn",
            remedy="Clear Interactions Endpoint URL at the application's page.",
        )
    how = "are delivered to this daemon" if account.presses_to else "come over the gateway"
    return Finding(what="presses", found=f"They {how}.")


def _sessions(limit: Json) -> Finding:
    left, total = int(limit["remaining"]), int(limit["total"])
    return Finding(
        what="sessions",
        found=f"{left} of {total} are left today.",
        state="warn" if left < _FEW else "ok",
        remedy="Something connects again and again: look at the logs." if left < _FEW else "",
    )
