"""How many sessions of `/mcp` one key keeps open at once.

Clients that begin one for each call and end none are common. The SDK ends what says nothing for
long and bounds all sessions together; here none takes the room of the others' keys.
"""

from collections import OrderedDict, defaultdict
from typing import TYPE_CHECKING, cast

from mcp.server.streamable_http import MCP_SESSION_ID_HEADER
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

if TYPE_CHECKING:
    from messengers.core.callers import Caller

__all__ = ["MOST", "Sessions"]

MOST = 500
"""Of one key; each takes about 40 kB."""


class Sessions:
    """Ends a key's session that rested longest when it begins one too many."""

    def __init__(self, app: ASGIApp, most: int = MOST) -> None:
        self._app = app
        self._most = most
        self._open: dict[str, OrderedDict[str, int]] = defaultdict(OrderedDict)
        """Of each key: its sessions, how many requests each has under way, the latest last."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        caller = cast("Caller", scope["caller"])
        own = self._open[caller.actor]
        session = Headers(scope=scope).get(MCP_SESSION_ID_HEADER, "")
        if not session:
            await self._app(scope, receive, self._watched(own, scope, send))
            return
        if session in own:
            own[session] += 1
            own.move_to_end(session)
        try:
            await self._app(scope, receive, send)
        finally:
            if session in own:
                own[session] -= 1
                if scope["method"] == "DELETE":
                    del own[session]

    def _watched(self, own: OrderedDict[str, int], scope: Scope, send: Send) -> Send:
        """Notices the session that an answer begins."""

        async def watch(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == 200:
                session = Headers(raw=message["headers"]).get(MCP_SESSION_ID_HEADER, "")
                if session:
                    own[session] = 0
                    await self._make_room(own, scope)
            await send(message)

        return watch

    async def _make_room(self, own: OrderedDict[str, int], scope: Scope) -> None:
        while len(own) > self._most:
            resting = (session for session, calls in own.items() if not calls)
            session = next(resting, next(iter(own)))
            del own[session]
            header = (MCP_SESSION_ID_HEADER.encode(), session.encode())
            await self._app({**scope, "method": "DELETE", "headers": [header]}, _nothing, _unheard)


async def _nothing() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}


async def _unheard(_: Message) -> None:
    """Nobody waits for this answer."""
