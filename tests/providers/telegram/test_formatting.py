"""Markdown as Telegram's HTML: only our own tags, every part within the limit."""

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from messengers.providers.telegram.formatting import formatted, parts_of, plain, units
from messengers.providers.telegram.limits import MAX_TEXT

TAGS = {"b", "i", "s", "code", "pre", "a", "blockquote"}
pieces = st.sampled_from(
    [*"<>&\"'`*_~[]()#-+=|!\n 1.ab", "👍", "</b>", "<b>", "tg://user?id=1", "```"]
)
hostile = st.lists(pieces, max_size=40).map("".join)


class Tags(HTMLParser):
    """What a reader of HTML takes for tags, and whether they close in turn."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.names: set[str] = set()
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open.append(tag)
        self.names.add(tag)
        self.links += [value or "" for name, value in attrs if name == "href"]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def tags(text: str) -> Tags:
    reader = Tags()
    reader.feed(text)
    reader.close()
    assert reader.open == []
    return reader


@pytest.mark.parametrize(
    ("markdown", "html"),
    [
        ("**b** *i* ~~s~~ `c`", "<b>b</b> <i>i</i> <s>s</s> <code>c</code>"),
        ("# Title **x**\ntext", "<b>Title x</b>\n\ntext"),
        ("one\ntwo\n\nthree", "one\ntwo\n\nthree"),
        ("- a\n- b\n  1. c\n  2. d", "• a\n• b\n  1. c\n  2. d"),
        ("3. c\n4. d", "3. c\n4. d"),
        ("[here](https://a.example/?x=1&y=2)", '<a href="https://a.example/?x=1&amp;y=2">here</a>'),
        ("[**bold** link](http://a.example)", '<a href="http://a.example"><b>bold</b> link</a>'),
        ("<https://a.example>", "https://a.example"),
        ("[mail](mailto:a@b.example)", "mail (mailto:a@b.example)"),
        ("![alt](https://a.example/x.png)", "alt (https://a.example/x.png)"),
        ("```py\na < b\n```", '<pre><code class="language-py">a &lt; b</code></pre>'),
        ("```\nx\n```", "<pre>x</pre>"),
        ('```a"b\nx\n```', "<pre>x</pre>"),
        ("> q\n> r\n>\n> > s", "<blockquote>q\nr\n\ns</blockquote>"),
        ("a & b < c > d", "a &amp; b &lt; c &gt; d"),
        ("<b>x</b> <script>", "&lt;b&gt;x&lt;/b&gt; &lt;script&gt;"),
        ("a\n\n---\n\nb", "a\n\n———\n\nb"),
        ("[]()", "[]()"),
    ],
)
def test_what_markdown_means_is_what_telegram_shows(markdown: str, html: str) -> None:
    assert formatted(markdown) == html


@pytest.mark.case("S24")
@pytest.mark.parametrize(
    "text",
    [
        "[everyone](tg://user?id=5000000001)",
        '<a href="tg://user?id=5000000001">everyone</a>',
        '<tg-spoiler>x</tg-spoiler> <span class="tg-spoiler">',
        "[x](javascript:alert(1))",
        '[x](https://a.example/"><b>)',
    ],
)
def test_no_markup_of_a_caller_mentions_anybody_or_passes(text: str) -> None:
    found = tags(formatted(text))

    assert found.names <= {"a"}
    assert all(link.startswith("https://a.example/") for link in found.links)


@pytest.mark.case("S24")
@settings(max_examples=300)
@given(hostile)
def test_whatever_is_written_becomes_whole_tags_of_ours(text: str) -> None:
    for part in parts_of(text):
        found = tags(part)
        assert found.names <= TAGS
        assert all(re.match(r"https?://", link) for link in found.links)


@settings(max_examples=30, deadline=None)
@given(hostile.filter(str.strip), st.integers(50, 200))
def test_every_part_fits_also_where_escaping_makes_it_longer(text: str, times: int) -> None:
    parts = list(parts_of(text * times))

    assert parts
    assert all(0 < units(part) <= MAX_TEXT for part in parts)


def test_a_text_of_escapes_is_cut_and_loses_nothing() -> None:
    parts = list(parts_of("a<b> " * 3_000))

    assert len(parts) > 1
    assert " ".join(map(plain, parts)).split() == ["a<b>"] * 3_000


def test_length_is_counted_in_utf16_units() -> None:
    assert units("a👍б") == 4


@pytest.mark.parametrize("text", ["a < b & c", "**x** [y](https://a.example)", "`<i>`"])
def test_the_plain_text_of_html_is_what_is_read(text: str) -> None:
    shown = plain(formatted(text))

    assert shown == re.sub(r"\*\*|`|\[|\]\(.*\)", "", text)
