"""Settings: their order, their faults, their documentation."""

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from messengers.cli.install.entries import KEY_VARIABLE
from messengers.errors import InvalidInput
from messengers.settings import Settings, describe_differences, unknown_variables


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No variable of the machine's own reaches these tests."""
    for name in Settings.model_fields:
        monkeypatch.delenv(f"MESSENGERS_{name.upper()}", raising=False)
    monkeypatch.setenv("MESSENGERS_HOME", str(tmp_path))


def write(home: Path, text: str) -> None:
    (home / "settings.toml").write_text(text, encoding="utf-8")


def test_flags_win_over_the_environment_and_that_over_the_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    write(tmp_path, 'port = 4001\nhost = "127.0.0.2"\nlog_level = "error"\n')
    monkeypatch.setenv("MESSENGERS_PORT", "4002")
    monkeypatch.setenv("MESSENGERS_HOST", "127.0.0.3")

    settings = Settings.load(port=4003, host=None)

    assert (settings.port, settings.host, settings.log_level) == (4003, "127.0.0.3", "error")


def test_the_file_is_the_one_of_the_home_that_was_named(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    write(tmp_path, "port = 4001\n")
    write(other, "port = 4002\n")

    assert Settings.load(home=other).port == 4002


def test_a_port_counts_as_chosen_only_when_somebody_set_it(tmp_path: Path) -> None:
    assert not Settings.load().port_is_explicit

    write(tmp_path, "port = 3000\n")

    assert Settings.load().port_is_explicit


def test_lists_are_read_from_one_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MESSENGERS_ALLOWED_HOSTS", "a.example, b.example:8443,")
    monkeypatch.setenv("MESSENGERS_MEDIA_ROOTS", "/srv/a:~/b")
    monkeypatch.setenv("HOME", "/srv/anna")

    settings = Settings.load()

    assert settings.allowed_hosts == ("a.example", "b.example:8443")
    assert settings.media_roots == (Path("/srv/a"), Path("/srv/anna/b"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "99999"),
        ("PORT", "hunter2-port"),
        ("LOG_LEVEL", "loud"),
        ("TIMEZONE", "Mars/Olympus"),
        ("SOCKET", "carrier-pigeon"),
        ("MEDIA_MAX_BYTES", "-77"),
        ("MEDIA_RETENTION_DAYS", "1"),
        ("EGRESS_PROXY", "socks5://proxy.example:1080"),
        ("EGRESS_PROXY", "https://proxy.example:3128"),
        ("PRIVATE_HOSTS", "nas.home,http://10.0.0.5/"),
    ],
)
def test_a_wrong_value_names_its_setting_and_not_itself(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(f"MESSENGERS_{name}", value)

    with pytest.raises(InvalidInput) as caught:
        Settings.load()

    assert name.lower() in str(caught.value)
    assert value not in str(caught.value)


@pytest.mark.parametrize(
    "text", ["port = ", "prot = 1\n", 'home = "/elsewhere"\n', b"\xff\xfe".decode("latin-1")]
)
def test_a_broken_file_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "settings.toml").write_bytes(text.encode("latin-1"))

    with pytest.raises(InvalidInput):
        Settings.load()


def test_an_unreadable_file_is_named(tmp_path: Path) -> None:
    # Readable by its mode, and yet not by anyone: also root gets an error here.
    (tmp_path / "settings.toml").symlink_to("/proc/self/mem")

    with pytest.raises(InvalidInput, match="cannot be read"):
        Settings.load()


def test_settings_do_not_change_and_do_not_grow() -> None:
    settings = Settings.load()

    with pytest.raises(ValidationError):
        settings.port = 1
    with pytest.raises(InvalidInput):
        Settings.load(colour="red")


def test_every_setting_is_documented() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_a_misspelt_variable_is_told_with_what_was_meant() -> None:
    told = unknown_variables({"MESSENGERS_PROT": "1", "MESSENGERS_HOME": "/x", "PATH": ""})

    assert len(told) == 1
    assert told[0].startswith("MESSENGERS_PROT is no setting")
    assert told[0].endswith("Did you mean MESSENGERS_PORT?")
    assert unknown_variables({"MESSENGERS_ZZZZ": ""}) == [
        "MESSENGERS_ZZZZ is no setting of Messengers and has no effect."
    ]


def test_the_variable_that_client_configurations_name_is_no_mistake() -> None:
    assert unknown_variables({KEY_VARIABLE: "what a client sends us"}) == []


def test_the_environment_itself_is_looked_at_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MESSENGERS_POORT", "1")

    assert any("MESSENGERS_POORT" in sentence for sentence in unknown_variables())


def test_a_client_that_means_something_else_is_told_what() -> None:
    settings = Settings.load(port=3000)
    variables = {
        "MESSENGERS_PORT": "3000",
        "MESSENGERS_HOST": "127.0.0.9",
        "MESSENGERS_LOG_LEVEL": "loud",
        "MESSENGERS_UNHEARD_OF": "1",
        "PATH": "/bin",
    }

    assert describe_differences(settings, variables) == ["MESSENGERS_HOST", "MESSENGERS_LOG_LEVEL"]


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("localhost", True),
     ("0.0.0.0", False), ("::", False), ("192.168.1.5", False)],
)  # fmt: skip
def test_loopback_is_known(host: str, loopback: bool) -> None:
    assert Settings.load(host=host).is_loopback is loopback


def test_the_zone_is_the_owners(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    nothing = (str(tmp_path / "none"), str(tmp_path / "nothing"))
    monkeypatch.setattr(Settings, "zone_files", nothing)
    monkeypatch.setenv("TZ", ":Europe/Riga")

    assert Settings.load(timezone="Asia/Tokyo").zone == ZoneInfo("Asia/Tokyo")
    assert Settings.load().zone == ZoneInfo("Europe/Riga")

    monkeypatch.setenv("TZ", "Nowhere/Land")

    assert Settings.load().zone == ZoneInfo("UTC")


def test_the_systems_zone_is_read_from_its_name_or_its_link(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("TZ", raising=False)
    named, linked = tmp_path / "timezone", tmp_path / "localtime"
    (tmp_path / "zoneinfo" / "Asia").mkdir(parents=True)
    (tmp_path / "zoneinfo" / "Asia" / "Tokyo").touch()
    linked.symlink_to(tmp_path / "zoneinfo" / "Asia" / "Tokyo")
    monkeypatch.setattr(Settings, "zone_files", (str(named), str(linked)))

    assert Settings.load().zone == ZoneInfo("Asia/Tokyo")

    named.write_text("Europe/Riga\n", encoding="utf-8")

    assert Settings.load().zone == ZoneInfo("Europe/Riga")


def test_sockets_follow_the_home(tmp_path: Path) -> None:
    assert Settings.load().socket_path("daemon.sock") == tmp_path / "daemon.sock"
