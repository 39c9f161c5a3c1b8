"""`POST /tickets`: who has a key gets a word that a page of his may show instead, once."""

from typing import TYPE_CHECKING, cast

from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from messengers.core.core import Core
from messengers.errors import Forbidden, InvalidInput
from messengers.web.doors import KEY_DOORS

if TYPE_CHECKING:
    from messengers.core.callers import Caller

__all__ = ["routes"]

_DOORS = {door.path: door for door in KEY_DOORS if door.takes_ticket}


class Asked(BaseModel):
    """Where the ticket is to open."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    path: str


def routes(core: Core) -> list[Route]:
    """`/tickets`; a key makes tickets for what it may do itself."""

    async def issue(request: Request) -> Response:
        caller = cast("Caller", request.scope["caller"])
        try:
            asked = Asked.model_validate(request.scope.get("json", {}))
        except ValidationError as exc:
            raise InvalidInput("The body does not fit.", 'Send {"path": "/events"}.') from exc
        door = _DOORS.get(asked.path)
        if door is None:
            raise InvalidInput("No ticket opens that path.", f"One opens {', '.join(_DOORS)}.")
        if door.scope and not caller.may(door.scope):
            raise Forbidden(f"This key lacks the scope {door.scope}.")
        ticket = core.tickets.issue(caller, asked.path)
        headers = {"Cache-Control": "no-store"}
        return Response(ticket.model_dump_json(), 201, headers, "application/json")

    return [Route("/tickets", issue, methods=["POST"])]
