"""What a text may say to whoever knows how to read it: the disguises that take one line to undo.

What only spaces, punctuation or invisible characters hide needs none of this: texts are compared by
their letters. Someone who really encrypts is not stopped here; what leaves for strangers asks.
"""

import base64
import binascii
import codecs
import html
import re
from collections.abc import Callable, Iterator
from urllib.parse import unquote_plus

__all__ = ["readings", "turned"]

_MIN_ENCODED = 12
_BASE64 = re.compile(rf"[A-Za-z0-9+/_-]{{{_MIN_ENCODED},}}={{0,2}}")
_BLOCKS = re.compile(
    r"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{2,}+(?:\s++[A-Za-z0-9+/_-]++){2,}+={0,2}"
)
"""Base64 that is written in blocks or lines."""
_LEAD_IN = 8
"""Words before the blocks, with nothing between that no block has."""
_BASE32 = re.compile(r"\b[A-Z2-7]{16,}={0,6}", re.IGNORECASE)
_HEX = re.compile(r"(?:(?:0x|\\x|\\u00)?[0-9a-fA-F]{2}[\s:,.-]{0,2}){8,}")
_HEX_NOISE = re.compile(r"0x|\\x|\\u00|[\s:,.-]")
_BITS = re.compile(r"(?:[01]{8}\s?){8,}")
_DECIMALS = re.compile(r"(?:\b\d{2,3}[\s,]{1,2}){7,}\d{2,3}\b")
_ENTITY = re.compile(r"&#?\w+;")
_TAGS = re.compile("[\U000e0020-\U000e007e]+")
_NUMBERS = re.compile(r"^[^\w\n]*\d{1,3}[^\w\n]*", re.MULTILINE)
_MIN_LISTED = 3
_LAYERS = 2
"""Disguises of a disguise."""
_MAX_READINGS = 12


def readings(text: str) -> list[str]:
    """The text, and what it says decoded."""
    found = [text]
    layer = [text]
    for _ in range(_LAYERS):
        layer = [more for each in layer for more in _decoded(each) if more not in found]
        found += layer
    return found[:_MAX_READINGS]


def turned(text: str) -> list[str]:
    """What it says backwards, by letters or by words, and shifted by half the alphabet.

    Nothing shows that it is so.
    """
    return [text[::-1], " ".join(reversed(text.split())), codecs.encode(text, "rot13")]


def _decoded(text: str) -> Iterator[str]:
    if "%" in text:
        yield unquote_plus(text)
    if _ENTITY.search(text):
        yield html.unescape(text)
    if tags := "".join(_TAGS.findall(text)):
        yield "".join(chr(ord(char) - 0xE0000) for char in tags)
    if len(_NUMBERS.findall(text)) >= _MIN_LISTED:
        yield _NUMBERS.sub(" ", text)
    for pattern, decode in (
        (_BASE64, _from_base64),
        (_BLOCKS, _from_blocks),
        (_BASE32, _from_base32),
        (_HEX, _from_hex),
        (_BITS, _from_bits),
        (_DECIMALS, _from_decimals),
    ):
        said = "".join(filter(None, map(decode, pattern.findall(text))))
        if said:
            yield said


def _from_base64(found: str) -> str:
    bare = found.rstrip("=").translate(str.maketrans("-_", "+/"))
    return _readable(lambda: base64.b64decode(bare + "=" * (-len(bare) % 4)))


def _from_blocks(found: str) -> str:
    blocks = found.split()
    for at in range(min(len(blocks), _LEAD_IN)):
        if said := _from_base64("".join(blocks[at:])):
            return said
    return ""


def _from_base32(found: str) -> str:
    bare = found.rstrip("=")
    return _readable(lambda: base64.b32decode(bare + "=" * (-len(bare) % 8), casefold=True))


def _from_hex(found: str) -> str:
    return _readable(lambda: bytes.fromhex(_HEX_NOISE.sub("", found)))


def _from_bits(found: str) -> str:
    return _readable(lambda: bytes(int(each, 2) for each in re.findall("[01]{8}", found)))


def _from_decimals(found: str) -> str:
    return _readable(lambda: bytes(map(int, re.findall(r"\d+", found))))


def _readable(decode: Callable[[], bytes]) -> str:
    """What bytes say, where they are a text."""
    try:
        said = decode().decode()
    except (binascii.Error, ValueError):
        return ""
    return said if sum(map(str.isprintable, said)) >= 0.9 * len(said) else ""
