"""Signed requests to an app: events, buttons and commands while Socket Mode is off.

https://docs.slack.dev/authentication/verifying-requests-from-slack
"""

import hashlib
import hmac
import json
from typing import TYPE_CHECKING, cast
from urllib.parse import urlencode, urlsplit

import anyio
import httpx2

from tests.fakes.slack.people import Json

if TYPE_CHECKING:
    from tests.fakes.slack.apps import App
    from tests.fakes.slack.deliveries import Delivery
    from tests.fakes.slack.world import World

__all__ = ["challenged", "posted", "signed"]

_MOST_REDIRECTS = 2
_AGENT = "Slackbot 1.0 (+https://api.slack.com/robots)"
_FORM = "application/x-www-form-urlencoded"


def signed(app: "App", body: bytes, timestamp: int) -> dict[str, str]:
    """The headers of a request with this body."""
    base = b"v0:" + str(timestamp).encode() + b":" + body
    digest = hmac.new(app.signing_secret.encode(), base, hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": str(timestamp), "X-Slack-Signature": f"v0={digest}"}


def _body_of(delivery: "Delivery") -> tuple[bytes, str]:
    match delivery.kind:
        case "events_api":
            return json.dumps(delivery.payload).encode(), "application/json"
        case "interactive":
            return urlencode({"payload": json.dumps(delivery.payload)}).encode(), _FORM
        case "slash_commands":
            return urlencode(delivery.payload).encode(), _FORM


async def posted(world: "World", app: "App", delivery: "Delivery", number: int, reason: str) -> str:
    """Why it must be sent again; nothing once it is taken."""
    delivery.attempts += 1
    body, kind = _body_of(delivery)
    headers = {"Content-Type": kind}
    if number:
        headers |= {"X-Slack-Retry-Num": str(number), "X-Slack-Retry-Reason": reason}
    apart = delivery.kind != "events_api" and app.interactivity_url
    try:
        answer = await _answer(world, app, apart or app.request_url, body, headers)
    except TimeoutError:
        return "http_timeout"
    except httpx2.TooManyRedirects:
        return "too_many_redirects"
    except httpx2.HTTPError:
        return "connection_failed"
    if answer.is_success:
        delivery.take(_decoded(answer))
        return ""
    delivery.given_up = answer.headers.get("x-slack-no-retry") == "1"
    return "http_error"


async def _answer(
    world: "World", app: "App", url: str, body: bytes, headers: dict[str, str]
) -> httpx2.Response:
    if urlsplit(url).hostname not in {"127.0.0.1", "::1", "localhost"}:
        raise ValueError(f"{url} is not on the loopback")
    signature = signed(app, body, world.now() + world.skew_s)
    headers = {"User-Agent": _AGENT, **headers, **signature}
    async with httpx2.AsyncClient(
        trust_env=False, follow_redirects=True, max_redirects=_MOST_REDIRECTS
    ) as client:
        with anyio.fail_after(world.ack_s):
            return await client.post(url, content=body, headers=headers)


def _decoded(answer: httpx2.Response) -> Json:
    if not answer.headers.get("content-type", "").startswith("application/json"):
        return {"text": answer.text} if answer.text else {}
    value = answer.json()
    return cast("Json", value) if isinstance(value, dict) else {}


async def challenged(world: "World", app: "App", url: str) -> bool:
    """The address answers as Slack wants it before it sends events there."""
    challenge = world.identifiers.new("challenge")
    body = {
        "token": app.verification_token,
        "challenge": challenge,
        "type": "url_verification",
    }
    sent = json.dumps(body).encode()
    answer = await _answer(world, app, url, sent, {"Content-Type": "application/json"})
    return answer.is_success and (
        answer.text == challenge or _decoded(answer).get("challenge") == challenge
    )
