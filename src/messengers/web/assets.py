"""What pages are made of: templates, and the files they load. All of it comes with the package."""

import hashlib
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from messengers.web.headers import EVERYWHERE

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

__all__ = ["render", "static_routes"]

_TYPES = {"js": "text/javascript", "css": "text/css", "svg": "image/svg+xml"}


@dataclass(frozen=True, slots=True)
class _Asset:
    content: bytes
    mime: str
    etag: str


def render(template: str, **values: object) -> str:
    """A template of ours as HTML; every value is escaped."""
    return _environment().get_template(template).render(values)


def static_routes() -> list[Route]:
    """The files under /static, open to everyone."""
    return [Route("/static/{file}", _static, methods=["GET"], name="static")]


async def _static(request: Request) -> Response:
    asset = _assets().get(request.path_params["file"])
    if asset is None:
        raise HTTPException(404)
    # Checked every time by its hash: a new version is never mixed with an old one.
    headers = {**EVERYWHERE, "ETag": asset.etag, "Cache-Control": "no-cache"}
    if request.headers.get("if-none-match") == asset.etag:
        return Response(status_code=304, headers=headers)
    return Response(asset.content, media_type=asset.mime, headers=headers)


@cache
def _assets() -> dict[str, _Asset]:
    found: dict[str, _Asset] = {}
    for entry in (files("messengers.web") / "static").iterdir():
        content = entry.read_bytes()
        etag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
        found[entry.name] = _Asset(content, _TYPES[entry.name.rpartition(".")[2]], etag)
    return found


@cache
def _environment() -> "Environment":
    # Here, because a stdio client waits for what the daemon loads at its start.
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("messengers.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["coded"] = _coded
    return environment


def _coded(text: str) -> "Markup":
    """Plain text, with what stands between backticks set as code."""
    from markupsafe import Markup

    code = Markup("<code>{}</code>")
    parts = re.split(r"`([^`]+)`", text)
    return Markup("").join(code.format(each) if at % 2 else each for at, each in enumerate(parts))
