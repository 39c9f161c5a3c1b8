"""What a person at a terminal is told to do can be done there."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from messengers.cli.remedies import COMMANDS, at_terminal
from messengers.mcp_server.table import TABLE
from tests.cli.conftest import Run
from tests.programs import ROOT

SAID_BY_THE_DAEMON = ("core", "providers", "store")
AGENTS_ALONE = {
    *("get_message", "read_messages", "search_messages", "send_message", "delete_message", "react"),
    *("get_group", "get_group_invite", "leave_group"),
}
"""Nobody writes messages or arranges groups at a terminal, so no command leads to their errors."""
_TOOL = re.compile(rf"\b(?:{'|'.join(row.name for row in TABLE)})\b")


def test_every_tool_that_advice_names_has_a_command() -> None:
    src = ROOT / "src" / "messengers"
    places = [path for part in SAID_BY_THE_DAEMON for path in (src / part).rglob("*.py")]
    named = {tool for path in places for text in advice(path) for tool in _TOOL.findall(text)}

    assert named - AGENTS_ALONE == set(COMMANDS)


def advice(path: Path) -> Iterator[str]:
    """What a module may say: its strings with a blank in them that are no docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and id(node) not in docs and " " in str(node.value):
            yield str(node.value)


@pytest.mark.parametrize("command", sorted(set(COMMANDS.values())))
def test_each_of_them_is_a_command(run: Run, command: str) -> None:
    words = [word for word in command.split() if not word.isupper()]

    assert f"messengers {' '.join(words)}" in run(*words, "--help").stdout


@pytest.mark.parametrize(
    ("said", "read"),
    [
        (
            "Call list_chats or find_contacts and use the id it gives, e.g. c1f.",
            "Call `messengers chats find` and use the id it gives, e.g. c1f.",
        ),
        (
            "connect_instance, or `messengers instances connect shop`, gives a link.",
            "`messengers instances connect shop` gives a link.",
        ),
        (
            "connect_instance or `messengers instances connect shop` starts it.",
            "`messengers instances connect shop` starts it.",
        ),
        ("Add --set token=@FILE.", "Add --set token=@FILE."),
    ],
)
def test_a_command_stands_in_the_place_of_a_tool(said: str, read: str) -> None:
    assert at_terminal(said) == read
