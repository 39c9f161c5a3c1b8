"""The facade: Discord's HTTP API, gateway and CDN on loopback, in the test's own process."""

from collections.abc import Callable
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

import anyio
import structlog
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from tests.fakes.discord import (
    account,
    ballots,
    directs,
    editing,
    invites,
    lookups,
    members,
    pinning,
    reacting,
    reading,
    replies,
    roles,
    rooms,
    sending,
    threads,
    webhooks,
)
from tests.fakes.discord.bots import Bot
from tests.fakes.discord.faults import Answer, Fault
from tests.fakes.discord.gateway import Connection
from tests.fakes.discord.houses import Houses
from tests.fakes.discord.links import Links
from tests.fakes.discord.operations import OPERATIONS, Operation, Reply, carried_out
from tests.fakes.discord.people import Json
from tests.fakes.discord.refusal import Refused
from tests.fakes.discord.requests import Call, received
from tests.fakes.discord.responses import Responses
from tests.fakes.discord.specification import specification
from tests.fakes.discord.talk import Talk
from tests.fakes.discord.trouble import Trouble
from tests.fakes.loopback import listening

__all__ = ["FakeDiscord"]

_log = structlog.get_logger(__name__)
_PATIENCE_S = 15
_GLANCE_S = 0.01
_API = "/api/v10"
_VIA = "1.1 google"
_UNNAMED = ("/webhooks/", "/interactions/")  # there discord.py does not say what it is
# Importing one registers its operations.
_PARTS = (
    account,
    ballots,
    directs,
    editing,
    invites,
    lookups,
    members,
    pinning,
    reacting,
    reading,
    replies,
    roles,
    rooms,
    sending,
    threads,
    webhooks,
)


class FakeDiscord(Talk, Responses, Houses, Links, Trouble):
    """`async with FakeDiscord() as discord`; the exit fails with the fake's own errors.

    Bots reach it at `api_url`, `gateway_url` and whatever READY and attachments name.
    """

    def __init__(self) -> None:
        super().__init__()
        self._stack = AsyncExitStack()
        self._closing = anyio.Event()

    async def __aenter__(self) -> Self:
        paths = dict.fromkeys(path for _, path in OPERATIONS)
        verbs = ["GET", "POST", "PUT", "PATCH", "DELETE"]
        routes = [
            WebSocketRoute("/gateway", self._connect),
            WebSocketRoute("/gateway/resume", self._connect),
            Route("/attachments/{channel_id}/{id:int}/{name}", self._download),
            *(Route(_API + path, self._ask, methods=verbs) for path in _specific_first(paths)),
            Route("/{path:path}", self._miss, methods=verbs),
        ]
        self.tasks = await self._stack.enter_async_context(anyio.create_task_group())
        self._listener = await self._stack.enter_async_context(listening(Starlette(routes=routes)))
        self.library.base_url = self.url
        self.gateway_url = f"ws://127.0.0.1:{self._listener.port}/gateway"
        self.resume_url = f"{self.gateway_url}/resume"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closing.set()
        for line in list(self.connections):
            line.close(None)
        await self._stack.aclose()
        if error is None and self.records.errors:
            raise ExceptionGroup("the fake Discord failed", self.records.errors)

    async def _connect(self, socket: WebSocket) -> None:
        if self.gateway_down:
            await socket.send_denial_response(Response("Service Unavailable", 503))
            return
        try:
            await Connection(self, socket).run()
        except Exception as error:
            self._failed(error)
            raise

    def _failed(self, error: Exception) -> None:
        _log.exception("the fake Discord failed")
        self.records.errors.append(error)

    async def _ask(self, request: Request) -> Response:
        try:
            return await self._answered(request)
        except ClientDisconnect:
            return Response(status_code=499)  # nobody reads it
        except Exception as error:
            self._failed(error)
            raise

    async def _answered(self, request: Request) -> Response:
        path = request.scope["route"].path.removeprefix(_API)
        asked = OPERATIONS.get((request.method, path))
        if asked is None:
            return await self._miss(request)
        try:
            call = await self._call(request, asked)
        except Refused as error:
            return _refusal(error)
        self.records.calls.append(call)
        fault = self.faults.take(call)
        answer = await self._troubled(fault, request) if fault else None
        if isinstance(answer, Response):
            return answer
        answer = answer or self.buckets.take(call, self.now())
        response = _response(answer) if answer else self._done(asked, call)
        if fault and fault.then != "answer":
            return await self._silenced(fault, request)
        if "via" in response.headers:
            response.headers.update(self.buckets.headers(call, self.now()))
        return response

    def _done(self, asked: Operation, call: Call) -> Response:
        try:
            reply = carried_out(self, asked, call)
        except Refused as error:
            return _refusal(error)
        return _reply(reply)

    async def _call(self, request: Request, asked: Operation) -> Call:
        """Let in: the token is known and the body can be read."""
        named = request.headers.get("user-agent", "").startswith("DiscordBot (")
        if not named and not asked.path.startswith(_UNNAMED):
            self.records.mistakes.append("the User-Agent is not that of a DiscordBot")
            raise Refused(40333)
        bot = None if asked.is_open else self._bot_of(request)
        mime, body, files = await received(request)
        path, query = dict(request.path_params), dict(request.query_params)
        reason = request.headers.get("x-audit-log-reason")
        return Call(asked.name, bot, path, query, body, files, mime, reason)

    def _bot_of(self, request: Request) -> Bot:
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        bot = self.bots.get(token)
        if kind != "Bot" or bot is None or bot.revoked:
            raise Refused(0, 401, "401: Unauthorized")
        return bot

    async def _troubled(self, fault: Fault, request: Request) -> Response | Answer | None:
        """What comes instead of carrying the request out; None lets it pass."""
        await anyio.sleep(fault.delay_s)
        if fault.unheard:
            return self._cut(request)
        return fault.answer

    async def _silenced(self, fault: Fault, request: Request) -> Response:
        """The request is carried out, and the bot never hears of it."""
        if fault.then == "hang":
            await self._closing.wait()
        return self._cut(request)

    def _cut(self, request: Request) -> Response:
        self.cut_line(request)
        return Response()

    def cut_line(self, connection: Request | WebSocket) -> None:
        """The TCP connection of this request or socket breaks."""
        assert connection.client
        if transport := self._listener.transports.get(connection.client):  # it may be gone
            transport.abort()

    async def _miss(self, request: Request) -> Response:
        """The specification may know it; the fake does not."""
        line = f"{request.method} {request.url.path}"
        book = specification()
        known = book is None or book.names(request.method, request.url.path.removeprefix(_API))
        (self.records.unhandled if known else self.records.mistakes).append(line)
        return _refusal(Refused(0, 404, "404: Not Found"))

    async def _download(self, request: Request) -> Response:
        query = request.query_params
        id = request.path_params["id"]
        file = self.library.at(id, query.get("ex", ""), query.get("hm", ""))
        if file is None or file.filename != request.path_params["name"]:
            return Response("This content is no longer available.", 404, media_type="text/plain")
        return Response(file.data, media_type=file.mime or "application/octet-stream")

    @property
    def url(self) -> str:
        return self._listener.url

    @property
    def api_url(self) -> str:
        """In place of discord.py's `Route.BASE`."""
        return self.url + _API

    @property
    def calls(self) -> list[Call]:
        """Every request that was let in, refused ones too, oldest first."""
        return self.records.calls

    def asked(self, operation: str) -> list[Json]:
        """The body of each request for it, as it came."""
        return [call.body for call in self.calls if call.operation == operation]

    @property
    def mistakes(self) -> list[str]:
        """Requests the platform's specification does not allow, a line each."""
        return self.records.mistakes

    def check(self) -> None:
        """Raises if a bot asked for something wrong or unknown to the fake, or the fake failed."""
        if self.records.unhandled:
            raise NotImplementedError(", ".join(self.records.unhandled))
        if self.records.mistakes:
            raise AssertionError("; ".join(self.records.mistakes))
        if self.records.errors:
            raise ExceptionGroup("the fake Discord failed", self.records.errors)

    async def until(self, fact: Callable[[], object]) -> None:
        """Waits for what the fake can see, such as `lambda: bot.is_connected`."""
        with anyio.fail_after(_PATIENCE_S):
            while not fact():  # noqa: ASYNC110 — a fact has no event
                await anyio.sleep(_GLANCE_S)


def _specific_first(paths: dict[str, None]) -> list[str]:
    """`/users/@me` before `/users/{user_id}`."""
    return sorted(paths, key=lambda path: path.replace("{", "\uffff"))


def _refusal(error: Refused) -> Response:
    headers = {"Via": _VIA}
    if error.retry_after_s is not None:
        headers["Retry-After"] = str(int(error.retry_after_s) + 1)
        headers["X-RateLimit-Scope"] = "shared"
    return JSONResponse(error.body, error.status, headers)


def _reply(reply: Reply) -> Response:
    if reply.status == 204:
        return Response(status_code=204, headers={"Via": _VIA})
    return JSONResponse(reply.body, reply.status, {"Via": _VIA})


def _response(answer: Answer) -> Response:
    headers = {**answer.headers, **({"Via": _VIA} if answer.via else {})}
    if isinstance(answer.body, str):
        return HTMLResponse(answer.body, answer.status, headers)
    return JSONResponse(answer.body, answer.status, headers)
