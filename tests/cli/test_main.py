import re

import pytest

from messengers import __version__
from messengers.cli.login import show_step
from messengers.cli.main import COMMANDS
from messengers.cli.terminal import is_interactive, one_line, visible
from messengers.providers.login import (
    AskInput,
    Done,
    LoginFailed,
    LoginStep,
    ShowCode,
    ShowQr,
    Wait,
)
from tests.cli.conftest import Run


def test_help_lists_every_command_with_its_sentence(run: Run) -> None:
    shown = run("--help").output

    for name in COMMANDS:
        assert re.search(rf"│ {name} +[A-Z]", shown)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(run: Run, name: str) -> None:
    shown = run(name, "--help").output

    assert "sage" in shown
    assert "completion" not in shown  # of one command alone it would take the whole one's place


def test_the_version_is_told(run: Run) -> None:
    assert run("--version").stdout == f"messengers {__version__}\n"


def test_an_unknown_command_is_misuse(run: Run) -> None:
    assert "No such command" in run("dance", code=2).stderr


def test_an_unknown_option_is_misuse(run: Run) -> None:
    assert "No such option: --dance" in run("status", "--dance", code=2).stderr


def test_stdio_is_the_pump_itself(run: Run) -> None:
    assert "usage: messengers stdio" in run("stdio", "--dance", code=2).stderr


@pytest.mark.case("S84")
@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain ü 你好 👩‍👧 ❤️\n\t.", "plain ü 你好 👩‍👧 ❤️\n\t."),
        ("\x1b[2J", "\\u{1b}[2J"),
        ("a\rb", "a\\u{d}b"),
        ("\u202eevil\u202c", "\\u{202e}evil\\u{202c}"),
        ("\U000e0041\u200b", "\\u{e0041}\\u{200b}"),
    ],
)
def test_nothing_that_is_shown_hides_or_drives_the_terminal(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_a_line_cannot_forge_the_next() -> None:
    assert one_line("Anna\n  Why: approved") == "Anna\\n  Why: approved"


def test_pipes_are_nobody() -> None:
    assert is_interactive() is False


STEPS: list[tuple[LoginStep, str]] = [
    (ShowCode(transaction="t", code="ABCD-1234", caption="Type it."), "ABCD-1234\nType it.\n"),
    (ShowCode(transaction="t", code="ABCD1234", caption="Type it."), "ABCD-1234\nType it.\n"),
    (ShowCode(transaction="t", code="123456", caption="Type it."), "123456\nType it.\n"),
    (Done(), "Connected.\n"),
]
DEAD_ENDS: list[tuple[LoginStep, str]] = [
    (
        AskInput(transaction="t", fields=("token",)),
        """messengers: It needs credentials.
  → `messengers instances connect NAME --set token=@-`
""",
    ),
    (
        Wait(transaction="t", reason="Starting."),
        "messengers: Starting.\n  → Repeat in a moment.\n",
    ),
    (
        Wait(transaction="t"),
        "messengers: There is nothing to show yet.\n  → Repeat in a moment.\n",
    ),
    (LoginFailed(reason="Banned."), "messengers: Banned.\n"),
]


@pytest.mark.parametrize(("step", "shown"), STEPS)
def test_each_step_of_a_login_says_what_to_do(
    step: LoginStep, shown: str, capsys: pytest.CaptureFixture[str]
) -> None:
    show_step(step)

    assert capsys.readouterr().out == shown


def test_a_code_that_ends_says_when(capsys: pytest.CaptureFixture[str]) -> None:
    step = ShowQr.model_validate(
        {"transaction": "t", "text": "x", "caption": "Scan.", "expires_at": "2026-11-20T12:00:00Z"}
    )

    show_step(step)

    assert "It holds until" in capsys.readouterr().out


@pytest.mark.parametrize(("step", "shown"), DEAD_ENDS)
def test_a_login_that_cannot_go_on_is_a_failure(
    step: LoginStep, shown: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(Exception) as caught:  # noqa: PT011  # typer keeps its Exit to itself
        show_step(step)

    assert getattr(caught.value, "exit_code", None) == 1
    assert capsys.readouterr().err == shown
