"""What Slack says of an account when its owner looks for what is wrong."""

from messengers.errors import MessengersError
from messengers.providers.findings import Finding
from messengers.providers.slack.intake import Account
from messengers.providers.slack.states import UNHEARD, lacking, where_to_enter
from messengers.providers.slack.stream import socket_address
from messengers.providers.slack.wire import Wire

__all__ = ["account_finding", "request_finding", "scopes_finding", "socket_finding"]


def account_finding(account: Account) -> Finding:
    """Of auth.test: whose token it is."""
    kind = "a bot" if account.bot else "a person"
    return Finding(what="account", found=f"@{account.handle} in {account.team_name}, {kind}.")


def scopes_finding(scopes: frozenset[str]) -> Finding:
    """Of what Slack tells beside any answer."""
    names = lacking(scopes)
    return Finding(
        what="scopes",
        found=f"Lacking: {names}." if names else "None is lacking.",
        state="warn" if names else "ok",
        remedy="Add them under OAuth & Permissions and install the app again." if names else "",
    )


async def socket_finding(wire: Wire, app_token: str) -> Finding:
    """Whether Slack would open a connection; none is opened."""
    try:
        await socket_address(wire, app_token)
    except MessengersError as exc:
        return Finding(what="events", found=exc.cause, state="fail", remedy=exc.remedy)
    return Finding(what="events", found="Slack opens connections for this app (Socket Mode).")


def request_finding(url: str, *, heard: bool) -> Finding:
    """Whether Slack ever delivered."""
    if heard:
        return Finding(what="events", found=f"Slack delivers to {url}.")
    return Finding(what="events", found=UNHEARD, state="warn", remedy=where_to_enter(url))
