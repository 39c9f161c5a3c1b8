"""The login page: a code that changes by itself, for the phone that the account lives on.

Who sees the code can link the account to a machine of his own. So a link opens in one browser, on
this machine, for one instance; the code is in no address, no cache and no log; and whatever does
not hold looks the same.
A key with the scope of `get_qr` opens the page under `/instances/{ref}/login`.
"""

from base64 import b64encode
from datetime import datetime
from typing import assert_never

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from messengers.core.callers import OWNER, Caller
from messengers.core.core import Core
from messengers.errors import InvalidInput
from messengers.providers.login import (
    AskInput,
    Done,
    LoginFailed,
    LoginStep,
    ShowCode,
    ShowQr,
    Wait,
)
from messengers.qr import svg
from messengers.web.assets import render
from messengers.web.headers import EVERYWHERE, PAGE
from messengers.web.origins import is_https, is_local, is_own_page
from messengers.web.refusals import refused

__all__ = ["routes"]

_COOKIE = "login"
_HOLD_S = 2.0
"""How long a question waits for something to show."""
_HEADERS = {**PAGE, "Referrer-Policy": "same-origin"}
_SECRET = {**EVERYWHERE, "Cache-Control": "no-store"}


class Question(BaseModel):
    """What the page asks for."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    phone: str = Field(default="", max_length=40)
    """Set: a code to type instead of one to scan."""
    again: bool = False
    """The login ended; begin anew."""


def routes(core: Core) -> list[Route]:
    """`/login/{token}` for a link, `/instances/{ref}/login` for a key; each with its `/step`."""
    pages = _Pages(core)
    return [
        Route("/login/{token}", pages.opened, methods=["GET"]),
        Route("/login/{token}/step", pages.asked, methods=["POST"]),
        Route("/instances/{ref}/login", pages.opened_by_key, methods=["GET"]),
        Route("/instances/{ref}/login/step", pages.asked_by_key, methods=["POST"]),
    ]


class _Pages:
    def __init__(self, core: Core) -> None:
        self._core = core
        self._links = core.login_links

    async def opened(self, request: Request) -> Response:
        """The first browser takes the link; a look ahead of the person's click does not."""
        token = str(request.path_params["token"])
        is_ahead = request.method == "HEAD" or "sec-purpose" in request.headers
        if not is_local(request) or is_ahead:
            return _nothing()
        cookie = request.cookies.get(_COOKIE, "")
        new = "" if self._links.look(token, cookie) else self._links.take(token)
        instance_id = self._links.look(token, new or cookie)
        if not instance_id:
            return _nothing()
        page = await self._page(OWNER, instance_id)
        if new:
            page.set_cookie(
                _COOKIE,
                new,
                max_age=int(self._links.lifetime_s),
                path=f"/login/{token}",
                httponly=True,
                samesite="strict",
                secure=is_https(request),
            )
        return page

    async def asked(self, request: Request) -> Response:
        """The step of a login, for the browser that took the link."""
        token = str(request.path_params["token"])
        instance_id = self._links.look(token, request.cookies.get(_COOKIE, ""))
        if not instance_id or not is_local(request):
            return refused(401, "unauthorized", "This link does not hold, or holds no more.")
        if not is_own_page(request):
            return refused(403, "forbidden", "It was not asked by our own page.")
        step = await self._step(OWNER, instance_id, request)
        if isinstance(step, Done):
            self._links.end(token)
        return self._told(step)

    async def opened_by_key(self, request: Request) -> Response:
        """The same page, for a program that has a key and shows it to the owner."""
        return await self._page(_caller(request), str(request.path_params["ref"]))

    async def asked_by_key(self, request: Request) -> Response:
        """The step of a login, for a key."""
        step = await self._step(_caller(request), str(request.path_params["ref"]), request)
        return self._told(step)

    async def _page(self, caller: Caller, ref: str) -> Response:
        view = await self._core.instances.get(caller, ref)
        info = self._core.instances.registry.catalog.find(view.instance.provider)
        takes_phone = view.capabilities.login == "qr"
        html = render("login.html", view=view, info=info, takes_phone=takes_phone)
        return HTMLResponse(html, headers=_HEADERS)

    async def _step(self, caller: Caller, ref: str, request: Request) -> LoginStep:
        try:
            question = Question.model_validate(request.scope.get("json", {}))
        except ValidationError as exc:
            raise InvalidInput("The question does not fit.", "Reload the page.") from exc
        if question.again:
            await self._core.instances.connect(caller, ref, 0)
        return await self._core.login.step(caller, ref, question.phone, _HOLD_S)

    def _told(self, step: LoginStep) -> Response:
        return JSONResponse(_shown(step, self._core.clock.now()), headers=_SECRET)


def _shown(step: LoginStep, now: datetime) -> dict[str, object]:
    """What the page draws of a step."""
    match step:
        case ShowQr():
            drawing = b64encode(svg(step.text).encode("utf-8")).decode("ascii")
            return {
                "state": "qr",
                "picture": f"data:image/svg+xml;base64,{drawing}",
                "caption": step.caption,
                "left_s": _left_s(step.expires_at, now),
            }
        case ShowCode():
            return {
                "state": "code",
                "code": step.spaced,
                "caption": step.caption,
                "left_s": _left_s(step.expires_at, now),
            }
        case Wait():
            return {"state": "wait", "reason": step.reason}
        case Done():
            return {"state": "done"}
        case AskInput():
            fields = ", ".join(step.fields)
            reason = f"It needs {fields} first: `messengers instances connect` links to a form."
            return {"state": "failed", "reason": reason}
        case LoginFailed():
            return {"state": "failed", "reason": step.reason}
    assert_never(step)


def _left_s(expires_at: datetime | None, now: datetime) -> float | None:
    return None if expires_at is None else max(0.0, (expires_at - now).total_seconds())


def _caller(request: Request) -> Caller:
    """Whose key opened the door."""
    caller: Caller = request.scope["caller"]
    return caller


def _nothing() -> Response:
    """Wrong, used, too old, in another browser, from another machine: all the same."""
    return HTMLResponse(render("no_login.html"), 401, headers=_HEADERS)
