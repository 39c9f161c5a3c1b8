import json
from pathlib import Path
from typing import Any

import pytest

from messengers.lock import locked
from tests.cli.conftest import SITE, Run
from tests.living import House

pytestmark = pytest.mark.timeout(90)


def checks(text: str) -> dict[str, dict[str, Any]]:
    return {check["what"]: check for check in json.loads(text)}


@pytest.fixture
def home(user: Path) -> Path:
    path = user / "home"
    path.mkdir(mode=0o700)
    return path


def test_a_fresh_machine_is_well(run: Run, user: Path) -> None:
    found = checks(run("doctor", "--json").stdout)

    programs = {name for name in found if name.endswith(" for whatsapp_web")}
    assert {found[name]["state"] for name in found.keys() - programs} == {"ok"}
    missing = [found[name] for name in programs if found[name]["state"] != "ok"]
    assert all(" install " in check["remedy"] for check in missing)
    assert "first start" in found["data directory"]["found"]
    assert list(user.iterdir()) == []


def test_a_living_house_is_well(at: Run) -> None:
    shown = at("doctor").stdout

    for what in ("Python", "SQLite", "secret.key", "local.key", "stdio socket", "instance shop"):
        assert what in shown


def test_what_a_provider_in_use_lacks_is_told_with_its_command(
    at: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(SITE))  # pyright: ignore[reportUnknownMemberType] - untyped there
    assert "ffmpeg for scripted_scanned" not in checks(at("doctor", "--json").stdout)
    for provider, name in (("scripted_scanned", "phone"), ("scripted_extra", "mind")):
        new = ("instances", "add", provider, name, "--set", "token=@-", "--no-connect")
        at(*new, stdin="a token of nobody\n")

    found = checks(at("doctor", "--json", code=1).stdout)
    for name in ("phone", "mind"):
        at("instances", "remove", name, "--yes")
    after = checks(at("doctor", "--json").stdout)

    missing = found["ffmpeg for scripted_scanned"]
    assert missing["state"] == "warn"
    assert "audio and video cannot be sent" in missing["found"]
    assert "install ffmpeg" in missing["remedy"]
    assert "libmagic for scripted_scanned" in found
    assert found["scripted_extra"]["state"] == "fail"
    assert (
        '-m pip install --upgrade "messengers-mcp[telepathy]' in found["scripted_extra"]["remedy"]
    )
    assert "ffmpeg for scripted_scanned" not in after


def test_an_open_key_is_a_failure_with_its_remedy(run: Run, home: Path) -> None:
    key = home / "secret.key"
    key.write_bytes(b"x" * 32)
    key.chmod(0o644)

    shown = run("doctor", "--home", str(home), code=1).stdout

    assert f"chmod 600 {key}" in shown.replace("\n", "")


def test_an_open_directory_is_a_failure(run: Run, home: Path) -> None:
    home.chmod(0o755)

    found = checks(run("doctor", "--home", str(home), "--json", code=1).stdout)

    assert "chmod 700" in found["data directory"]["remedy"]


def test_a_file_in_place_of_the_directory_is_a_failure(run: Run, user: Path) -> None:
    (user / "home").write_text("", "utf-8")

    found = checks(run("doctor", "--home", str(user / "home"), "--json", code=1).stdout)

    assert found["data directory"]["state"] == "fail"


def test_a_database_without_its_key_is_a_failure(run: Run, home: Path) -> None:
    (home / "messengers.db").write_bytes(b"")

    found = checks(run("doctor", "--home", str(home), "--json", code=1).stdout)

    assert "Put it back" in found["secret.key"]["remedy"]


def test_settings_that_do_not_fit_are_a_failure(
    run: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MESSENGERS_PRT", "1")
    (home / "settings.toml").write_text("port = 'none'", "utf-8")

    shown = run("doctor", "--home", str(home), code=1).stdout

    assert "port does not fit" in shown
    assert "MESSENGERS_PORT?" in shown


def test_a_daemon_that_does_not_answer_is_a_failure(run: Run, home: Path) -> None:
    with locked(home):
        found = checks(run("doctor", "--home", str(home), "--json", code=1).stdout)

    assert "messengers logs" in found["daemon"]["remedy"]


def test_a_client_that_starts_what_is_gone_is_a_failure(run: Run, user: Path) -> None:
    config = user / ".cursor" / "mcp.json"
    config.parent.mkdir()
    ours = {"command": str(user / "gone" / "messengers"), "args": ["stdio"]}
    config.write_text(json.dumps({"mcpServers": {"messengers": ours}}), "utf-8")
    zed = user / ".config" / "zed" / "settings.json"
    zed.parent.mkdir(parents=True)
    zed.write_text("{", "utf-8")
    (user / ".config" / "goose").mkdir()

    found = checks(run("doctor", "--json", code=1).stdout)

    assert "messengers install cursor" in found["Cursor"]["remedy"]
    assert found["Zed"]["state"] == "fail"
    assert found["Goose"]["state"] == "ok"


def test_a_client_that_is_set_up_is_well(run: Run) -> None:
    run("install", "cursor", "--no-verify")

    assert "set up in" in checks(run("doctor", "--json").stdout)["Cursor"]["found"]


def test_a_stopped_instance_is_worth_a_word(at: Run) -> None:
    at("instances", "add", "webchat", "asleep")
    at("instances", "disconnect", "asleep")

    found = checks(at("doctor", "--json").stdout)

    assert found["instance asleep"]["state"] == "warn"
    assert "connect" in found["instance asleep"]["remedy"]
    at("instances", "remove", "asleep", "--yes")


def test_a_socket_that_is_gone_is_a_failure(house: House, run: Run) -> None:
    (house.home / "daemon.sock").rename(house.home / "elsewhere")

    found = checks(run("doctor", "--home", str(house.home), "--json", code=1).stdout)

    assert "messengers stop" in found["stdio socket"]["remedy"]
    (house.home / "elsewhere").rename(house.home / "daemon.sock")


def test_a_house_without_unix_sockets_shows_its_port(empty_house: House) -> None:
    env = ["env", "MESSENGERS_SOCKET=tcp"]
    empty_house.run([*env, "messengers", "keys", "list"])

    found = checks(empty_house.run([*env, "messengers", "doctor", "--json"]))

    assert int(found["stdio port"]["found"]) > 0
