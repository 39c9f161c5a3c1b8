"""What Telegram says of a bot when its owner looks for what is wrong."""

from collections.abc import Sequence

from messengers.providers.findings import Finding
from messengers.providers.telegram.intake import Account
from messengers.providers.telegram.people import Json
from messengers.providers.telegram.states import groups_of, host_of, trouble
from messengers.providers.telegram.webhook import is_own

__all__ = ["findings_of"]


def findings_of(account: Account, webhook: Json, instance_id: str) -> Sequence[Finding]:
    """Of getMe and getWebhookInfo: who it is, how messages come, what it sees in groups."""
    return (
        Finding(what="bot", found=f"t.me/{account.username}, id {account.id}"),
        _webhook(webhook, instance_id),
        Finding(what="groups", found=groups_of(account)),
    )


def _webhook(info: Json, instance_id: str) -> Finding:
    url, waiting, why = info["url"], info["pending_update_count"], trouble(info)
    if not url:
        return Finding(what="webhook", found=f"None is set. Waiting to be asked for: {waiting}.")
    found = f"It leads to {host_of(url)}. Waiting there: {waiting}."
    if why:
        found += f" The last failure: {why}."
    if not is_own(url, instance_id):
        remedy = "Another program set it: remove it there, or set take_over for this instance."
        return Finding(what="webhook", found=found, state="fail", remedy=remedy)
    stuck = bool(why and waiting)
    return Finding(
        what="webhook",
        found=found,
        state="warn" if stuck else "ok",
        remedy="Look whether public_url leads here from the internet." if stuck else "",
    )
