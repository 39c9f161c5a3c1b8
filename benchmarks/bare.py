"""The baseline of a webhook: an app that reads a delivery and answers, and keeps nothing."""

import socket

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

__all__ = ["app"]


async def take(request: Request) -> Response:
    """Said to be taken."""
    await request.json()
    return PlainTextResponse("")


app = Starlette(routes=[Route("/{rest:path}", take, methods=["POST"])])


if __name__ == "__main__":
    with socket.create_server(("127.0.0.1", 0)) as bound:
        print(bound.getsockname()[1], flush=True)
        uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False)).run([bound])
