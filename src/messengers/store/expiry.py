"""Statements on what is older than an instance keeps it."""

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, delete, exists, select, update

from messengers.store.batch_tables import BatchRow
from messengers.store.rows import Row, all_rows, run
from messengers.store.tables import (
    ApprovalRow,
    ChatRow,
    EventRow,
    InboundRow,
    MediaRow,
    MessageRow,
    OutboxRow,
    table,
)

__all__ = ["attachments_of", "forget_files", "old_messages", "remove_messages", "remove_records"]

_messages = table(MessageRow)
_chats = table(ChatRow)
_outbox = table(OutboxRow)
_events = table(EventRow)
_approvals = table(ApprovalRow)
_batches = table(BatchRow)
_inbound = table(InboundRow)
_media = table(MediaRow)

_of_instance = _messages.c.chat_id.in_(
    select(_chats.c.id).where(_chats.c.instance_id == bindparam("instance"))
)
_open = exists(
    select(_outbox.c.id).where(
        _outbox.c.message_id == _messages.c.id,
        _outbox.c.state.in_(("held", "queued", "claimed")),
    )
)
_chosen = (
    select(
        _messages.c.id,
        _messages.c.chat_id,
        _messages.c.text,
        _messages.c.attachments,
        _messages.c.search_rowid,
    )
    .where(_of_instance, ~_open)
    .limit(bindparam("limit"))
)
_sent = _chosen.where(_messages.c.sent_at < bindparam("cut"))
_never_sent = _chosen.where(
    _messages.c.sent_at.is_(None), _messages.c.received_at < bindparam("cut")
)
attachments_of = select(_messages.c.attachments).where(
    _messages.c.chat_id == bindparam("chat"), _messages.c.media != ""
)
_remove = delete(_messages).where(_messages.c.id.in_(bindparam("keys", expanding=True)))
_remove_events = delete(_events).where(_events.c.message_id.in_(bindparam("keys", expanding=True)))
_remove_approvals = delete(_approvals).where(
    _approvals.c.instance_id == bindparam("instance"),
    _approvals.c.state != "waiting",
    _approvals.c.created_at < bindparam("cut"),
)
_remove_batches = delete(_batches).where(
    _batches.c.instance_id == bindparam("instance"), _batches.c.ended_at < bindparam("cut")
)
_empty_dead = (
    update(_inbound)
    .where(
        _inbound.c.instance_id == bindparam("instance"),
        _inbound.c.state == "dead",
        _inbound.c.received_at < bindparam("cut"),
    )
    .values(payload=b"")
)
_digests = select(_media.c.sha256).where(_media.c.id.in_(bindparam("keys", expanding=True)))
_remove_files = delete(_media).where(_media.c.id.in_(bindparam("keys", expanding=True)))
_shared = select(_media.c.id).where(_media.c.sha256 == bindparam("sha256")).limit(1)


def old_messages(conn: Connection, instance_id: str, cut: int, limit: int) -> Sequence[Row]:
    """Messages from before a time (ms) that nothing under way needs."""
    place = {"instance": instance_id, "cut": cut, "limit": limit}
    return all_rows(conn, _sent, **place) or all_rows(conn, _never_sent, **place)


def remove_messages(conn: Connection, keys: Sequence[int]) -> None:
    """Delete them with what was told of them; their search rows are the caller's business."""
    run(conn, _remove_events, {"keys": keys})
    run(conn, _remove, {"keys": keys})


def remove_records(conn: Connection, instance_id: str, cut: int) -> None:
    """What else holds texts of before: decided approvals, ended batches, undecipherable events."""
    for stmt in (_remove_approvals, _remove_batches, _empty_dead):
        run(conn, stmt, {"instance": instance_id, "cut": cut})


def forget_files(conn: Connection, keys: Sequence[int]) -> Sequence[str]:
    """Delete rows of files; returns the hashes of those whose bytes nobody needs any more."""
    digests = {str(row["sha256"]) for row in all_rows(conn, _digests, keys=keys)}
    run(conn, _remove_files, {"keys": keys})
    return [each for each in sorted(digests) if not all_rows(conn, _shared, sha256=each)]
