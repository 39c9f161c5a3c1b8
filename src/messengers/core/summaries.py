"""What a chat list shows, made anew from the messages, as each message's transaction keeps it.

Whom the owner knows is never forgotten with a message: who wrote when stays as it is.
"""

from typing import Any

from sqlalchemy import Connection

from messengers.core.followups import has_mark, preview
from messengers.store import chats, messages, search
from messengers.store.rows import Row, all_rows, one_row

__all__ = ["rebuild", "resummarize", "summary_with"]

_LOOKED_AT = 50
_PAGE = 1_000
_NEWEST = messages.page(since=False, older=False)
_NOTHING: dict[str, Any] = {
    "last_id": 0,
    "last_at": 0,
    "last_text": "",
    "last_sender": "",
    "last_direction": "",
    "waiting": 0,
    "unread": 0,
}


def summary_with(chat: Row, key: int, message: Row) -> dict[str, Any]:
    """What changes in a chat's summary with one more message, which has this key."""
    sent_at, incoming = message["sent_at"], message["direction"] == "in"
    service = has_mark(message, "service")
    new: dict[str, Any] = {}
    if (sent_at, key) >= (chat["last_at"], chat["last_id"]):
        new |= {
            "last_id": key,
            "last_at": sent_at,
            "last_text": preview(message),
            "last_sender": "" if message["is_me"] else message["sender_name"],
            "last_direction": message["direction"],
            "waiting": chat["waiting"] if service else int(incoming),
        }
    if service:
        pass  # nobody wrote it to anybody
    elif incoming:
        new["peer_wrote_at"] = max(chat["peer_wrote_at"] or 0, sent_at)
        if message["origin"] == "realtime":
            new["unread"] = chat["unread"] + 1
    elif message["origin"] in ("device", "history"):
        new["owner_wrote_at"] = max(chat["owner_wrote_at"] or 0, sent_at)
        if message["origin"] == "device":
            new |= {"unread": 0, "read_marker": key}
    return new


def resummarize(conn: Connection, chat: Row) -> None:
    """Bring the summary of a chat in step with the messages that there are."""
    newest = all_rows(conn, _NEWEST, chat=chat["id"], until=2**62, limit=_LOOKED_AT)
    incoming = one_row(conn, messages.incoming, chat=chat["id"])["number"]
    new = _NOTHING if not newest else _summary(newest, min(chat["unread"], incoming))
    if any(chat[name] != value for name, value in new.items()):
        chats.set_values(conn, chat["id"], **new)


def _summary(newest: list[Row], unread: int) -> dict[str, Any]:
    last = newest[0]
    # What the app says between messages nobody needs to answer.
    spoken = next((row for row in newest if not has_mark(row, "service")), None)
    return {
        "last_id": last["id"],
        "last_at": last["sent_at"],
        "last_text": preview(last),
        "last_sender": "" if last["is_me"] else last["sender_name"],
        "last_direction": last["direction"],
        "waiting": int(spoken is not None and spoken["direction"] == "in"),
        "unread": unread,
    }


def rebuild(conn: Connection) -> tuple[int, int]:
    """Every summary and the whole search index anew; how many (chats, messages).

    Nothing else may write meanwhile: what is not in the index yet cannot be taken out of it.
    """
    search.make(conn)
    indexed, after = 0, 0
    while found := all_rows(conn, messages.worded, after=after, limit=_PAGE):
        for row in found:
            rowid = row["search_rowid"]
            if rowid is None:
                rowid = search.next_rowid(conn, row["sent_at"])
                messages.set_values(conn, row["id"], search_rowid=rowid)
            search.index(conn, rowid, row["text"], row["instance_id"], row["chat_id"])
        indexed, after = indexed + len(found), found[-1]["id"]
    summed, after = 0, 0
    while found := all_rows(conn, chats.after, after=after, limit=_PAGE):
        for row in found:
            resummarize(conn, row)
        summed, after = summed + len(found), found[-1]["id"]
    return summed, indexed
