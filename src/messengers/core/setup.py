"""Setting up, stopping and removing as acts: what an agent asks for and the owner agrees to.

Secrets are not asked for in a chat. Without them an act opens a form on this machine instead, and
filling that is the owner's consent; so no approval stands before it.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from messengers.core.acts import Act, InstanceAnswer, Shown
from messengers.core.address import Address
from messengers.core.callers import OWNER, Caller
from messengers.core.credentials import check_fields, fields_of, missing, plain, read, secret_names
from messengers.core.forms import Form, Forms
from messengers.core.health import PASSING, TERMINAL
from messengers.core.login_links import LoginLinks
from messengers.core.registry import Entry, Registry
from messengers.core.roster import Roster, check_name
from messengers.core.supervisor import Supervisor
from messengers.core.views import answer_of, view_of
from messengers.core.words import counted
from messengers.errors import Conflict, Forbidden, InvalidInput
from messengers.models import Confirm, Lifecycle, UserAction
from messengers.providers.base import ProviderInfo
from messengers.store.rows import Row

__all__ = ["Executor", "Setup", "checked_endpoints"]

Executor = Callable[[Mapping[str, Any], Caller, float], Awaitable[InstanceAnswer]]
_ROTATE = (
    "The secret passed through this chat and its logs. Advise the owner to make a new one at the "
    "messenger and enter that with `messengers instances connect {name}`."
)
_ERASED = "Everything it stored is erased here; copies in backups/ and of your own keep it."
_SCHEMES = frozenset({"http", "https", "ws", "wss", "socks5"})
_NEEDS_FORM = frozenset({UserAction.ENTER_CREDENTIALS, UserAction.FIX_CREDENTIALS})
_TO_LOG_IN = frozenset({UserAction.SCAN_QR, UserAction.ENTER_CODE})
_LOGIN = (
    "Show the owner the code of get_qr, or this link, which opens once on this computer: {link} "
    "Or let the owner run `messengers instances qr {name}` in a terminal."
)
_BAD = TERMINAL | {Lifecycle.ERROR}


class Setup:
    """Prepares acts on instances and does them."""

    def __init__(
        self,
        registry: Registry,
        roster: Roster,
        supervisor: Supervisor,
        forms: Forms,
        links: LoginLinks,
        address: Address,
        confirm: Confirm,
    ) -> None:
        self._registry = registry
        self._roster = roster
        self._supervisor = supervisor
        self._forms = forms
        self._links = links
        self._address = address
        self._confirm: Confirm = confirm
        self.executors: Mapping[str, Executor] = {
            "create_instance": self._create,
            "disconnect_instance": self._disconnect,
            "delete_instance": self._delete,
            "open_form": self._open_form,
        }

    def create_act(
        self, caller: Caller, provider: str, name: str, credentials: Mapping[str, str]
    ) -> Act:
        """Validated as a whole; see `Instances.prepare_create`."""
        if caller.instances is not None:
            raise Forbidden(
                "This key is bound to its instances and sets up no other.",
                "The owner can: `messengers instances add`.",
            )
        info = self._registry.catalog.find(provider)
        check_name(name)
        if self._registry.is_taken(name):
            raise Conflict("An instance of this name exists.", "Take another name.")
        check_fields(info.config, credentials)
        lacking = missing(info.config, credentials)
        if lacking:
            return _form_act(caller, info, name, credentials, lacking)
        read(info.config, credentials)
        secret = set(secret_names(info.config))
        told = "\n".join(
            f"{field}: {'(hidden)' if field in secret else value}"
            for field, value in sorted(credentials.items())
        )
        why = f"An agent asks to set up a new account. {info.caution}".strip()
        return Act(
            action="create_instance",
            caller=caller,
            shown=Shown(title=f"Set up {info.title} “{name}”", recipient=name, text=told, why=why),
            payload={
                "provider": info.name,
                "name": name,
                "credentials": dict(credentials),
                "in_chat": caller != OWNER and not secret.isdisjoint(credentials),
            },
            instance=name,
            provider=info.name,
            needs_approval=caller.actor != OWNER.actor and self._confirm != "never",
            why=why,
        )

    def disconnect_act(self, caller: Caller, ref: str) -> Act:
        """See `Instances.prepare_disconnect`."""
        entry = self._registry.resolve(caller, ref)
        why = "While it is disconnected nothing is received or sent."
        return _act("disconnect_instance", caller, entry, "Disconnect", why, "")

    def delete_act(self, caller: Caller, entry: Entry, counts: Row, *, purge: bool) -> Act:
        """See `Instances.prepare_delete`."""
        if entry.removed and not purge:
            raise Conflict("This instance was removed before.", "purge erases its messages.")
        held = f"{counted(counts['messages'], 'message')} in {counted(counts['chats'], 'chat')}"
        text = f"Erases {held} for good." if purge else f"Keeps {held} readable."
        why = "Its credentials and its session are removed."
        return _act("delete_instance", caller, entry, "Remove", why, text, purge=purge)

    async def settled(self, entry: Entry, wait_s: float, *notes: str) -> InstanceAnswer:
        """The answer once the instance has come to rest, after `wait_s` at the latest.

        Where it needs credentials it links to their form, where it waits for a login to its page.
        """
        health = await self._supervisor.until(
            entry, lambda now: now.lifecycle not in PASSING, wait_s
        )
        view = view_of(entry, self._address)
        notes = tuple(filter(None, notes))
        fields = fields_of(entry.info.config) if entry.info else ()
        if health.user_action in _NEEDS_FORM and fields:
            form = _repair_form(entry)
            link = self._forms.link(self._forms.open(form))
            step = f"Give the owner this link for new credentials: {link}"
            answer = answer_of(view, *notes, outcome="needs_form", link=link)
            return answer.model_copy(update={"next_step": step})
        if health.user_action in _TO_LOG_IN:
            link = self._links.open(entry.instance.id)
            step = _LOGIN.format(link=link, name=entry.instance.name)
            answer = answer_of(view, *notes, link=link)
            return answer.model_copy(update={"next_step": step})
        bad = health.lifecycle in _BAD
        return answer_of(view, *notes, outcome="not_done" if bad else "done")

    async def _create(
        self, payload: Mapping[str, Any], caller: Caller, wait_s: float
    ) -> InstanceAnswer:
        info = self._registry.catalog.find(payload["provider"])
        config = read(info.config, payload["credentials"])
        entry = await self._roster.add(
            caller, info, payload["name"], config, endpoints={}, confirm=self._confirm
        )
        rotate = _ROTATE.format(name=payload["name"]) if payload["in_chat"] else ""
        return await self.settled(entry, wait_s, rotate, info.caution)

    async def _disconnect(
        self, payload: Mapping[str, Any], caller: Caller, _wait_s: float
    ) -> InstanceAnswer:
        entry = await self._roster.want(caller, payload["instance"], "stopped")
        return answer_of(view_of(entry, self._address))

    async def _delete(
        self, payload: Mapping[str, Any], caller: Caller, _wait_s: float
    ) -> InstanceAnswer:
        return await self.delete(caller, payload["instance"], purge=payload["purge"])

    async def delete(self, caller: Caller, ref: str, *, purge: bool) -> InstanceAnswer:
        """Remove it; the answer says what is left of it."""
        entry = self._registry.resolve(caller, ref)
        name, note = entry.instance.name, await self._roster.try_log_out(entry)
        entry = await self._roster.remove(caller, ref, purge=purge)
        kept = f"Its messages can still be read under “{entry.instance.name}”."
        return InstanceAnswer(
            instance=name,
            id=entry.instance.id,
            provider=entry.instance.provider,
            state="removed",
            notes=tuple(filter(None, (_ERASED if purge else kept, note))),
        )

    async def _open_form(
        self, payload: Mapping[str, Any], _caller: Caller, _wait_s: float
    ) -> InstanceAnswer:
        provider, name, lacking = payload["provider"], payload["name"], payload["lacking"]
        link = self._forms.link(self._forms.open(Form(provider, name, given=payload["given"])))
        command = f"messengers instances add {provider} {name}"
        if len(lacking) == 1:
            command += f" --set {lacking[0]}=@-"
        return InstanceAnswer(
            instance=name,
            provider=provider,
            user_action=UserAction.ENTER_CREDENTIALS,
            reason=f"It needs {', '.join(lacking)}, which nobody should say in a chat.",
            next_step=f"Give the owner this link, which opens on this computer: {link} "
            f"Or let the owner run `{command}` in a terminal.",
            outcome="needs_form",
            link=link,
            notes=("The link holds for 15 minutes and for one set-up.",),
        )


def checked_endpoints(info: ProviderInfo, endpoints: Mapping[str, str]) -> dict[str, str]:
    """Base URLs that the provider lets the owner choose. Raises InvalidInput naming the wrong."""
    for name, url in endpoints.items():
        if name not in info.endpoints:
            known = ", ".join(info.endpoints) or "none"
            raise InvalidInput(f"{info.name} has no such endpoint.", f"It has: {known}.")
        parts = urlsplit(url)
        if parts.scheme not in _SCHEMES or not parts.hostname or parts.username:
            raise InvalidInput(f"The endpoint {name} is no base URL.", "Write https://host/path.")
    return dict(endpoints)


def _repair_form(entry: Entry) -> Form:
    """For an instance that exists: what is no secret stands in it already."""
    known = plain(entry.config) if entry.config else {}
    secret = secret_names(type(entry.config)) if entry.config else ()
    given = {name: _typed(value) for name, value in known.items() if name not in secret}
    return Form(entry.instance.provider, entry.instance.name, entry.instance.id, given)


def _typed(value: object) -> str:
    """A value as a person would type it."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _form_act(
    caller: Caller,
    info: ProviderInfo,
    name: str,
    credentials: Mapping[str, str],
    lacking: tuple[str, ...],
) -> Act:
    """Nothing is set up by this, so nobody is asked; secrets given half are not kept."""
    secret = set(secret_names(info.config))
    known = {field.name for field in fields_of(info.config)} - secret
    given = {field: value for field, value in credentials.items() if field in known}
    return Act(
        action="open_form",
        caller=caller,
        shown=Shown(title=f"Ask the owner for the credentials of {info.title}", recipient=name),
        payload={"provider": info.name, "name": name, "lacking": list(lacking), "given": given},
        instance=name,
        provider=info.name,
    )


def _act(
    action: str, caller: Caller, entry: Entry, verb: str, why: str, text: str, **more: object
) -> Act:
    instance = entry.instance
    return Act(
        action=action,
        caller=caller,
        shown=Shown(
            title=f"{verb} {instance.provider} “{instance.name}”",
            recipient=instance.name,
            text=text,
            why=why,
        ),
        payload={"instance": instance.id, **more},
        instance_id=instance.id,
        instance=instance.name,
        provider=instance.provider,
        needs_approval=caller.actor != OWNER.actor and instance.confirm != "never",
        why=why,
    )
