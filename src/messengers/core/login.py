"""Logging an instance in, step by step, whatever its provider wants for that."""

from time import monotonic

import anyio

from messengers.core.address import Address
from messengers.core.audit import Audit, Place
from messengers.core.callers import Caller
from messengers.core.credentials import secret_names
from messengers.core.health import TERMINAL
from messengers.core.names import fold_phone
from messengers.core.registry import Entry, Registry
from messengers.core.supervisor import Supervisor
from messengers.core.views import view_of
from messengers.errors import InvalidInput, MessengersError
from messengers.models import Health, Lifecycle, UserAction
from messengers.providers.base import LogsIn
from messengers.providers.login import (
    AskInput,
    Done,
    LoginFailed,
    LoginStep,
    ShowCode,
    ShowQr,
    Wait,
)
from messengers.store import Store

__all__ = ["Login"]

_MAX_WAIT_S = 120.0
_ASK_AGAIN_S = 0.5
_ASKING = frozenset({UserAction.ENTER_CREDENTIALS, UserAction.FIX_CREDENTIALS})
_OVER = TERMINAL | {Lifecycle.CONFLICT, Lifecycle.ERROR, Lifecycle.STOPPED}


class Login:
    """Asks the provider, or reads its health where it has nothing to show."""

    def __init__(
        self,
        store: Store,
        registry: Registry,
        supervisor: Supervisor,
        address: Address,
        audit: Audit,
    ) -> None:
        self._store = store
        self._audit = audit
        self._seen: dict[tuple[str, str], str] = {}
        """Which login of an instance was shown to whom: each is written down once."""
        self._registry = registry
        self._supervisor = supervisor
        self._address = address

    async def step(
        self, caller: Caller, ref: str, phone: str = "", wait_s: float = 20
    ) -> LoginStep:
        """What the owner must do now; waits up to `wait_s` for something to show.

        Raises:
            NotFound: no such instance.
            InvalidInput: `wait_s` is out of range, or `phone` no phone number.
        """
        if not 0 <= wait_s <= _MAX_WAIT_S:
            raise InvalidInput(f"wait_s must be from 0 to {_MAX_WAIT_S:g}.")
        number = fold_phone(phone)
        if phone.strip() and not number:
            raise InvalidInput(
                "phone is no phone number.", "Write it with + and the country code: +371 20000000."
            )
        entry = self._registry.resolve(caller, ref)
        view = view_of(entry, self._address)
        if entry.health.lifecycle in _OVER and entry.health.user_action not in _ASKING:
            said = entry.health.reason or f"The instance is {entry.health.lifecycle}."
            return LoginFailed(reason=f"{said} {view.next_step}".strip())
        if view.page:
            caption = f"Scan it or open {view.page} to write to “{entry.instance.name}”."
            if view.page.startswith(self._address.local):
                caption += " It opens on this computer only: for a phone set public_url."
            return ShowQr(transaction=entry.instance.id, text=view.page, caption=caption)
        step = await self._wait(entry, number, wait_s)
        if isinstance(step, ShowQr | ShowCode):
            await self._write_down(caller, entry.instance.id, step.transaction)
        return step

    async def _write_down(self, caller: Caller, instance_id: str, transaction: str) -> None:
        """Who sees the code may take the account over."""
        who = (instance_id, caller.actor)
        if self._seen.get(who) != transaction:
            self._seen[who] = transaction
            place = Place(instance_id)
            await self._store.write(
                lambda conn: self._audit.write(conn, caller, "show_login", place)
            )

    async def _wait(self, entry: Entry, phone: str, wait_s: float) -> LoginStep:
        ends_s = monotonic() + wait_s
        while True:
            step = await self._ask(entry, phone)
            left_s = ends_s - monotonic()
            if not isinstance(step, Wait) or left_s <= 0:
                return step
            await self._supervisor.next_change(min(left_s, _ASK_AGAIN_S))

    async def _ask(self, entry: Entry, phone: str) -> LoginStep:
        health = entry.health
        if health.lifecycle in (Lifecycle.CONNECTED, Lifecycle.DEGRADED):
            return Done(transaction=entry.instance.id)
        open_ = entry.running and health.lifecycle not in _OVER
        if isinstance(entry.built, LogsIn) and open_:
            with anyio.move_on_after(10):
                try:
                    return await entry.built.login_step(phone)
                except MessengersError as exc:
                    return LoginFailed(transaction=entry.instance.id, reason=str(exc))
        return self._by_health(entry, health)

    def _by_health(self, entry: Entry, health: Health) -> LoginStep:
        transaction = entry.instance.id
        if health.user_action in _ASKING or health.lifecycle is Lifecycle.BAD_CREDENTIALS:
            fields = secret_names(entry.info.config) if entry.info else ()
            return AskInput(transaction=transaction, fields=fields)
        if health.lifecycle in _OVER:
            return LoginFailed(transaction=transaction, reason=health.reason)
        return Wait(transaction=transaction, reason=health.reason)
