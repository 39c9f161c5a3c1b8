"""The cross-chat guard: nothing of one chat leaves unseen for one that the owner did not choose.

Whoever writes to an agent can ask it for what others wrote. So what is to leave is compared with
the messages of all other chats that the asker sees, by itself, undone of plain disguises, and
together with what left for the same chat lately, since a secret also leaves in pieces. What is
found decides nothing but that the owner is asked; he alone is told where it stands.
"""

import hashlib
import logging
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import anyio
import orjson
from sqlalchemy import Connection

from messengers.clock import Clock, to_ms
from messengers.core.acts import Act
from messengers.core.callers import OWNER, Caller
from messengers.core.chats import Chats, chat_key
from messengers.core.disguises import readings, turned
from messengers.core.overlaps import Overlap, Source, Text, overlap, pieced
from messengers.core.words import counted
from messengers.errors import StorageUnavailable
from messengers.models import Chat, IdKind
from messengers.store import Store, media, passages
from messengers.store.rows import Row, id_of
from messengers.store.search import catch_up, fold

__all__ = ["Leak", "Leaks", "suspected"]

log = logging.getLogger(__name__)
_WINDOW_MS = 24 * 3600 * 1000
_WINDOW_MESSAGES = 30
_WINDOW_CHARS = 600
"""Of what left before; longer pieces are long enough to be known by themselves."""
_MANY_CHATS = 1_000
"""Whose changed messages are remembered."""
_MANY_PIECED = 50
"""Messages that are tried to be put together of pieces."""
_TERMS_AT_ONCE = 200
_MANY_TERMS = 40
_MESSAGES_OF_TERM = 4
_MAX_MESSAGES = 400
_EXCERPT = 120
_ADDED_AT_ONCE = 500
"""Messages added to the index in one unit of work: the writer is theirs for about 50 ms."""
_REST_S, _PAUSE_S = 60.0, 0.2
_LONGEST_S = 5.0
_BEHIND = "Not all messages have been looked through yet, and the owner did not choose this chat."


@dataclass(frozen=True, slots=True)
class Leak:
    """Something that stands in another chat."""

    why: str
    """For whoever asks: nothing of where it stands."""
    found: str
    """For the owner alone."""


def suspected(act: Act, leak: Leak | None) -> Act:
    """An act with what was found in it: the owner is asked, whatever the policy."""
    if leak is None:
        return act
    why = f"{act.why} {leak.why}".strip() if act.needs_approval else leak.why
    shown = act.shown.model_copy(update={"why": why, "found": leak.found})
    return replace(act, shown=shown, needs_approval=True, why=why)


class Leaks:
    """Looks for what stands elsewhere."""

    def __init__(self, store: Store, clock: Clock, chats: Chats) -> None:
        self._store = store
        self._clock = clock
        self._chats = chats
        self._changed: OrderedDict[int, deque[tuple[int, str]]] = OrderedDict()
        """(time in ms, text) of what messages said before, by the key of their chat."""

    def changed(self, row: Row) -> None:
        """A message of ours is edited or deleted: whoever read it still knows what it said."""
        if row["origin"] != "api" or not row["text"]:
            return
        texts = self._changed.pop(row["chat_id"], None) or deque(maxlen=_WINDOW_MESSAGES)
        texts.append((to_ms(self._clock.now()), str(row["text"])[:_WINDOW_CHARS]))
        self._changed[row["chat_id"]] = texts
        if len(self._changed) > _MANY_CHATS:
            self._changed.popitem(last=False)

    async def of_texts(self, caller: Caller, chat: Chat | None, *texts: str) -> Leak | None:
        """What of some texts that would leave for a chat stands in another one.

        Without a chat it is one that does not exist yet.
        """
        said = "\n".join(filter(None, texts))
        if not said or caller == OWNER or (chat is not None and self._chats.is_chosen(chat)):
            return None
        if not await self._catch_up():
            return Leak(_BEHIND, _BEHIND)
        whole, *others = map(Text, readings(said))
        asked = {text: text.terms for text in (whole, *others)}
        asked |= {text: _some(text.terms) for text in map(Text, turned(said))}
        before = await self._before(chat) if chat else ()
        asked |= {text: text.terms for text in _behind(before, said)}
        holders = await self._holders(set[str]().union(*asked.values()))
        wanted = {text: _promising(holders, terms) for text, terms in asked.items()}
        stored = await self._stored(caller, set[int]().union(*wanted.values()))
        home, near, ours = 0, set[int](), ""
        if chat is not None:
            home = chat_key(chat)
            near = {home, *await self._near(chat)}
            ours = passages.letters(passages.plain(fold(f"{chat.phone} {chat.username}")))
        found: list[Overlap] = []
        for text, rowids in wanted.items():
            sources = [_at_home(stored[each], near, home) for each in rowids if each in stored]
            hit = overlap(text, sources, home, ours)
            found += [hit] if hit else []
        known = {each: _at_home(source, near, home) for each, source in stored.items()}
        alike = [known[each] for each in wanted[whole] if each in known][:_MANY_PIECED]
        for made in _made_up(whole, before, alike, home):
            hit = overlap(Text(made), [*known.values()], home, ours)
            found += [hit] if hit else []
        return await self._told(max(found, key=lambda each: each.length)) if found else None

    async def of_files(self, caller: Caller, chat: Chat, files: Sequence[bytes]) -> Leak | None:
        """Whether a file that would leave for a chat stands in another one."""
        if not files or caller == OWNER or self._chats.is_chosen(chat):
            return None
        digests = [hashlib.sha256(each).hexdigest() for each in files]
        rows = await self._store.rows(media.elsewhere, digests=digests, chat=chat_key(chat))
        alike: dict[tuple[int, str], list[Row]] = defaultdict(list)
        for row in rows:
            if caller.sees(row["instance_id"]):
                alike[row["chat_id"], row["sha256"]].append(row)
        for same in alike.values():
            if not await self._is_ours(same):
                where = await self._place(same[0]["chat_id"])
                name = same[0]["name"] or same[0]["kind"]
                why = "A file of another chat would leave for one that the owner did not choose."
                return Leak(why, f"The file {name} stands in {where}.")
        return None

    async def work(self) -> None:
        """Add what came in numbers to the index of passages, at leisure; never returns."""
        pause_s = _REST_S
        while True:
            await anyio.sleep(pause_s)
            try:
                more = await self._store.write(_add_some)
            except StorageUnavailable as exc:
                log.warning("the index of passages rests: %s", exc)
                more = False
            pause_s = _PAUSE_S if more else _REST_S

    async def _catch_up(self) -> bool:
        """Whether all that is stored can be found."""
        with anyio.move_on_after(_LONGEST_S):
            while await self._store.write(_add_some):
                pass
            return True
        return False

    async def _is_ours(self, same: Sequence[Row]) -> bool:
        """Whether only agents brought a file into a chat: what one was sent, others may be.

        What was sent back to whom it came from is still his.
        """
        origins: set[str] = set()
        for row in same:
            place = {"chat": row["chat_id"], "file": f'"{id_of(IdKind.MEDIA, row["id"])}"'}
            origins |= {found["origin"] for found in await self._store.rows(media.origins, **place)}
        return origins == {"api"}

    async def _before(self, chat: Chat) -> Sequence[str]:
        """What agents told a chat lately, the oldest first, and what waits to be told."""
        key, since = chat_key(chat), to_ms(self._clock.now()) - _WINDOW_MS
        place = {"chat": key, "limit": _WINDOW_MESSAGES}
        left = await self._store.rows(passages.left_lately, since=since, **place)
        held = await self._store.rows(passages.still_held, **place)
        changed = [text for at, text in self._changed.get(key, ()) if at >= since]
        return [*changed, *(str(row["text"]) for row in (*reversed(left), *reversed(held)))]

    async def _holders(self, terms: set[str]) -> Mapping[str, Sequence[int]]:
        """The messages of each term that is no turn of speech, by their row ids."""
        asked = sorted(terms)
        found: dict[str, Sequence[int]] = {}
        for start in range(0, len(asked), _TERMS_AT_ONCE):
            some = orjson.dumps(asked[start : start + _TERMS_AT_ONCE]).decode()
            for row in await self._store.rows(passages.lookup, terms=some, many=passages.MANY):
                rowids = orjson.loads(row["rowids"])
                if 0 < len(rowids) < passages.MANY:
                    found[row["term"]] = rowids
        return found

    async def _stored(self, caller: Caller, rowids: set[int]) -> Mapping[int, Source]:
        """Messages that the asker sees, by their row ids."""
        rows = await self._store.rows(passages.standing, rowids=sorted(rowids)) if rowids else ()
        return {
            row["search_rowid"]: Source(row["chat_id"], row["text"], row["origin"] == "api")
            for row in rows
            if caller.sees(row["instance_id"])
        }

    async def _near(self, chat: Chat) -> Sequence[int]:
        """The chat that a thread belongs to: who reads the one reads the other."""
        return [chat_key(await self._chats.get(OWNER, chat.parent))] if chat.parent else ()

    async def _told(self, found: Overlap) -> Leak:
        where = await self._place(found.chat)
        excerpt = " ".join(found.excerpt.split())
        cut = excerpt if len(excerpt) <= _EXCERPT else excerpt[:_EXCERPT] + "…"
        why = "It repeats what stands in another chat, and the owner did not choose this one."
        length = counted(found.length, "character")
        return Leak(why, f"{length} of it stand in {where}: “{cut}”")

    async def _place(self, key: int) -> str:
        chat = await self._chats.get(OWNER, id_of(IdKind.CHAT, key))
        return f"{chat.name} · {chat.kind} {chat.id} · {chat.provider} “{chat.instance}”"


def _behind(before: Sequence[str], said: str) -> list[Text]:
    """A text behind those that left before: as they are, and the ends of each alone."""
    if not before:
        return []
    lasts = [_end(each, -1) for each in before]
    firsts = [_end(each, 0) for each in before]
    return [
        Text(said, older="\n".join(before)[-_WINDOW_CHARS:]),
        Text(_end(said, -1), older=" ".join(lasts)[-_WINDOW_CHARS:]),
        Text(_end(said, 0), older=" ".join(firsts)[-_WINDOW_CHARS:]),
    ]


def _made_up(
    said: Text, before: Sequence[str], alike: Sequence[Source], home: int
) -> Iterator[str]:
    """What of other chats a text completes that pieces of it left before."""
    older = [Text(each[:_WINDOW_CHARS]) for each in before]
    for source in alike if older else ():
        is_told = source.chat == home or source.by_agent
        if not is_told and (made := pieced(said, older, source.text)):
            yield made


def _add_some(conn: Connection) -> bool:
    return catch_up(conn, _ADDED_AT_ONCE)


def _some(terms: set[str]) -> set[str]:
    """Of many terms a third, the same ones each time: what is long enough has some of them."""
    if len(terms) <= _MANY_TERMS:
        return terms
    return {each for each in terms if each.startswith("c") or int(each, 16) % 3 == 0}


def _promising(holders: Mapping[str, Sequence[int]], terms: set[str]) -> Sequence[int]:
    """The messages with the most of some terms, and some of each term.

    Many messages that have much in common with a text must not hide one that has little.
    """
    rare = [holders[term] for term in terms if term in holders]
    hits = Counter(rowid for each in rare for rowid in each)
    wanted: set[int] = set()
    for each in rare:
        wanted.update(sorted(each, key=lambda rowid: -hits[rowid])[:_MESSAGES_OF_TERM])
    return sorted(wanted, key=lambda rowid: -hits[rowid])[:_MAX_MESSAGES]


def _at_home(source: Source, near: set[int], home: int) -> Source:
    return Source(home, source.text, source.by_agent) if source.chat in near else source


def _end(text: str, place: int) -> str:
    words = text.split()
    return words[place] if words else ""
