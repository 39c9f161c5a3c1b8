"""The credential form: what must not be said in a chat is typed here, on this machine.

The link's token is the whole authority, good for one filled form. Every link that does not hold
looks the same, whether it is wrong, used or too old, or comes from another machine.
"""

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from messengers.core.acts import InstanceAnswer
from messengers.core.callers import OWNER
from messengers.core.core import Core
from messengers.core.credentials import ConfigField, fields_of
from messengers.core.forms import Form
from messengers.errors import InvalidInput, MessengersError
from messengers.web.assets import render
from messengers.web.bodies import form_of
from messengers.web.headers import FORM_PAGE
from messengers.web.origins import is_local, is_own_page

__all__ = ["routes"]

_HEADERS = {
    **FORM_PAGE,
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
}
"""What is typed here is a secret: no script at all."""


def routes(core: Core) -> list[Route]:
    """`/forms/{token}`: shown by GET, filled by POST."""

    async def show(request: Request) -> Response:
        form = core.forms.look(request.path_params["token"]) if is_local(request) else None
        return _form_page(core, form, {}) if form is not None else _nothing()

    async def fill(request: Request) -> Response:
        token = request.path_params["token"]
        if not is_local(request) or core.forms.look(token) is None:
            return _nothing()
        if not is_own_page(request):
            return _page("refused.html", 403, reason="It was not sent from our own page.")
        given = await form_of(request)
        form = core.forms.take(token) if given is not None else None
        if given is None:
            return _page("refused.html", 400, reason="What was sent is no filled form.")
        return await _filled(core, form, given) if form is not None else _nothing()

    return [
        Route("/forms/{token}", show, methods=["GET"]),
        Route("/forms/{token}", fill, methods=["POST"]),
    ]


async def _filled(core: Core, form: Form, given: Mapping[str, str]) -> Response:
    """Set up what the form is for. What does not fit can be corrected under a new token."""
    info = core.instances.registry.catalog.find(form.provider)
    fields = fields_of(info.config)
    flags = {field.name: "false" for field in fields if field.kind == "flag"}
    values = {**flags, **given}
    try:
        if form.instance_id:
            answer = await core.instances.update(OWNER, form.instance_id, values)
        else:
            answer = await core.instances.create(OWNER, form.provider, form.name, values)
    except InvalidInput as exc:
        again = core.forms.open(form)
        open_fields = {field.name for field in fields if field.kind != "secret"}
        kept = {name: value for name, value in given.items() if name in open_fields}
        return _form_page(core, form, kept, error=str(exc), action=f"/forms/{again}", status=422)
    except MessengersError as exc:
        return _page("refused.html", exc.http_status, reason=str(exc))
    return _done(answer)


def _form_page(
    core: Core,
    form: Form,
    kept: Mapping[str, str],
    *,
    error: str = "",
    action: str = "",
    status: int = 200,
) -> Response:
    info = core.instances.registry.catalog.find(form.provider)
    fields = [_prefilled(field, form, kept) for field in fields_of(info.config)]
    return _page(
        "form.html", status, form=form, info=info, fields=fields, error=error, action=action
    )


def _prefilled(field: ConfigField, form: Form, kept: Mapping[str, str]) -> ConfigField:
    """With what is known already; a secret never comes back, and left blank it stays."""
    known = {**form.given, **kept}.get(field.name, field.default)
    required = field.required and not (form.instance_id and field.kind == "secret")
    return field.model_copy(
        update={"default": "" if field.kind == "secret" else known, "required": required}
    )


def _done(answer: InstanceAnswer) -> Response:
    retry = answer.link if answer.outcome == "needs_form" else ""
    page = answer.link if answer.outcome == "done" else ""
    return _page("form_done.html", 200, answer=answer, retry=retry, page=page)


def _nothing() -> Response:
    return _page("refused.html", 401, reason="This link does not hold, or holds no more.")


def _page(template: str, status: int, **values: object) -> Response:
    return HTMLResponse(render(template, **values), status, headers=_HEADERS)
