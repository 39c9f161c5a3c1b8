"""Texts with variables: nothing but names is read in them, and nothing in what is filled in."""

import html

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from messengers.core.templates import Template, check_variables, escaped
from messengers.errors import InvalidInput

HOSTILE = [
    "{r.cfg.TOKEN}",
    "{0.__class__}",
    "{name:>99999999}",
    "%s",
    "${x}",
    "*bold* [link](https://x.example)",
    "<b>&lt;",
    "`code` ~~gone~~ # no heading",
]


def filled(text: str, **values: str) -> str:
    return Template.read(text).fill(values, 1_000)


def shown(markdown: str) -> str:
    """The words that a reader of the Markdown sees."""
    tokens = MarkdownIt("commonmark").enable("strikethrough").parseInline(markdown)
    children = tokens[0].children or []
    assert {token.type for token in children} <= {"text", "text_special"}
    return "".join(token.content for token in children)


@pytest.mark.case("S25")
@pytest.mark.parametrize("value", HOSTILE)
def test_a_value_is_shown_as_it_is_and_never_read(value: str) -> None:
    assert shown(filled("{name}", name=value)) == value


@pytest.mark.case("S25")
@pytest.mark.parametrize(
    "text",
    [
        *("{r.cfg.TOKEN}", "{0.__class__}", "{name:>99999999}", "{name!r}", "{a[0]}"),
        *("{", "a } b", "{}", "{ name }", "{9lives}", "{" + "x" * 41 + "}"),
    ],
)
def test_a_brace_that_holds_no_plain_name_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="brace that holds no variable"):
        Template.read(text)


def test_variables_are_the_plain_names() -> None:
    text = "Dear {name}, {город} is ${price}, 100 %s, {{name}} {{{name}}}"

    assert Template.read(text).variables == {"name", "город", "price"}
    assert (
        filled(text, name="Ann", город="Rīga", price="5")
        == "Dear Ann, Rīga is $5, 100 %s, {name} {Ann}"
    )


def test_a_value_stays_in_its_line() -> None:
    assert filled("Hi {name}!", name="Ann\n\n1) order\tme") == "Hi Ann 1\\) order me!"


def test_what_would_be_too_long_is_refused_before_it_is_made() -> None:
    with pytest.raises(InvalidInput, match="longer than 50,000 characters"):
        Template.read("{x}" * 16_000).fill({"x": "y" * 1_000}, 50_000)


@pytest.mark.parametrize(
    ("variables", "cause"),
    [
        ({"a.b": "1"}, "name is none"),
        ({"": "1"}, "name is none"),
        ({"name": "1"}, "name is no variable of its own"),
        ({"x": "y" * 1_001}, "longer than 1,000"),
        ({f"v{n}": "" for n in range(21)}, "more than 20"),
    ],
)
def test_variables_that_no_text_could_use_are_refused(
    variables: dict[str, str], cause: str
) -> None:
    with pytest.raises(InvalidInput, match=cause):
        check_variables(variables)


@given(st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1))
def test_whatever_is_escaped_is_shown_as_it_was(text: str) -> None:
    rendered = MarkdownIt("commonmark").render("a" + escaped(text))

    assert html.unescape(rendered) == f"<p>a{text}</p>\n"
