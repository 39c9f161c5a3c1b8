"""Markdown and plain text as HTML for the chat page."""

import re
from html.parser import HTMLParser
from time import thread_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messengers.web.markdown import html_of_markdown, html_of_plain

ALLOWED = {
    "p": set[str](), "br": set[str](), "strong": set[str](), "em": set[str](), "s": set[str](),
    "code": {"class"}, "pre": set[str](), "blockquote": set[str](), "ul": set[str](),
    "ol": {"start"}, "li": set[str](), "hr": set[str](), "table": set[str](),
    "thead": set[str](), "tbody": set[str](), "tr": set[str](), "th": set[str](),
    "td": set[str](), "a": {"href", "target", "rel"},
    **{f"h{level}": set[str]() for level in range(1, 7)},
}  # fmt: skip
APART = 'target="_blank" rel="noopener noreferrer nofollow"'


class Reader(HTMLParser):
    """Collects what a browser would make of it."""

    def __init__(self) -> None:
        super().__init__()
        self.wrong: list[str] = []
        self.links: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ALLOWED or {name for name, _ in attrs} - ALLOWED[tag]:
            self.wrong.append(f"{tag} {attrs}")
        self.links += [value or "" for name, value in attrs if name == "href"]

    def handle_data(self, data: str) -> None:
        self.text += data


def read(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    reader.close()
    return reader


PIECES = [
    "<script>",
    "</script>",
    "<img src=x onerror=alert(1)>",
    "javascript:",
    "data:text/html,",
    "vbscript:",
    "file:///",
    "//evil",
    "[",
    "](",
    ")",
    "![",
    "<",
    ">",
    '"',
    "'",
    "`",
    "```",
    "&#106;avascript:",
    "\\",
    "https://a.b",
    "mailto:",
    "| a |",
    "|---|",
    "*",
    "_",
    "~~",
    "> ",
    "- ",
    "1. ",
    "# ",
    "[a]: javascript:x",
    " onclick=",
    " style=",
    "\n",
    "    ",
    "\t",
]
hostile = st.lists(
    st.sampled_from(PIECES) | st.text(max_size=8),
    max_size=40,
).map("".join)


@pytest.mark.case("S41")
@given(hostile)
def test_no_text_becomes_markup_of_its_own(text: str) -> None:
    for html in (html_of_markdown(text), html_of_plain(text)):
        reader = read(html)

        assert reader.wrong == []
        assert [
            link for link in reader.links if not re.match("https?://|mailto:", link, re.I)
        ] == []


@given(st.text(st.characters(exclude_characters="\r", exclude_categories=("Cs",)), max_size=200))
def test_plain_text_is_shown_as_it_is(text: str) -> None:
    shown = read(html_of_plain(text)).text

    assert shown.replace("\n", "") == text.replace("\n", "")


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("**bold** and *slanted*", "<p><strong>bold</strong> and <em>slanted</em></p>\n"),
        ("one\ntwo", "<p>one<br />\ntwo</p>\n"),
        ("<b>no</b>", "<p>&lt;b&gt;no&lt;/b&gt;</p>\n"),
        ("[x](javascript:alert(1))", "<p>[x](javascript:alert(1))</p>\n"),
        ("[x](/path)", "<p>[x](/path)</p>\n"),
        ("[x](HTTPS://a.b 'title')", f'<p><a href="HTTPS://a.b" {APART}>x</a></p>\n'),
        ("see https://a.b/c.", f'<p>see <a href="https://a.b/c" {APART}>https://a.b/c</a>.</p>\n'),
        ("`https://a.b`", "<p><code>https://a.b</code></p>\n"),
        ("![cat](https://a.b/c.png)", f'<p><a href="https://a.b/c.png" {APART}>cat</a></p>\n'),
        ("![](https://a.b/c.png)", f'<p><a href="https://a.b/c.png" {APART}>image</a></p>\n'),
        ("~~gone~~", "<p><s>gone</s></p>\n"),
        ("# Head", "<h1>Head</h1>\n"),
    ],
)
def test_markdown_becomes_the_html_one_expects(text: str, html: str) -> None:
    assert html_of_markdown(text) == html


def test_a_table_comes_without_the_styles_that_the_policy_forbids() -> None:
    html = html_of_markdown("|a|\n|:-:|\n|b|")

    assert "<th>a</th>" in html
    assert "<td>b</td>" in html


def test_a_visitors_links_can_be_followed_and_his_lines_stay_lines() -> None:
    html = html_of_plain('a "b"\nhttps://x.y/?a=1&b=2')

    assert html == (
        "a &quot;b&quot;<br>\n"
        f'<a href="https://x.y/?a=1&amp;b=2" {APART}>https://x.y/?a=1&amp;b=2</a>'
    )


@pytest.mark.parametrize(
    "piece",
    ["[", "*a ", "`", "> ", "![", "<", "[a](b", "_*", "https://", "a](https://x.y", "|a\n|-\n"],
)
def test_no_text_takes_long(piece: str) -> None:
    began = thread_time()
    html_of_markdown(piece * (2_000 // len(piece)))
    html_of_plain(piece * (2_000 // len(piece)))

    assert thread_time() - began < 3
