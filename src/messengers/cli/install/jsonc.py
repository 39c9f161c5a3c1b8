"""JSON with comments, edited by splicing: only the bytes of our one key ever change.

Clients keep comments, trailing commas and their own formatting in these files; a parser that
rewrites the whole would lose them.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from messengers.errors import InvalidInput

__all__ = ["SUFFIX", "put", "read", "remove", "show", "whole"]

SUFFIX = "json"
_SPACE = re.compile(r"(?:[ \t\r\n]+|//[^\n]*|/\*.*?\*/)*", re.DOTALL)
_SAME_LINE = re.compile(r"[ \t]*(?:/\*[^\n]*?\*/[ \t]*)*(?://[^\r\n]*)?(?=\r?\n)")
_STRING = re.compile(r'"(?:[^"\\\x00-\x1f]|\\.)*"')
_SCALAR = re.compile(r"-?\d[\d.eE+-]*|true|false|null")
_REST_OF_LINE = re.compile(r"[ \t]*\r?\n")
_MAX_DEPTH = 100
_BLANK = "\ufeff \t\r\n"


@dataclass(frozen=True, slots=True)
class _Node:
    """A value and where it stands; `members` only for objects."""

    start: int
    end: int
    value: object
    members: tuple["_Member", ...] | None = None


@dataclass(frozen=True, slots=True)
class _Member:
    key: str
    start: int
    node: _Node


@dataclass(slots=True)
class _Reader:
    text: str
    at: int = 0
    depth: int = field(default=0)

    def document(self) -> _Node:
        node = self.value()
        self.skip()
        if self.at != len(self.text):
            raise self.fault()
        return node

    def fault(self) -> InvalidInput:
        line = self.text.count("\n", 0, self.at) + 1
        return InvalidInput(f"It is no JSON: line {line} cannot be read.")

    def skip(self) -> None:
        found = _SPACE.match(self.text, self.at)
        self.at = found.end() if found else self.at

    def take(self, char: str) -> bool:
        self.skip()
        if self.text.startswith(char, self.at):
            self.at += 1
            return True
        return False

    def need(self, char: str) -> None:
        if not self.take(char):
            raise self.fault()

    def scalar(self, shape: re.Pattern[str]) -> _Node:
        found = shape.match(self.text, self.at)
        if found is None:
            raise self.fault()
        try:
            value: object = json.loads(found[0])
        except ValueError:
            raise self.fault() from None
        self.at = found.end()
        return _Node(found.start(), found.end(), value)

    def value(self) -> _Node:
        self.skip()
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            raise self.fault()
        match self.text[self.at : self.at + 1]:
            case "{":
                node = self.object()
            case "[":
                node = self.array()
            case '"':
                node = self.scalar(_STRING)
            case _:
                node = self.scalar(_SCALAR)
        self.depth -= 1
        return node

    def object(self) -> _Node:
        start = self.at
        self.need("{")
        members: dict[str, _Member] = {}
        while not self.take("}"):
            self.skip()
            key = self.scalar(_STRING)
            if str(key.value) in members:
                raise InvalidInput("It names one key twice, and clients disagree which one counts.")
            self.need(":")
            members[str(key.value)] = _Member(str(key.value), key.start, self.value())
            if not self.take(","):
                self.need("}")
                break
        value = {key: member.node.value for key, member in members.items()}
        return _Node(start, self.at, value, tuple(members.values()))

    def array(self) -> _Node:
        start = self.at
        self.need("[")
        items: list[object] = []
        while not self.take("]"):
            items.append(self.value().value)
            if not self.take(","):
                self.need("]")
                break
        return _Node(start, self.at, items)


def whole(text: str) -> Mapping[str, object]:
    """All the text says; nothing in it means an empty object."""
    return dict(_pairs(_parse(text))) if text.strip(_BLANK) else {}


def read(text: str, path: Sequence[str]) -> Mapping[str, object] | None:
    """The object at the path, or None. Raises InvalidInput when the text is not what it must be."""
    found, rest = _descend(_parse(text), path) if text.strip(_BLANK) else (None, path)
    if found is None or rest:
        return None
    if found.members is None:
        raise InvalidInput(f"Its {'.'.join(path)} is no object.")
    return dict(_pairs(found))


def put(text: str, path: Sequence[str], entry: Mapping[str, object]) -> str:
    """The text with the entry at the path. Everything else stays byte by byte."""
    if not text.strip(_BLANK):
        return show(path, entry)
    root = _parse(text)
    parent, rest = _descend(root, path)
    unit = _unit(text, root)
    if not rest:
        return _spliced(text, [(parent.start, parent.end, _dump(entry, text, parent.start, unit))])
    value: object = entry
    for key in reversed(rest[1:]):
        value = {key: value}
    return _spliced(text, _insertion(text, parent, rest[0], value, unit))


def remove(text: str, path: Sequence[str]) -> str:
    """The text without the entry at the path, its comma and its line."""
    parent, rest = _descend(_parse(text), path[:-1])
    members = parent.members or ()
    keys = [member.key for member in members]
    if rest or path[-1] not in keys:
        return text
    index = keys.index(path[-1])
    start, end = members[index].start, members[index].node.end
    cuts: list[tuple[int, int, str]] = []
    if (comma := _comma_after(text, end)) is not None:
        if text[end:comma].strip():
            cuts.append((comma, comma + 1, ""))
        else:
            end = comma + 1
    elif index:
        before = _comma_after(text, members[index - 1].node.end)
        if before is not None:
            cuts.append((before, before + 1, ""))
    cuts.append((*_whole_line(text, start, end), ""))
    return _spliced(text, cuts)


def show(path: Sequence[str], entry: Mapping[str, object]) -> str:
    """A document that holds the entry and nothing else."""
    value: object = entry
    for key in reversed(path):
        value = {key: value}
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def _parse(text: str) -> _Node:
    reader = _Reader(text, at=1 if text.startswith("\ufeff") else 0)
    root = reader.document()
    if root.members is None:
        raise InvalidInput("It holds no JSON object.")
    return root


def _pairs(node: _Node) -> list[tuple[str, object]]:
    return [(member.key, member.node.value) for member in node.members or ()]


def _descend(root: _Node, path: Sequence[str]) -> tuple[_Node, Sequence[str]]:
    """The deepest object on the path and the keys that are missing below it."""
    node = root
    for depth, key in enumerate(path):
        if node.members is None:
            raise InvalidInput(f"Its {'.'.join(path[:depth])} is no object.")
        below = next((member.node for member in node.members if member.key == key), None)
        if below is None:
            return node, path[depth:]
        node = below
    return node, ()


def _insertion(
    text: str, parent: _Node, key: str, value: object, unit: str
) -> list[tuple[int, int, str]]:
    """Where a new last member goes: behind the comment that belongs to the one before it."""
    newline = "\r\n" if "\r\n" in text else "\n"
    members = parent.members or ()
    if not members:
        base = _indent(text, parent.start)
        at = parent.end - 1
        last = len(text[:at].rstrip())
        closing = "" if "\n" in text[last:at] else newline + base
        pair = _pair(key, value, text, base + unit, unit)
        return [(last, last if closing == "" else at, newline + base + unit + pair + closing)]
    end = members[-1].node.end
    comma = _comma_after(text, end)
    # A file that ends its lists with a comma keeps doing so, and loses no byte when ours goes.
    after, cuts, trailing = (end, [(end, end, ",")], "") if comma is None else (comma + 1, [], ",")
    if "\n" not in text[parent.start : parent.end]:
        inline = f" {json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}{trailing}"
        return [*cuts, (after, after, inline)]
    if (comment := _SAME_LINE.match(text, after)) is not None:
        after = comment.end()
    base = _indent(text, members[-1].start)
    pair = _pair(key, value, text, base, unit) + trailing
    return [*cuts, (after, after, newline + base + pair)]


def _pair(key: str, value: object, text: str, base: str, unit: str) -> str:
    return f"{json.dumps(key)}: {_shifted(value, text, base, unit)}"


def _dump(value: object, text: str, start: int, unit: str) -> str:
    return _shifted(value, text, _indent(text, start), unit)


def _shifted(value: object, text: str, base: str, unit: str) -> str:
    lines = json.dumps(value, indent=unit, ensure_ascii=False).splitlines()
    return ("\r\n" if "\r\n" in text else "\n").join(
        [lines[0], *(base + each for each in lines[1:])]
    )


def _indent(text: str, at: int) -> str:
    """The white space that begins the line of a place."""
    line = text[text.rfind("\n", 0, at) + 1 : at].lstrip("\ufeff")
    return line[: len(line) - len(line.lstrip(" \t"))]


def _unit(text: str, root: _Node) -> str:
    first = root.members[0] if root.members else None
    return (_indent(text, first.start) if first else "") or "  "


def _comma_after(text: str, end: int) -> int | None:
    found = _SPACE.match(text, end)
    at = found.end() if found else end
    return at if text.startswith(",", at) else None


def _whole_line(text: str, start: int, end: int) -> tuple[int, int]:
    """Take the white space before, and the line break where nothing else stands on the lines."""
    line = text.rfind("\n", 0, start) + 1
    tail = _REST_OF_LINE.match(text, end)
    if text[line:start].strip() == "" and tail is not None:
        return line, tail.end()
    before = text[:start].rstrip(" \t")
    return (len(before) if before.endswith(",") else start), end


def _spliced(text: str, cuts: list[tuple[int, int, str]]) -> str:
    """The text with each (start, end) replaced; of two at one place the first listed leads."""
    parts: list[str] = []
    at = 0
    for start, end, replacement in sorted(cuts, key=lambda cut: cut[0]):
        parts += (text[at:start], replacement)
        at = end
    return "".join((*parts, text[at:]))
