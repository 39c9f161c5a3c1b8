"""What only the owner decides: keys, approvals, standing answers for chats."""

from pydantic import AwareDatetime, Field
from starlette.requests import Request
from starlette.routing import Route

from messengers.core.acts import Choice
from messengers.core.audit_views import AuditFilter
from messengers.core.callers import OWNER
from messengers.core.chats import ChatFilter
from messengers.core.core import Core
from messengers.models import Decision, Preset
from messengers.web.control.exchange import WAIT_MAX_S, Question, answered, query_of, read, ref_of

__all__ = ["routes"]


class NewKey(Question):
    """A key to make."""

    name: str
    preset: Preset = "messenger"
    expires_at: AwareDatetime | None = None
    instances: tuple[str, ...] = ()
    """Names or ids; none means all."""
    toolsets: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    """None means those of the preset."""
    rate_per_min: int | None = None


class Verdict(Question):
    """The answer to an approval."""

    decision: Choice
    wait_s: float = Field(default=5.0, ge=0, le=WAIT_MAX_S)


class Alias(Question):
    """The owner's own name for a chat; empty takes it away."""

    alias: str


class Standing(Question):
    """The standing answer for a chat; None asks again."""

    decision: Decision | None


class Sought(Question):
    """Which chats to find."""

    query: str = ""
    instance: str = ""
    limit: int = 20


class Lines(Question):
    """Which lines of the audit."""

    since: AwareDatetime | None = None
    who: str = ""
    instance: str = ""
    chat: str = ""
    action: str = ""
    limit: int = 50
    cursor: str = ""


def routes(core: Core) -> list[Route]:
    """`/keys`, `/approvals`, `/audit`, `/owner-sessions`, `/chats`."""
    owner = _Owner(core)
    return [
        Route("/keys", answered(owner.keys), methods=["GET"]),
        Route("/keys", answered(owner.make_key), methods=["POST"]),
        Route("/keys/{ref}", answered(owner.revoke_key), methods=["DELETE"]),
        Route("/keys/{ref}/regenerate", answered(owner.regenerate_key), methods=["POST"]),
        Route("/approvals", answered(owner.waiting), methods=["GET"]),
        Route("/approvals/{ref}", answered(owner.approval), methods=["GET"]),
        Route("/approvals/{ref}", answered(owner.decide), methods=["POST"]),
        Route("/audit", answered(owner.audit), methods=["GET"]),
        Route("/owner-sessions", answered(owner.open_page), methods=["POST"]),
        Route("/owner-sessions", answered(owner.end_pages), methods=["DELETE"]),
        Route("/chats", answered(owner.chats), methods=["GET"]),
        Route("/chats/decided", answered(owner.decided), methods=["GET"]),
        Route("/chats/{ref}/alias", answered(owner.alias), methods=["PUT"]),
        Route("/chats/{ref}/decision", answered(owner.stand), methods=["PUT"]),
    ]


class _Owner:
    def __init__(self, core: Core) -> None:
        self._core = core

    async def keys(self, _: Request) -> object:
        return self._core.keys.list(OWNER)

    async def make_key(self, request: Request) -> object:
        """One of the two answers that ever hold a key."""
        new = await read(request, NewKey)
        instances = [self._core.instances.resolve(OWNER, ref).id for ref in new.instances]
        key, secret = await self._core.keys.create(
            OWNER,
            new.name,
            new.preset,
            new.expires_at,
            instances,
            new.toolsets,
            new.scopes,
            new.rate_per_min,
        )
        return {"key": key, "secret": secret}

    async def regenerate_key(self, request: Request) -> object:
        """The other one."""
        key, secret = await self._core.keys.regenerate(OWNER, ref_of(request))
        return {"key": key, "secret": secret}

    async def revoke_key(self, request: Request) -> object:
        return await self._core.keys.revoke(OWNER, ref_of(request))

    async def waiting(self, _: Request) -> object:
        return await self._core.approvals.waiting()

    async def approval(self, request: Request) -> object:
        return await self._core.approvals.get(ref_of(request))

    async def decide(self, request: Request) -> object:
        verdict = await read(request, Verdict)
        return await self._core.approvals.decide(
            ref_of(request), verdict.decision, OWNER.actor, verdict.wait_s
        )

    async def audit(self, request: Request) -> object:
        """A page of the audit, newest first."""
        asked = query_of(request, Lines)
        wanted = AuditFilter(asked.since, asked.who, asked.instance, asked.chat, asked.action)
        page = await self._core.audit_log.list(OWNER, wanted, asked.limit, asked.cursor)
        return {"items": page.items, "cursor": page.cursor}

    async def open_page(self, _: Request) -> object:
        """A link that logs one browser in to the approvals page."""
        return {"link": await self._core.owner_sessions.link()}

    async def end_pages(self, _: Request) -> object:
        return {"count": await self._core.owner_sessions.end_all()}

    async def chats(self, request: Request) -> object:
        """Chats that a part of a name fits, newest first."""
        asked = query_of(request, Sought)
        chosen = ChatFilter(instance=asked.instance, query=asked.query)
        return (await self._core.chats.list(OWNER, chosen, asked.limit)).items

    async def decided(self, _: Request) -> object:
        return await self._core.chats.decided(OWNER)

    async def alias(self, request: Request) -> object:
        new = await read(request, Alias)
        chat = await self._core.chats.find(OWNER, ref_of(request))
        return await self._core.chats.set_alias(OWNER, chat, new.alias)

    async def stand(self, request: Request) -> object:
        new = await read(request, Standing)
        chat = await self._core.chats.find(OWNER, ref_of(request))
        return await self._core.chats.decide(OWNER, chat, new.decision)
