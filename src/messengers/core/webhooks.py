"""What the owner does with endpoints: add, test, replay, rotate, switch on and off, remove."""

import re
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from time import perf_counter
from typing import TypeVar

import orjson
from sqlalchemy import Connection

from messengers.clock import Clock, from_ms, to_ms
from messengers.core.callers import OWNER
from messengers.core.dispatch import Dispatch
from messengers.core.endpoints import Endpoint, Endpoints
from messengers.core.event_types import Kinds
from messengers.core.events import Events
from messengers.core.feed import Feed, Selection
from messengers.core.instances import Instances
from messengers.core.signatures import new_secret
from messengers.core.webhook_views import DeliveryView, EndpointView, TestResult
from messengers.errors import Conflict, InvalidInput, NotFound
from messengers.guarded import AllowedHosts, Guard
from messengers.models import IdKind, decode_id, encode_id
from messengers.store import Store, audit, webhooks
from messengers.store.rows import dump_json, time_of
from messengers.urls import SafeUrl

__all__ = ["Webhooks"]

T = TypeVar("T")
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,47}")
_OVERLAP = timedelta(hours=24)
_KEPT = timedelta(days=30)
_LOG_MAX = 500


class Webhooks:
    """The endpoints of this home, for their owner."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        events: Events,
        instances: Instances,
        feed: Feed,
        guard: Guard,
        private: AllowedHosts,
        endpoints: Endpoints,
        dispatch: Dispatch,
    ) -> None:
        self._store = store
        self._clock = clock
        self._events = events
        self._instances = instances
        self._feed = feed
        self._guard = guard
        self._private = private
        self._endpoints = endpoints
        self._dispatch = dispatch

    async def add(
        self,
        name: str,
        url: SafeUrl,
        *,
        instance: str = "",
        types: Sequence[str] = (),
        chats: Kinds = "all",
        numbers: Sequence[str] = (),
    ) -> tuple[EndpointView, str]:
        """A new endpoint, told from now on. The second part is its secret, told this once.

        Raises:
            InvalidInput: a name, filter or address that does not fit.
            Unreachable: the address leads nowhere that may be delivered to.
            Conflict: the name is taken.
        """
        if not _NAME.fullmatch(name):
            raise InvalidInput("The name does not fit.", "Use a-z, 0-9, - and _, at most 48.")
        chosen = self._feed.select(OWNER, types=types, kinds=chats, numbers=numbers)
        instance_id = self._instances.resolve(OWNER, instance).id if instance else ""
        await self._require_target(url)
        secret = new_secret()
        position = await self._events.position()
        values: dict[str, object] = {
            "name": name,
            "instance_id": instance_id,
            "url": b"",
            "origin": url.origin,
            "secret": b"",
            "old_secret": b"",
            "old_until": 0,
            "filters": dump_json(_filters(chosen)),
            "state": "enabled",
            "why": "",
            "position": position,
            "ok_at": 0,
            "created_at": to_ms(self._clock.now()),
        }
        if any(each.row["name"] == name for each in await self._endpoints.all()):
            raise Conflict("An endpoint of this name exists.", "Take another name.")

        def unit(conn: Connection) -> int:
            key = webhooks.add(conn, values)
            sealed = {
                "url": self._endpoints.seal(key, "url", str(url)),
                "secret": self._endpoints.seal(key, "secret", secret),
            }
            webhooks.set_endpoint(conn, key, **sealed)
            self._audit(conn, "add_webhook", key)
            return key

        key = await self._store.write(unit)
        self._dispatch.wake(key)
        return await self.get(name), secret

    async def list(self) -> list[EndpointView]:
        """All, oldest first."""
        counts: dict[int, dict[str, int]] = {}
        for row in await self._store.rows(webhooks.counts):
            counts.setdefault(row["endpoint_id"], {})[row["state"]] = row["count"]
        return [
            self._endpoints.view(
                each,
                self._instances.name_of(each.row["instance_id"]),
                counts.get(each.key, {}),
            )
            for each in await self._endpoints.all()
        ]

    async def get(self, ref: str) -> EndpointView:
        """One, by id or name. Raises NotFound."""
        key = (await self._find(ref)).key
        return next(v for v in await self.list() if v.id == encode_id(IdKind.WEBHOOK, key))

    async def log(
        self, ref: str, *, failed: bool = False, limit: int = 50
    ) -> Sequence[DeliveryView]:
        """What was delivered or not, newest first."""
        if not 1 <= limit <= _LOG_MAX:
            raise InvalidInput(f"limit must be from 1 to {_LOG_MAX}.")
        endpoint = await self._find(ref)
        stmt = webhooks.deliveries(state=failed)
        only = {"state": "failed"} if failed else {}
        found = await self._store.rows(stmt, endpoint=endpoint.key, limit=limit, **only)
        return [
            DeliveryView(
                id=encode_id(IdKind.DELIVERY, row["id"]),
                event=encode_id(IdKind.EVENT, row["event_seq"]),
                type=row["kind"],
                chat=encode_id(IdKind.CHAT, row["chat_id"]) if row["chat_id"] else "",
                state=row["state"],
                attempts=row["attempts"],
                status=row["status_code"],
                error=row["error"],
                next_at=time_of(row["next_at"] or None) if row["state"] == "queued" else None,
                settled_at=time_of(row["settled_at"]),
                created_at=from_ms(row["created_at"]),
            )
            for row in found
        ]

    async def test(self, ref: str) -> TestResult:
        """Deliver a test event now, once, whether the endpoint is enabled or not."""
        endpoint = await self._find(ref)
        at = self._clock.now()
        data = {"webhook": encode_id(IdKind.WEBHOOK, endpoint.key)}
        body = {"type": "webhook.test", "timestamp": at, "data": data}
        began = perf_counter()
        message_id = self._endpoints.message_id(endpoint, -to_ms(at))
        attempt = await self._dispatch.send(
            endpoint, message_id, orjson.dumps(body, option=orjson.OPT_UTC_Z)
        )
        ms = round((perf_counter() - began) * 1000)
        return TestResult(taken=attempt.is_taken, status=attempt.status, error=attempt.error, ms=ms)

    async def replay(self, ref: str, *, delivery: str = "", since: datetime | None = None) -> int:
        """Deliver again: one delivery, all of the log since a time, or what failed; how many.

        Of the log since a time goes what the filters pass now, also what was delivered before.

        Raises:
            NotFound: no such delivery, or it waits already.
        """
        endpoint = await self._find(ref)
        if since is not None:
            count = await self._rewind(endpoint, since)
        else:
            row = decode_id(IdKind.DELIVERY, delivery) if delivery else None
            if delivery and row is None:
                raise InvalidInput("That is no delivery id.", "`messengers webhooks log` has them.")
            count = await self._change(
                endpoint, "replay_webhook", lambda conn: webhooks.replay(conn, endpoint.key, row)
            )
        if delivery and not count:
            raise NotFound("There is no such delivery that is settled.", "It may wait already.")
        return count

    async def rotate(self, ref: str) -> str:
        """A new secret, told this once. For a day the old one signs too."""
        endpoint = await self._find(ref)
        secret, key = new_secret(), endpoint.key
        until = to_ms(self._clock.now() + _OVERLAP)
        values: dict[str, object] = {
            "secret": self._endpoints.seal(key, "secret", secret),
            "old_secret": self._endpoints.seal(key, "old_secret", endpoint.secrets[0]),
            "old_until": until,
        }
        await self._change(
            endpoint, "rotate_webhook", lambda conn: webhooks.set_endpoint(conn, key, **values)
        )
        return secret

    async def enable(self, ref: str, *, skip: bool = False) -> EndpointView:
        """Go on where it stopped, with a fresh schedule; or, with `skip`, from now."""
        endpoint = await self._find(ref)
        await self._require_target(endpoint.url)
        end = await self._events.position()

        def unit(conn: Connection) -> None:
            moved = {"position": end} if skip else {}
            if skip:
                webhooks.skip(conn, endpoint.key, 0)
            webhooks.restart(conn, endpoint.key)
            webhooks.set_endpoint(conn, endpoint.key, state="enabled", why="", **moved)

        await self._change(endpoint, "enable_webhook", unit)
        return await self.get(ref)

    async def disable(self, ref: str) -> EndpointView:
        """Tell it nothing until it is enabled again; its place in the log stays."""
        endpoint = await self._find(ref)
        why = "The owner disabled it."
        await self._change(
            endpoint,
            "disable_webhook",
            lambda conn: webhooks.set_endpoint(conn, endpoint.key, state="disabled", why=why),
        )
        return await self.get(ref)

    async def remove(self, ref: str) -> EndpointView:
        """Forget it, its secret and its deliveries."""
        view, endpoint = await self.get(ref), await self._find(ref)
        await self._change(
            endpoint, "remove_webhook", lambda conn: webhooks.remove(conn, endpoint.key)
        )
        return view

    async def expire(self) -> None:
        """Forget what was settled a month ago; called now and then."""
        before = to_ms(self._clock.now() - _KEPT)
        await self._store.write(lambda conn: webhooks.expire(conn, before))

    async def _rewind(self, endpoint: Endpoint, since: datetime) -> int:
        """Put the endpoint's place in the log back; what waits is made anew from there."""
        first = await self._store.row(webhooks.first_seq_after, at=to_ms(since))
        end = endpoint.row["position"]
        start = first["seq"] - 1 if first and first["seq"] else end
        if start >= end:
            return 0

        def unit(conn: Connection) -> int:
            webhooks.skip(conn, endpoint.key, start)
            webhooks.set_endpoint(conn, endpoint.key, position=start)
            return end - start

        return await self._change(endpoint, "replay_webhook", unit)

    async def _require_target(self, url: SafeUrl) -> None:
        if url.scheme != "https" and not self._private.holds(url.host, url.port):
            raise InvalidInput(
                "Deliveries go to https:// only.",
                "A server of your own may speak http: name it in MESSENGERS_PRIVATE_HOSTS.",
            )
        await self._guard.check(url)

    async def _find(self, ref: str) -> Endpoint:
        for each in await self._endpoints.all():
            if ref in (each.row["name"], encode_id(IdKind.WEBHOOK, each.key)):
                return each
        raise NotFound("There is no such endpoint.", "`messengers webhooks list` shows them.")

    async def _change(self, endpoint: Endpoint, action: str, unit: Callable[[Connection], T]) -> T:
        """A unit of work with its line in the audit; the endpoint's worker looks again."""

        def whole(conn: Connection) -> T:
            self._audit(conn, action, endpoint.key)
            return unit(conn)

        result = await self._store.write(whole)
        self._dispatch.wake(endpoint.key)
        return result

    def _audit(self, conn: Connection, action: str, key: int) -> None:
        audit.add(
            conn,
            at=to_ms(self._clock.now()),
            actor=OWNER.actor,
            action=action,
            detail=encode_id(IdKind.WEBHOOK, key),
        )


def _filters(chosen: Selection) -> dict[str, object]:
    """What of a selection is kept: the instance has its own column."""
    kept = {
        "types": sorted(chosen.types),
        "chats": chosen.kinds if chosen.kinds != "all" else "",
        "numbers": sorted(chosen.numbers),
    }
    return {name: value for name, value in kept.items() if value}
