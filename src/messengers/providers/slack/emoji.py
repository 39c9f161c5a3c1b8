"""Slack's names for emojis, both ways.

`emoji.txt` is made of https://github.com/iamcal/emoji-data (MIT), whose short names are Slack's; a
line holds an emoji and its names, the preferred one first.
"""

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

__all__ = ["emoji_of", "name_of", "with_emojis"]

_TONES = "🏻🏼🏽🏾🏿"
_TONE = "::skin-tone-"
_FIRST_TONE = 2
_NAMED = re.compile(r":([a-z0-9_'+-]{1,100}(?:::skin-tone-[2-6])?):")
_COLOUR = "\ufe0f"
"""Asks for the coloured form; people leave it out and programs add it."""


def emoji_of(name: str) -> str:
    """The emoji of a name, also with a skin tone; of a workspace's own emoji `:name:`."""
    base, _, tone = name.partition(_TONE)
    known = _by_name().get(base)
    if known is None:
        return f":{name}:"
    return f"{known}{_TONES[int(tone) - _FIRST_TONE]}" if tone in tuple("23456") else known


def name_of(emoji: str) -> str | None:
    """What Slack calls an emoji, or a workspace's own one that is given as `:name:`."""
    named = _NAMED.fullmatch(emoji)
    if named is not None:
        return named[1]
    plain = emoji.replace(_COLOUR, "")
    known = _by_emoji().get(plain)
    if known is not None:
        return known
    tone = next((tone for tone in _TONES if tone in plain), None)
    base = _by_emoji().get(plain.replace(tone, "")) if tone else None
    return None if base is None else f"{base}{_TONE}{_TONES.index(tone or '') + _FIRST_TONE}"


def with_emojis(text: str) -> str:
    """The text with `:name:` as people see it."""
    return _NAMED.sub(lambda named: emoji_of(named[1]), text) if ":" in text else text


@cache
def _by_name() -> Mapping[str, str]:
    lines = (
        files("messengers.providers.slack").joinpath("emoji.txt").read_text("utf-8").splitlines()
    )
    return {name: emoji for emoji, *names in map(str.split, lines) for name in names}


@cache
def _by_emoji() -> Mapping[str, str]:
    found: dict[str, str] = {}
    for name, emoji in _by_name().items():
        found.setdefault(emoji.replace(_COLOUR, ""), name)
    return found
