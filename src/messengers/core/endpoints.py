"""Endpoints: where others want our events, under which secret, and how far they were told."""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass

from messengers.clock import Clock, from_ms, to_ms
from messengers.core.feed import Selection
from messengers.core.webhook_views import EndpointView
from messengers.models import IdKind, encode_id
from messengers.redaction import register_secret
from messengers.store import Store, webhooks
from messengers.store.rows import Row, load_json, time_of
from messengers.urls import SafeUrl

__all__ = ["TABLE", "Endpoint", "Endpoints"]

TABLE = "webhook_endpoint"
"""Where the sealed fields stand."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An endpoint as deliveries need it."""

    row: Row
    url: SafeUrl
    secrets: Sequence[str]
    """Those that sign now, the newest first."""

    @property
    def key(self) -> int:
        return self.row["id"]

    @property
    def is_enabled(self) -> bool:
        return self.row["state"] == "enabled"

    @property
    def selection(self) -> Selection:
        """What it is told."""
        filters = load_json(self.row["filters"], {})
        instance = self.row["instance_id"]
        return Selection(
            types=frozenset(filters.get("types", ())),
            instances=frozenset({instance}) if instance else None,
            kinds=filters.get("chats", "all"),
            numbers=frozenset(filters.get("numbers", ())),
        )


class Endpoints:
    """Reading them, opened."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def all(self) -> list[Endpoint]:
        """Every endpoint, oldest first."""
        return [self._opened(row) for row in await self._store.rows(webhooks.endpoints)]

    async def get(self, key: int) -> Endpoint | None:
        """One of them, as it is now."""
        return next((each for each in await self.all() if each.key == key), None)

    def message_id(self, endpoint: Endpoint, seq: int) -> str:
        """The same for every attempt, and no other's: two houses may deliver to one receiver."""
        text = f"webhook {endpoint.key} {seq}".encode()
        return "msg_" + hmac.digest(self._store.pepper, text, "sha256").hex()[:26]

    def seal(self, key: int, field: str, text: str) -> bytes:
        """A field of its row, bound to it."""
        return self._store.cipher.seal(TABLE, str(key), field, text.encode())

    def view(self, endpoint: Endpoint, instance: str, counts: dict[str, int]) -> EndpointView:
        """What its owner sees."""
        row = endpoint.row
        return EndpointView(
            id=encode_id(IdKind.WEBHOOK, row["id"]),
            name=row["name"],
            origin=row["origin"],
            instance=instance,
            **load_json(row["filters"], {}),
            state=row["state"],
            why=row["why"],
            waiting=counts.get("queued", 0),
            failed=counts.get("failed", 0),
            delivered_at=time_of(row["ok_at"] or None),
            created_at=from_ms(row["created_at"]),
        )

    def _opened(self, row: Row) -> Endpoint:
        keys = [self._open(row, "secret")]
        if row["old_until"] > to_ms(self._clock.now()):
            keys.append(self._open(row, "old_secret"))
        for key in keys:
            register_secret(key)
        return Endpoint(row, SafeUrl.parse(self._open(row, "url")), keys)

    def _open(self, row: Row, field: str) -> str:
        return self._store.cipher.open(TABLE, str(row["id"]), field, bytes(row[field])).decode()
