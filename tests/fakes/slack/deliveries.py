"""What an app is told: an event, a pressed button or a command, until it is acknowledged."""

from dataclasses import dataclass, field
from typing import Literal

import anyio

from tests.fakes.slack.people import Json

__all__ = ["Delivery", "DeliveryKind"]

DeliveryKind = Literal["events_api", "interactive", "slash_commands"]


@dataclass(eq=False)
class Delivery:
    kind: DeliveryKind
    payload: Json
    accepts_response: bool = False
    envelopes: list[str] = field(default_factory=list[str])
    """Ids under which it was sent, one an attempt that found a connection."""
    attempts: int = 0
    answer: Json = field(default_factory=dict[str, object])
    """What came with the acknowledgement."""
    acked: bool = False
    given_up: bool = False
    """The app asked for no repetition."""
    lost: bool = False
    """Nobody took it, and it is not tried again."""
    ended: anyio.Event = field(default_factory=anyio.Event)

    @property
    def event(self) -> Json:
        return self.payload.get("event", {})

    @property
    def event_id(self) -> str:
        return str(self.payload.get("event_id", ""))

    def take(self, answer: Json) -> None:
        self.acked, self.lost = True, False
        self.answer = answer or self.answer
        self.ended.set()

    def envelope(self, envelope_id: str, number: int, reason: str) -> Json:
        """A frame of Socket Mode."""
        frame: Json = {
            "envelope_id": envelope_id,
            "payload": self.payload,
            "type": self.kind,
            "accepts_response_payload": self.accepts_response,
        }
        if self.kind == "events_api":
            frame |= {"retry_attempt": number, "retry_reason": reason}
        return frame
