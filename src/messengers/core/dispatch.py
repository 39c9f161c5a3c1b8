"""Deliveries to endpoints: each endpoint by itself, each chat in order, until they get through.

An endpoint has a place in the event log. What comes after it becomes rows in one unit of work with
the place moving on, so that nothing is made twice or left out. A row leaves the queue when the
receiver took it, or when its schedule is over. After a crash during a call it leaves again, under
the same id: receivers know by that what they have.
"""

import logging
import random
from dataclasses import dataclass, field

import anyio
from anyio.abc import TaskGroup
from sqlalchemy import Connection

from messengers.clock import Clock, to_ms
from messengers.core.endpoints import Endpoint, Endpoints
from messengers.core.events import Events
from messengers.core.feed import Feed, Notice
from messengers.core.retries import pause_s, retry_after_s
from messengers.core.signatures import signed
from messengers.core.steady import Steady
from messengers.errors import MessengersError
from messengers.guarded import Guard, Reply
from messengers.models import IdKind, decode_id, encode_id
from messengers.redaction import redact
from messengers.store import Store, webhooks
from messengers.store.rows import Row

__all__ = ["Attempt", "Dispatch"]

log = logging.getLogger(__name__)
_IN_FLIGHT = 4
"""Calls to one endpoint at once, each for another chat."""
_DEADLINE_S = 15.0
_ANSWER_MAX_BYTES = 4_096
_QUEUE_MAX = 1_000
"""Beyond it the log itself is the queue."""
_REST_S = 5.0
_DRAIN_S = 5.0
_GONE = 410
_LATER = frozenset({429, 503})


@dataclass(frozen=True, slots=True)
class Attempt:
    """One call: the receiver's status, or why there is none."""

    status: int | None = None
    error: str = ""
    later_s: float = 0.0
    """What the receiver asked to be spared for."""

    @property
    def is_taken(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


@dataclass(slots=True, eq=False)
class _Post:
    """The worker of one endpoint."""

    news: anyio.Event = field(default_factory=anyio.Event)
    working: bool = False
    busy: set[int] = field(default_factory=set[int])
    """Lanes with a call under way."""


class Dispatch:
    """Carries events to endpoints."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        events: Events,
        feed: Feed,
        endpoints: Endpoints,
        guard: Guard,
        tasks: TaskGroup,
    ) -> None:
        self._store = store
        self._clock = clock
        self._steady = Steady(clock)
        self._events = events
        self._feed = feed
        self._endpoints = endpoints
        self._guard = guard
        self._tasks = tasks
        self._posts: dict[int, _Post] = {}
        self._closing = False
        self._idle = anyio.Event()

    async def run(self) -> None:
        """Start the workers, and wake them for whatever happens; never returns."""
        async with self._events.follow() as wakes:
            for row in await self._store.rows(webhooks.endpoints):
                self.wake(row["id"])
            while True:
                await wakes.receive()
                for post in self._posts.values():
                    post.news.set()

    def wake(self, key: int) -> None:
        """An endpoint is new or was changed: see to it."""
        post = self._posts.setdefault(key, _Post())
        post.news.set()
        if not post.working and not self._closing:
            post.working = True
            self._tasks.start_soon(self._work, key, post)

    async def drain(self) -> None:
        """Start no call any more, and let those under way end, for at most five seconds."""
        self._closing = True
        for post in self._posts.values():
            post.news.set()
        with anyio.move_on_after(_DRAIN_S):
            while any(post.busy for post in self._posts.values()):
                self._idle = anyio.Event()
                await self._idle.wait()

    async def send(self, endpoint: Endpoint, message_id: str, body: bytes) -> Attempt:
        """One signed call under its total deadline."""
        headers = signed(endpoint.secrets, message_id, self._clock.now(), body)
        try:
            reply = await self._guard.post(
                endpoint.url,
                body,
                headers,
                max_bytes=_ANSWER_MAX_BYTES,
                deadline_s=_DEADLINE_S,
            )
        except MessengersError as exc:
            return Attempt(error=redact(exc.cause))
        return Attempt(reply.status, _refusal(reply), self._later(reply))

    def _later(self, reply: Reply) -> float:
        if reply.status not in _LATER:
            return 0.0
        return retry_after_s(reply.headers.get("retry-after", ""), self._clock.now())

    async def _work(self, key: int, post: _Post) -> None:
        """Keep one endpoint told until it is disabled, removed, or Messengers stops."""
        try:
            while not self._closing:
                post.news = anyio.Event()
                try:
                    endpoint = await self._endpoints.get(key)
                    if endpoint is not None and endpoint.is_enabled:
                        wait_s = await self._advance(endpoint, post)
                    elif post.news.is_set():
                        continue
                    else:
                        return
                except Exception as exc:  # noqa: BLE001 - the outermost loop; it looks again
                    log.warning("deliveries to endpoint %s rest: %s", key, redact(repr(exc)))
                    wait_s = _REST_S
                with anyio.move_on_after(wait_s):
                    await post.news.wait()
        finally:
            post.working = False

    async def _advance(self, endpoint: Endpoint, post: _Post) -> float | None:
        """Make deliveries of what is new, start those that are due; the pause until the next."""
        if await self._enqueue(endpoint):
            post.news.set()
        now = self._steady.now_ms()
        # Of a lane whose call ends while this is read, what is read is over.
        before = set(post.busy)
        for row in await self._store.rows(webhooks.heads, endpoint=endpoint.key):
            if row["chat_id"] in before | post.busy:
                continue
            if row["next_at"] > now:
                return (row["next_at"] - now) / 1000
            if len(post.busy) >= _IN_FLIGHT:
                return None
            post.busy.add(row["chat_id"])
            self._tasks.start_soon(self._carry, endpoint, row, post)
        return None

    async def _enqueue(self, endpoint: Endpoint) -> bool:
        """Rows for what the log holds beyond the endpoint's place; whether there may be more."""
        waiting = await self._store.row(webhooks.queued, endpoint=endpoint.key)
        position = endpoint.row["position"]
        if waiting is None or waiting["count"] >= _QUEUE_MAX:
            return False
        notices, reached, at_end = await self._feed.page(endpoint.selection, position)
        if reached == position:
            return False
        now = to_ms(self._clock.now())

        def unit(conn: Connection) -> None:
            webhooks.enqueue(conn, [_row_of(endpoint, each, now) for each in notices])
            webhooks.set_endpoint(conn, endpoint.key, position=reached)

        await self._store.write(unit)
        return not at_end

    async def _carry(self, endpoint: Endpoint, row: Row, post: _Post) -> None:
        """One delivery's call, and what it means."""
        try:
            notice = await self._feed.one(row["event_seq"])
            if notice is None:
                await self._settle(row, "failed", Attempt(error="The event is gone."))
                return
            message_id = self._endpoints.message_id(endpoint, notice.seq)
            attempt = await self.send(endpoint, message_id, notice.body)
            await self._judge(endpoint, row, attempt)
        except Exception as exc:  # noqa: BLE001 - the outermost loop; the row waits as it did
            log.warning("delivery %s rests: %s", row["id"], redact(repr(exc)))
            await anyio.sleep(_REST_S)
        finally:
            post.busy.discard(row["chat_id"])
            post.news.set()
            self._idle.set()

    async def _judge(self, endpoint: Endpoint, row: Row, attempt: Attempt) -> None:
        if attempt.is_taken:
            await self._settle(row, "delivered", attempt)
            return
        attempts = row["attempts"] + 1
        pause = pause_s(attempts, random.random())  # noqa: S311 - spreads attempts, guards nothing
        if attempt.status == _GONE:
            await self._disable(endpoint, row, attempt, "The receiver answered that it is gone.")
        elif pause is None:
            await self._give_up(endpoint, row, attempt)
        else:
            await self._postpone(endpoint, row, attempt, max(pause, attempt.later_s))

    async def _settle(self, row: Row, state: str, attempt: Attempt) -> None:
        now = to_ms(self._clock.now())

        def unit(conn: Connection) -> None:
            _settle(conn, row, state, attempt, now)
            if state == "delivered":
                webhooks.set_endpoint(conn, row["endpoint_id"], ok_at=now)

        await self._store.write(unit)

    async def _postpone(
        self, endpoint: Endpoint, row: Row, attempt: Attempt, pause_s: float
    ) -> None:
        now = self._steady.now_ms()

        def unit(conn: Connection) -> None:
            webhooks.settle(
                conn,
                row["id"],
                attempts=row["attempts"] + 1,
                next_at=now + int(pause_s * 1000),
                status_code=attempt.status,
                error=attempt.error,
            )
            if attempt.later_s:
                # It is the receiver who wants to be spared, not this one chat.
                webhooks.hold(conn, endpoint.key, now + int(attempt.later_s * 1000))

        await self._store.write(unit)

    async def _give_up(self, endpoint: Endpoint, row: Row, attempt: Attempt) -> None:
        """The schedule is over. An endpoint that took nothing else all the while is disabled."""
        now = await self._endpoints.get(endpoint.key)
        if now is not None and now.row["ok_at"] > row["created_at"]:
            await self._settle(row, "failed", attempt)
            return
        await self._disable(endpoint, row, attempt, "It took nothing for three days.")

    async def _disable(self, endpoint: Endpoint, row: Row, attempt: Attempt, why: str) -> None:
        now = to_ms(self._clock.now())
        log.warning("endpoint %s was disabled: %s", endpoint.row["name"], why)

        def unit(conn: Connection) -> None:
            _settle(conn, row, "failed", attempt, now)
            webhooks.set_endpoint(conn, endpoint.key, state="disabled", why=why)
            self._events.record(
                conn,
                "webhook.disabled",
                instance_id=endpoint.row["instance_id"],
                data={"webhook": encode_id(IdKind.WEBHOOK, endpoint.key), "reason": why},
            )

        await self._events.write(unit)


def _settle(conn: Connection, row: Row, state: str, attempt: Attempt, now: int) -> None:
    webhooks.settle(
        conn,
        row["id"],
        state=state,
        attempts=row["attempts"] + 1,
        status_code=attempt.status,
        error=attempt.error,
        settled_at=now,
    )


def _row_of(endpoint: Endpoint, notice: Notice, now: int) -> dict[str, object]:
    return {
        "endpoint_id": endpoint.key,
        "event_seq": notice.seq,
        "kind": notice.event.kind,
        "chat_id": decode_id(IdKind.CHAT, notice.event.chat) or 0,
        "state": "queued",
        "attempts": 0,
        "next_at": 0,
        "error": "",
        "created_at": now,
    }


def _refusal(reply: Reply) -> str:
    """Why an answer is none; ours, for what the receiver wrote may be anything."""
    if 200 <= reply.status < 300:
        return ""
    if reply.is_redirect:
        return "It led to another address, which is not followed."
    return f"It answered with status {reply.status}."
