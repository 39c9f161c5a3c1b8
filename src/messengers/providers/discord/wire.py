"""Discord's wire: discord.py's requests, buckets and gateway, while answers stay JSON.

discord.py reads events into its types, and one event that it cannot read ends its client; its
reconnecting fails when the first connection does. So its HTTP client makes the requests, and
nothing but that and its socket is used. The token stands in no address and in nothing raised here.
"""

import asyncio
import logging
import math
from types import SimpleNamespace, TracebackType
from typing import Any, cast

import anyio
from aiohttp import (
    ClientConnectorError,
    ClientError,
    ClientSession,
    ConnectionTimeoutError,
    InvalidURL,
    TraceConfig,
    TraceRequestEndParams,
    TraceRequestExceptionParams,
)
from discord import (
    Client,
    HTTPException,
    Intents,
    LoginFailure,
    MemberCacheFlags,
    RateLimited,
    VoiceClient,
)
from discord.http import HTTPClient, MultipartParameters, Route

__all__ = ["Refused", "Route", "Unanswered", "Wire"]

_CALL_S = 25.0
"""Below the deadlines of the core, so that who asked hears what is known."""
_LONGEST_WAIT_S = 30.0
"""For a bucket of discord.py's; it takes no less."""
_UNTOLD_PAUSE_S = 5.0
"""Where Discord says later and not when."""
_FAILURES = (HTTPException, RateLimited, ClientError, OSError, LookupError, ValueError, TypeError)
_RESETS = frozenset({54, 10054})
"""discord.py asks again after these, as if what was cut off had never arrived."""


class Refused(Exception):
    """An answer that is no success. `code` is Discord's own, 0 where it gave none.

    `whole`: whatever the bot asked, the answer would have been the same.
    """

    def __init__(
        self, status: int, code: int = 0, retry_after_s: float = 0.0, *, whole: bool = False
    ) -> None:
        super().__init__(f"{status} {code}")
        self.status = status
        self.code = code
        self.retry_after_s = retry_after_s
        self.whole = whole


class Unanswered(Exception):
    """No answer that could be read. `left` tells whether the request may have arrived."""

    def __init__(self, why: str, *, left: bool) -> None:
        super().__init__(why)
        self.left = left


class Wire:
    """One bot's way to Discord, while it is entered."""

    def __init__(self, token: str, api: str = "") -> None:
        self._token = token
        self._api = api.rstrip("/")
        self.intents = Intents(guilds=True)
        """What the gateway is asked for; to be chosen before it is."""
        self.user: dict[str, Any] = {}
        """The bot, as Discord tells it."""
        # Its warnings name addresses, and those of interactions hold a secret.
        logging.getLogger("discord.http").setLevel(logging.ERROR)
        VoiceClient.warn_nacl = VoiceClient.warn_dave = False  # nobody speaks here
        self.client = Client(
            intents=self.intents,
            max_messages=None,
            member_cache_flags=MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
            max_ratelimit_timeout=_LONGEST_WAIT_S,
            http_trace=_careful(),
        )

    @property
    def http(self) -> HTTPClient:
        return self.client.http

    async def __aenter__(self) -> "Wire":
        self.client.loop = self.http.loop = asyncio.get_running_loop()
        request = self.http.request

        async def told(route: Route, **options: Any) -> Any:  # noqa: ANN401 - passed on
            if self._api:
                route.url = self._api + route.url.removeprefix(Route.BASE)
            return await request(route, **options)

        self.http.request = told
        try:
            with anyio.fail_after(_CALL_S):
                self.user = cast("dict[str, Any]", await self.http.static_login(self._token))
        except LoginFailure:
            raise Refused(401) from None
        except _FAILURES as exc:
            raise _failure(exc) from None
        finally:
            if not self.user:
                await self.__aexit__(None, None, None)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with anyio.CancelScope(shield=True):
            await self.http.close()

    async def ask(
        self,
        method: str,
        path: str,
        *,
        deadline_s: float = _CALL_S,
        json: object = None,
        form: MultipartParameters | None = None,
        params: dict[str, Any] | None = None,
        **ids: Any,  # noqa: ANN401 - what stands in the path
    ) -> Any:  # noqa: ANN401 - any JSON
        """The answer of a call. Raises Refused or Unanswered."""
        options: dict[str, Any] = {}
        if json is not None:
            options["json"] = json
        if form is not None:
            options |= (
                {"files": form.files, "form": form.multipart}
                if form.files
                else {"json": form.payload}
            )
        if params:
            options["params"] = params
        try:
            with anyio.fail_after(deadline_s):
                return await self.http.request(Route(method, path, **ids), **options)
        except _FAILURES as exc:
            raise _failure(exc) from None


def _failure(exc: Exception) -> Refused | Unanswered:
    """Without what the fault says: it may hold what was sent."""
    match exc:
        case RateLimited():
            return Refused(429, retry_after_s=exc.retry_after)
        case HTTPException(status=429):
            # What stands before Discord names no scope: it bans the address.
            scope = exc.response.headers.get("X-RateLimit-Scope", "global")
            return Refused(429, exc.code, _pause_s(exc), whole=scope == "global")
        case HTTPException():
            return Refused(exc.status, exc.code)
        case KeyError():  # discord.py looks for the pause in each 429
            return Refused(429, retry_after_s=_UNTOLD_PAUSE_S)
        case ClientConnectorError() | ConnectionTimeoutError() | InvalidURL():
            return Unanswered(type(exc).__name__, left=False)
        case _:
            return Unanswered(type(exc).__name__, left=True)


def _pause_s(exc: HTTPException) -> float:
    try:
        seconds = float(exc.response.headers["Retry-After"])
    except (KeyError, TypeError, ValueError):
        return _UNTOLD_PAUSE_S
    return seconds if seconds > 0 and math.isfinite(seconds) else _UNTOLD_PAUSE_S


def _careful() -> TraceConfig:
    """discord.py asks again after most failures; what would be done twice then is given up."""
    trace = TraceConfig()

    async def ended(
        _session: ClientSession, _context: SimpleNamespace, told: TraceRequestEndParams
    ) -> None:
        if told.response.status >= 500 and not _repeatable(told.method, told.url.path):
            told.response.close()
            raise Refused(told.response.status)

    async def failed(
        _session: ClientSession, _context: SimpleNamespace, told: TraceRequestExceptionParams
    ) -> None:
        exc = told.exception
        again = isinstance(exc, OSError) and exc.errno in _RESETS
        if again and not _repeatable(told.method, told.url.path):
            raise Unanswered(type(exc).__name__, left=True)

    trace.on_request_end.append(ended)
    trace.on_request_exception.append(failed)
    return trace


def _repeatable(method: str, path: str) -> bool:
    """Whether a second such request does no more than the first: messages leave with a nonce."""
    return method != "POST" or path.endswith("/messages")
