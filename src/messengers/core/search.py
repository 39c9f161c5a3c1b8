"""Find messages by their words, in every chat the caller may see."""

from collections.abc import Container, Sequence
from datetime import datetime

from messengers.clock import to_ms
from messengers.core.backfill import Backfill
from messengers.core.callers import Caller
from messengers.core.chats import Chats, chat_key
from messengers.core.history import History
from messengers.core.instances import Instances
from messengers.core.pages import Hit, Page, check_limit
from messengers.errors import InvalidInput
from messengers.models import Chat, IdKind, encode_id
from messengers.store import Store, messages
from messengers.store import search as index
from messengers.store.rows import Row

__all__ = ["Search"]

_MAX_QUERY = 500
_MEDIA = ("image", "video", "audio", "voice", "document", "sticker", "gif")


class Search:
    """Full text over the stored messages, newest first by sending time."""

    def __init__(
        self,
        store: Store,
        instances: Instances,
        chats: Chats,
        history: History,
        backfill: Backfill,
    ) -> None:
        self._store = store
        self._backfill = backfill
        self._instances = instances
        self._chats = chats
        self._history = history

    async def messages(
        self,
        caller: Caller,
        query: str,
        chat: str = "",
        instance: str = "",
        sender: str = "",
        media: str = "",
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int = 20,
        cursor: str = "",
    ) -> Page[Hit]:
        """Messages in which every word of the query occurs; words are matched literally.

        Messengers that search themselves are asked along with the first page.
        """
        check_limit(limit, 100)
        if len(query) > _MAX_QUERY:
            raise InvalidInput(f"query is longer than {_MAX_QUERY} characters.", "Use few words.")
        if media not in ("", "any", *_MEDIA):
            raise InvalidInput("media is unknown.", f"Use any, {', '.join(_MEDIA)}.")
        visible = self._instances.visible(caller, instance)
        place = await self._chats.find(caller, chat, instance) if chat else None
        match = index.match(query, visible, chat_key(place) if place else None)
        if match is None:
            return Page(())
        me = sender.strip().lower() == "me"
        scope = f"search {match} {sender} {media} {since} {until}"
        position = self._store.cursors.decode(scope, cursor) if cursor else None
        params = {
            "sender": sender.strip().lower() if sender and not me else None,
            "media": ("%_%" if media == "any" else f"%{media}%") if media else None,
            "since": index.rowid_bound(to_ms(since)) if since else None,
            "until": index.rowid_bound(to_ms(until)) if until else None,
            "rowid": position[0] if position else None,
        }
        stmt = messages.found(
            sender=params["sender"] is not None,
            me=me,
            media=bool(media),
            since=since is not None,
            until=until is not None,
            older=position is not None,
        )
        given = {name: value for name, value in params.items() if value is not None}
        given |= {"match": match, "limit": limit + 1}
        found = await self._store.rows(stmt, **given)
        stored = {row["id"] for row in found}
        if position is None and await self._asked(caller, place, visible, query, limit):
            found = await self._store.rows(stmt, **given)
        rest = ""
        if len(found) > limit:
            rest = self._store.cursors.encode(scope, (found[limit - 1]["search_rowid"],))
        return Page(await self._hits(caller, found[:limit], stored), rest)

    async def _asked(
        self,
        caller: Caller,
        place: Chat | None,
        visible: Sequence[str] | None,
        query: str,
        limit: int,
    ) -> bool:
        """Whether a messenger's own search brought something new."""
        if place is not None:
            chosen = [self._instances.by_name(place.instance).id]
        elif visible is not None:
            chosen = list(visible)
        else:
            entries = self._instances.registry.entries()
            chosen = [each.instance.id for each in entries if caller.sees(each.instance.id)]
        return await self._backfill.matching(chosen, query, limit)

    async def _hits(
        self, caller: Caller, found: Sequence[Row], stored: Container[int]
    ) -> tuple[Hit, ...]:
        ids = {encode_id(IdKind.CHAT, row["chat_id"]) for row in found}
        chats = {chat.id: chat for chat in await self._chats.many(caller, ids)}
        hits = [(self._history.of_row(row), row["id"] not in stored) for row in found]
        return tuple(Hit(chats[hit.chat], hit, new) for hit, new in hits if hit.chat in chats)
