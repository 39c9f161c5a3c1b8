"""The facade: a WhatsApp on loopback, in the process of the test that uses it."""

import ssl
import sys
from collections.abc import Callable, Generator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from socket import create_server
from types import TracebackType
from typing import Self

import anyio
import uvicorn
from coverage import Coverage
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket

from tests.fakes.whatsapp_web.appstate import Written
from tests.fakes.whatsapp_web.authority import make_tls
from tests.fakes.whatsapp_web.connection import Connection
from tests.fakes.whatsapp_web.nodes import Node
from tests.fakes.whatsapp_web.phones import Groups, Phones
from tests.fakes.whatsapp_web.proxy import Proxy
from tests.fakes.whatsapp_web.talk import Talk
from tests.fakes.whatsapp_web.world import Receipt, Typing

__all__ = ["FakeWhatsApp"]

_FRAME_MAX_BYTES = 1 << 25
_STOP_S = 2
_PATIENCE_S = 15
_GLANCE_S = 0.01


class _Server(uvicorn.Server):
    """The test's process handles its own signals."""

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


class FakeWhatsApp(Phones, Groups, Talk):
    """`async with FakeWhatsApp(folder) as whatsapp`; the exit fails with the fake's own errors.

    Engines reach it through `proxy_url` only, and must trust `ca_file` and `root_key`: `command`
    starts a worker that does.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._files = make_tls(folder)
        self._stack = AsyncExitStack()
        self._proxy = Proxy()

    async def __aenter__(self) -> Self:
        routes = [WebSocketRoute("/ws/chat", self._chat), *self.cdn.routes]
        self._server = _Server(
            uvicorn.Config(
                Starlette(routes=routes),
                lifespan="off",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                ws="websockets-sansio",
                ws_max_size=_FRAME_MAX_BYTES,
                ws_per_message_deflate=False,
                ws_ping_interval=None,
                ssl_certfile=self._files.certificate,
                ssl_keyfile=self._files.key,
                ssl_version=ssl.PROTOCOL_TLS_SERVER,
                timeout_graceful_shutdown=_STOP_S,
            )
        )
        self._listener = self._stack.enter_context(create_server(("127.0.0.1", 0)))
        self.tasks = await self._stack.enter_async_context(anyio.create_task_group())
        self.tasks.start_soon(self._serve)
        port = int(self._listener.getsockname()[1])
        await self._stack.enter_async_context(self._proxy.running(port))
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._proxy.cut_all()
        self._server.should_exit = True
        await self._stack.aclose()
        if error is None and self.errors:
            raise ExceptionGroup("the fake WhatsApp failed", self.errors)

    async def _serve(self) -> None:
        await self._server.serve([self._listener])
        self.tasks.cancel_scope.cancel()

    async def _chat(self, socket: WebSocket) -> None:
        with self.watched():
            await Connection(self, socket).run()

    def cut(self, port: int) -> None:
        self._proxy.cut(port)

    @property
    def proxy_url(self) -> str:
        return f"http://127.0.0.1:{self._proxy.port}"

    @property
    def connects(self) -> list[str]:
        """The hosts engines asked the proxy for."""
        return self._proxy.connects

    @property
    def ca_file(self) -> Path:
        return self._files.authority

    @property
    def root_key(self) -> bytes:
        """The public key of the root of the Noise certificates."""
        return self.authority.root.public

    def command(self, module: str, *args: str) -> list[str]:
        """Starts `python -m module args` in a process whose engine trusts this fake."""
        launcher = str(Path(__file__).with_name("launch.py"))
        counting = Coverage.current()
        file = counting.get_data().base_filename() if counting else ""
        given = [self.root_key.hex(), str(self.ca_file), file, module]
        return [sys.executable, launcher, *given, *args]

    @property
    def receipts(self) -> list[Receipt]:
        return self.records.receipts

    @property
    def typing(self) -> list[Typing]:
        return self.records.typing

    @property
    def app_state_writes(self) -> list[Written]:
        return self.records.app_state_writes

    @property
    def unhandled(self) -> list[Node]:
        """Queries it did not know and answered with 501: a test's end checks there are none."""
        return self.records.unhandled

    @property
    def errors(self) -> list[Exception]:
        """Faults of the fake itself."""
        return self.records.errors

    def check(self) -> None:
        """Raises if an engine asked what the fake does not know, or the fake failed."""
        if self.unhandled:
            raise NotImplementedError("; ".join(str(node) for node in self.unhandled))
        if self.errors:
            raise ExceptionGroup("the fake WhatsApp failed", self.errors)

    async def until(self, fact: Callable[[], object]) -> None:
        """Waits for what the fake can see, such as `lambda: not companion.online`."""
        with anyio.fail_after(_PATIENCE_S):
            while not fact():  # noqa: ASYNC110 — a fact has no event
                await anyio.sleep(_GLANCE_S)

    def outdated(self, outdated: bool = True) -> None:
        """Every connection is refused with 405 until it is called with False."""
        self.faults.outdated = outdated

    def refuse_login(self, code: int | None, *, expire_s: int | None = None) -> None:
        """401 unlinked, 402 banned for `expire_s`, 403 banned, 503 later; None ends it."""
        self.faults.login_refusal = None
        if code is not None:
            ban = {"code": 101, "expire": expire_s} if code == 402 else {}
            self.faults.login_refusal = {"reason": code, **ban}

    def slow(self, seconds: float) -> None:
        """Each message is confirmed so much later."""
        self.faults.ack_delay_s = seconds

    def fail_upload(self, times: int = 1) -> None:
        self.cdn.uploads_to_fail = times

    def lose_acks(self, count: int) -> None:
        """The next messages arrive, and the engine is never told."""
        self.faults.acks_to_lose = count

    def refuse_messages(self, code: int | None) -> None:
        """Messages are not delivered and confirmed with this error; None ends it."""
        self.faults.message_refusal = code

    def resend(self, resend: bool) -> None:
        """Whether phones answer an engine that could not decrypt."""
        self.faults.resend = resend
