"""What is stored, judged by the rules as they are now: who is kept from agents, and who no more.

A mark in the store tells that it must be done, also to the next process; a chat at a time, so that
nothing else waits long.
"""

from collections.abc import Sequence

import anyio
from sqlalchemy import Connection

from messengers.clock import from_ms
from messengers.core.access import Access
from messengers.core.access_views import WithheldMessage
from messengers.core.callers import Caller
from messengers.core.instances import Instances
from messengers.core.pages import check_limit
from messengers.core.summaries import resummarize
from messengers.models import IdKind, Sender
from messengers.store import Store, access_rules, chats, contacts, messages, withheld
from messengers.store.rows import Row, id_of, load_json, one_row

__all__ = ["Judging"]

_AT_ONCE = 200
_TEXT = 500


class Judging:
    """Judges anew, and shows the owner what is kept back."""

    def __init__(self, store: Store, instances: Instances, access: Access) -> None:
        self._store = store
        self._instances = instances
        self._access = access
        self._line = anyio.Lock()

    async def begin(self) -> None:
        """Judge everything: what decides has changed."""
        await self._store.write(access_rules.mark)
        await self.finish()

    async def finish(self) -> None:
        """Judge everything, where a change of the rules asked for it and none did since."""
        async with self._line:
            row = await self._store.row(access_rules.marked)
            if row is None or not row["number"]:
                return
            after = 0
            while found := await self._store.rows(chats.after, after=after, limit=_AT_ONCE):
                for chat in found:
                    await self._judge(chat)
                after = found[-1]["id"]
            await self._store.write(access_rules.unmark)

    async def _judge(self, chat: Row) -> None:
        groups = await self._store.rows(withheld.senders, chat=chat["id"])
        people = await self._people(chat, {row["sender_id"] for row in groups})
        changes: list[tuple[Row, str]] = []
        for row in groups:
            mentions, who = bool(row["mentions_me"]), people[row["sender_id"]]
            reason = self._access.withheld(chat, who, mentions_me=mentions)
            if reason != row["withheld"]:
                changes.append((row, reason))
        hidden = int(self._access.hides(chat))
        if not changes and hidden == chat["hidden"]:
            return

        def unit(conn: Connection) -> None:
            for row, reason in changes:
                sender, mentions = row["sender_id"], row["mentions_me"]
                withheld.set_reason(conn, chat["id"], sender, mentions, row["withheld"], reason)
            chats.set_values(conn, chat["id"], hidden=hidden)
            resummarize(conn, one_row(conn, chats.get, chat=chat["id"]))

        await self._store.write(unit)

    async def _people(self, chat: Row, natives: set[str]) -> dict[str, Sender]:
        """Those who wrote in a chat, with every id that is known of them."""
        known: dict[str, Row] = {}
        left = sorted(natives)
        while left:
            some, left = left[:_AT_ONCE], left[_AT_ONCE:]
            place = {"instance": chat["instance_id"], "natives": some}
            found = await self._store.rows(contacts.of_natives, **place)
            known |= {row["native_id"]: row for row in found}
        return {native: _sender(native, known.get(native)) for native in natives}

    async def withheld(self, caller: Caller, limit: int = 50) -> Sequence[WithheldMessage]:
        """The newest messages that agents are not shown, for the owner."""
        caller.require_owner()
        check_limit(limit, 500)
        return [
            WithheldMessage(
                id=id_of(IdKind.MESSAGE, row["id"]),
                chat=id_of(IdKind.CHAT, row["chat_id"]),
                instance=self._instances.name_of(row["instance_id"]),
                sender=row["sender_name"] or row["sender_id"],
                text=messages.message_of(row, "").text[:_TEXT],
                received_at=from_ms(row["received_at"]),
                why=row["withheld"],
            )
            for row in await self._store.rows(withheld.newest, limit=limit)
        ]


def _sender(native_id: str, contact: Row | None) -> Sender:
    if contact is None:
        return Sender(native_id=native_id)
    return Sender(
        native_id=native_id,
        username=contact["username"],
        phone=contact["phone"],
        alt_ids=tuple(load_json(contact["alt_ids"], ())),
    )
