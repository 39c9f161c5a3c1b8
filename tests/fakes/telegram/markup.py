"""Telegram's HTML: text and entities, or the error the real parser gives."""

import re
from dataclasses import dataclass

from tests.fakes.telegram.lengths import utf16_length
from tests.fakes.telegram.people import Json
from tests.fakes.telegram.refusal import Refused

__all__ = ["Markup"]

_SIMPLE = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "tg-spoiler": "spoiler",
    "span": "spoiler",
}
_TAGS = {*_SIMPLE, "a", "pre", "code", "blockquote", "tg-emoji", "tg-time"}
_CHARACTER = re.compile(r"&(?:#x([0-9a-fA-F]+)|#([0-9]+)|([a-zA-Z]+));?")
_NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}
_TAG = re.compile(r"<(/?)([^\s>]*)")
_ATTRIBUTE = re.compile(r"""\s*([^\s=>/"']+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([0-9A-Za-z.-]*)))?""")


@dataclass
class _Open:
    tag: str
    argument: str
    offset: int
    position: int


class Markup:
    """Follows `parse_html` of TDLib, with its error texts."""

    def __init__(self, source: str) -> None:
        self.source, self.at = source, 0
        self.out: list[str] = []
        self.length = 0
        self.open: list[_Open] = []
        self.entities: list[Json] = []

    def parse(self) -> tuple[str, list[Json]]:
        while self.at < len(self.source):
            if self.source[self.at] == "<":
                self._tag()
            else:
                self._character()
        if self.open:
            raise self._error(
                f"Can't find end tag corresponding to start tag {self.open[-1].tag}", None
            )
        for entity in self.entities:
            if entity["type"] == "code":
                entity.pop("language", None)
        return "".join(self.out), self.entities

    def _error(self, text: str, at: int | None) -> Refused:
        place = "" if at is None else f" at byte offset {len(self.source[:at].encode())}"
        return Refused(400, f"can't parse entities: {text}{place}")

    def _character(self) -> None:
        found = _CHARACTER.match(self.source, self.at)
        character = _decoded(found) if found else ""
        self.at = found.end() if found and character else self.at + 1
        self._write(character or self.source[self.at - 1])

    def _write(self, text: str) -> None:
        self.out.append(text)
        self.length += utf16_length(text)

    def _tag(self) -> None:
        begin = self.at
        found = _TAG.match(self.source, begin)
        assert found
        self.at = found.end()
        if found[1]:
            self._close(begin, found[2].lower())
        else:
            self._begin(begin, found[2].lower())

    def _begin(self, begin: int, tag: str) -> None:
        if self.at >= len(self.source):
            raise self._error("Unclosed start tag", begin)
        if tag not in _TAGS:
            raise self._error(f'Unsupported start tag "{tag}"', begin)
        attributes = self._attributes(begin, tag)
        argument = _argument(tag, attributes)
        if tag == "span" and argument != "spoiler":
            raise self._error('Tag "span" must have class "tg-spoiler"', begin)
        self.open.append(_Open(tag, argument, self.length, len(self.out)))

    def _attributes(self, begin: int, tag: str) -> dict[str, str]:
        attributes: dict[str, str] = {}
        while not re.compile(r"\s*>").match(self.source, self.at):
            found = _ATTRIBUTE.match(self.source, self.at)
            if found is None:
                if not self.source[self.at :].strip():
                    raise self._error("Unclosed start tag", begin)
                raise self._error(f'Empty attribute name in the tag "{tag}"', begin)
            self.at = found.end()
            value = next((each for each in found.groups()[1:] if each is not None), "")
            attributes[found[1]] = _CHARACTER.sub(lambda each: _decoded(each) or each[0], value)
            if self.at >= len(self.source):
                raise self._error("Unclosed start tag", begin)
        self.at = self.source.index(">", self.at) + 1
        return attributes

    def _close(self, begin: int, tag: str) -> None:
        if not self.open:
            raise self._error("Unexpected end tag", begin)
        end = re.compile(r"\s*>").match(self.source, self.at)
        if end is None:
            raise self._error("Unclosed end tag", begin)
        self.at = end.end()
        opened = self.open.pop()
        if tag and tag != opened.tag:
            place = f" at byte offset {len(self.source[:begin].encode())}"
            found = f'Unmatched end tag{place}, expected "</{opened.tag}>", found "</{tag}>"'
            raise self._error(found, None)
        if self.length > opened.offset:
            self._entity(opened)

    def _entity(self, opened: _Open) -> None:
        place = {"offset": opened.offset, "length": self.length - opened.offset}
        entity = _entity_of(opened, "".join(self.out[opened.position :]))
        if entity is None:
            return
        inner = self.entities[-1] if self.entities else {}
        if {opened.tag, _tag_of(inner)} == {"pre", "code"} and place.items() <= inner.items():
            language = entity.get("language") or inner.get("language")
            if language:
                self.entities[-1] = {"type": "pre", **place, "language": language}
                return
        self.entities.append({**entity, **place})


def _tag_of(entity: Json) -> str:
    return {"pre": "pre", "code": "code"}.get(entity.get("type", ""), "")


def _decoded(found: re.Match[str]) -> str:
    """What a character reference means; nothing for one that is not known."""
    hexadecimal, decimal, name = found.groups()
    if name:
        return _NAMED.get(name, "")
    code = int(hexadecimal, 16) if hexadecimal else int(decimal)
    return chr(code) if 0 < code < 0x10FFFF and len(found[0]) < 10 else ""


def _argument(tag: str, attributes: dict[str, str]) -> str:
    name = {"a": "href", "code": "class", "span": "class", "tg-emoji": "emoji-id"}.get(tag)
    if tag == "blockquote":
        return "1" if "expandable" in attributes else ""
    if tag == "tg-time":
        return f"{attributes.get('unix', '')} {attributes.get('format', '')}"
    value = attributes.get(name, "") if name else ""
    prefix = {"code": "language-", "span": "tg-"}.get(tag, "")
    return value.removeprefix(prefix) if value.startswith(prefix) else ""


def _entity_of(opened: _Open, text: str) -> Json | None:
    """Its kind and argument; None for a link that leads nowhere."""
    match opened.tag:
        case "a":
            return _link(opened.argument or text)
        case "pre":
            return {"type": "pre"}
        case "code":
            return {"type": "code", **({"language": opened.argument} if opened.argument else {})}
        case "blockquote":
            return {"type": "expandable_blockquote" if opened.argument else "blockquote"}
        case "tg-emoji":
            if not opened.argument.isdigit():
                raise Refused(
                    400, "can't parse entities: Invalid custom emoji identifier specified"
                )
            return {"type": "custom_emoji", "custom_emoji_id": opened.argument}
        case "tg-time":
            unix, _, form = opened.argument.partition(" ")
            date = {"unix_time": int(unix)} if unix.isdigit() else None
            return date and {"type": "date_time", **date, "date_time_format": form}
        case tag:
            return {"type": _SIMPLE[tag]}


def _link(url: str) -> Json | None:
    if user := re.fullmatch(r"tg://user\?id=(\d+)", url):
        return {"type": "text_mention", "user": {"id": int(user[1])}}
    if not re.match(r"(?:[a-z][a-z0-9+.-]*://)?[\w-]+(?:\.[\w-]+)+|tg://", url, re.IGNORECASE):
        return None
    if "://" not in url:
        url = f"http://{url}"
    return {"type": "text_link", "url": url if "/" in url.split("://", 1)[1] else f"{url}/"}
