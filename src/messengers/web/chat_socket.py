"""A chat page's WebSocket: who may open it, what goes in, what comes out.

A message is acknowledged once it is durable. The page keeps what is not acknowledged and sends it
again after a reconnect; the same client id is the same message. What comes out waits in a short
queue: answers wait for room in it, and a page that leaves it full when something new happens is
cut and comes back with its history.
"""

from collections.abc import Mapping

import anyio
import orjson
from anyio.abc import TaskGroup
from starlette.responses import PlainTextResponse
from starlette.websockets import WebSocket, WebSocketDisconnect

from messengers.core.visitors import Visit, Visitors
from messengers.errors import CallerFault, MessengersError, NotConnected, NotReady, RateLimited
from messengers.providers.visitors import PageFrame
from messengers.web import frames
from messengers.web.origins import is_own_origin
from messengers.web.visitor_cookie import cookie_of

__all__ = ["serve_page"]

_QUEUE = 64
_SEND_DEADLINE_S = 15.0
_MAX_FAULTS = 20
_POLICY_VIOLATION, _TOO_BIG, _TRY_LATER = 1008, 1009, 1013

Out = dict[str, object]


async def serve_page(visitors: Visitors, websocket: WebSocket, public_url: str) -> None:
    """Serve one page from handshake to close."""
    name = str(websocket.path_params["name"])
    visitor = visitors.identify(cookie_of(websocket))
    refusal = _refusal(websocket, visitor, public_url)
    if refusal:
        await websocket.send_denial_response(PlainTextResponse(refusal, 403))
        return
    try:
        page = visitors.page(name)
    except (CallerFault, NotReady):
        await websocket.send_denial_response(PlainTextResponse("There is no chat here.", 404))
        return
    await websocket.accept()
    await _Connection(websocket).run(visitors, page.name, visitor)


def _refusal(websocket: WebSocket, visitor: str, public_url: str) -> str:
    if not is_own_origin(websocket.headers, public_url):
        return "This page belongs to another site."
    if websocket.url.query:
        # Addresses end up in logs: whatever somebody wants to pass here, it is not by the query.
        return "Nothing is passed in the address."
    if not visitor:
        return "Open the chat page first."
    return ""


class _Connection:
    def __init__(self, websocket: WebSocket) -> None:
        self._websocket = websocket
        self._faults = 0
        self._close_code = 1000
        self._send, self._waiting = anyio.create_memory_object_stream[Out](_QUEUE)

    async def run(self, visitors: Visitors, name: str, visitor: str) -> None:
        with self._send, self._waiting:
            try:
                visit = await visitors.join(name, visitor, self._push)
            except MessengersError:
                await self._write({"type": "closed"})
                await self._close(_TRY_LATER)
                return
            try:
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(self._carry, tasks)
                    await self._hello(visit)
                    await self._listen(visit)
                    tasks.cancel_scope.cancel()
            finally:
                visit.leave()
            await self._close(self._close_code)

    async def _push(self, frame: PageFrame) -> None:
        self._put(frames.for_page(frame))

    def _put(self, frame: Out) -> None:
        """Queue a frame; a full queue means that the page does not read."""
        try:
            self._send.send_nowait(frame)
        except anyio.WouldBlock:
            self._send.close()
        except (anyio.ClosedResourceError, anyio.BrokenResourceError):
            return  # it is being cut already

    async def _answer(self, frame: Out) -> None:
        """Queue what the page asked for: one that asks faster than it reads is read slower."""
        try:
            await self._send.send(frame)
        except (anyio.ClosedResourceError, anyio.BrokenResourceError):
            return  # it is being cut already

    async def _carry(self, tasks: TaskGroup) -> None:
        """Write what is queued. Ends the connection when that fails or the instance closes."""
        async for frame in self._waiting:
            await self._write(frame)
            if frame["type"] == "closed":
                self._close_code = _TRY_LATER
                break
        tasks.cancel_scope.cancel()

    async def _write(self, frame: Mapping[str, object]) -> None:
        """Send a frame; a page that is gone or takes too long ends the connection."""
        try:
            with anyio.fail_after(_SEND_DEADLINE_S):
                await self._websocket.send_text(orjson.dumps(frame).decode())
        except (TimeoutError, WebSocketDisconnect, RuntimeError):
            self._send.close()  # RuntimeError: the server closed it, because it stops

    async def _close(self, code: int) -> None:
        with anyio.move_on_after(_SEND_DEADLINE_S, shield=True):
            try:
                await self._websocket.close(code)
            except (WebSocketDisconnect, RuntimeError):
                return  # the page was faster

    async def _hello(self, visit: Visit) -> None:
        history = await visit.history()
        await self._answer(
            {
                "type": "hello",
                "messages": [frames.for_page(frame) for frame in history.messages],
                "cursor": history.cursor,
                "seen": history.seen,
            }
        )

    async def _listen(self, visit: Visit) -> None:
        """Read frames until the page is gone or misbehaves for too long."""
        while self._faults < _MAX_FAULTS:
            message = await self._websocket.receive()
            if message["type"] == "websocket.disconnect":
                return
            text = message.get("text")
            if text is None:
                await self._fault("Frames are text.")
            elif len(text) > frames.MAX_FRAME_BYTES:
                self._close_code = _TOO_BIG
                return
            else:
                await self._take(visit, text)
        self._close_code = _POLICY_VIOLATION

    async def _take(self, visit: Visit, text: str) -> None:
        try:
            frame = frames.parse(text)
        except CallerFault as exc:
            await self._fault(exc.cause)
            return
        try:
            await self._do(visit, frame)
        except NotConnected:
            await self._answer({"type": "closed"})
        except MessengersError as exc:
            await self._refuse(frame, exc)

    async def _do(self, visit: Visit, frame: frames.AnyFrame) -> None:
        match frame:
            case frames.Say():
                await visit.say(frame.text, frame.media, frame.client_id, frame.name)
                await self._answer({"type": "ack", "client_id": frame.client_id})
            case frames.Older():
                older = await visit.history(frame.cursor)
                shown = [frames.for_page(message) for message in older.messages]
                answer: Out = {"type": "history", "messages": shown, "cursor": older.cursor}
                await self._answer(answer)
            case frames.Typing():
                visit.typed(active=frame.active)
            case frames.Shown():
                await visit.shown(frame.ids, frame.state)
            case frames.Rename():
                await visit.rename(frame.name)

    async def _refuse(self, frame: frames.AnyFrame, exc: MessengersError) -> None:
        """A sentence for the visitor; `final` when trying again cannot help.

        What is wrong on our side is none of his business.
        """
        of_the_visitor = isinstance(exc, CallerFault | RateLimited)
        reason = exc.cause if of_the_visitor else "That did not work just now."
        answer: Out = {"type": "refused", "of": frame.type, "reason": reason}
        if isinstance(frame, frames.Say):
            answer["client_id"] = frame.client_id
        if isinstance(exc, RateLimited):
            answer["retry_after_s"] = max(0.1, round(exc.retry_after_s, 1))
        answer["final"] = isinstance(exc, CallerFault)
        await self._answer(answer)

    async def _fault(self, reason: str) -> None:
        self._faults += 1
        await self._answer({"type": "error", "reason": reason})
