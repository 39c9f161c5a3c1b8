"""Slack's wire: slack_sdk's client makes the requests, over one session an instance.

Its own repeating is off, since it sends a message again that may have arrived, and so is its proxy
out of the environment. What came of a request is told here as what it is: a refusal, or no answer.
Nothing raised here holds a token.
"""

import logging
import math
from collections.abc import Awaitable, Callable, Mapping
from types import TracebackType
from typing import Any, cast

import anyio
import orjson
from aiohttp import (
    ClientConnectorError,
    ClientError,
    ClientSession,
    ClientTimeout,
    ClientWebSocketResponse,
    InvalidURL,
)
from aiohttp import ConnectionTimeoutError as ConnectionTimedOut
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

__all__ = ["Json", "Refused", "Unanswered", "Wire", "as_object"]

Json = Mapping[str, Any]
_CALL_S = 25.0
"""Below the deadlines of the core, so that who asked hears what is known."""
_CONNECT_S = 10.0
_UNTOLD_PAUSE_S = 5.0
"""Where Slack says later and not when."""
_PING_S = 10.0
"""A connection that does not answer this is dead; Slack itself pings as often."""
_log = logging.getLogger(__name__)
# At a lower level slack_sdk writes down what is sent.
_log.setLevel(logging.INFO)


def as_object(value: object) -> Json:
    """What is an object in JSON; of anything else nothing."""
    return cast("Json", value) if isinstance(value, Mapping) else {}


class Refused(Exception):
    """An answer that is no success: Slack's word for it, or a status without any."""

    def __init__(
        self, why: str, status: int = 200, retry_after_s: float = 0.0, told: Json | None = None
    ) -> None:
        super().__init__(f"{status} {why}".rstrip())
        self.why = why
        self.status = status
        self.retry_after_s = retry_after_s
        self.told: Json = told or {}


class Unanswered(Exception):
    """No answer that could be read. `left` tells whether the request may have arrived."""

    def __init__(self, why: str, *, left: bool) -> None:
        super().__init__(why)
        self.left = left


class Wire:
    """One token's way to Slack, while it is entered."""

    def __init__(self, token: str, api: str = "") -> None:
        self._token = token
        self._api = api or AsyncWebClient.BASE_URL
        self._session: ClientSession | None = None
        self.scopes: frozenset[str] = frozenset()
        """What the token may do, as the last answer told."""

    async def __aenter__(self) -> "Wire":
        timeout = ClientTimeout(total=_CALL_S, sock_connect=_CONNECT_S)
        self._session = ClientSession(timeout=timeout, trust_env=False)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with anyio.CancelScope(shield=True):
            await self._open.close()

    @property
    def _open(self) -> ClientSession:
        if self._session is None:
            raise RuntimeError("a wire that was not entered")
        return self._session

    async def ask(
        self, method: str, arguments: Mapping[str, object] | None = None, token: str = ""
    ) -> Json:
        """The answer to a call. Raises Refused or Unanswered.

        Arguments leave as a form, the one way that every method takes; None stays out.
        """
        client = AsyncWebClient(
            token or self._token, self._api, session=self._open, retry_handlers=[], logger=_log
        )
        client.proxy = None
        call: Callable[..., Awaitable[object]] = client.api_call  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType] - half typed there
        try:
            answer = cast("Any", await call(method, data=_form(arguments or {})))
        except SlackApiError as exc:
            raise _refusal(exc) from None
        except (ClientError, SlackClientError, TimeoutError, OSError, ValueError) as exc:
            raise _unanswered(exc) from None
        scopes: str | None = answer.headers.get("x-oauth-scopes")
        if scopes is not None and not token:
            self.scopes = frozenset(each.strip() for each in scopes.split(",") if each.strip())
        return as_object(answer.data)

    async def socket(self, address: str) -> ClientWebSocketResponse:
        """A connection of Socket Mode. Raises Unanswered."""
        try:
            with anyio.fail_after(_CALL_S):
                return await self._open.ws_connect(address, heartbeat=_PING_S, proxy=None)
        except (ClientError, TimeoutError, OSError, ValueError) as exc:
            raise _unanswered(exc) from None

    async def upload(self, address: str, data: bytes, deadline_s: float) -> None:
        """Bytes to the address that files.getUploadURLExternal gave. Raises Refused, Unanswered."""
        timeout = ClientTimeout(total=deadline_s, sock_connect=_CONNECT_S)
        try:
            async with self._open.post(
                address, data=data, timeout=timeout, allow_redirects=False
            ) as answer:
                status = answer.status
        except (ClientError, TimeoutError, OSError, ValueError) as exc:
            raise _unanswered(exc) from None
        if status != 200:
            raise Refused("", status)


def _form(arguments: Mapping[str, object]) -> dict[str, str]:
    form: dict[str, str] = {}
    for name, value in arguments.items():
        if value is None:
            continue
        # JSON writes flags and numbers as Slack reads them.
        form[name] = value if isinstance(value, str) else orjson.dumps(value).decode()
    return form


def _unanswered(exc: BaseException) -> Unanswered:
    """Without what the fault says: it may hold an address."""
    left = not isinstance(exc, ClientConnectorError | ConnectionTimedOut | InvalidURL)
    return Unanswered(type(exc).__name__, left=left)


def _refusal(exc: SlackApiError) -> Refused | Unanswered:
    """slack_sdk says the same of a refusal, of a gateway's page and of what is no JSON."""
    response = cast("Any", exc.response)
    status = int(getattr(response, "status_code", 0) or getattr(response, "status", 0))
    told = as_object(getattr(response, "data", None))
    why = str(told.get("error") or "")[:200]
    if status == 429:
        headers = cast("Mapping[str, str]", response.headers)
        return Refused(why or "ratelimited", status, _pause_s(headers.get("Retry-After")))
    if why or status >= 400:
        return Refused(why, status, told=told)
    return Unanswered("an answer that is none of Slack's", left=True)


def _pause_s(told: str | None) -> float:
    try:
        seconds = float(told or "")
    except ValueError:
        return _UNTOLD_PAUSE_S
    return seconds if seconds > 0 and math.isfinite(seconds) else _UNTOLD_PAUSE_S
