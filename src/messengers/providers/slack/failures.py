"""What Slack refuses, in our own sentences, and whether anything happened.

Slack's words are those of https://docs.slack.dev/reference/methods, under each method's errors.
"""

import re
from collections.abc import Generator, Mapping
from contextlib import contextmanager

from messengers.errors import (
    BadCredentials,
    MessengersError,
    NotFound,
    PlatformRefused,
    RateLimited,
    Uncertain,
    Unreachable,
)
from messengers.providers.slack.wire import Refused, Unanswered

__all__ = ["DEAD", "failure_of", "not_shown", "told"]

DEAD = frozenset(
    {
        *("invalid_auth", "not_authed", "token_revoked", "token_expired", "account_inactive"),
        *("team_access_not_granted", "org_login_required", "two_factor_setup_required"),
    }
)
"""The token itself is not taken."""
_FAILING = frozenset({"internal_error", "fatal_error", "service_unavailable", "request_timeout"})
"""Slack's own fault: it may have come as far as the message."""
_INVITE = "Into a private channel invite the app: /invite @its name."
_GONE = "Choose another."
_REASONS: Mapping[str, tuple[str, str]] = {
    "channel_not_found": ("Slack shows this account no such conversation.", _INVITE),
    "not_in_channel": ("The account is not in that channel.", _INVITE),
    "is_archived": ("That channel is archived.", "Somebody there can restore it."),
    "message_not_found": ("That message is gone.", _GONE),
    "thread_not_found": ("That thread is gone.", "Write to the channel."),
    "cant_update_message": ("Slack lets one change one's own messages only.", "Send a new one."),
    "edit_window_closed": ("The workspace lets messages be changed no longer.", "Send a new one."),
    "cant_delete_message": ("The workspace does not let this message be deleted.", ""),
    "compliance_exports_prevent_deletion": ("The workspace keeps every message.", ""),
    "msg_too_long": ("The text is longer than Slack takes.", "Shorten it."),
    "no_text": ("There is no text.", "Write something."),
    "user_not_found": ("There is no such person in the workspace.", "find_contacts names them."),
    "user_disabled": ("That account was deactivated.", "Nobody reads there any more."),
    "cannot_dm_bot": ("Apps cannot write to apps.", "Write to a person."),
    "too_many_emoji": ("That message has as many kinds of reactions as Slack allows.", ""),
    "invalid_name": ("Slack has no such reaction.", "Take a common one, as 👍, or a :name:."),
    "too_many_pins": ("That channel has as many pinned messages as Slack allows.", ""),
    "file_not_found": ("Slack shows this account no such file.", "Ask for it to be sent again."),
    "file_deleted": ("That file was deleted.", "Ask for it to be sent again."),
    "file_elsewhere": ("That file is not kept at Slack.", "Open its link."),
    "name_taken": ("There is a channel of that name already.", "Take another name."),
    "already_in_channel": ("That person is in the channel already.", ""),
    "cant_invite_self": ("The account is in the channel already.", ""),
    "cant_kick_from_general": ("Nobody can be removed from the general channel.", ""),
    "cant_leave_general": ("Nobody leaves the general channel.", ""),
    "last_member": ("Nobody else is in that channel.", "Archive it in Slack."),
    "cant_kick_self": ("Use leave_group for the account itself.", ""),
    "not_authorized": ("The account has no right to do that.", "An admin of the workspace has."),
    "restricted_action": ("The workspace does not let this account do that.", "Ask its admins."),
    "user_is_restricted": ("Guests cannot do that.", "Ask a full member."),
    "ekm_access_denied": ("The workspace's admins have suspended messages.", "Ask them."),
    "team_added_to_org": ("The workspace is being moved.", "Try again later."),
}
_WORD = re.compile(r"[a-z_]{1,60}")


def not_shown() -> NotFound:
    """A recipient that Slack does not let this account see, or that is not there."""
    return NotFound("Slack shows this account no such conversation or person.", _INVITE)


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
            return Uncertain("Slack did not answer.", "Look before repeating.")
        return Unreachable("Slack cannot be reached.", "It is tried again.")
    if exc.retry_after_s:
        return RateLimited("Slack asks to wait.", retry_after_s=exc.retry_after_s)
    if exc.why in _FAILING or (exc.status >= 500 and not exc.why):
        if changes:
            return Uncertain("Slack failed.", "Look before repeating.")
        return Unreachable("Slack failed.", "It is tried again.")
    if exc.why in DEAD:
        return BadCredentials(
            "Slack does not accept this token.",
            "Install the app to the workspace again and enter the token it then shows.",
        )
    return _refusal(exc)


def _refusal(exc: Refused) -> PlatformRefused:
    if exc.why == "missing_scope":
        return PlatformRefused(*_scopes(str(exc.told.get("needed", ""))))
    if exc.why == "not_allowed_token_type":
        return PlatformRefused("Slack does not let this kind of account do that.")
    known = _REASONS.get(exc.why)
    if known is not None:
        return PlatformRefused(*known)
    if exc.why.startswith("restricted_action"):
        return PlatformRefused(
            "The account may not post there.", "Somebody who runs that channel decides who may."
        )
    word = exc.why.replace("_", " ") if _WORD.fullmatch(exc.why) else ""
    return PlatformRefused(f"Slack refused it: {word}." if word else "Slack refused it.")


def _scopes(needed: str) -> tuple[str, str]:
    names = [each for each in re.split(r"[,\s]+", needed) if re.fullmatch(r"[a-z.:_-]{1,60}", each)]
    wanted = " or ".join(names) or "one it was not given"
    return (
        f"The app lacks a scope: {wanted}.",
        "Add it under OAuth & Permissions and install the app to the workspace again.",
    )
