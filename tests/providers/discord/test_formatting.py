"""Markdown as Discord shows it."""

import pytest

from messengers.providers.discord.formatting import formatted, parts_of, plain, units


@pytest.mark.parametrize(
    ("typed", "written"),
    [
        ("**b** *i* ~~s~~ `c`", "**b** *i* ~~s~~ `c`"),
        ("a_b_c 2*3 x|y", "a\\_b\\_c 2\\*3 x\\|y"),
        ("`a*b_c`", "`a*b_c`"),
        ("`` a`b ``", "``a`b``"),
        ("# Title", "**Title**"),
        ("> one\n> > two", "> one\n> \n> two"),
        ("https://a.example/x_y*z", "https://a.example/x_y*z"),
        ("[words](https://a.example/x_(y))", "[words](https://a.example/x_(y%29)"),
        ("[words](mailto:a@b.example)", "words (mailto:a@b.example)"),
        ("<@123456789012345678> @everyone", "<@123456789012345678> @everyone"),
        ("1\\. one\n\n\\# two", "1. one\n\n\\# two"),
        ("- a\n- b\n  1. c", "- a\n- b\n  1. c"),
        ("||secret||", "\\|\\|secret\\|\\|"),
    ],
)
def test_what_is_meant_is_what_is_shown(typed: str, written: str) -> None:
    assert formatted(typed) == written


def test_code_stays_a_block_whatever_stands_in_it() -> None:
    text = formatted("````py\nx = '```'\n````")

    assert text == "```py\nx = '``\u200b`'\n```"


def test_parts_fit_and_people_read_no_marks_of_ours() -> None:
    parts = list(parts_of("snake_case " * 500))

    assert all(units(part) <= 2000 for part in parts)
    assert "".join(plain(part).replace(" ", "") for part in parts) == "snake_case" * 500
