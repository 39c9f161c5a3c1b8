import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messengers.cli.install import jsonc
from messengers.errors import InvalidInput

PATH = ("mcpServers", "messengers")
ENTRY = {"command": "/x/messengers", "args": ["stdio"]}
COMMENTED = """\
// My servers.
{
  // The theme stays.
  "theme": "dark", /* really */
  "mcpServers": {
    "other": { "command": "o" }, // the other one
  },
}
"""


def test_a_comment_and_a_trailing_comma_stay_where_they_are() -> None:
    after = jsonc.put(COMMENTED, PATH, ENTRY)

    assert after == COMMENTED.replace(
        "// the other one\n",
        '// the other one\n    "messengers": {\n      "command": "/x/messengers",\n'
        '      "args": [\n        "stdio"\n      ]\n    },\n',
    )
    assert jsonc.read(after, PATH) == ENTRY


def test_removing_gives_back_what_was_there() -> None:
    assert jsonc.remove(jsonc.put(COMMENTED, PATH, ENTRY), PATH) == COMMENTED


@pytest.mark.parametrize("blank", ["", " \n", "\ufeff"])
def test_an_empty_file_becomes_a_document(blank: str) -> None:
    assert json.loads(jsonc.put(blank, PATH, ENTRY)) == {"mcpServers": {"messengers": ENTRY}}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("{}", '{\n  "m": {}\n}'),
        ("{\n}\n", '{\n  "m": {}\n}\n'),
        ("{ // nothing yet\n}", '{ // nothing yet\n  "m": {}\n}'),
        ('{"a": 1}', '{"a": 1, "m": {}}'),
        ('{"a": 1,}', '{"a": 1, "m": {},}'),
        ('{\n\t"a": 1\n}', '{\n\t"a": 1,\n\t"m": {}\n}'),
        ('{\r\n  "a": 1\r\n}', '{\r\n  "a": 1,\r\n  "m": {}\r\n}'),
        ('{\n    "a": 1 // one\n}', '{\n    "a": 1, // one\n    "m": {}\n}'),
        ('{\n  "a": 1 /* one */ }', '{\n  "a": 1,\n  "m": {} /* one */ }'),
        ('{\n  "m": 7,\n  "a": 1\n}', '{\n  "m": {},\n  "a": 1\n}'),
        ('\ufeff{\n  "a": 1\n}', '\ufeff{\n  "a": 1,\n  "m": {}\n}'),
    ],
)
def test_an_entry_takes_on_the_style_of_its_file(before: str, after: str) -> None:
    assert jsonc.put(before, ("m",), {}) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('{\n  "m": {},\n  "a": 1\n}', '{\n  "a": 1\n}'),
        ('{\n  "a": 1,\n  "m": {}\n}', '{\n  "a": 1\n}'),
        ('{\n  "m": {}\n}', "{\n}"),
        ('{"a": 1, "m": {}}', '{"a": 1}'),
        ('{"m": {}, "a": 1}', '{ "a": 1}'),
        ('{"m": {}}', "{}"),
        ('{\n  "m": {} /* c */,\n  "a": 1\n}', '{\n   /* c */\n  "a": 1\n}'),
        ('{"a": 1}', '{"a": 1}'),
        ('{"a": 1, "m": {},}', '{"a": 1,}'),
    ],
)
def test_an_entry_goes_with_its_comma_and_its_line(before: str, after: str) -> None:
    assert jsonc.remove(before, ("m",)) == after


def test_what_is_not_there_is_not_found() -> None:
    assert jsonc.read("{}", PATH) is None
    assert jsonc.read("", PATH) is None
    assert jsonc.remove('{"mcpServers": {}}', PATH) == '{"mcpServers": {}}'
    assert jsonc.remove("{}", PATH) == "{}"
    assert jsonc.whole("") == {}


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "1",
        '"x"',
        "{",
        "{]",
        '{"a"}',
        '{"a": }',
        '{"a": 1 "b": 2}',
        '{"a": 1}}',
        '{"a": [1 2]}',
        '{"a": 01}',
        '{"a": NaN}',
        '{"a": "\n"}',
        "{'a': 1}",
        '{"a": 1, "a": 2}',
        "// only words",
        "{/* open",
        '{"mcpServers": []}',
        '{"mcpServers": {"messengers": 1}}',
        "[" * 5000 + "]" * 5000,
        '{"a":' * 200 + "1" + "}" * 200,
    ],
)
def test_what_is_no_config_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        jsonc.read(text, PATH)


def test_every_kind_of_value_is_read() -> None:
    text = '{"a": [1, -2.5e3, true, null,], /* x */ "b": "\\u00e9", "c": {"d": []}}'

    assert jsonc.whole(text) == {"a": [1, -2500.0, True, None], "b": "é", "c": {"d": []}}


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
STYLES = st.sampled_from([None, 2, 4, "\t"])


@given(st.dictionaries(st.text(), VALUES, max_size=4), STYLES, st.booleans())
def test_whatever_the_file_holds_only_our_key_changes(
    rest: dict[str, object], indent: int | str | None, ascii_only: bool
) -> None:
    rest = {key: value for key, value in rest.items() if key != "m"}
    before = json.dumps(rest, indent=indent, ensure_ascii=ascii_only)

    after = jsonc.put(before, ("m", "us"), ENTRY)

    assert json.loads(after) == {**rest, "m": {"us": ENTRY}}
    assert jsonc.whole(jsonc.remove(after, ("m", "us"))) == {**rest, "m": {}}
