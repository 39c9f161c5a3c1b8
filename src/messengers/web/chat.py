"""The chat pages over HTTP: the page itself, pictures in, pictures out, and its WebSocket.

Nobody needs a key here. A visitor is his cookie, and each route reaches his own conversation only;
what belongs to somebody else answers exactly like what does not exist.
"""

from collections.abc import Awaitable, Callable
from urllib.parse import unquote

from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket

from messengers.core.core import Core
from messengers.core.pictures import RASTER_MIMES
from messengers.core.visitors import Visitors, new_cookie
from messengers.errors import (
    CallerFault,
    Forbidden,
    InvalidInput,
    MessengersError,
    NotReady,
    RateLimited,
)
from messengers.web.assets import render, static_routes
from messengers.web.bodies import body_of
from messengers.web.chat_socket import serve_page
from messengers.web.headers import FILE, PAGE
from messengers.web.origins import is_https, is_own_origin
from messengers.web.refusals import error_response, refused
from messengers.web.visitor_cookie import cookie_of, set_cookie

__all__ = ["routes"]

Answer = Callable[[Request], Awaitable[Response]]


def routes(core: Core) -> list[BaseRoute]:
    """`/chat/{name}` with its parts, and `/static`."""
    pages = _Pages(core.visitors, core.settings.public_url)
    return [
        Route("/chat/{name}", pages.page, methods=["GET"]),
        WebSocketRoute("/chat/{name}/ws", pages.socket),
        Route("/chat/{name}/images", _spoken(pages.upload), methods=["POST"]),
        Route("/chat/{name}/media/{media}", _spoken(pages.media), methods=["GET"]),
        *static_routes(),
    ]


def _spoken(answer: Answer) -> Answer:
    """Errors as JSON with their status: the one place that words them."""

    async def spoken(request: Request) -> Response:
        try:
            return await answer(request)
        except (CallerFault, RateLimited) as exc:
            return _error(exc)
        except MessengersError:
            # What is wrong on our side is none of a visitor's business.
            return _error(NotReady("That did not work just now.", "Try again shortly."))

    return spoken


def _error(error: MessengersError) -> Response:
    response = error_response(error)
    response.headers.update(FILE)
    return response


class _Pages:
    def __init__(self, visitors: Visitors, public_url: str) -> None:
        self._visitors = visitors
        self._public_url = public_url

    async def page(self, request: Request) -> Response:
        name = str(request.path_params["name"])
        try:
            page = self._visitors.page(name)
        except (CallerFault, NotReady):
            return HTMLResponse(render("no_chat.html"), 404, dict(PAGE))
        html = render("chat.html", page=page, front=page.front)
        response = HTMLResponse(html, headers=dict(PAGE))
        cookie = cookie_of(request)
        value = cookie if self._visitors.identify(cookie) else new_cookie()
        set_cookie(response, value, page.name, is_https=is_https(request, self._public_url))
        return response

    async def socket(self, websocket: WebSocket) -> None:
        await serve_page(self._visitors, websocket, self._public_url)

    async def upload(self, request: Request) -> Response:
        visitor = self._visitor(request)
        if not is_own_origin(request.headers, self._public_url):
            raise Forbidden("This page belongs to another site.")
        name = str(request.path_params["name"])
        page = self._visitors.page(name)
        try:
            data = await body_of(request, page.max_image_bytes)
        except ClientDisconnect as exc:
            raise InvalidInput("The picture did not arrive whole.", "Send it again.") from exc
        if data is None:
            return refused(413, "too_large", "The picture is too large.", **FILE)
        file_name = unquote(request.headers.get("x-file-name", ""), errors="replace")
        upload = await self._visitors.upload(name, visitor, data, file_name)
        file = upload.attachment
        answer = {"token": upload.token, "width": file.width, "height": file.height}
        return JSONResponse(answer, headers=dict(FILE))

    async def media(self, request: Request) -> Response:
        visitor = self._visitor(request)
        name, media = str(request.path_params["name"]), str(request.path_params["media"])
        content = await self._visitors.media(name, visitor, media)
        mime = content.attachment.mime
        if mime in RASTER_MIMES:
            return Response(content.data, media_type=mime, headers=dict(FILE))
        # No stranger's name in a header, no stranger's markup in a page.
        headers = {**FILE, "Content-Disposition": f'attachment; filename="{media}"'}
        return Response(content.data, media_type="application/octet-stream", headers=headers)

    def _visitor(self, request: Request) -> str:
        visitor = self._visitors.identify(cookie_of(request))
        if not visitor:
            raise Forbidden("Open the chat page first.")
        return visitor
