"""Bodies that a route reads itself, up to its own limit."""

from urllib.parse import parse_qsl

from starlette.requests import Request

__all__ = ["body_of", "form_of"]

_MAX_FORM = 256 * 1024
_MAX_FIELDS = 100
_FORM = "application/x-www-form-urlencoded"


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


async def form_of(request: Request) -> dict[str, str] | None:
    """The fields of a filled form; None for anything else."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
        return None
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MAX_FORM:
            return None
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=_MAX_FIELDS,
        )
    except ValueError:
        return None
    return dict(pairs)
