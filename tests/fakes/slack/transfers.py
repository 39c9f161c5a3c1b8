"""The bytes of files: their way in to an announced address, and out by the private one."""

from urllib.parse import quote

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from tests.fakes.slack.requests import bearer
from tests.fakes.slack.uploads import visible_to
from tests.fakes.slack.world import World

__all__ = ["transfer_routes"]

_LOGIN = (
    "<!DOCTYPE html><html><head><title>Slack</title></head>"
    "<body><form id='signin_form'>Sign in</form></body></html>"
)


def transfer_routes(world: World) -> list[Route]:
    async def upload(request: Request) -> Response:
        return await _uploaded(world, request)

    async def download(request: Request) -> Response:
        return _downloaded(world, request)

    async def login(request: Request) -> Response:
        return HTMLResponse(_LOGIN)

    return [
        Route("/upload/v1/{file}", upload, methods=["POST"]),
        Route("/files-pri/{place}/{name:path}", download),
        Route("/", login),
    ]


async def _uploaded(world: World, request: Request) -> Response:
    """Raw, or the one file of a form."""
    file = world.files.get(request.path_params["file"])
    if file is None or file.completed:
        return PlainTextResponse("no such upload", 404)
    if request.headers.get("content-type", "").startswith("multipart/form-data"):
        async with request.form() as form:
            parts = [each for each in form.values() if isinstance(each, UploadFile)]
            data = await parts[0].read() if parts else b""
    else:
        data = await request.body()
    if len(data) != file.length:
        fault = f"{file.id}: {len(data)} bytes where {file.length} were announced"
        world.records.mistakes.append(fault)
        return PlainTextResponse("wrong length", 400)
    file.data = data
    return PlainTextResponse(f"OK - {len(data)}")


def _downloaded(world: World, request: Request) -> Response:
    """Whoever may not see the file is sent to the page to sign in."""
    file_id = request.path_params["place"].partition("-")[2]
    file = world.files.get(file_id)
    token = world.tokens.get(bearer(request))
    world.downloads.append(request.url.path)
    allowed = token and not token.refusal and token.user and token.may("files:read")
    if not allowed or not token or not token.user:
        return RedirectResponse(f"{world.url}/?redir={quote(request.url.path)}", 302)
    if file is None or file.deleted or file.data is None or not visible_to(token.user, file):
        return RedirectResponse(f"{world.url}/?redir={quote(request.url.path)}", 302)
    if (fault := world.broken_files.get(file.id)) is not None:
        return Response(status_code=fault)
    return Response(file.data, media_type=file.mimetype)
