"""The audit as it is read: by its owner, and by keys with the preset `admin`."""

from collections.abc import Iterable

from messengers.clock import from_ms, to_ms
from messengers.core.audit_views import AuditFilter, AuditLine
from messengers.core.callers import OWNER, Caller
from messengers.core.instances import Instances
from messengers.core.keys import Keys
from messengers.core.pages import Page, check_limit
from messengers.errors import InvalidInput
from messengers.models import IdKind, decode_id
from messengers.store import Store, audit
from messengers.store.rows import Row, id_of

__all__ = ["AuditLog"]


class AuditLog:
    """Pages of lines, newest first."""

    def __init__(self, store: Store, instances: Instances, keys: Keys) -> None:
        self._store = store
        self._instances = instances
        self._keys = keys

    async def list(
        self, caller: Caller, wanted: AuditFilter, limit: int = 50, cursor: str = ""
    ) -> Page[AuditLine]:
        """Of the instances that the caller sees; who is bound to some sees no others' lines."""
        check_limit(limit, 500)
        seen = None if caller.instances is None else sorted(caller.instances)
        scope = f"audit {seen} {wanted}"
        params = self._params(caller, wanted)
        if cursor:
            params["older"] = self._store.cursors.decode(scope, cursor)[0]
        flags = ("since", "actors", "instances", "chat", "action", "older")
        stmt = audit.page(**{flag: flag in params for flag in flags})
        found = await self._store.rows(stmt, limit=limit + 1, **params)
        names = {key.id: key.name for key in self._keys.list(OWNER)}
        lines = tuple(self._line(row, names.get(row["actor"], "")) for row in found[:limit])
        if len(found) <= limit:
            return Page(lines)
        return Page(lines, self._store.cursors.encode(scope, (found[limit - 1]["id"],)))

    def _params(self, caller: Caller, wanted: AuditFilter) -> dict[str, object]:
        params: dict[str, object] = {}
        if wanted.since:
            params["since"] = to_ms(wanted.since)
        if wanted.who:
            params["actors"] = tuple(self._actors(wanted.who))
        instances = self._instances.visible(caller, wanted.instance)
        if instances is not None:
            params["instances"] = instances
        if wanted.chat:
            key = decode_id(IdKind.CHAT, wanted.chat.strip())
            if key is None:
                raise InvalidInput("chat is no chat's id.", "Take the id from list_chats.")
            params["chat"] = key
        if wanted.action:
            params["action"] = wanted.action
        return params

    def _actors(self, who: str) -> Iterable[str]:
        """Also what the owner answered in a client's form or on his page."""
        named = [key.id for key in self._keys.list(OWNER) if key.name == who]
        for actor in (who, *named):
            yield from (actor, f"{actor} (page)", f"form of {actor}")

    def _line(self, row: Row, key_name: str) -> AuditLine:
        instance_id = row["instance_id"]
        return AuditLine(
            at=from_ms(row["at"]),
            actor=row["actor"],
            key_name=key_name,
            client=row["client"],
            action=row["action"],
            instance=self._instances.name_of(instance_id) if instance_id else "",
            chat=id_of(IdKind.CHAT, row["chat_id"]),
            message=id_of(IdKind.MESSAGE, row["message_id"]),
            outcome=row["outcome"],
            text_hash=row["text_hash"],
            detail=row["detail"],
        )
