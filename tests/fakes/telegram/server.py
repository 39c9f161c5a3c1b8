"""The facade: Telegram's Bot API on loopback, in the process of the test that uses it."""

from collections.abc import Callable
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

import anyio
import structlog
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from tests.fakes.loopback import listening
from tests.fakes.telegram import (
    answers,
    attachments,
    editing,
    forwarding,
    moderation,
    particulars,
    polling,
    profile,
    sending,
    topics,
)
from tests.fakes.telegram.accounts import Accounts
from tests.fakes.telegram.faults import Answer, Fault
from tests.fakes.telegram.methods import canonical, carried_out
from tests.fakes.telegram.people import Json
from tests.fakes.telegram.refusal import Refused
from tests.fakes.telegram.requests import Call, received
from tests.fakes.telegram.responses import Responses
from tests.fakes.telegram.rooms import Rooms
from tests.fakes.telegram.shares import Shares
from tests.fakes.telegram.trouble import Trouble
from tests.fakes.telegram.world import Action

__all__ = ["FakeTelegram"]

_log = structlog.get_logger(__name__)
_PATIENCE_S = 15
_GLANCE_S = 0.01
# Importing one registers its methods.
_PARTS = (
    answers,
    attachments,
    editing,
    forwarding,
    moderation,
    particulars,
    polling,
    profile,
    sending,
    topics,
)


class FakeTelegram(Shares, Rooms, Responses, Accounts, Trouble):
    """`async with FakeTelegram() as telegram`; the exit fails with the fake's own errors.

    Bots reach it at `url`: `{url}/bot{token}/{method}` and `{url}/file/bot{token}/{path}`.
    """

    def __init__(self) -> None:
        super().__init__()
        self._stack = AsyncExitStack()
        self._closing = anyio.Event()

    async def __aenter__(self) -> Self:
        routes = [
            Route("/file/bot{token}/{path:path}", self._download),
            Route("/bot{token}/{method}", self._ask, methods=["GET", "POST"]),
        ]
        app = Starlette(routes=routes, exception_handlers={404: _not_found})
        self.tasks = await self._stack.enter_async_context(anyio.create_task_group())
        self._listener = await self._stack.enter_async_context(listening(app))
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closing.set()
        for bot in self.bots.values():
            bot.webhook = None
            bot.end_poll()
            bot.queue.wake()
        await self._stack.aclose()
        if error is None and self.records.errors:
            raise ExceptionGroup("the fake Telegram failed", self.records.errors)

    async def _ask(self, request: Request) -> Response:
        try:
            return await self._answered(request)
        except ClientDisconnect:
            return Response(status_code=499)  # nobody reads it
        except Exception as error:
            _log.exception("the fake Telegram failed")
            self.records.errors.append(error)
            raise

    async def _answered(self, request: Request) -> Response:
        try:
            call = await self._call(request)
            fault = self.faults.take(call)
            if fault and (replaced := await self._troubled(fault, request)):
                return replaced
            result = await carried_out(self, call)
        except Refused as error:
            retry = (error.parameters or {}).get("retry_after")
            headers = {"Retry-After": str(retry)} if retry else None
            return JSONResponse(error.body, error.code, headers)
        if fault and fault.then != "answer":
            return await self._silenced(fault, request)
        return JSONResponse({"ok": True, "result": result})

    async def _call(self, request: Request) -> Call:
        """Let in: the token is known and the method exists."""
        token, name = request.path_params["token"], request.path_params["method"]
        params, files = await received(request)
        bot = self.bots.get(token)
        if bot is None or bot.revoked:
            raise Refused(401)
        method = canonical(name)
        if method is None:
            self.records.mistakes.append(f"{name}: no such method")
            raise Refused(404, "method not found")
        call = Call(bot, method, params, files)
        self.records.calls.append(call)
        return call

    async def _troubled(self, fault: Fault, request: Request) -> Response | None:
        """What comes instead of carrying the request out; None lets it pass."""
        await anyio.sleep(fault.delay_s)
        if fault.unheard:
            return self._cut(request)
        return fault.answer and _response(fault.answer)

    async def _silenced(self, fault: Fault, request: Request) -> Response:
        """The request is carried out, and the bot never hears of it."""
        if fault.then == "hang":
            await self._closing.wait()
        return self._cut(request)

    def _cut(self, request: Request) -> Response:
        assert request.client
        if transport := self._listener.transports.get(request.client):  # it may be gone by itself
            transport.abort()
        return Response()

    async def _download(self, request: Request) -> Response:
        bot = self.bots.get(request.path_params["token"])
        if bot is None or bot.revoked:
            return JSONResponse(Refused(401).body, 401)
        file = self.library.at(request.path_params["path"])
        if file is None:
            return JSONResponse(Refused(404).body, 404)
        return Response(file.data, media_type="application/octet-stream")

    @property
    def url(self) -> str:
        return self._listener.url

    @property
    def calls(self) -> list[Call]:
        """Every request of a known bot, refused ones too, oldest first."""
        return self.records.calls

    def asked(self, method: str) -> list[Json]:
        """The parameters of each request for it, as they came."""
        return [call.params for call in self.calls if call.method == method]

    @property
    def actions(self) -> list[Action]:
        return self.records.actions

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
            raise ExceptionGroup("the fake Telegram failed", self.records.errors)

    async def until(self, fact: Callable[[], object]) -> None:
        """Waits for what the fake can see, such as `lambda: bot.sent(chat)`."""
        with anyio.fail_after(_PATIENCE_S):
            while not fact():  # noqa: ASYNC110 — a fact has no event
                await anyio.sleep(_GLANCE_S)


def _response(answer: Answer) -> Response:
    if isinstance(answer.body, str):
        return HTMLResponse(answer.body, answer.status, answer.headers)
    return JSONResponse(answer.body, answer.status, answer.headers)


def _not_found(_request: Request, _error: Exception) -> Response:
    return JSONResponse(Refused(404).body, 404)
