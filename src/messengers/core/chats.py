"""Chats: list them, find one by what a person calls it, keep the owner's decisions on them.

Ids win, then numbers and handles, then names. A stranger chooses his own display name, so for
writing only a whole, unique name that the owner's side gave selects a chat; any other match is a
candidate to offer.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import anyio
from sqlalchemy import Connection

from messengers.clock import Clock, to_ms
from messengers.core.access import Access
from messengers.core.callers import OWNER, Caller
from messengers.core.events import Events
from messengers.core.instances import Instances
from messengers.core.names import escape_like, fold_handle, fold_name, fold_phone
from messengers.core.pages import Page, check_limit
from messengers.errors import Ambiguous, InvalidInput, NotFound, Unreachable
from messengers.models import (
    Chat,
    ChatKind,
    Decision,
    IdKind,
    Instance,
    decode_id,
    encode_id,
    require_id,
)
from messengers.providers.base import ResolvesRecipients
from messengers.store import Store, access_rules, audit
from messengers.store import chats as rows
from messengers.store.rows import Row

__all__ = ["ChatFilter", "Chats", "chat_key"]

_MAX_CANDIDATES = 8
_MAX_QUERY = 200
_RESOLVE_DEADLINE_S = 20.0


@dataclass(frozen=True, slots=True)
class ChatFilter:
    """Which chats to list; empty fields do not filter."""

    instance: str = ""
    query: str = ""
    kind: ChatKind | None = None
    unread_only: bool = False
    waiting_for_reply: bool = False
    active_since: datetime | None = None


def chat_key(chat: Chat) -> int:
    """The row's key behind a chat's id."""
    return require_id(IdKind.CHAT, chat.id, "chat")


class Chats:
    """The conversations of all instances."""

    def __init__(
        self, store: Store, clock: Clock, events: Events, instances: Instances, access: Access
    ) -> None:
        self.access = access
        self._store = store
        self._clock = clock
        self._events = events
        self._instances = instances

    def of_row(self, row: Row) -> Chat:
        """The domain form of a stored chat."""
        instance = self._instances.by_id(row["instance_id"])
        return rows.chat_of(row, instance.name, instance.provider)

    def is_chosen(self, chat: Chat) -> bool:
        """Whether the owner himself chose it; see `Access.is_chosen`."""
        return self.access.is_chosen(chat, self._instances.by_name(chat.instance))

    async def list(
        self, caller: Caller, chosen: ChatFilter, limit: int = 20, cursor: str = ""
    ) -> Page[Chat]:
        """Chats, newest first; below them groups and channels in which nothing was said yet."""
        check_limit(limit, 100)
        visible = self._instances.visible(caller, chosen.instance)
        query = escape_like(fold_name(chosen.query) or fold_handle(chosen.query))
        scope = _scope(visible, chosen)
        after = self._store.cursors.decode(scope, cursor) if cursor else None
        stmt = rows.list_page(
            instances=visible is not None,
            query=bool(query),
            kind=chosen.kind is not None,
            unread=chosen.unread_only,
            waiting=chosen.waiting_for_reply,
            since=chosen.active_since is not None,
            after=after is not None,
            hidden=caller.actor == OWNER.actor,
        )
        params = {
            "instances": visible,
            "query": query or None,
            "kind": chosen.kind,
            "since": to_ms(chosen.active_since) if chosen.active_since else None,
            "after_at": after[0] if after else None,
            "after_id": after[1] if after else None,
        }
        given = {name: value for name, value in params.items() if value is not None}
        found = await self._store.rows(stmt, limit=limit + 1, **given)
        more = len(found) > limit
        items = tuple(self.of_row(row) for row in found[:limit])
        return Page(items, self.cursor_after(caller, chosen, items[-1]) if more else "")

    def cursor_after(self, caller: Caller, chosen: ChatFilter, chat: Chat) -> str:
        """The cursor that goes on below a listed chat."""
        at = to_ms(chat.last_message_at) if chat.last_message_at else 0
        scope = _scope(self._instances.visible(caller, chosen.instance), chosen)
        return self._store.cursors.encode(scope, (at, chat_key(chat)))

    async def get(self, caller: Caller, chat: str) -> Chat:
        """A chat by its id."""
        key = decode_id(IdKind.CHAT, chat)
        row = await self._store.row(rows.get, chat=key) if key is not None else None
        if row is None or not _is_seen(caller, row):
            raise _unknown()
        return self.of_row(row)

    async def many(self, caller: Caller, chats: Iterable[str]) -> Sequence[Chat]:
        """The chats of ids, in that order; what the caller may not see is left out."""
        keys = [decode_id(IdKind.CHAT, chat) or 0 for chat in chats]
        found = {
            row["id"]: self.of_row(row)
            for row in await self._store.rows(rows.many, chats=keys or [0])
            if _is_seen(caller, row)
        }
        return [found[key] for key in keys if key in found]

    async def get_by_native(self, instance_id: str, native_id: str) -> Chat | None:
        """The chat a platform's id names, if it is stored."""
        row = await self._store.row(rows.by_native, instance=instance_id, native=native_id)
        return None if row is None else self.of_row(row)

    async def find(
        self, caller: Caller, text: str, instance: str = "", *, write: bool = False
    ) -> Chat:
        """The one chat that an id, number, handle or name means.

        Raises NotFound, or Ambiguous with the candidates: also, for a write, when only a
        stranger's own name matches, and when the text is an id of one and the name of another.
        A chat that only the owner sees is found for a write: what leaves is judged after, and the
        refusal names the rule.
        """
        text = text.strip()
        if not text:
            raise InvalidInput("chat is empty.", "Give a chat id, number, handle or name.")
        if len(text) > _MAX_QUERY:
            raise InvalidInput(f"chat is longer than {_MAX_QUERY} characters.", "Give its id.")
        visible = self._instances.visible(caller, instance)
        named = self._seen(caller, visible, await self._named(text), write=write)
        sure = [row for row in named if _surely(row, text)]
        owners = [row for row in named if _owner_named(row, text)]
        key = decode_id(IdKind.CHAT, text)
        by_id = await self._store.rows(rows.get, chat=key) if key is not None else ()
        for row in self._seen(caller, visible, by_id, write=write):
            others = [other for other in (*sure, *owners) if other["id"] != row["id"]]
            if others:
                cause = "That is the id of one chat and the name of another."
                raise _ambiguous([row, *others], cause)
            return self.of_row(row)
        chosen = sure or named
        if len(chosen) > 1:
            raise _ambiguous(chosen, "Several chats go by that name.")
        if sure or (chosen and (owners or not write)):
            return self.of_row(chosen[0])
        if write:
            target = await self._target(caller, text, instance)
            if target is not None:
                return target
        return await self._by_part(caller, visible, text, named, write=write)

    def _seen(
        self,
        caller: Caller,
        visible: Sequence[str] | None,
        found: Sequence[Row],
        *,
        write: bool = False,
    ) -> Sequence[Row]:
        return [
            row
            for row in found
            if (caller.sees(row["instance_id"]) if write else _is_seen(caller, row))
            and (visible is None or row["instance_id"] in visible)
        ]

    async def _named(self, text: str) -> Sequence[Row]:
        """Every stored chat that the whole text could mean."""
        return await self._store.rows(
            rows.named,
            folded=fold_name(text) or "\0",
            phone=fold_phone(text) or "\0",
            username=fold_handle(text) or "\0",
            native=text,
        )

    async def _by_part(
        self,
        caller: Caller,
        visible: Sequence[str] | None,
        text: str,
        named: Sequence[Row],
        *,
        write: bool,
    ) -> Chat:
        """A unique part of a name, for reading; for writing only candidates."""
        found = list(named)
        part = fold_name(text)
        if part and not found:
            params = {"part": f"%{escape_like(part)}%", "limit": _MAX_CANDIDATES + 1}
            stmt = rows.part_named(instances=visible is not None)
            given = {} if visible is None else {"instances": visible}
            found = self._seen(caller, visible, await self._store.rows(stmt, **params, **given))
        if not found:
            raise _unknown()
        if write:
            cause = "That name is not one the owner gave to a chat, so it chooses no recipient."
            raise _ambiguous(found, cause)
        if len(found) > 1:
            raise _ambiguous(found, "Several chats have that in their name.")
        return self.of_row(found[0])

    async def _target(self, caller: Caller, text: str, instance: str) -> Chat | None:
        """A number or handle that an instance's provider understands as a recipient."""
        if not instance:
            return None
        chosen = self._instances.resolve(caller, instance)
        provider = self._instances.provider_for_parsing(chosen.id)
        native_id = provider.parse_target(text)
        if native_id is None:
            return None
        ids: Sequence[str] = (native_id,)
        stored = await self.get_by_native(chosen.id, native_id)
        if stored is None and isinstance(provider, ResolvesRecipients):
            ids = await self._resolved(chosen, native_id)
        for each in ids:
            stored = stored or await self.get_by_native(chosen.id, each)
        return stored or await self._open(chosen.id, ids[0], fold_phone(text))

    async def _resolved(self, instance: Instance, native_id: str) -> Sequence[str]:
        """The ids under which the messenger knows a recipient. Raises NotFound: it knows none."""
        provider = self._instances.provider(instance.id)
        if not isinstance(provider, ResolvesRecipients):
            return (native_id,)
        try:
            with anyio.fail_after(_RESOLVE_DEADLINE_S):
                found = await provider.resolve(native_id)
        except TimeoutError as exc:
            raise Unreachable("The messenger did not say who that is.", "Try again.") from exc
        if not found:
            raise NotFound(
                f"That recipient is not on {instance.provider}.", "Check the number or handle."
            )
        return found

    async def _open(self, instance_id: str, native_id: str, phone: str) -> Chat:
        values: dict[str, object] = {
            "instance_id": instance_id,
            "native_id": native_id,
            "kind": "dm",
            "phone": phone,
            "created_at": to_ms(self._clock.now()),
        }

        def unit(conn: Connection) -> None:
            # The first message may have come while the messenger was asked.
            if rows.find_native(conn, instance_id, native_id) is None:
                rows.add(conn, values)

        await self._store.write(unit)
        chat = await self.get_by_native(instance_id, native_id)
        if chat is None:
            raise _unknown()
        return chat

    async def set_alias(self, caller: Caller, chat: Chat, alias: str) -> Chat:
        """The owner's own name for a chat; it may choose a recipient. Empty removes it."""
        caller.require_owner()
        folded = fold_name(alias)
        if alias and not folded:
            raise InvalidInput("The alias has no letters or digits.", "Choose another.")
        key = chat_key(chat)

        def unit(conn: Connection) -> None:
            rows.set_values(conn, key, alias=alias.strip(), alias_folded=folded)
            self._write_down(conn, caller, "set_alias", chat)

        await self._store.write(unit)
        return await self.get(caller, chat.id)

    async def decide(self, caller: Caller, chat: Chat, decision: Decision | None) -> Chat:
        """The owner's standing answer for exactly this chat; None asks again."""
        caller.require_owner()

        def unit(conn: Connection) -> None:
            self.write_decision(conn, chat, decision)
            self._write_down(conn, caller, "chat.decided", chat, decision or "revoked")

        await self._events.write(unit)
        return await self.get(caller, chat.id)

    def _write_down(
        self, conn: Connection, caller: Caller, action: str, chat: Chat, outcome: str = "done"
    ) -> None:
        said = {"actor": caller.actor, "client": caller.client, "action": action}
        place = {
            "instance_id": self._instances.by_name(chat.instance).id,
            "chat_id": chat_key(chat),
        }
        audit.add(conn, at=to_ms(self._clock.now()), outcome=outcome, **said, **place)

    def write_decision(self, conn: Connection, chat: Chat, decision: Decision | None) -> None:
        """Within a unit: the standing answer and its event."""
        key, now = chat_key(chat), to_ms(self._clock.now())
        rows.set_values(conn, key, decision=decision or "", decided_at=now)
        instance = self._instances.by_name(chat.instance)
        data = {"decision": decision or "ask"}
        self._events.record(conn, "chat.decided", instance_id=instance.id, chat_id=key, data=data)
        if not self.access.is_open(instance.id):
            access_rules.mark(conn)  # whom he decides for he may know now, or no more

    async def decided(self, caller: Caller) -> Sequence[Chat]:
        """Chats with a standing answer, oldest decision first."""
        found = await self._store.rows(rows.decided)
        return [self.of_row(row) for row in found if caller.sees(row["instance_id"])]


def _scope(visible: Sequence[str] | None, chosen: ChatFilter) -> str:
    """A cursor holds for exactly one question of one caller's view."""
    return f"chats {visible} {chosen}"


def _is_seen(caller: Caller, row: Row) -> bool:
    """Whether a stored chat exists as far as a caller is concerned."""
    if row["hidden"] and caller.actor != OWNER.actor:
        return False
    return caller.sees(row["instance_id"])


def _surely(row: Row, text: str) -> bool:
    """Named by what nobody can choose freely: a number, a native id, a handle written with @."""
    if text.startswith("@") and row["username"] == fold_handle(text):
        return True
    return row["native_id"] == text or (bool(row["phone"]) and row["phone"] == fold_phone(text))


def _owner_named(row: Row, text: str) -> bool:
    folded = fold_name(text)
    if row["alias"]:
        return row["alias_folded"] == folded
    return row["name_source"] == "owner" and row["name_folded"] == folded


def _unknown() -> NotFound:
    return NotFound(
        "No such chat.", "Call list_chats or find_contacts and use the id it gives, e.g. c1f."
    )


def _ambiguous(found: Sequence[Row], cause: str) -> Ambiguous:
    best = sorted(found, key=lambda row: row["last_at"], reverse=True)[:_MAX_CANDIDATES]
    ids = [encode_id(IdKind.CHAT, row["id"]) for row in best]
    return Ambiguous(cause, "Use the id of the right one.", candidates=ids)
