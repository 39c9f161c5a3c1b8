"""The webhook: Telegram delivers updates to this daemon, and hears 200 once they are stored."""

import hashlib
import hmac
from collections.abc import Callable, Generator
from contextlib import contextmanager
from urllib.parse import urlsplit

import anyio
from aiogram.methods import DeleteWebhook, GetWebhookInfo, SetWebhook

from messengers.clock import Clock
from messengers.errors import (
    BadCredentials,
    NotConnected,
    PlatformRefused,
    RateLimited,
    Unauthorized,
    Unreachable,
)
from messengers.models import Health, Lifecycle
from messengers.providers.base import Sink
from messengers.providers.telegram.failures import told
from messengers.providers.telegram.incoming import UPDATES
from messengers.providers.telegram.intake import Intake
from messengers.providers.telegram.people import Json
from messengers.providers.telegram.states import REMOVED, undelivered, webhook_conflict
from messengers.providers.telegram.wire import Wire, loads
from messengers.providers.webhooks import WebhookAnswer, WebhookRequest
from messengers.redaction import register_secret

__all__ = ["Door", "Webhook", "is_own", "remove_webhook", "webhook_info"]

_HEADER = "x-telegram-bot-api-secret-token"
_LOOK_S = 60.0
"""How often Telegram is asked whether the webhook is still there and what failed."""
_LONGEST_S = 900.0
_ADDRESS = (
    "public_url must be https on port 443, 80, 88 or 8443, with a certificate that Telegram"
    " accepts, and lead here from the internet."
)


class Door:
    """What a delivery must bring along, and who takes it in."""

    def __init__(self, token: str, instance_id: str) -> None:
        # Of the token, so that nothing is kept; nobody gets from it back to the token.
        what = f"messengers webhook {instance_id}".encode()
        self.secret = hmac.new(token.encode(), what, hashlib.sha256).hexdigest()
        register_secret(self.secret)
        self._intake: Intake | None = None
        self.taken = 0
        """Deliveries so far."""

    @contextmanager
    def open(self, intake: Intake) -> Generator[None]:
        """Take deliveries as long as this is entered."""
        self._intake = intake
        try:
            yield
        finally:
            self._intake = None

    def unpack(self, request: WebhookRequest) -> WebhookAnswer:
        """The update of a delivery. Raises Unauthorized, ValueError or NotConnected."""
        given = request.headers.get(_HEADER, "")
        if not hmac.compare_digest(given.encode(), self.secret.encode()):
            raise Unauthorized("The delivery is not Telegram's.")
        update, intake = loads(request.body), self._intake
        if intake is None:
            raise NotConnected("The instance does not receive at the moment.")

        def stored() -> None:
            self.taken += 1
            intake.stored(update)

        return WebhookAnswer([intake.event_of(update)], stored=stored)


class Webhook:
    """Keeps one bot's webhook in place until it is cancelled."""

    def __init__(
        self, wire: Wire, door: Door, sink: Sink, clock: Clock, address: str, connected: Health
    ) -> None:
        self._wire = wire
        self._door = door
        self._sink = sink
        self._clock = clock
        self._address = address
        self._connected = connected
        self._taken = 0

    async def follow(self, replaces: Callable[[str], bool]) -> None:
        """Receive. Raises BadCredentials, or another refusal or Unreachable before it is set.

        `replaces` tells of a webhook's address whether ours may take its place.
        """
        placed = False
        while True:
            pause_s = _LOOK_S
            try:
                info = await webhook_info(self._wire)
                if info["url"] and not replaces(info["url"]):
                    placed, now = False, webhook_conflict(info["url"])
                elif placed and info["url"] == self._address:
                    now = self._health(info)
                else:
                    await self._place()
                    now = REMOVED if placed else self._health(await webhook_info(self._wire))
                    placed = True
            except (Unreachable, RateLimited) as exc:
                # What Telegram delivers meanwhile is taken all the same.
                if not placed:
                    raise
                now = Health(lifecycle=Lifecycle.DEGRADED, reason=str(exc))
                if isinstance(exc, RateLimited):
                    pause_s = max(pause_s, min(exc.retry_after_s, _LONGEST_S))
            self._sink.report(now)
            await anyio.sleep(pause_s)

    async def _place(self) -> None:
        method = SetWebhook(
            url=self._address, secret_token=self._door.secret, allowed_updates=[*UPDATES]
        )
        try:
            with told(changes=False):
                await self._wire.ask(method)
        except (BadCredentials, RateLimited):
            raise
        except PlatformRefused as exc:
            raise PlatformRefused(exc.cause, _ADDRESS) from exc

    def _health(self, info: Json) -> Health:
        """An error counts while something waits and nothing came since the last look."""
        came, self._taken = self._door.taken > self._taken, self._door.taken
        if info.get("last_error_date") and info["pending_update_count"] and not came:
            return undelivered(info)
        return self._connected.model_copy(update={"last_transport_at": self._clock.now()})


def is_own(url: str, instance_id: str) -> bool:
    """Whether a webhook is one of ours, under whatever public address it was set."""
    return urlsplit(url).path.endswith(f"/webhooks/{instance_id}")


async def remove_webhook(wire: Wire) -> None:
    """Whoever set it; what waits there comes by the next way."""
    with told(changes=False):
        await wire.ask(DeleteWebhook(drop_pending_updates=False))


async def webhook_info(wire: Wire) -> Json:
    """The webhook as Telegram has it; without one its url is empty."""
    with told(changes=False):
        return await wire.ask(GetWebhookInfo())
