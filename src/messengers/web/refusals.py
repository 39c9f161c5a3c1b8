"""Answers that refuse, in one shape, over HTTP and before a WebSocket opens."""

import math
from collections.abc import Mapping

from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from messengers.errors import MessengersError, RateLimited
from messengers.redaction import redact, redact_answer

__all__ = ["error_response", "refuse", "refused"]


def refused(status: int, code: str, cause: str, remedy: str = "", **headers: str) -> Response:
    """`{"error": {"code", "cause", "remedy"}}`: never a stack, a path, a query or a version."""
    error = {"code": code, "cause": cause, "remedy": remedy}
    return JSONResponse({"error": error}, status, headers={"Cache-Control": "no-store", **headers})


def error_response(error: MessengersError, more: Mapping[str, object] | None = None) -> Response:
    """One of our errors with its own status; `more` stands beside its sentences.

    A cause may repeat a platform's words, so whatever stands behind a secret's name goes from it. A
    remedy is ours and says what to type: `--set token=@FILE` must survive.
    """
    told = {"cause": redact(error.cause), "remedy": redact_answer(error.remedy)}
    body = {"code": error.code, **told}
    headers = {"Cache-Control": "no-store"}
    if isinstance(error, RateLimited):
        headers["Retry-After"] = str(math.ceil(error.retry_after_s))
    return JSONResponse({"error": {**body, **(more or {})}}, error.http_status, headers)


async def refuse(response: Response, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a request with it, or a WebSocket's handshake."""
    if scope["type"] == "websocket":
        await receive()
        if "websocket.http.response" not in scope.get("extensions", {}):
            await send({"type": "websocket.close", "code": 1008})
            return
    await response(scope, receive, send)
