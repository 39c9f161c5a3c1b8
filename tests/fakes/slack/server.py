"""The facade: Slack on loopback, in the process of the test that uses it."""

from collections.abc import Callable
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

import anyio
import structlog
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from tests.fakes.loopback import listening
from tests.fakes.slack import (
    auth,
    conversations,
    directory,
    histories,
    management,
    posting,
    responding,
    revising,
    scheduling,
    uploads,
    views,
)
from tests.fakes.slack.apps import App, Bot
from tests.fakes.slack.faults import GATEWAY_PAGE, Answer, Fault
from tests.fakes.slack.methods import METHODS, carried_out
from tests.fakes.slack.people import Json
from tests.fakes.slack.refusal import Refused
from tests.fakes.slack.requests import Call, received
from tests.fakes.slack.sockets import served
from tests.fakes.slack.transfers import transfer_routes
from tests.fakes.slack.trouble import Trouble

__all__ = ["FakeSlack"]

_log = structlog.get_logger(__name__)
_PATIENCE_S = 15
_GLANCE_S = 0.01
_HOOK_USES = 5
_HOOK_LIVES_S = 30 * 60
# Importing one registers its methods.
_PARTS = (
    auth,
    conversations,
    directory,
    histories,
    management,
    posting,
    responding,
    revising,
    scheduling,
    uploads,
    views,
)


_RATELIMITED: Json = {"ok": False, "error": "ratelimited"}


class FakeSlack(Trouble):
    """`async with FakeSlack() as slack`; the exit fails with the fake's own errors.

    Clients take `base_url=slack.base_url`; sockets and files have addresses of this server.
    """

    def __init__(self) -> None:
        super().__init__()
        self._stack = AsyncExitStack()
        self._closing = anyio.Event()

    async def __aenter__(self) -> Self:
        routes = [
            Route("/api/{method}", self._ask, methods=["GET", "POST"]),
            WebSocketRoute("/link/", self._link),
            *transfer_routes(self),
            Route("/actions/{team}/{hook}", self._hooked, methods=["POST"]),
        ]
        app = Starlette(routes=routes)
        self._tasks = await self._stack.enter_async_context(anyio.create_task_group())
        self._listener = await self._stack.enter_async_context(listening(app))
        self._tasks.start_soon(self.work)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closing.set()
        for line in self.lines.values():
            for connection in list(line.connections):
                connection.close()
        self._tasks.cancel_scope.cancel()
        await self._stack.aclose()
        if error is None and self.records.errors:
            raise ExceptionGroup("the fake Slack failed", self.records.errors)

    async def _ask(self, request: Request) -> Response:
        try:
            return await self._answered(request)
        except ClientDisconnect:
            return Response(status_code=499)  # nobody reads it
        except Exception as error:
            _log.exception("the fake Slack failed")
            self.records.errors.append(error)
            raise

    async def _answered(self, request: Request) -> Response:
        headers: dict[str, str] = {}
        try:
            call = await self._call(request)
            headers = _scopes(call)
            fault = self.faults.take(call)
            if fault and (replaced := await self._troubled(fault, request)):
                return replaced
            if wait_s := self.limits.wait_s(call, self.now_s()):
                return _response(Answer(429, _RATELIMITED, {"Retry-After": str(wait_s)}))
            answer = await carried_out(self, call)
        except Refused as error:
            return JSONResponse(error.body, error.status, headers)
        if fault and fault.then != "answer":
            return await self._silenced(fault, request)
        return JSONResponse(answer, headers=headers)

    async def _call(self, request: Request) -> Call:
        """Let in: the token is known and good."""
        value, params = await received(request)
        if "token" in request.query_params:
            self.records.mistakes.append("a token stands in an address")
        method = request.path_params["method"]
        if not value:
            raise Refused("not_authed")
        token = self.tokens.get(value)
        if token is None:
            raise Refused("invalid_auth")
        call = Call(method, params, token, dict(request.headers))
        self.records.calls.append(call)
        if token.refusal:
            raise Refused(token.refusal)
        if token.user and token.user.deleted:
            raise Refused("account_inactive")
        return call

    async def _troubled(self, fault: Fault, request: Request) -> Response | None:
        """What comes instead of carrying the request out; None lets it pass."""
        await anyio.sleep(fault.delay_s)
        if fault.unheard:
            return self._cut(request)
        return fault.answer and _response(fault.answer)

    async def _silenced(self, fault: Fault, request: Request) -> Response:
        """The request is carried out, and the app does not hear of it."""
        if fault.then == "break":
            return _response(Answer(503, GATEWAY_PAGE))
        if fault.then == "hang":
            await self._closing.wait()
        return self._cut(request)

    def _cut(self, request: Request) -> Response:
        assert request.client
        if transport := self._listener.transports.get(request.client):  # it may be gone by itself
            transport.abort()
        return Response()

    async def _link(self, websocket: WebSocket) -> None:
        app = self.tickets.pop(websocket.query_params.get("ticket", ""), None)
        if app is None:
            await websocket.close()
            return
        await served(websocket, self.lines[app.id])

    async def _hooked(self, request: Request) -> Response:
        """Good five times, for half an hour."""
        hook = self.hooks.get(request.path_params["hook"])
        if hook is None or hook.used >= _HOOK_USES or self.now() - hook.made > _HOOK_LIVES_S:
            return PlainTextResponse("expired_url", 404)
        hook.used += 1
        try:
            answer = await request.json()
        except ValueError:
            self.records.mistakes.append("an answer to a response_url is no JSON")
            return PlainTextResponse("invalid_payload", 400)
        self.respond(hook, answer)
        return PlainTextResponse("ok")

    def drop_sockets(self, app: App | Bot) -> None:
        """The app's connections break without a farewell."""
        for connection in list(self.line(app).connections):
            connection.leave()
            address = connection.websocket.client
            assert address
            self._listener.transports[address].abort()

    @property
    def url(self) -> str:
        return self._listener.url

    @property
    def base_url(self) -> str:
        """For slack_sdk's clients."""
        return f"{self.url}/api/"

    @property
    def calls(self) -> list[Call]:
        """Every request of a known token, refused ones too, oldest first."""
        return self.records.calls

    def asked(self, method: str) -> list[Json]:
        """The arguments of each request for it, as they came."""
        return [call.params for call in self.calls if call.method == method]

    @property
    def mistakes(self) -> list[str]:
        """What apps did that Slack does not allow, a line each."""
        return self.records.mistakes

    def check(self) -> None:
        """Raises if an app asked for something wrong or unknown to the fake, or the fake failed."""
        if self.records.unhandled:
            raise NotImplementedError(", ".join(self.records.unhandled))
        if self.records.mistakes:
            raise AssertionError("; ".join(self.records.mistakes))
        if self.records.errors:
            raise ExceptionGroup("the fake Slack failed", self.records.errors)

    async def until(self, fact: Callable[[], object]) -> None:
        """Waits for what the fake can see, such as `lambda: bot.sent(channel)`."""
        with anyio.fail_after(_PATIENCE_S):
            while not fact():  # noqa: ASYNC110 — a fact has no event
                await anyio.sleep(_GLANCE_S)


def _scopes(call: Call) -> dict[str, str]:
    known = METHODS.get(call.method)
    accepted = ",".join(sorted(known.scopes)) if known else ""
    return {
        "x-oauth-scopes": ",".join(sorted(call.token.scopes)),
        "x-accepted-oauth-scopes": accepted,
    }


def _response(answer: Answer) -> Response:
    if isinstance(answer.body, str):
        return HTMLResponse(answer.body, answer.status, answer.headers)
    return JSONResponse(answer.body, answer.status, answer.headers)
