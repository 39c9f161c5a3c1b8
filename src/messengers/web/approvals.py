"""The approvals page: what waits for the owner, in a browser of this machine that he let in.

His login is a link of `messengers approve --page`, which a person at a terminal has printed: from
then on the browser's cookie is asked for, and with every decision a proof that this form was read
in this browser. Everything works without the script, which only shows what is new.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from pydantic import TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from messengers.core.acts import Approval, Choice
from messengers.core.callers import OWNER
from messengers.core.core import Core
from messengers.core.legible import hidden_in, written_out
from messengers.core.outcomes import told
from messengers.core.pictures import RASTER_MIMES
from messengers.core.words import counted
from messengers.errors import Conflict, MessengersError, NotFound
from messengers.web.assets import render
from messengers.web.bodies import form_of
from messengers.web.headers import FILE, FORM_PAGE
from messengers.web.origins import is_https, is_local, is_own_page

__all__ = ["routes"]

_HISTORY = 30
_WAIT_S = 5.0
"""How long a decision waits for what becomes of it."""
_LEAVE = "logout"
_CHOICE: TypeAdapter[Choice] = TypeAdapter(Choice)
_WORDS: dict[str, tuple[str, str]] = {
    "once": ("Approve once", "Approved once"),
    "always": ("Always in this chat", "Approved, and always in this chat"),
    "never": ("Never in this chat", "Rejected, and never in this chat"),
    "reject": ("Reject", "Rejected"),
    "": ("", "Ended: nobody decided in time"),
}
"""A decision as something to do, and as something done."""


@dataclass(frozen=True, slots=True)
class _Entry:
    """An approval as the page shows it: nothing in it can hide or pose as something else."""

    approval: Approval
    title: str
    facts: Sequence[tuple[str, str]]
    text: str
    attachments: Sequence[str]
    pictures: Sequence[str]
    hidden: str
    buttons: Sequence[tuple[Choice, str]]
    proof: str
    verdict: str
    outcome: str


def routes(core: Core) -> list[Route]:
    """`/approvals` with its parts."""
    page = _Page(core)
    return [
        Route("/approvals", page.listed, methods=["GET"]),
        Route("/approvals/open/{token}", page.opened, methods=["GET"]),
        Route("/approvals/logout", page.left, methods=["POST"]),
        Route("/approvals/{ref}", page.one, methods=["GET"]),
        Route("/approvals/{ref}", page.decided, methods=["POST"]),
        Route("/approvals/{ref}/files/{media}", page.file, methods=["GET"]),
    ]


class _Page:
    def __init__(self, core: Core) -> None:
        self._core = core
        self._approvals = core.approvals
        self._sessions = core.owner_sessions

    async def opened(self, request: Request) -> Response:
        """The first browser takes the link; a look ahead of the person's click does not."""
        is_ahead = request.method == "HEAD" or "sec-purpose" in request.headers
        token = str(request.path_params["token"])
        cookie = "" if is_ahead or not is_local(request) else await self._sessions.take(token)
        if not cookie:
            return _closed(request)
        response = RedirectResponse("/approvals", 303, headers=FORM_PAGE)
        response.set_cookie(
            self._cookie,
            cookie,
            max_age=int(self._sessions.lifetime_s),
            path="/approvals",
            httponly=True,
            samesite="strict",
            secure=is_https(request),
        )
        return response

    async def listed(self, request: Request) -> Response:
        """Everything that waits, oldest first, and what was decided lately."""
        cookie = self._login(request)
        if not cookie:
            return _closed(request)
        said = ""
        if ref := request.query_params.get("decided", ""):
            said = await self._said(ref)
        waiting = [await self._entry(each, cookie) for each in await self._approvals.waiting()]
        past = [await self._entry(each) for each in await self._approvals.decided(_HISTORY)]
        return self._shown(cookie, waiting=waiting, past=past, said=said)

    async def one(self, request: Request) -> Response:
        """One of them, where a link of an answer leads."""
        cookie = self._login(request)
        if not cookie:
            return _closed(request)
        try:
            approval = await self._approvals.get(str(request.path_params["ref"]))
        except NotFound:
            return self._shown(cookie, said="There is no such approval.", status=404)
        entry = await self._entry(approval, cookie if approval.state == "waiting" else "")
        if approval.state == "waiting":
            return self._shown(cookie, waiting=[entry], alone=True)
        return self._shown(cookie, past=[entry], alone=True)

    async def decided(self, request: Request) -> Response:
        """The owner's answer to one, taken once; then the list, as a reload repeats nothing."""
        ref = str(request.path_params["ref"])
        cookie = self._login(request)
        if not cookie:
            return _closed(request)
        given = await form_of(request) or {}
        if not is_own_page(request) or not self._proves(cookie, ref, given):
            return self._shown(cookie, said=_FOREIGN, status=403)
        try:
            decision = _CHOICE.validate_python(given.get("decision"))
            await self._approvals.decide(ref, decision, f"{OWNER.actor} (page)", _WAIT_S)
        except ValidationError:
            return self._shown(cookie, said="That is no answer. Nothing was decided.", status=422)
        except Conflict:
            elsewhere = f"It was decided elsewhere before. {await self._said(ref)}"
            return self._shown(cookie, said=elsewhere, status=409)
        except MessengersError as exc:
            return self._shown(cookie, said=str(exc), status=exc.http_status)
        return RedirectResponse(f"/approvals?decided={ref}", 303, headers=FORM_PAGE)

    async def file(self, request: Request) -> Response:
        """A picture that would leave. Other files are named only."""
        ref, media = (str(request.path_params[name]) for name in ("ref", "media"))
        if not self._login(request):
            return _closed(request)
        if media not in await self._approvals.files(ref):
            raise NotFound("No such file.")
        found = await self._core.media.load(media)
        if found.mime not in RASTER_MIMES:
            raise NotFound("No such picture.")
        return Response(found.data, media_type=found.mime, headers=FILE)

    async def left(self, request: Request) -> Response:
        """This browser is nobody's from now on."""
        cookie = self._login(request)
        given = await form_of(request) or {}
        if not cookie or not is_own_page(request) or not self._proves(cookie, _LEAVE, given):
            return _closed(request)
        await self._sessions.leave(cookie)
        response = _closed(request, status=200)
        response.delete_cookie(self._cookie, path="/approvals", httponly=True, samesite="strict")
        return response

    @property
    def _cookie(self) -> str:
        """Cookies know no ports: each daemon of this machine has a name of its own."""
        return f"owner-{self._core.address.port}"

    def _login(self, request: Request) -> str:
        """The cookie of a browser that the owner let in, on this machine; else ''."""
        cookie = request.cookies.get(self._cookie, "")
        return cookie if is_local(request) and self._sessions.holds(cookie) else ""

    def _proves(self, cookie: str, form: str, given: dict[str, str]) -> bool:
        return self._sessions.proves(cookie, form, given.get("proof", ""))

    async def _said(self, ref: str) -> str:
        """What was decided about one, and what became of that."""
        try:
            approval = await self._approvals.get(ref)
        except NotFound:
            return ""
        if approval.state == "waiting":
            return ""
        verdict = _WORDS[approval.decision][1]
        return f"{verdict}: {written_out(_where(approval))}. {await self._outcome(approval)}"

    async def _outcome(self, approval: Approval) -> str:
        try:
            return written_out(told(await self._approvals.outcome(approval.id, 0)))
        except MessengersError as exc:
            return exc.cause

    async def _entry(self, approval: Approval, cookie: str = "") -> _Entry:
        """As it waits, for the browser with this cookie; else as something that is over."""
        shown = approval.shown
        offered = approval.choices if cookie else ()
        hidden = hidden_in("".join((shown.title, shown.recipient, shown.text, *shown.attachments)))
        return _Entry(
            approval=approval,
            title=_line(shown.title if cookie else _where(approval)),
            facts=[(name, _line(value)) for name, value in self._facts(approval) if value],
            text=written_out(shown.text),
            attachments=[_line(each) for each in shown.attachments],
            pictures=await self._pictures(approval) if cookie else (),
            hidden=counted(hidden, "character") if hidden else "",
            buttons=[(choice, _WORDS[choice][0]) for choice in offered],
            proof=self._sessions.proof(cookie, approval.id) if cookie else "",
            verdict="" if cookie else _WORDS[approval.decision][1],
            outcome="" if cookie else await self._outcome(approval),
        )

    def _facts(self, approval: Approval) -> Sequence[tuple[str, str]]:
        zone = self._core.settings.zone
        return (
            ("To", approval.shown.recipient if approval.chat else ""),
            ("Account", approval.instance),
            ("Why", approval.shown.why),
            ("Found", approval.shown.found),
            ("Asked by", self._asker(approval.requested_by)),
            ("Asked", _time(approval.created_at, zone)),
            ("Ends", _time(approval.expires_at, zone) if approval.state == "waiting" else ""),
            ("Decided", _time(approval.decided_at, zone)),
            ("Decided by", approval.decided_by),
        )

    def _asker(self, actor: str) -> str:
        """Who asked, by the name that the owner gave his key."""
        names = {key.id: f"API key “{key.name}” ({key.id})" for key in self._core.keys.list(OWNER)}
        local = {"stdio": "a client on this machine", "local": "a program with the local key"}
        return names.get(actor, local.get(actor, actor))

    async def _pictures(self, approval: Approval) -> Sequence[str]:
        files = [
            await self._core.media.describe(each)
            for each in await self._approvals.files(approval.id)
        ]
        return [file.media for file in files if file.mime in RASTER_MIMES]

    def _shown(
        self,
        cookie: str,
        *,
        waiting: Sequence[_Entry] = (),
        past: Sequence[_Entry] = (),
        said: str = "",
        alone: bool = False,
        status: int = 200,
    ) -> Response:
        now, left = self._core.clock.now(), timedelta(seconds=self._sessions.left_s(cookie))
        values = {
            "waiting": waiting,
            "past": past,
            "said": said,
            "refused": status != 200,
            "alone": alone or status != 200,
            "leave": self._sessions.proof(cookie, _LEAVE),
            "until": _time((now + left).isoformat(), self._core.settings.zone),
        }
        return HTMLResponse(render("approvals.html", **values), status, headers=FORM_PAGE)


_FOREIGN = "It was not sent from this page as it stands in this browser. Nothing was decided."


def _where(approval: Approval) -> str:
    return " · ".join(part for part in (approval.shown.title, approval.shown.recipient) if part)


def _line(text: str) -> str:
    return written_out(text.replace("\n", " ⏎ "))


def _time(moment: str, zone: tzinfo) -> str:
    return f"{datetime.fromisoformat(moment).astimezone(zone):%Y-%m-%d %H:%M}" if moment else ""


def _closed(request: Request, status: int = 401) -> HTMLResponse:
    """Not logged in, a link that holds no more, another machine: all the same."""
    again = request.url.path if request.method == "GET" else "/approvals"
    if again.startswith("/approvals/open/"):
        again = "/approvals"
    return HTMLResponse(render("approvals_closed.html", again=again), status, headers=FORM_PAGE)
