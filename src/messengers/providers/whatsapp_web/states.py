"""What an account's own state is called, and what its owner must do about it."""

from collections.abc import Callable, Mapping

from messengers.extras import install_command
from messengers.models import Health, Lifecycle, UserAction
from messengers.providers.whatsapp_web.process import Event

__all__ = ["AWAITING", "ENDINGS", "LOGGED_OUT_HERE", "STATES", "login_over"]

_AGAIN = "Connect the instance again for new codes."

AWAITING = Health(
    lifecycle=Lifecycle.AWAITING_LOGIN,
    user_action=UserAction.SCAN_QR,
    reason="A phone must link it: get_qr shows the code.",
)
STATES: Mapping[str, Health] = {
    "paired": Health(
        lifecycle=Lifecycle.CONNECTING, reason="The phone agreed; the account is being linked."
    ),
    "connected": Health(lifecycle=Lifecycle.CONNECTED),
    "disconnected": Health(
        lifecycle=Lifecycle.CONNECTING, reason="The connection was lost and is made again."
    ),
    "silent": Health(lifecycle=Lifecycle.DEGRADED, reason="WhatsApp does not answer just now."),
    "restored": Health(lifecycle=Lifecycle.CONNECTED),
}
LOGGED_OUT_HERE = Health(
    lifecycle=Lifecycle.LOGGED_OUT,
    user_action=UserAction.RELOGIN,
    reason="The account was logged out here. Connect the instance to link it again.",
)


def _logged_out(_event: Event) -> Health:
    return Health(
        lifecycle=Lifecycle.LOGGED_OUT,
        user_action=UserAction.RELOGIN,
        reason=(
            "The phone unlinked this device, or did not see it for too long."
            " Connect the instance again and scan a new code."
        ),
    )


def login_over(event: Event) -> Health:
    """The codes ended, or the phone refused."""
    why = "All six codes ended without a scan."
    if event["why"] != "timeout":
        why = f"The login failed ({event['why']})."
    return Health(
        lifecycle=Lifecycle.LOGGED_OUT, user_action=UserAction.RELOGIN, reason=f"{why} {_AGAIN}"
    )


def _outdated(_event: Event) -> Health:
    return Health(
        lifecycle=Lifecycle.ENGINE_OUTDATED,
        user_action=UserAction.UPGRADE,
        reason=(
            "WhatsApp does not take this version of the engine any more."
            f" Install a newer one: {install_command('whatsapp')}, then `messengers stop`"
            " and connect again."
        ),
    )


def _banned(event: Event) -> Health:
    hours, why = event.get("seconds", 0) / 3600, event.get("why", "")
    lasts = f" for {hours:.1f} hours" if hours else ""
    said = f": {why}" if why else ""
    return Health(
        lifecycle=Lifecycle.BANNED,
        user_action=UserAction.OPEN_PHONE,
        reason=(
            f"WhatsApp banned the account{lasts}{said}."
            " Open WhatsApp on the phone; connect again when it works there."
        ),
    )


def _replaced(_event: Event) -> Health:
    return Health(
        lifecycle=Lifecycle.CONFLICT,
        user_action=UserAction.RELOGIN,
        reason=(
            "Another program uses the same session. Stop it, then connect this instance again."
        ),
    )


ENDINGS: Mapping[str, Callable[[Event], Health]] = {
    "logged_out": _logged_out,
    "login_over": login_over,
    "outdated": _outdated,
    "banned": _banned,
    "replaced": _replaced,
}
