"""An app's line: what it is told, in order, by sockets or by signed requests, until it is taken."""

import json
import uuid
from functools import partial
from typing import TYPE_CHECKING, cast

import anyio

from tests.fakes.slack.deliveries import Delivery
from tests.fakes.slack.webhooks import posted

if TYPE_CHECKING:
    from tests.fakes.slack.apps import App
    from tests.fakes.slack.people import Json
    from tests.fakes.slack.sockets import Connection
    from tests.fakes.slack.world import World

__all__ = ["Line"]


class Line:
    def __init__(self, world: "World", app: "App") -> None:
        self._world = world
        self.app = app
        self.connections: list[Connection] = []
        self.deliveries: list[Delivery] = []
        """All there ever were, lost ones too."""
        self.held: list[Delivery] | None = None
        """What waits while the line is held."""
        self.skipped = 0
        """So many of the next ones are lost."""
        self.deaf = False
        """Acknowledgements are not heard."""
        self._sent: dict[str, Delivery] = {}
        self._turn = 0
        self._first = anyio.Lock()

    def put(self, delivery: Delivery) -> Delivery:
        self.deliveries.append(delivery)
        if self.skipped:
            self.skipped -= 1
            delivery.lost = True
        elif self.held is not None:
            self.held.append(delivery)
        else:
            self.start(delivery)
        return delivery

    def start(self, delivery: Delivery) -> None:
        """Sockets get it at once, so that nothing overtakes it."""
        envelope = "" if self.app.request_url else self._send(delivery, 0, "")
        self._world.soon(partial(self._see_through, delivery, envelope))

    async def _see_through(self, delivery: Delivery, envelope: str) -> None:
        retries = self._world.retry_waits_s if delivery.kind == "events_api" else ()
        reason = await self._begun(delivery, envelope)
        for number, wait_s in enumerate(retries, 1):
            if not reason or delivery.given_up:
                break
            await anyio.sleep(wait_s)
            reason = await self._again(delivery, number, reason)
        delivery.lost = not delivery.acked

    async def _begun(self, delivery: Delivery, envelope: str) -> str:
        """Requests wait for their forerunner's first attempt, so that order is kept."""
        if not self.app.request_url:
            return await self._outcome(delivery, envelope)
        async with self._first:
            return await posted(self._world, self.app, delivery, 0, "")

    async def _again(self, delivery: Delivery, number: int, reason: str) -> str:
        if self.app.request_url:
            return await posted(self._world, self.app, delivery, number, reason)
        return await self._outcome(delivery, self._send(delivery, number, reason))

    async def _outcome(self, delivery: Delivery, envelope: str) -> str:
        """Why it must be sent again; nothing once it is taken."""
        if envelope:
            with anyio.move_on_after(self._world.ack_s):
                await delivery.ended.wait()
        if delivery.acked:
            return ""
        return "timeout" if envelope else "connection_failed"

    def _send(self, delivery: Delivery, number: int, reason: str) -> str:
        """To one of the connections, in turn; the envelope's id, none without a connection."""
        delivery.attempts += 1
        open_ones = [each for each in self.connections if not each.retiring] or self.connections
        if not open_ones:
            return ""
        self._turn += 1
        envelope_id = str(uuid.uuid4())
        delivery.envelopes.append(envelope_id)
        self._sent[envelope_id] = delivery
        frame = delivery.envelope(envelope_id, number, reason)
        open_ones[self._turn % len(open_ones)].send(frame)
        return envelope_id

    def acknowledge(self, text: str) -> None:
        """A frame that the app sent."""
        try:
            frame = json.loads(text)
            envelope_id = frame["envelope_id"]
            delivery = self._sent[envelope_id]
        except (ValueError, TypeError, KeyError):
            self._world.records.mistakes.append(f"no acknowledgement of an envelope: {text:.80}")
            return
        answer = cast("Json", frame.get("payload") or {})
        if answer and not delivery.accepts_response:
            self._world.records.mistakes.append("an answer to an envelope that takes none")
        if not self.deaf:
            delivery.take(answer)
