"""Markdown as mrkdwn and back, emojis by name, recipients as people write them."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messengers.core.credentials import read
from messengers.errors import InvalidInput
from messengers.providers.slack.config import SlackConfig, kind_of
from messengers.providers.slack.emoji import emoji_of, name_of
from messengers.providers.slack.formatting import formatted, parts_of, read_text, with_mass_mentions
from messengers.providers.slack.places import parse_target
from tests.fakes.slack.formatting import called, sanitized


@pytest.mark.parametrize(
    ("markdown", "written"),
    [
        ("**bold** *it* ~~gone~~ `x < 1`", "*bold* _it_ ~gone~ `x &lt; 1`"),
        ("# Title\n\ntext", "*Title*\n\ntext"),
        ("- a\n- b\n\n1. c", "• a\n• b\n\n1. c"),
        ("> said\n> so", "> said\n> so"),
        ("```python\nx = 1 & 2\n```", "```\nx = 1 &amp; 2\n```"),
        ("[the page](https://a.example/?a=1&b=2)", "<https://a.example/?a=1&amp;b=2|the page>"),
        ("<https://a.example>", "<https://a.example>"),
        ("[](https://a.example)", "<https://a.example>"),
        ("[a|b](https://a.example)", "<https://a.example|a¦b>"),
        ("[mail](mailto:a@a.example)", "<mailto:a@a.example|mail>"),
        ("[here](ftp://a.example)", "here (ftp://a.example)"),
        ("[ftp://a.example](ftp://a.example)", "ftp://a.example"),
        ("<!channel> <@U07000E57R3>", "&lt;!channel&gt; &lt;@U07000E57R3&gt;"),
    ],
)
def test_markdown_leaves_as_mrkdwn(markdown: str, written: str) -> None:
    assert formatted(markdown) == written


@pytest.mark.parametrize(
    "text",
    [
        "**bold** and ~~gone~~ and `code & <more>`",
        "[the page](https://a.example/?a=1&b=2)",
        "https://a.example/x",
        "a < b && c > d",
        "<!channel> @here",
    ],
)
def test_what_is_written_is_read_the_same(text: str) -> None:
    assert read_text(sanitized(formatted(text)), {}) == text


@given(st.text(max_size=200))
def test_no_text_calls_anybody(text: str) -> None:
    assert called(sanitized(formatted(text))) == set()


@given(st.lists(st.sampled_from(["a&b<c ", "**x** ", "word ", "\n\n", "🎉"]), max_size=3_000))
def test_every_part_fits(pieces: list[str]) -> None:
    assert all(0 < len(part) <= 4_000 for part in parts_of("".join(pieces)))


def test_only_the_three_words_call_everybody_and_not_in_code() -> None:
    text = with_mass_mentions("@channel, a@here.example @everyone! `@here` @channels")

    assert text == "<!channel>, a@here.example <!everyone>! `@here` @channels"


def test_a_code_fence_is_not_ended_by_what_stands_in_it() -> None:
    shown = formatted("````\n```\nx\n```\n````")

    assert len(re.findall("```", shown)) == 2


@pytest.mark.parametrize(
    ("name", "emoji"),
    [
        ("+1", "👍"),
        ("thumbsup", "👍"),
        ("tada", "🎉"),
        ("flag-lv", "🇱🇻"),
        ("wave::skin-tone-3", "👋🏼"),
        ("man-shrugging", "🤷\u200d♂️"),
        ("partyparrot", ":partyparrot:"),
        ("wave::skin-tone-9", "👋"),
    ],
)
def test_a_name_is_an_emoji(name: str, emoji: str) -> None:
    assert emoji_of(name) == emoji


@pytest.mark.parametrize(
    ("emoji", "name"),
    [
        ("👍", "+1"),
        ("❤️", "heart"),
        ("❤", "heart"),
        ("👋🏼", "wave::skin-tone-3"),
        ("🇱🇻", "flag-lv"),
        (":partyparrot:", "partyparrot"),
        ("ё", None),
        ("ё🏼", None),
    ],
)
def test_an_emoji_has_a_name(emoji: str, name: str | None) -> None:
    assert name_of(emoji) == name


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("U07000E57R3", "U07000E57R3"),
        ("<@U07000E57R3|grace>", "U07000E57R3"),
        ("https://app.slack.com/client/T07000E57R3/C07000E57R3", "C07000E57R3"),
        ("#Bread-News", "#bread-news"),
        ("#новости", "#новости"),
        ("@grace.h", "@grace.h"),
        ("u07000e57r3", None),
        ("#two words", None),
    ],
)
def test_recipients_as_people_write_them(text: str, target: str | None) -> None:
    assert parse_target(text) == target


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"token": "xoxb-12345678"}, "either app_token or signing_secret"),
        ({"token": "abc", "app_token": "xapp-1"}, "begins with xoxb- or xoxp-"),
        ({"token": "xoxb-12345678", "app_token": "xoxb-2"}, "begins with xapp-"),
        (
            {"token": "xoxb-12345678", "app_token": "xapp-1", "signing_secret": "s"},
            "either app_token or signing_secret",
        ),
    ],
)
def test_what_is_no_configuration_is_refused(given: dict[str, str], said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        read(SlackConfig, given)


def test_the_token_says_whose_instance_it_is() -> None:
    def kind(token: str) -> str:
        return kind_of(read(SlackConfig, {"token": token, "app_token": "xapp-1-12345678"}))

    assert (kind("xoxb-12345678"), kind("xoxp-12345678")) == ("bot", "personal")
