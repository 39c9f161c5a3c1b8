"""`/webhooks/{instance}`: where messengers deliver. The signature is the key to this door.

Whoever delivers learns nothing but a status: 200 for what is stored, 401 for what is not proven to
come from the messenger, 404 where nothing is delivered, 503 for what has to come again.
"""

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from messengers.core.core import Core
from messengers.core.deliveries import Deliveries
from messengers.errors import MessengersError, NotFound, Unauthorized
from messengers.providers.webhooks import WebhookRequest
from messengers.web.bodies import body_of
from messengers.web.refusals import refused

__all__ = ["routes"]

_MAX_BYTES = 4 * 1024 * 1024
"""Of one delivery: above the largest batch, Meta's of 1,000 changes in 3 MB."""
_AGAIN_S = 30


def routes(core: Core) -> list[Route]:
    """One address for each instance."""
    door = _Door(core.deliveries)
    return [Route("/webhooks/{instance:uuid}", door.take, methods=["GET", "POST"])]


class _Door:
    def __init__(self, deliveries: Deliveries) -> None:
        self._deliveries = deliveries

    async def take(self, request: Request) -> Response:
        try:
            body = await body_of(request, _MAX_BYTES)
            if body is None:
                return refused(413, "too_large", "The delivery is too large.")
            told = await self._deliveries.take(
                str(request.path_params["instance"]), _read(request, body)
            )
        except ClientDisconnect:
            return refused(400, "bad_request", "The delivery did not arrive whole.")
        except (NotFound, Unauthorized) as exc:
            return refused(exc.http_status, exc.code, "Nothing is taken here.")
        except MessengersError:
            later = {"Retry-After": str(_AGAIN_S)}
            return refused(
                503, "not_ready", "That cannot be taken now.", "Deliver it again.", **later
            )
        headers = {"Cache-Control": "no-store"}
        return Response(told.body, media_type=told.media_type, headers=headers)


def _read(request: Request, body: bytes) -> WebhookRequest:
    return WebhookRequest(
        method=request.method,
        headers={name.lower(): value for name, value in request.headers.items()},
        query=dict(request.query_params),
        body=body,
    )
