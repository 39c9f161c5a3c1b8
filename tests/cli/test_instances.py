import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.cli.terminals import sitting
from tests.living import House

pytestmark = pytest.mark.timeout(90)

TOKEN = "123456:a-token-that-nobody-may-see"


@pytest.fixture
def token_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("kept") / "token"
    file.write_text(f"{TOKEN}\n", "utf-8")
    return file


def test_the_list_says_how_each_fares_and_where_its_page_is(at: Run) -> None:
    shown = at("instances", "list").stdout

    assert "shop" in shown
    assert "connected" in shown
    assert "/chat/shop" in shown
    names = {
        view["instance"]["name"] for view in json.loads(at("instances", "list", "--json").stdout)
    }
    assert {"shop", "careful"} <= names


def test_a_secret_comes_from_a_file(at: Run, token_file: Path) -> None:
    set_token = f"token=@{token_file}"
    shown = at("instances", "add", "scripted_bot", "filed", "--set", set_token)

    assert TOKEN not in shown.output
    assert "filed (scripted_bot)" in shown.stdout
    at("instances", "remove", "filed", "--yes", "--purge")


def test_a_secret_comes_from_standard_input(at: Run) -> None:
    shown = at(
        *("instances", "add", "scripted_bot", "piped", "--set", "token=@-", "--json"),
        *("--set", "greeting=@@home", "--endpoint", "api=http://127.0.0.1:1"),
        *("--confirm", "always", "--no-connect"),
        stdin=f"{TOKEN}\r\n",
    )

    assert json.loads(shown.stdout)["instance"] == "piped"
    assert "confirm       always" in at("instances", "show", "piped").stdout
    at("instances", "remove", "piped", "--yes")


@pytest.mark.case("S16")
def test_a_secret_in_the_command_line_is_refused_with_the_remedy(at: Run) -> None:
    shown = at("instances", "add", "scripted_bot", "x", "--set", f"token={TOKEN}", code=2)

    assert TOKEN not in shown.output
    assert "token=@FILE" in shown.stderr


@pytest.mark.parametrize(
    ("sets", "told"),
    [
        (("tokn=@x",), "Did you mean token?"),
        (("zzz=1",), "It has: token, greeting"),
        (("token",), "takes NAME=VALUE"),
        (("=x",), "takes NAME=VALUE"),
        (("greeting=a", "greeting=b"), "given twice"),
        (("token=@-", "greeting=@-"), "one field only"),
        (("token=@/no/such/file",), "cannot be read"),
        (("greeting=hi",), "It needs token."),
    ],
)
def test_what_is_set_wrongly_is_misuse(at: Run, sets: tuple[str, ...], told: str) -> None:
    options = [part for each in sets for part in ("--set", each)]

    shown = at("instances", "add", "scripted_bot", "x", *options, code=2)

    assert told in shown.stderr


@pytest.mark.parametrize(("data", "told"), [(b"\xff\xfe", "UTF-8"), (b"x" * 70_000, "too large")])
def test_a_file_that_holds_no_credential_is_refused(
    at: Run, user: Path, data: bytes, told: str
) -> None:
    (user / "odd").write_bytes(data)

    shown = at("instances", "add", "scripted_bot", "x", "--set", f"token=@{user}/odd", code=2)

    assert told in shown.stderr


def test_an_unknown_provider_is_told_with_those_there_are(at: Run) -> None:
    assert "webchat" in at("instances", "add", "icq", "x", code=1).stderr


def test_a_wrong_endpoint_is_told(at: Run) -> None:
    shown = at("instances", "add", "web-chat", "x", "--endpoint", "api=http://x", code=1)

    assert "no such endpoint" in shown.stderr


def test_showing_tells_health_and_policy(at: Run) -> None:
    shown = at("instances", "show", "careful").stdout

    assert "confirm       always" in shown
    assert "page          http://" in shown
    assert json.loads(at("instances", "show", "careful", "--json").stdout)["problems"] == []


def test_an_instance_is_stopped_connected_and_renamed(at: Run) -> None:
    at("instances", "add", "webchat", "desk")

    assert "stopped" in at("instances", "disconnect", "desk").stdout
    assert "connected" in at("instances", "connect", "desk").stdout
    assert "called front" in at("instances", "rename", "desk", "front").stdout
    assert "front" in at("instances", "remove", "front", "--yes").stdout
    assert "messengers" in at("instances", "show", "front", code=1).stderr


def test_new_credentials_are_given_while_connecting(at: Run, token_file: Path) -> None:
    at("instances", "add", "scripted_bot", "spare", "--set", f"token=@{token_file}")

    shown = at("instances", "connect", "spare", "--set", "token=@-", stdin="another:token")

    assert "spare (scripted_bot)" in shown.stdout
    at("instances", "remove", "spare", "--yes", "--purge")


def test_removing_needs_a_word(at: Run) -> None:
    assert "Add --yes" in at("instances", "remove", "shop", code=2).stderr


def test_the_code_of_a_chat_page_is_shown_and_saved(at: Run, user: Path) -> None:
    shown = at("instances", "qr", "shop").stdout

    assert "█" in shown
    assert "/chat/shop" in shown
    assert "Written to" in at("instances", "qr", "shop", "--save", str(user / "q.png")).stdout
    assert (user / "q.png").read_bytes().startswith(b"\x89PNG")
    refused = at("instances", "qr", "shop", "--save", str(user / "q.xyz"), code=1)
    assert ".png or .svg" in refused.stderr


def test_the_code_of_a_stopped_instance_is_a_failure_with_its_remedy(at: Run) -> None:
    at("instances", "add", "webchat", "closed", "--no-connect")
    at("instances", "disconnect", "closed")

    assert "instances connect" in at("instances", "qr", "closed", code=1).stderr
    at("instances", "remove", "closed", "--yes")


def test_the_pace_is_chosen_and_shown(at: Run) -> None:
    assert at("instances", "pace", "shop", "careful").stdout == "shop: pacing careful\n"
    assert "pacing        careful" in at("instances", "show", "shop").stdout
    assert at("instances", "pace", "shop", "off").stdout == "shop: pacing off\n"
    at("instances", "pace", "shop", "hurried", code=2)


def test_how_long_messages_are_kept_needs_a_word_and_is_shown(at: Run) -> None:
    assert "Add --yes" in at("instances", "retention", "shop", "30", code=2).stderr
    told = at("instances", "retention", "shop", "30", "--yes").stdout
    assert told == "shop: keeps messages for 30 days\n"
    assert "keeps         for 30 days" in at("instances", "show", "shop").stdout
    assert "for good" in at("instances", "retention", "shop", "0").stdout
    at("instances", "retention", "shop", "-1", code=2)


def test_who_is_blocked_is_told_where_a_messenger_has_such_a_list(at: Run) -> None:
    told = at("instances", "blocked", "shop", code=1)

    assert "webchat cannot block people." in told.stderr


def test_the_policy_is_shown_and_tightened_anywhere(at: Run) -> None:
    at("instances", "add", "webchat", "strict")

    assert "confirm unknown_chats" in at("instances", "policy", "strict").stdout
    assert "confirm always" in at("instances", "policy", "strict", "--confirm", "always").stdout
    assert "nothing may leave" in at("instances", "policy", "strict", "--read-only").stdout
    assert "on unknown hold" in at("instances", "policy", "strict").stdout
    assert "resend" in at("instances", "policy", "strict", "--on-unknown", "resend").stdout
    at("instances", "remove", "strict", "--yes")


@pytest.mark.case("S84")
@pytest.mark.parametrize("change", [["--confirm", "never"], ["--no-read-only"]])
def test_the_policy_is_loosened_at_a_terminal_only(at: Run, change: list[str]) -> None:
    shown = at("instances", "policy", "shop", *change, code=1)

    assert "interactive terminal" in shown.stderr
    assert "unknown_chats" in at("instances", "policy", "shop").stdout


@pytest.mark.case("S84")
@pytest.mark.parametrize("confirm", ["never", "unknown_chats"])
def test_an_account_that_asks_less_is_added_at_a_terminal_only(at: Run, confirm: str) -> None:
    shown = at("instances", "add", "webchat", "lax", "--confirm", confirm, code=1)

    assert "interactive terminal" in shown.stderr
    assert '"lax"' not in at("instances", "list", "--json").stdout


def test_at_a_terminal_a_secret_is_asked_for_and_not_echoed(office: House) -> None:
    command = ["messengers", "instances", "add", "scripted_bot", "asked"]
    with sitting(command, office.env, office.user) as terminal:
        terminal.until("Token: ")
        terminal.type(TOKEN)
        assert terminal.end() == 0

    assert TOKEN not in terminal.shown
    assert "asked (scripted_bot)" in terminal.shown
    with sitting(
        ["messengers", "instances", "remove", "asked", "--purge"], office.env, office.user
    ) as terminal:
        terminal.until("for good)? [y/N]: ")
        terminal.type("y")
        assert terminal.end() == 0
    assert "erased" in terminal.shown


def test_at_a_terminal_the_policy_is_loosened(office: House, at: Run) -> None:
    at("instances", "add", "webchat", "loose", "--confirm", "always")
    command = ["messengers", "instances", "policy", "loose", "--confirm", "never"]
    with sitting(command, office.env, office.user) as terminal:
        assert terminal.end() == 0

    assert "confirm never" in terminal.shown
    at("instances", "remove", "loose", "--yes")
