"""The owner's instances, and what can be set up."""

from collections.abc import Mapping
from pathlib import Path

from pydantic import Field
from starlette.requests import Request
from starlette.routing import Route

from messengers.core.callers import OWNER
from messengers.core.core import Core
from messengers.core.credentials import fields_of
from messengers.core.views import InstanceView
from messengers.errors import InvalidInput
from messengers.models import Confirm, OnUnknown, Pacing
from messengers.web.control.exchange import WAIT_MAX_S, Question, answered, read, ref_of

__all__ = ["routes"]


class Wait(Question):
    """How long to wait for the outcome."""

    wait_s: float = Field(default=5.0, ge=0, le=WAIT_MAX_S)


class New(Wait):
    """A new instance."""

    provider: str
    name: str
    credentials: Mapping[str, str] = {}
    endpoints: Mapping[str, str] = {}
    confirm: Confirm | None = None
    connect: bool = True


class Change(Question):
    """What may be changed without setting up again; None stays as it is."""

    name: str | None = None
    confirm: Confirm | None = None
    read_only: bool | None = None
    pacing: Pacing | None = None
    on_unknown: OnUnknown | None = None
    quiet_hours: str | None = None
    retention_days: int | None = Field(default=None, ge=0, le=36_500)
    """0: for good."""
    sends_per_hour: int | None = Field(default=None, ge=0)
    sends_per_day: int | None = Field(default=None, ge=0)
    new_recipients_per_day: int | None = Field(default=None, ge=0)
    """0: no bound."""


class Credentials(Wait):
    """Other credentials; blank ones stay."""

    credentials: Mapping[str, str]


class Step(Question):
    """The next step of a login."""

    phone: str = ""
    wait_s: float = Field(default=20.0, ge=0, le=WAIT_MAX_S)


class Session(Question):
    """A session file of another program, copied for this instance."""

    path: Path = Field()
    replace: bool = False


def routes(core: Core) -> list[Route]:
    """`/providers` and `/instances`."""
    owner = _Owner(core)
    one = "/instances/{ref}"
    return [
        Route("/providers", answered(owner.providers), methods=["GET"]),
        Route("/findings", answered(owner.findings), methods=["GET"]),
        Route("/instances", answered(owner.list), methods=["GET"]),
        Route("/instances", answered(owner.add), methods=["POST"]),
        Route(one, answered(owner.show), methods=["GET"]),
        Route(one, answered(owner.change), methods=["PATCH"]),
        Route(one, answered(owner.remove), methods=["DELETE"]),
        Route(f"{one}/credentials", answered(owner.credentials), methods=["PUT"]),
        Route(f"{one}/connect", answered(owner.connect), methods=["POST"]),
        Route(f"{one}/disconnect", answered(owner.disconnect), methods=["POST"]),
        Route(f"{one}/login", answered(owner.login), methods=["POST"]),
        Route(f"{one}/logout", answered(owner.logout), methods=["POST"]),
        Route(f"{one}/session", answered(owner.adopt), methods=["PUT"]),
        Route(f"{one}/blocked", answered(owner.blocked), methods=["GET"]),
    ]


class _Owner:
    def __init__(self, core: Core) -> None:
        self._core = core
        self._instances = core.instances

    async def providers(self, _: Request) -> object:
        """The catalog, with the fields that each one asks for."""
        catalog = self._instances.registry.catalog
        return [
            {
                "name": info.name,
                "title": info.title,
                "kind": info.kind,
                "summary": info.summary,
                "setup": info.setup,
                "docs": info.docs,
                "extra": info.extra,
                "endpoints": info.endpoints,
                "fields": fields_of(info.config),
            }
            for info in catalog.all()
        ]

    async def findings(self, _: Request) -> object:
        """What the messengers say of the instances; takes as long as the slowest of them."""
        return await self._instances.examine(OWNER)

    async def list(self, request: Request) -> object:
        return await self._instances.list(OWNER, request.query_params.get("provider", ""))

    async def add(self, request: Request) -> object:
        new = await read(request, New)
        return await self._instances.create(
            OWNER,
            new.provider,
            new.name,
            new.credentials,
            endpoints=new.endpoints,
            confirm=new.confirm,
            connect=new.connect,
            wait_s=new.wait_s,
        )

    async def show(self, request: Request) -> object:
        view = await self._instances.get(OWNER, ref_of(request))
        return self._with_problems(view)

    async def change(self, request: Request) -> object:
        change = await read(request, Change)
        ref = self._instances.resolve(OWNER, ref_of(request)).id
        if change.name is not None:
            await self._instances.rename(OWNER, ref, change.name)
        policy = change.model_dump(exclude={"name"}, exclude_none=True)
        if policy:
            await self._instances.set_policy(OWNER, ref, **policy)
            self._core.retention.hurry()
        return await self._instances.get(OWNER, ref)

    async def remove(self, request: Request) -> object:
        purge = request.query_params.get("purge", "0")
        if purge not in ("0", "1"):
            raise InvalidInput("purge is 0 or 1.")
        return await self._instances.delete(OWNER, ref_of(request), purge=purge == "1")

    async def credentials(self, request: Request) -> object:
        new = await read(request, Credentials)
        return await self._instances.update(OWNER, ref_of(request), new.credentials, new.wait_s)

    async def connect(self, request: Request) -> object:
        wait = await read(request, Wait)
        return await self._instances.connect(OWNER, ref_of(request), wait.wait_s)

    async def disconnect(self, request: Request) -> object:
        return await self._instances.disconnect(OWNER, ref_of(request))

    async def login(self, request: Request) -> object:
        step = await read(request, Step)
        return await self._core.login.step(OWNER, ref_of(request), step.phone, step.wait_s)

    async def logout(self, request: Request) -> object:
        return await self._instances.log_out(OWNER, ref_of(request))

    async def adopt(self, request: Request) -> object:
        session = await read(request, Session)
        if not session.path.is_absolute():
            raise InvalidInput("path must be absolute.")
        return await self._instances.adopt(
            OWNER, ref_of(request), session.path, replace=session.replace
        )

    async def blocked(self, request: Request) -> object:
        found = await self._core.arrangements.blocked(OWNER, ref_of(request))
        return [person.model_dump() for person in found]

    def _with_problems(self, view: InstanceView) -> Mapping[str, object]:
        problems = self._instances.problems(view.instance.id)
        return {**view.model_dump(mode="json"), "problems": list(problems)}
