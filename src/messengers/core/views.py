"""An instance as its owner and agents see it: how it fares and what to do next, in one sentence."""

from typing import TYPE_CHECKING

from messengers.core.acts import InstanceAnswer
from messengers.models import Health, Instance, Lifecycle, Model, UserAction
from messengers.providers.capabilities import Capabilities, Level
from messengers.providers.findings import Finding

if TYPE_CHECKING:  # the command line reads these views, and needs no store for that
    from messengers.core.address import Address
    from messengers.core.registry import Entry

__all__ = ["Examined", "InstanceView", "answer_of", "view_of"]

_NOTHING = Capabilities(text=Level.REJECT, max_text=0)
_FORM = "connect_instance, or `messengers instances connect {name}`, gives a link to enter {what}."
_AGAIN = (
    "Let the owner log in again: connect_instance, or `messengers instances connect {name}`, "
    "leads to a new code."
)
_BY_ACTION = {
    UserAction.SCAN_QR: "Show the owner the code of get_qr or `messengers instances qr {name}`.",
    UserAction.ENTER_CODE: "get_qr with the owner's phone number gives a code to type there.",
    UserAction.ENTER_CREDENTIALS: _FORM.replace("{what}", "what it still needs"),
    UserAction.FIX_CREDENTIALS: _FORM.replace("{what}", "new credentials"),
    UserAction.RELOGIN: _AGAIN,
    UserAction.OPEN_PHONE: "Let the owner open the messenger on the phone.",
    UserAction.UPGRADE: "Let the owner run `messengers doctor`: it names what to install.",
}
_BY_LIFECYCLE = {
    Lifecycle.CREATED: "connect_instance or `messengers instances connect {name}` starts it.",
    Lifecycle.STOPPED: "connect_instance or `messengers instances connect {name}` starts it.",
    Lifecycle.STARTING: "Wait a moment.",
    Lifecycle.CONNECTING: "Wait a moment.",
    Lifecycle.BACKOFF: "It tries again by itself; connect_instance tries at once.",
    Lifecycle.CONFLICT: "Stop the other program that uses this account.",
    Lifecycle.LOGGED_OUT: _AGAIN,
    Lifecycle.BANNED: "The messenger closed this account; only its support can help.",
    Lifecycle.BAD_CREDENTIALS: _FORM.replace("{what}", "new credentials"),
    Lifecycle.ENGINE_OUTDATED: "Let the owner run `messengers doctor`: it names what to install.",
    Lifecycle.ERROR: "get_instance shows its last problems; connect_instance tries again.",
}


class BlockedPerson(Model):
    """Somebody who cannot write to an account."""

    native_id: str
    chat: str = ""
    """The id of the chat with them, if one is stored."""
    name: str = ""


class Examined(Finding):
    """What was found of an instance."""

    instance: str


class InstanceView(Model):
    """An instance with everything there is to say of it."""

    instance: Instance
    health: Health
    capabilities: Capabilities
    next_step: str = ""
    """One sentence for the owner; empty when nothing is to be done."""
    page: str = ""
    """URL of its chat page, '' where it has none."""


def view_of(entry: "Entry", address: "Address") -> InstanceView:
    """The view of an instance as it stands."""
    if entry.built is not None:
        capabilities = entry.built.capabilities()
    else:
        capabilities = entry.info.capabilities if entry.info else _NOTHING
    hosts = capabilities.visitors is not Level.REJECT and not entry.removed
    page = address.chat_page(entry.instance.name) if hosts else ""
    return InstanceView(
        instance=entry.instance,
        health=entry.health,
        capabilities=capabilities,
        next_step=_next_step(entry, page),
        page=page,
    )


def _next_step(entry: "Entry", page: str) -> str:
    health, name = entry.health, entry.instance.name
    if entry.removed:
        return "It was removed; its messages can still be read."
    if health.user_action in _BY_ACTION:
        return _BY_ACTION[health.user_action].format(name=name)
    if health.lifecycle in _BY_LIFECYCLE:
        return _BY_LIFECYCLE[health.lifecycle].format(name=name)
    if page and entry.instance.history_since is None:
        return f"Open {page} in a browser and write something."
    return ""


def answer_of(
    view: InstanceView, *notes: str, outcome: str = "done", link: str = ""
) -> InstanceAnswer:
    """The view as the answer to an act."""
    return InstanceAnswer(
        instance=view.instance.name,
        id=view.instance.id,
        provider=view.instance.provider,
        state=view.health.lifecycle,
        user_action="" if view.health.user_action == UserAction.NONE else view.health.user_action,
        reason=view.health.reason,
        next_step=view.next_step,
        outcome=outcome,
        link=link or view.page,
        notes=notes,
    )
