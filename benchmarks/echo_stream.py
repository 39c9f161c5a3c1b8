"""The baseline of an event stream: Starlette with a queue and an encoding for each client.

What one writes first. `POST /say` tells everybody what stands in its body.
"""

import asyncio
import json
import sys
from collections.abc import AsyncGenerator

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

QUEUES: set[asyncio.Queue[dict[str, str]]] = set()


async def events(_: Request) -> Response:
    """Everything that is said, from now on."""
    queue: asyncio.Queue[dict[str, str]] = asyncio.Queue()
    QUEUES.add(queue)

    async def stream() -> AsyncGenerator[str]:
        yield "event: stream.open\ndata: {}\n\n"
        try:
            while True:
                said = await queue.get()
                yield f"event: {said['type']}\ndata: {json.dumps(said)}\n\n"
        finally:
            QUEUES.discard(queue)

    return StreamingResponse(stream(), media_type="text/event-stream")


async def say(request: Request) -> Response:
    """Tell everybody."""
    text = (await request.body()).decode()
    for queue in QUEUES:
        queue.put_nowait({"type": "message.received", "text": text})
    return Response(status_code=204)


if __name__ == "__main__":
    app = Starlette(routes=[Route("/events", events), Route("/say", say, methods=["POST"])])
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="error")
