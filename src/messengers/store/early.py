"""Statements on what came before its message."""

from sqlalchemy import Connection, bindparam, delete, or_, select, update

from messengers.store.rows import Row, all_rows, first_row, run
from messengers.store.sqlite import upsert
from messengers.store.tables import EarlyRow, table

__all__ = ["any_of", "keep", "move", "take"]

_RETENTION_MS = 7 * 24 * 3600 * 1000
"""As long as any platform delivers again; WhatsApp does for seven days."""
_early = table(EarlyRow)
_insert = upsert(_early)
_keep = _insert.on_conflict_do_update(
    index_elements=["instance_id", "native_id", "chat_native_id", "kind", "whose"],
    set_={name: _insert.excluded[name] for name in ("at", "payload", "received_at")},
    where=_insert.excluded.at >= _early.c.at,
)
_forget = delete(_early).where(_early.c.received_at < bindparam("before"))
_of_message = (
    _early.c.instance_id == bindparam("instance"),
    _early.c.native_id == bindparam("native"),
    or_(
        _early.c.chat_native_id == bindparam("chat"),
        # a platform may name the whole chat of what happened in one of its threads
        _early.c.chat_native_id == bindparam("parent"),
    ),
)
_any = select(_early.c.id).where(_early.c.instance_id == bindparam("instance")).limit(1)
_find = select(_early.c.kind, _early.c.payload).where(*_of_message).order_by(_early.c.id)
_remove = delete(_early).where(*_of_message)
_move = (
    update(_early)
    .where(
        _early.c.instance_id == bindparam("instance"),
        _early.c.chat_native_id == bindparam("before"),
    )
    .values(chat_native_id=bindparam("after"))
)


def keep(conn: Connection, values: dict[str, object]) -> None:
    """Let one wait for its message; of the same kind and person the newest. Old ones go."""
    run(conn, _forget, {"before": int(str(values["received_at"])) - _RETENTION_MS})
    run(conn, _keep, values)


def any_of(conn: Connection, instance_id: str) -> bool:
    """Whether anything of an instance waits: history need not ask for each of its messages."""
    return first_row(conn, _any, instance=instance_id) is not None


def take(conn: Connection, instance_id: str, chat: str, parent: str, native_id: str) -> list[Row]:
    """What waited for a message, in the order it came; it waits no more."""
    place = {"instance": instance_id, "native": native_id, "chat": chat, "parent": parent}
    found = all_rows(conn, _find, **place)
    if found:
        run(conn, _remove, place)
    return found


def move(conn: Connection, instance_id: str, before: str, after: str) -> None:
    """A chat goes by another native id from now on."""
    run(conn, _move, {"instance": instance_id, "before": before, "after": after})
