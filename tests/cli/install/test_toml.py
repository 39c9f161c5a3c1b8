import tomllib

import pytest
from inline_snapshot import snapshot

from messengers.cli.install import toml
from messengers.errors import InvalidInput

PATH = ("mcp_servers", "messengers")
ENTRY = {"command": "/x/messengers", "args": ["stdio"], "env": {"MESSENGERS_HOME": "/h"}}
BEFORE = """\
# My model.
model = "o4"  # the best

[mcp_servers.other]
command = "o" # keep me
"""


def test_a_table_is_added_and_everything_else_stays() -> None:
    after = toml.put(BEFORE, PATH, ENTRY)

    assert after.startswith(BEFORE)
    assert after.removeprefix(BEFORE) == snapshot("""\

[mcp_servers.messengers]
command = "/x/messengers"
args = ["stdio"]

[mcp_servers.messengers.env]
MESSENGERS_HOME = "/h"
""")
    assert toml.read(after, PATH) == ENTRY


def test_a_table_is_replaced_and_removed() -> None:
    after = toml.put(toml.put(BEFORE, PATH, ENTRY), PATH, {"url": "http://x"})

    assert toml.read(after, PATH) == {"url": "http://x"}
    assert toml.whole(toml.remove(after, PATH)) == tomllib.loads(BEFORE)
    assert "# keep me" in toml.remove(after, PATH)


def test_an_empty_file_becomes_a_document() -> None:
    assert tomllib.loads(toml.show(PATH, ENTRY)) == {"mcp_servers": {"messengers": ENTRY}}


def test_what_is_not_there_is_not_found() -> None:
    assert toml.read("", PATH) is None
    assert toml.read(BEFORE, PATH) is None
    assert toml.remove(BEFORE, PATH) == BEFORE


@pytest.mark.parametrize(
    "text", ["= 1", "a = 1\na = 2", "mcp_servers = 1", "[mcp_servers]\nmessengers = 1"]
)
def test_what_is_no_config_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        toml.read(text, PATH)
