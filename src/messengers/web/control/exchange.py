"""One question of the command line and its answer: whom it names, what it says, what is said."""

from collections.abc import Awaitable, Callable
from typing import TypeVar
from urllib.parse import unquote

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from messengers.errors import Forbidden, InvalidInput
from messengers.web.doors import CONTROL_SCOPES
from messengers.wire import parse

__all__ = ["Question", "Segments", "answered", "query_of", "read", "ref_of"]

WAIT_MAX_S = 60.0


class Question(BaseModel):
    """A body. What is not asked for is refused: a misspelt option must not be dropped."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Segments:
    """Middleware: routes are found by the path as it was sent.

    Servers decode a path as a whole, and `c1%2Fdecision` would be two segments: another route, or
    none, for a chat with a slash in its name.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope = {**scope, "path": scope["raw_path"].decode("ascii")}
        await self._app(scope, receive, send)


def ref_of(request: Request) -> str:
    """The id, name or number that stands in the path as one segment."""
    return unquote(str(request.path_params["ref"]))


Q = TypeVar("Q", bound=Question)


async def read(request: Request, model: type[Q]) -> Q:
    """The body as `model`; none is an empty one.

    Raises:
        InvalidInput: names what does not fit, never a value.
    """
    body = await request.body()
    try:
        return model.model_validate(parse(body) if body else {})
    except ValidationError as exc:
        fault = exc.errors(include_url=False, include_input=False, include_context=False)[0]
        name = ".".join(str(part) for part in fault["loc"])
        raise InvalidInput(f"{name or 'The body'} does not fit.", f"{fault['msg']}.") from exc


def query_of(request: Request, model: type[Q]) -> Q:
    """What stands behind the path's `?`; what is empty there was not given.

    Raises:
        InvalidInput: names what does not fit, never a value.
    """
    given = {name: value for name, value in request.query_params.items() if value}
    try:
        return model.model_validate(given)
    except ValidationError as exc:
        name = ".".join(map(str, exc.errors()[0]["loc"]))
        raise InvalidInput(f"{name} does not fit.") from exc


def answered(
    answer: Callable[[Request], Awaitable[object]],
) -> Callable[[Request], Awaitable[Response]]:
    """A route from a function that returns domain types."""

    async def respond(request: Request) -> Response:
        method = "GET" if request.method == "HEAD" else request.method
        if f"{method} {request.scope['route'].path}" not in CONTROL_SCOPES:
            raise Forbidden("This route has no scope, so it answers nobody.")
        return Response(to_json(await answer(request)), media_type="application/json")

    return respond
