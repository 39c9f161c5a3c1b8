"""The capability of a messenger that delivers its events by HTTP requests to this daemon."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

__all__ = ["Delivered", "EndsDeliveries", "ReceivesWebhooks", "WebhookAnswer", "WebhookRequest"]


@dataclass(frozen=True, slots=True)
class WebhookRequest:
    """What came, as it came: a signature covers the raw bytes."""

    method: str
    """GET or POST."""
    headers: Mapping[str, str]
    """Their names in lower case."""
    query: Mapping[str, str]
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Delivered:
    """One event, in the words of `Sink.ingest`."""

    event_key: str
    chat_key: str
    kind: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class WebhookAnswer:
    """The events to store, and what the messenger is told once they are stored."""

    events: Sequence[Delivered] = ()
    body: str = ""
    """E.g. the challenge of a subscription."""
    media_type: str = "text/plain"
    stored: Callable[[], None] | None = None
    """Called once they are stored, for what must not be done before; it only starts things."""


@runtime_checkable
class ReceivesWebhooks(Protocol):
    """Is delivered to at `ProviderContext.webhook_url`."""

    async def unpack(self, request: WebhookRequest) -> WebhookAnswer:
        """Verify a delivery and split it into events, in less time than the messenger waits.

        Raises:
            Unauthorized: it is not proven to come from the messenger. So is what raises ValueError,
                and everything as long as there is no secret to prove it with.
        """
        ...


@runtime_checkable
class EndsDeliveries(Protocol):
    """Can ask its messenger to deliver no more."""

    async def end_deliveries(self) -> None:
        """The owner stopped or removed the instance; `run` has ended. What waits there stays."""
        ...
