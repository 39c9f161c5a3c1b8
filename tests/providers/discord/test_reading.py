"""What messages say beside their text, in words."""

from collections.abc import Mapping
from typing import Any

import orjson
import pytest

from messengers.errors import InvalidInput
from messengers.providers.discord.incoming import READERS, translate
from messengers.providers.discord.reading import read

AUTHOR = {"id": "1", "username": "ada", "global_name": "Ada"}
BASE: Mapping[str, Any] = {"id": "3", "channel_id": "2", "type": 0, "author": AUTHOR}


def text_of(**message: object) -> str:
    return read({**BASE, **message}, {"100000000000000009": "news"}).text


def test_names_stand_where_discord_has_numbers() -> None:
    said = (
        "<@100000000000000001> in <#100000000000000009>, <#100000000000000008>:"
        " <a:party:100000000000000007> </help:100000000000000006> <t:0:R> <t:99999999999999>"
    )
    mentions = [{"id": "100000000000000001", "username": "bob"}]

    assert text_of(content=said, mentions=mentions) == (
        "@bob in #news, #100000000000000008: :party: /help 1970-01-01 00:00 UTC <t:99999999999999>"
    )


def test_an_embed_that_was_written_is_read_and_a_preview_is_not() -> None:
    written = {
        "type": "rich",
        "author": {"name": "CI"},
        "title": "Build 7",
        "url": "https://ci.example/7",
        "description": "failed",
        "fields": [{"name": "step", "value": "test"}],
        "image": {"url": "https://ci.example/7.png"},
        "footer": {"text": "main"},
    }

    assert text_of(content="see", embeds=[{"type": "article", "title": "Page"}, written]) == (
        "see\nCI\nBuild 7 (https://ci.example/7)\nfailed\nstep: test\n"
        "(picture: https://ci.example/7.png)\nmain"
    )


def test_a_laid_out_message_is_read_in_its_order() -> None:
    gallery = {"type": 12, "items": [{"media": {"url": "https://x.example/a.png"}}]}
    button = {"type": 2, "style": 5, "label": "More", "url": "https://x.example"}
    section = {
        "type": 9,
        "components": [{"type": 10, "content": "Hello"}],
        "accessory": {"type": 11, "media": {"url": "https://x.example/t.png"}, "description": "me"},
    }
    file = {"type": 13, "file": {"url": "attachment://a.txt"}, "name": "a.txt"}
    components = [{"type": 17, "components": [section, gallery, file]}]
    rows = [{"type": 1, "components": [button, {"type": 3, "options": [{"label": "One"}]}]}]

    body = read({**BASE, "components": [*components, *rows]}, {})

    assert body.text == (
        "Hello\n(picture: me: https://x.example/t.png)\n(picture: https://x.example/a.png)\n"
        "(file: a.txt)"
    )
    assert body.buttons == ("More (https://x.example)", "choose: One")


def test_stickers_and_voice_notes_are_files() -> None:
    voice = {"id": "9", "filename": "v.ogg", "content_type": "audio/ogg", "duration_secs": 2.5}
    sticker = {"id": "8", "name": "Wave", "format_type": 1}

    body = read({**BASE, "flags": 1 << 13, "attachments": [voice], "sticker_items": [sticker]}, {})

    assert body.text == "(sticker: Wave)"
    assert [(each.kind, each.native_ref) for each in body.attachments] == [
        ("voice", "2/3/9"),
        ("sticker", "sticker:8.png"),
    ]


@pytest.mark.parametrize("number", [*range(1, 13), 18, 21, 22, 24, 25, 27, 28, 29, 31, 44, 46, 99])
def test_no_message_of_discords_own_is_empty(number: int) -> None:
    body = read({**BASE, "type": number}, {})

    assert body.is_service
    assert len(body.text) > 4


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"type": 2, "data": {"name": "ask", "options": [{"name": "what", "value": "tea"}]}},
         "(used /ask what: tea)"),
        ({"type": 3, "data": {"custom_id": "gone"}}, "(pressed: gone)"),
        ({"type": 3, "data": {"custom_id": "pick", "values": ["1", "2"]},
          "message": {"id": "7", "components": [{"type": 1, "components": [
              {"type": 3, "custom_id": "pick", "options": [{"label": "One", "value": "1"}]}]}]}},
         "(chose: One, 2)"),
        ({"type": 3, "data": {"custom_id": "who", "values": ["5"],
                              "resolved": {"users": {"5": {"username": "eve"}}}}}, "(chose: eve)"),
        ({"type": 5, "data": {"custom_id": "f", "components": [
            {"type": 1, "components": [{"type": 4, "custom_id": "who", "value": "Ada"}]}]}},
         "(filled in: who: Ada)"),
    ],
)  # fmt: skip
def test_interactions_say_what_was_done(told: Mapping[str, Any], words: str) -> None:
    place = {"id": "user:1", "kind": "dm", "name": "Ada"}
    beside = {"at": 0, "me": "4", "place": place}
    stored = {"told": {"id": "6", "user": AUTHOR, **told}, "messengers": beside}

    *_, seen = translate("INTERACTION_CREATE", orjson.dumps(stored))

    assert getattr(seen, "text", "") == words


@pytest.mark.parametrize("kind", [*READERS, "NEWS_OF_2030"])
@pytest.mark.parametrize("payload", [b"", b"[]", b"{}", b'{"told": 5, "messengers": {"at": 1}}'])
def test_what_cannot_be_understood_is_refused_and_nothing_else(kind: str, payload: bytes) -> None:
    with pytest.raises(InvalidInput):
        translate(kind, payload)
