"""Strangers who ask to be let in: each gets one code, which the owner types at a terminal.

What a stranger writes asks for nothing but that. His code is told to him once, in a message through
the ordinary outbox; it holds for an hour, and only after it ended does he get another. The list has
an end, so that a flood of strangers fills nothing.
"""

import logging
from collections.abc import Sequence
from uuid import uuid4

import anyio
from sqlalchemy import Connection

from messengers.clock import Clock, from_ms, to_ms
from messengers.core.access_views import AccessRule, Pairing
from messengers.core.callers import Caller
from messengers.core.drafts import Drafts, PartPlan
from messengers.core.events import Events
from messengers.core.instances import Instances
from messengers.core.outbox import Outbox
from messengers.core.plans import payload_of
from messengers.core.rulebook import NewRule, Rulebook
from messengers.errors import MessengersError, NotFound, RateLimited
from messengers.models import Draft, IdKind, encode_id
from messengers.redaction import redact
from messengers.store import Store, audit, chats, pairings
from messengers.store.rows import Row

__all__ = ["Pairings"]

log = logging.getLogger(__name__)
_ACTOR = "pairing"
_TRIES = 10
_TRIES_WINDOW_S = 3600.0
_REST_S = 5.0
_TOLD = (
    "Nobody reads this yet: this account hears only people whom its owner knows. "
    "Tell him this code, and he can let you in within an hour: {code}"
)


class Pairings:
    """Tells the codes, lists who waits, lets in."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        events: Events,
        instances: Instances,
        drafts: Drafts,
        outbox: Outbox,
        rulebook: Rulebook,
    ) -> None:
        self._store = store
        self._clock = clock
        self._events = events
        self._instances = instances
        self._drafts = drafts
        self._outbox = outbox
        self._rulebook = rulebook
        self._tries: list[float] = []

    async def work(self) -> None:
        """Tell whoever was not told yet; never returns."""
        async with self._events.follow() as wakes:
            while True:
                try:
                    if self._any_pairs():
                        await self._tell_all()
                except Exception as exc:  # noqa: BLE001 - the outermost loop; it looks again
                    log.warning("pairing codes rest: %s", redact(repr(exc)))
                    await anyio.sleep(_REST_S)
                    continue
                await wakes.receive()

    def _any_pairs(self) -> bool:
        """Whether any instance lets strangers ask: elsewhere nothing is looked up."""
        entries = self._instances.registry.entries()
        return any(each.instance.dm_policy == "pairing" for each in entries if not each.removed)

    async def _tell_all(self) -> None:
        for row in await self._store.rows(pairings.untold, now=self._now()):
            await self._tell(row)

    async def _tell(self, row: Row) -> None:
        """His code into the outbox, and that he was told, in one unit."""
        place = await self._store.row(chats.get, chat=row["chat_id"])
        instance = self._instances.by_id(row["instance_id"])
        if place is None or instance.read_only:
            return
        try:
            provider = self._instances.provider_for_parsing(instance.id)
        except MessengersError:
            return
        chat = chats.chat_of(place, instance.name, instance.provider)
        draft = Draft(text=_TOLD.format(code=_spaced(row["code"])))
        call = {"client_ref": "", "fingerprint": ""}
        payload = payload_of(provider, chat, draft, (), None, call)
        left_s = max(1, (row["expires_at"] - self._now()) // 1000)

        def unit(conn: Connection) -> bool:
            if not pairings.mark_told(conn, row["id"], self._now()):
                return False
            _, message = self._drafts.add(
                conn,
                draft=uuid4().hex,
                chat=chat.id,
                parts=[PartPlan(**part) for part in payload["parts"]],
                reply_to="",
                client_ref="",
                fingerprint="",
                time_to_live_s=left_s,
                actor=_ACTOR,
                held=False,
            )
            audit.add(
                conn,
                at=self._now(),
                actor=_ACTOR,
                action="send",
                instance_id=instance.id,
                chat_id=place["id"],
                message_id=message,
                outcome="queued",
            )
            return True

        if await self._events.write(unit):
            self._outbox.wake(place["id"])

    async def waiting(self, caller: Caller) -> Sequence[Pairing]:
        """Who waits, the first who came first, for the owner."""
        caller.require_owner()
        found: list[Pairing] = []
        for row in await self._store.rows(pairings.waiting, now=self._now()):
            place = await self._store.row(chats.get, chat=row["chat_id"])
            if place is not None:
                found.append(self._shown(row, place))
        return found

    async def approve(self, caller: Caller, code: str) -> AccessRule:
        """Let in who was told this code: an allow rule from now on.

        Raises NotFound, or RateLimited after too many codes that nobody was told.
        """
        caller.require_owner()
        row = await self._found(code)
        who = encode_id(IdKind.CHAT, row["chat_id"])
        rule = await self._rulebook.read(caller, NewRule("allow", who, note="paired"))
        made = await self._rulebook.add(caller, rule)
        await self._store.write(lambda conn: pairings.remove(conn, row["id"]))
        return made

    async def expire(self) -> None:
        """Forget those whose hour is over."""
        now = self._now()
        if await self._store.rows(pairings.waiting, now=0):
            await self._store.write(lambda conn: pairings.expire(conn, now))

    async def _found(self, code: str) -> Row:
        now_s = self._clock.monotonic_s()
        self._tries = [at for at in self._tries if now_s - at < _TRIES_WINDOW_S]
        if len(self._tries) >= _TRIES:
            left_s = self._tries[0] + _TRIES_WINDOW_S - now_s
            cause = "Too many codes that nobody was told."
            raise RateLimited(cause, "Wait an hour.", retry_after_s=left_s)
        plain = "".join(code.upper().replace("-", " ").split())
        row = await self._store.row(pairings.by_code, code=plain, now=self._now())
        if row is None:
            self._tries.append(now_s)
            raise NotFound("Nobody waits with that code.", "`messengers access pairing`.")
        return row

    def _shown(self, row: Row, place: Row) -> Pairing:
        return Pairing(
            code=_spaced(row["code"]),
            instance=self._instances.name_of(row["instance_id"]),
            chat=encode_id(IdKind.CHAT, row["chat_id"]),
            name=place["name"],
            native_id=place["native_id"],
            expires_at=from_ms(row["expires_at"]),
        )

    def _now(self) -> int:
        return to_ms(self._clock.now())


def _spaced(code: str) -> str:
    return f"{code[:4]}-{code[4:]}"
