"""What two texts have in common, whatever stands between their letters: passages and codes.

How long a passage has to be is a choice between two faults. Ordinary phrases that two chats share
("Thank you very much for your quick reply", in any language) end below forty letters or seven
words; what is that long and the same is a quotation. A number in it makes twenty letters enough:
amounts, days and hours are left out of what counts as a number. Codes count by themselves, and so
do five whole messages of one chat, however short, for that is a transcript.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from messengers.store import passages
from messengers.store.search import fold

__all__ = ["PASSAGE", "PASSAGE_WORDS", "Overlap", "Source", "Text", "overlap", "pieced"]

PASSAGE = 40
"""Letters of a passage; a kana counts as two of them, another sign without spaces as three."""
PASSAGE_WORDS = 7
_NUMBERED = 20
_NUMBER = 4
"""Digits that make a passage a numbered one."""
_TRANSCRIPT = 5
"""Whole messages of one chat."""
_COMMON = 3
"""What stands in so many other chats is nobody's secret any more."""
_UNSPACED, _KANA = "\u2e80", ("\u3040", "\u30ff")
_WHOLE = 0.9
_TRIES = 4
"""Places of one stretch in a text that are tried."""


class Text:
    """A text as it is compared: `letters` and digits alone, folded."""

    def __init__(self, said: str, *, older: str = "") -> None:
        """`older` left before it; what is in common has to reach into `said`."""
        plained = self._plained = passages.plain(fold(f"{older}\n{said}" if older else said))
        words = self._words = list(passages.words(plained))
        self.letters = "".join(word[0] for word in words)
        self.starts = bytearray(len(self.letters))
        self.digits = bytearray(len(self.letters))
        """1 where a digit stands that belongs to no day, hour or amount."""
        self.fresh = len(passages.letters(passages.plain(fold(older)))) if older else 0
        self.codes = passages.codes(plained)
        spans = list(passages.places(plained))
        at = 0
        for word in words:
            self.starts[at] = 1
            if any(map(str.isdigit, word[0])) and not _within(word.span(), spans):
                for place, char in enumerate(word[0], at):
                    self.digits[place] = char.isdigit()
            at += len(word[0])
        self._places: dict[str, list[int]] | None = None

    @property
    def terms(self) -> set[str]:
        """What to look up of it."""
        return passages.gram_terms(self.letters) | passages.code_terms(self.codes)

    def shared(self, letters: str) -> Iterator[tuple[int, int]]:
        """Where stretches of another text stand in this one, as long as they go."""
        size = passages.GRAM
        if self._places is None:
            self._places = {}
            for place in range(len(self.letters) - size + 1):
                self._places.setdefault(self.letters[place : place + size], []).append(place)
        at = 0
        while at <= len(letters) - size:
            found = self._places.get(letters[at : at + size], ())
            length = 0
            for place in found[:_TRIES]:
                run = self._run(place, letters, at)
                length = max(length, run)
                yield place, place + run
            at += max(length - size + 1, 1)

    def cut(self, start: int, end: int) -> str:
        """What stands from one letter to another, with all between them."""
        at, places = 0, list[int]()
        for word in self._words:
            size = len(word[0])
            first, last = max(start - at, 0), min(end - at, size)
            if first < last:
                places += [word.start() + first, word.start() + last]
            at += size
        return self._plained[places[0] : places[-1]] if places else ""

    def _run(self, place: int, letters: str, at: int) -> int:
        most = min(len(self.letters) - place, len(letters) - at)
        length = passages.GRAM
        while length < most and self.letters[place + length] == letters[at + length]:
            length += 1
        return length


@dataclass(frozen=True, slots=True)
class Source:
    """A stored message."""

    chat: int
    text: str
    by_agent: bool
    """An agent wrote it: of that only the codes are looked for."""


@dataclass(frozen=True, slots=True)
class Overlap:
    """What a text has from one other chat."""

    chat: int
    length: int
    excerpt: str
    """Of the stored message."""


@dataclass(slots=True)
class _Chat:
    """What one chat has of a text: places, each with the stored message it stands in."""

    spans: list[tuple[int, int, str]] = field(default_factory=list[tuple[int, int, str]])
    whole: dict[str, tuple[int, int]] = field(default_factory=dict[str, tuple[int, int]])

    @property
    def runs(self) -> list[tuple[int, int]]:
        """The places, those that touch as one."""
        joined: list[tuple[int, int]] = []
        for start, end, _ in sorted(self.spans):
            if joined and start <= joined[-1][1]:
                joined[-1] = joined[-1][0], max(end, joined[-1][1])
            else:
                joined.append((start, end))
        return joined


def overlap(text: Text, sources: Sequence[Source], home: int, ours: str = "") -> Overlap | None:
    """The worst that a text has from a chat that is not `home`, if it is anything.

    What `home` knows already does not count: its messages, and `ours`, letters of its own
    address.
    """
    plained = {source: passages.plain(fold(source.text)) for source in sources}
    letters = {source: passages.letters(each) for source, each in plained.items()}
    said_here = " ".join([ours, *(letters[each] for each in sources if each.chat == home)])
    code = _code(text, plained, home, said_here)
    if code is not None:
        return code
    chats = _covered(text, letters, home)
    barred = _barred(chats, chats.pop(home, _Chat()), len(text.letters))
    found = [_worst(text, key, chat, barred) for key, chat in chats.items()]
    return max(filter(None, found), key=lambda each: each.length, default=None)


def pieced(said: Text, older: Sequence[Text], stored: str) -> str:
    """What pieces make up of a stored text, `said` one of them; '' where it touches no other.

    Whatever stands around them, and in whichever order they came.
    """
    whole = Text(stored)
    fresh = list(whole.shared(said.letters))
    if not fresh:
        return ""
    before = (span for each in older for span in whole.shared(each.letters))
    made = _Chat([(start, end, "") for start, end in (*fresh, *before)]).runs
    new = [run for run in made if run not in fresh and any(_within(run, [one]) for one in fresh)]
    return whole.cut(*max(new, key=lambda run: run[1] - run[0])) if new else ""


def _code(text: Text, plained: Mapping[Source, str], home: int, said_here: str) -> Overlap | None:
    holders: dict[str, dict[int, str]] = {}
    for source, each in plained.items():
        for code in passages.codes(each) if source.chat != home else ():
            at = text.letters.rfind(code)
            if at >= 0 and at + len(code) > text.fresh:
                holders.setdefault(code, {})[source.chat] = source.text
    for code, chats in sorted(holders.items(), key=lambda each: -len(each[0])):
        if len(chats) < _COMMON and code not in said_here:
            chat, excerpt = next(iter(chats.items()))
            return Overlap(chat, len(code), excerpt)
    return None


def _covered(text: Text, letters: Mapping[Source, str], home: int) -> dict[int, _Chat]:
    chats: dict[int, _Chat] = {}
    for source, each in letters.items():
        # Codes apart: what an agent said to one it may say to all.
        if source.by_agent and source.chat != home:
            continue
        chat = chats.setdefault(source.chat, _Chat())
        for start, end in text.shared(each):
            # A piece that left before makes its part of the whole no better known.
            if source.by_agent and not _is_passage(text, start, end):
                continue
            chat.spans.append((start, end, source.text))
            if end - start >= _WHOLE * len(each):
                chat.whole[source.text] = start, end
    return chats


def _barred(chats: Mapping[int, _Chat], own: _Chat, length: int) -> bytearray:
    """1 where a text has what its own chat knows, or many others do."""
    steps = [0] * (length + 1)
    for start, end in (run for chat in chats.values() for run in chat.runs):
        steps[start] += 1
        steps[end] -= 1
    barred = bytearray(count >= _COMMON for count in accumulate(steps))
    for start, end in own.runs:
        barred[start:end] = b"\1" * (end - start)
    return barred


def _worst(text: Text, key: int, chat: _Chat, barred: bytearray) -> Overlap | None:
    for start, end in sorted(_free(chat.runs, barred), key=lambda run: run[0] - run[1]):
        if end > text.fresh and _is_passage(text, start, end):
            excerpt = max(chat.spans, key=lambda span: min(span[1], end) - max(span[0], start))[2]
            return Overlap(key, end - start, excerpt)
    whole = {said: at for said, at in chat.whole.items() if not any(barred[slice(*at)])}
    if len(whole) >= _TRANSCRIPT and max(end for _, end in whole.values()) > text.fresh:
        return Overlap(key, sum(end - start for start, end in whole.values()), "\n".join(whole))
    return None


def _free(runs: Sequence[tuple[int, int]], barred: bytearray) -> Iterator[tuple[int, int]]:
    """What of some runs is not barred."""
    for start, end in runs:
        at = start
        while at < end:
            stop = barred.find(1, at, end)
            stop = end if stop < 0 else stop
            if stop > at:
                yield at, stop
            following = barred.find(0, stop, end)
            at = end if following < 0 else following


def _is_passage(text: Text, start: int, end: int) -> bool:
    letters = text.letters[start:end]
    weight = sum(map(_weight, letters))
    if weight >= PASSAGE and sum(text.starts[start:end]) >= PASSAGE_WORDS:
        return True
    return weight >= _NUMBERED and sum(text.digits[start:end]) >= _NUMBER


def _weight(letter: str) -> int:
    if letter < _UNSPACED:
        return 1
    return 2 if _KANA[0] <= letter <= _KANA[1] else 3


def _within(span: tuple[int, int], spans: Sequence[tuple[int, int]]) -> bool:
    return any(start < span[1] and span[0] < end for start, end in spans)
