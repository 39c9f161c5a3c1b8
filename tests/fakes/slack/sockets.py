"""Socket Mode: the connections of apps.

https://docs.slack.dev/apis/events-api/using-socket-mode
"""

import json
import math
from typing import TYPE_CHECKING

import anyio
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from tests.fakes.slack.people import Json

if TYPE_CHECKING:
    from tests.fakes.slack.lines import Line

__all__ = ["Connection", "disconnect_frame", "served"]

MOST_CONNECTIONS = 10
_LIVES_S = 18_060
_HOST = "applink-1"


class Connection:
    def __init__(self, websocket: WebSocket, line: "Line") -> None:
        self.websocket = websocket
        self._line = line
        self.retiring = False
        """It was told to leave: others are served first."""
        self._outgoing, self._waiting = anyio.create_memory_object_stream[str | None](math.inf)

    async def serve(self) -> None:
        """Until either side closes it."""
        self._line.connections.append(self)
        self.send(self._hello())
        try:
            async with anyio.create_task_group() as tasks, self._outgoing, self._waiting:
                tasks.start_soon(self._write)
                async for text in self.websocket.iter_text():
                    self._line.acknowledge(text)
                self.leave()
                tasks.cancel_scope.cancel()
        finally:
            self.leave()

    def _hello(self) -> Json:
        return {
            "type": "hello",
            "num_connections": len(self._line.connections),
            "debug_info": {
                "host": _HOST,
                "build_number": 1,
                "approximate_connection_time": _LIVES_S,
            },
            "connection_info": {"app_id": self._line.app.id},
        }

    async def _write(self) -> None:
        async for text in self._waiting:
            if self.websocket.application_state is not WebSocketState.CONNECTED:
                return
            if text is None:
                await self.websocket.close(1000)
                return
            try:
                await self.websocket.send_text(text)
            except WebSocketDisconnect:
                return

    def send(self, frame: Json | str) -> None:
        """In order; text is sent as it stands."""
        self._outgoing.send_nowait(frame if isinstance(frame, str) else json.dumps(frame))

    def leave(self) -> None:
        """Nothing more is sent to it."""
        if self in self._line.connections:
            self._line.connections.remove(self)

    def close(self) -> None:
        """By the server, in order after what waits."""
        self.leave()
        self._outgoing.send_nowait(None)


async def served(websocket: WebSocket, line: "Line") -> None:
    await websocket.accept()
    if len(line.connections) < MOST_CONNECTIONS:
        await Connection(websocket, line).serve()
        return
    await websocket.send_json(disconnect_frame("too_many_websockets"))
    await websocket.close()


def disconnect_frame(reason: str) -> Json:
    return {"type": "disconnect", "reason": reason, "debug_info": {"host": _HOST}}
