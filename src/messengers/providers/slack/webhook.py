"""The Events API: Slack's own requests, proven by their signature.

https://docs.slack.dev/authentication/verifying-requests-from-slack
"""

import re
from urllib.parse import parse_qsl

import anyio
import orjson
from slack_sdk.signature import Clock as SlackClock
from slack_sdk.signature import SignatureVerifier

from messengers.clock import Clock
from messengers.errors import NotReady, Unauthorized
from messengers.models import Health
from messengers.providers.base import Sink
from messengers.providers.slack.memory import Memory
from messengers.providers.slack.states import unheard
from messengers.providers.slack.wire import Json, as_object
from messengers.providers.webhooks import WebhookRequest

__all__ = ["Door", "opened"]

_SIGNATURE = re.compile(r"v0=[0-9a-f]{64}")
_SECONDS = re.compile(r"[0-9]{1,12}")


class _Now(SlackClock):
    """slack_sdk's clock by ours."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def now(self) -> float:
        return self._clock.now().timestamp()


def opened(request: WebhookRequest, secret: str, clock: Clock) -> tuple[str, Json]:
    """What Slack tells: the kind in the words of Socket Mode, and the body.

    Raises Unauthorized for what Slack did not sign within the last five minutes, and ValueError.
    """
    signature = request.headers.get("x-slack-signature", "")
    seconds = request.headers.get("x-slack-request-timestamp", "")
    proven = (
        secret
        and _SIGNATURE.fullmatch(signature)
        and _SECONDS.fullmatch(seconds)
        and SignatureVerifier(secret, _Now(clock)).is_valid(request.body, seconds, signature)
    )
    if not proven:
        raise Unauthorized("Slack did not sign that.")
    if request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        form = dict(parse_qsl(request.body.decode(), keep_blank_values=True))
        if "payload" in form:
            return "interactive", as_object(orjson.loads(form["payload"]))
        return "slash_commands", form
    body = as_object(orjson.loads(request.body))
    if body.get("type") == "url_verification":
        return "url_verification", body
    return "events_api", body


class Door:
    """Where Slack's requests come in, for one account until it is cancelled."""

    def __init__(self, url: str, memory: Memory, sink: Sink) -> None:
        self._url = url
        self._memory = memory
        self._sink = sink
        self._connected: Health | None = None

    async def follow(self, connected: Health) -> None:
        """Be there. Raises NotReady without an address."""
        if not self._url:
            raise NotReady(
                "Slack has no address to deliver to.",
                "Set public_url, or enter app_token in place of signing_secret.",
            )
        self._connected = connected
        self._sink.report(connected if self._memory.heard() else unheard(self._url))
        await anyio.sleep_forever()

    def knocked(self) -> None:
        """A request of Slack's came."""
        if not self._memory.heard():
            self._memory.set_heard()
        if self._connected is not None:
            self._sink.report(self._connected)
