"""Bodies that a route reads itself, up to its own limit."""

from starlette.requests import Request

__all__ = ["body_of"]


async def body_of(request: Request, max_bytes: int) -> bytes | None:
    """The request's body; None as soon as it is too large.

    Raises ClientDisconnect when it did not arrive whole.
    """
    declared = request.headers.get("content-length", "0")
    if len(declared) > 12 or not declared.isdigit() or int(declared) > max_bytes:
        return None
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) > max_bytes:
            return None
    return bytes(data)
