"""Every shell command that a page shows is run: here, or by the test that is named here."""

import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from typer.testing import CliRunner

from messengers.cli.main import app
from tests.docs.test_pages import PAGES, named
from tests.living import House
from tests.programs import ROOT

pytestmark = pytest.mark.timeout(180)

ELSEWHERE = {
    "make demo": "test_install.py",
    "pipx install .": "test_install.py",
    "uv tool install .": "test_install.py",
    'pipx install --force ".[whatsapp]"': "test_install.py",
    "messengers instances qr phone": "tests/cli/test_login.py: it needs a WhatsApp",
    "make check": "CI itself",
    "make test": "CI itself",
}
# What would reach a messenger from here: it is run against a fake of it.
AGAINST_A_FAKE = {
    "messengers instances add discord dc": "tests/providers/discord/test_command_line.py",
    "messengers instances add slack work": "tests/providers/slack/test_command_line.py",
    "messengers instances add telegram tg": "tests/providers/telegram/test_command_line.py",
    "messengers instances add telegram tg --set receive=webhook": (
        "tests/providers/telegram/test_webhook.py"
    ),
}
# What needs a person: it is given a terminal.
AT_TERMINAL = {"messengers approve", "messengers approve --page"}


def commands(page: Path) -> Sequence[str]:
    """The lines of its `sh` blocks, without their comments."""
    blocks = re.findall(r"```sh\n(.*?)```", page.read_text("utf-8"), re.DOTALL)
    lines = [line.partition(" #")[0].strip() for block in blocks for line in block.splitlines()]
    return [line for line in lines if line]


def run_here(page: Path) -> Sequence[str]:
    """Its commands of ours that need no more than a house."""
    apart = {*ELSEWHERE, *AGAINST_A_FAKE}
    return [each for each in commands(page) if each.startswith("messengers ") and each not in apart]


SHOWING = [page for page in PAGES if run_here(page)]


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_command_is_known_to_a_test(page: Path) -> None:
    unknown = [
        line
        for line in commands(page)
        if not line.startswith("messengers ") and line not in ELSEWHERE
    ]

    assert unknown == []
    assert all((ROOT / place).is_file() for place in AGAINST_A_FAKE.values())


@pytest.mark.parametrize("page", SHOWING, ids=named)
def test_the_commands_of_a_page_work_in_their_order(page: Path, empty_house: House) -> None:
    lines = run_here(page)
    if "messengers instances add webchat shop" not in lines:
        empty_house.run("messengers instances add webchat shop")

    shown = {
        line: (empty_house.run_at_terminal if line in AT_TERMINAL else empty_house.run)(line)
        for line in lines
    }

    assert [line for line, text in shown.items() if "Traceback" in text] == []
    assert any(shown.values())


def test_the_readme_leads_to_a_page_that_answers(empty_house: House) -> None:
    lines = commands(ROOT / "README.md")
    for line in lines[lines.index("messengers instances add webchat shop") :][:2]:
        shown = empty_house.run(line)
        assert f"{empty_house.url}/chat/shop" in shown

    with empty_house.visitor() as visitor:
        visitor.say("Hello?")


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_commands_in_running_text_exist(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL)
    found = {tuple(words.split()[1:3]) for words in re.findall(r"`(messengers [a-z][^`]*)`", text)}
    groups = {"instances", "keys", "chats"}
    named_commands = {
        words[:2] if words[0] in groups and len(words) > 1 and words[1].isalpha() else words[:1]
        for words in found
    }

    for words in sorted(named_commands - {("stdio",)}):
        shown = CliRunner().invoke(app, [*words, "--help"])
        assert shown.exit_code == 0, words
        assert " ".join(words) in shown.output
