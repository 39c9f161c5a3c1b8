"""Endpoints and their deliveries as their owner sees them."""

from datetime import datetime

from messengers.core.event_types import Kinds
from messengers.models import Model

__all__ = ["DeliveryView", "EndpointView", "TestResult"]


class EndpointView(Model):
    """An endpoint as its owner sees it: everything but its secret."""

    id: str
    name: str
    origin: str
    instance: str = ""
    """Its name; empty means all."""
    types: tuple[str, ...] = ()
    chats: Kinds = "all"
    numbers: tuple[str, ...] = ()
    state: str
    why: str = ""
    waiting: int = 0
    failed: int = 0
    delivered_at: datetime | None = None
    """When something last got through."""
    created_at: datetime


class DeliveryView(Model):
    """One delivery in the log."""

    id: str
    event: str
    type: str
    chat: str = ""
    state: str
    attempts: int
    status: int | None = None
    error: str = ""
    next_at: datetime | None = None
    """When it is tried again; None once it is settled."""
    settled_at: datetime | None = None
    created_at: datetime


class TestResult(Model):
    """What a receiver made of a test event."""

    taken: bool
    status: int | None = None
    error: str = ""
    ms: int
