"""Who opted out: no bulk send reaches them, whoever asks for it. Only the owner keeps the list."""

from collections.abc import Sequence

from sqlalchemy import Connection

from messengers.clock import Clock, from_ms, to_ms
from messengers.core.batch_views import OptOut
from messengers.core.callers import Caller
from messengers.core.chats import Chats
from messengers.core.instances import Instances
from messengers.core.names import fold_handle, fold_phone
from messengers.errors import InvalidInput, NotFound
from messengers.models import Chat, IdKind, decode_id
from messengers.store import Store, audit, contacts
from messengers.store import opt_outs as rows
from messengers.store.rows import Row, all_rows, first_row, load_json

__all__ = ["OptOuts"]


class OptOuts:
    """Lists, adds, removes, asks."""

    def __init__(self, store: Store, clock: Clock, instances: Instances, chats: Chats) -> None:
        self._store = store
        self._clock = clock
        self._instances = instances
        self._chats = chats

    async def list(self, caller: Caller) -> Sequence[OptOut]:
        """Everyone on it, oldest first."""
        caller.require_owner()
        return [
            OptOut(
                subject=row["subject"],
                instance=self._instances.name_of(row["instance_id"]),
                since=from_ms(row["created_at"]),
            )
            for row in await self._store.rows(rows.every)
        ]

    async def add(self, caller: Caller, who: str, instance: str = "") -> Sequence[str]:
        """Keep bulk sends from somebody; returns what he is known by. Raises InvalidInput."""
        caller.require_owner()
        found = await self._subjects(caller, who, instance)
        now = to_ms(self._clock.now())

        def unit(conn: Connection) -> None:
            for instance_id, subject in found:
                rows.add(conn, instance_id, subject, now)
            audit.add(conn, at=now, actor=caller.actor, action="opt_out.added", outcome="done")

        await self._store.write(unit)
        return [subject for _, subject in found]

    async def remove(self, caller: Caller, who: str, instance: str = "") -> Sequence[str]:
        """Let bulk sends reach him again. Raises NotFound when he is not on the list."""
        caller.require_owner()
        found = await self._subjects(caller, who, instance)
        now = to_ms(self._clock.now())

        def unit(conn: Connection) -> list[str]:
            gone = [subject for at, subject in found if rows.remove(conn, at, subject)]
            audit.add(conn, at=now, actor=caller.actor, action="opt_out.removed", outcome="done")
            return gone

        gone = await self._store.write(unit)
        if not gone:
            raise NotFound("Nobody of that name is on the list.", "`messengers optout list`.")
        return gone

    def holds(self, conn: Connection, chat: Row) -> bool:
        """Whether the person of a chat is on the list, under any name he is known by."""
        known = {chat["native_id"], chat["phone"], _handle(chat["username"])}
        place = {"instance": chat["instance_id"], "natives": [chat["native_id"]]}
        for contact in all_rows(conn, contacts.of_natives, **place):
            known |= {contact["phone"], _handle(contact["username"])}
            known |= set(load_json(contact["alt_ids"], ()))
        subjects = sorted(known - {""})
        found = first_row(conn, rows.of, subjects=subjects, instance=chat["instance_id"])
        return found is not None

    async def _subjects(self, caller: Caller, who: str, instance: str) -> Sequence[tuple[str, str]]:
        """(instance id or '', subject) of whom the owner means."""
        who = who.strip()
        place = self._instances.resolve(caller, instance).id if instance else ""
        if decode_id(IdKind.CHAT, who) is not None:
            return self._of_chat(await self._chats.get(caller, who))
        if phone := fold_phone(who):
            return [(place, phone)]
        if who.startswith("@") and fold_handle(who):
            return [(place, _handle(fold_handle(who)))]
        if not who or not place:
            raise InvalidInput(
                "That is no number with + and country code, no @handle and no chat id.",
                "For a messenger's own id name its instance too.",
            )
        return [(place, who)]

    def _of_chat(self, chat: Chat) -> Sequence[tuple[str, str]]:
        instance_id = self._instances.by_name(chat.instance).id
        known = (chat.phone, _handle(chat.username), chat.native_id)
        return [(instance_id, subject) for subject in known if subject]


def _handle(username: str) -> str:
    return f"@{username}" if username else ""
