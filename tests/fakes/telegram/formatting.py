"""Text as Telegram keeps it: parsed, trimmed, measured, with what it finds in it by itself."""

import re
from collections.abc import Callable

from tests.fakes.telegram.lengths import utf16_length
from tests.fakes.telegram.markup import Markup
from tests.fakes.telegram.people import Json, User
from tests.fakes.telegram.refusal import Refused

__all__ = ["CAPTION_MAX", "TEXT_MAX", "formatted", "found_in"]

TEXT_MAX = 4096
CAPTION_MAX = 1024
_SOURCE_MAX_BYTES = 1 << 15
_FOUND = [
    ("url", re.compile(r"(?:https?://|www\.)[^\s<>\"]*[^\s<>\".,!?:;')\]]", re.IGNORECASE)),
    ("email", re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]*\w")),
    ("mention", re.compile(r"(?<![\w/@])@[A-Za-z]\w{3,31}")),
    ("bot_command", re.compile(r"(?<![\w/])/\w{1,64}(?:@\w{3,32})?(?!/)")),
    ("hashtag", re.compile(r"(?<!\w)#\w*[^\W\d]\w*")),
    ("cashtag", re.compile(r"(?<!\w)\$[A-Z]{1,8}\b")),
]


# Nothing is looked for inside these.
_CLOSED = {"code", "pre", "text_link", "text_mention", "url", "email", "mention", "bot_command"}


def formatted(
    source: str, parse_mode: str, entities: list[Json], user: Callable[[int], User | None]
) -> tuple[str, list[Json]]:
    """Text and entities of what a bot sends; the text may be empty.

    `user` knows whom a `tg://user?id=` means: nobody is mentioned whom the bot never met.
    """
    if len(source.encode()) > _SOURCE_MAX_BYTES:
        raise Refused(400, "text is too long")
    text, marked = _parsed(source, parse_mode, entities)
    text, marked = _trimmed(text, [each for each in marked if _resolved(each, user)])
    return text, found_in(text, marked)


def _parsed(source: str, parse_mode: str, entities: list[Json]) -> tuple[str, list[Json]]:
    match parse_mode.lower() if source else "":
        case "" | "none":
            return source, [dict(each) for each in entities]
        case "html":
            return Markup(source).parse()
        case "markdown" | "markdownv2":
            raise NotImplementedError("the fake reads no Markdown")
        case _:
            raise Refused(400, "unsupported parse_mode")


def _resolved(entity: Json, user: Callable[[int], User | None]) -> bool:
    if entity["type"] != "text_mention":
        return True
    met = user(int(entity["user"]["id"]))
    if met:
        entity["user"] = met.json()
    return met is not None


def _trimmed(text: str, entities: list[Json]) -> tuple[str, list[Json]]:
    """No white space at the ends; what is formatted at the front keeps its own."""
    first = min((each["offset"] for each in entities), default=len(text))
    front = min(len(text) - len(text.lstrip(" \n")), first)
    kept = text.rstrip()[front:]
    length = utf16_length(kept)
    cut = [
        {
            **each,
            "offset": each["offset"] - front,
            "length": min(each["length"], length - each["offset"] + front),
        }
        for each in entities
    ]
    return kept, [each for each in cut if each["length"] > 0]


def found_in(text: str, marked: list[Json]) -> list[Json]:
    """These entities, and links, mentions, commands, tags outside them; sorted."""
    entities = list(marked)
    for kind, pattern in _FOUND:
        for match in pattern.finditer(text):
            offset, length = utf16_length(text[: match.start()]), utf16_length(match[0])
            if not any(_overlaps(each, offset, length) for each in entities):
                entities.append({"type": kind, "offset": offset, "length": length})
    return sorted(entities, key=lambda each: (each["offset"], -each["length"]))


def _overlaps(entity: Json, offset: int, length: int) -> bool:
    ends = entity["offset"] + entity["length"]
    return entity["type"] in _CLOSED and entity["offset"] < offset + length and offset < ends
