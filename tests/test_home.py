"""Where data and sockets lie."""

import os
import socket
from pathlib import Path

import platformdirs
import pytest

from messengers.home import (
    MAX_SOCKET_PATH_BYTES,
    child_environment,
    default_home,
    home_directory,
    make_private,
    socket_path,
)


@pytest.mark.parametrize("shared", [None, "", "/srv/data", "  /srv/data  ", "relative/path"])
def test_the_default_home_is_the_one_platformdirs_names(
    monkeypatch: pytest.MonkeyPatch, shared: str | None
) -> None:
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    for value in filter(lambda each: each is not None, [shared]):
        monkeypatch.setenv("XDG_DATA_HOME", str(value))

    assert default_home() == platformdirs.user_data_dir("messengers", appauthor=False)


@pytest.mark.parametrize("home", ["/srv/anna", "", "relative"])
def test_it_is_so_whatever_the_users_home_says(monkeypatch: pytest.MonkeyPatch, home: str) -> None:
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    monkeypatch.setenv("HOME", home)

    assert default_home() == platformdirs.user_data_dir("messengers", appauthor=False)


def test_the_flag_wins_over_the_variable_and_the_variable_over_the_default(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MESSENGERS_HOME", "/srv/one")

    assert home_directory() == "/srv/one"
    assert home_directory("/srv/two") == "/srv/two"

    monkeypatch.setenv("MESSENGERS_HOME", "")

    assert home_directory() == default_home()


def test_a_home_is_absolute_and_keeps_its_links(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/srv/anna")

    assert home_directory("link") == str(tmp_path / "link")
    assert home_directory("~/m") == "/srv/anna/m"


def test_a_socket_lies_beside_the_data_where_its_path_fits() -> None:
    assert socket_path("/srv/messengers", "daemon.sock") == "/srv/messengers/daemon.sock"


@pytest.mark.parametrize("runtime", ["", "/run/user/1000", "/" + "r" * 90])
def test_a_long_home_gets_sockets_of_its_own_that_can_be_bound(
    monkeypatch: pytest.MonkeyPatch, runtime: str
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", runtime)
    homes = [f"/srv/{'x' * 120}/{name}" for name in ("one", "two")]

    paths = [socket_path(home, "daemon.sock") for home in homes]

    assert len(set(paths)) == 2
    assert all(len(os.fsencode(path)) <= MAX_SOCKET_PATH_BYTES for path in paths)
    assert all(
        path.startswith("/run/user/1000/") == (runtime == "/run/user/1000") for path in paths
    )


def test_a_non_ascii_home_is_measured_in_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)

    assert socket_path("/srv/" + "ж" * 60, "daemon.sock").startswith("/tmp/")  # noqa: S108 - what it must be


def test_the_limit_is_one_that_the_kernel_takes(tmp_path: Path) -> None:
    name = "s" * (MAX_SOCKET_PATH_BYTES - len(os.fsencode(str(tmp_path))) - 1)

    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(tmp_path / name))

    assert (tmp_path / name).is_socket()


def test_a_private_directory_is_closed_to_others_even_when_it_was_open(tmp_path: Path) -> None:
    place = tmp_path / "open"
    place.mkdir(mode=0o777)
    place.chmod(0o777)

    make_private(str(place))
    make_private(str(tmp_path / "new" / "below"))

    assert place.stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "new" / "below").stat().st_mode & 0o777 == 0o700


def test_a_link_in_place_of_a_private_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")

    with pytest.raises(PermissionError):
        make_private(str(tmp_path / "link"))


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a directory away")
def test_a_directory_of_somebody_else_is_refused(tmp_path: Path) -> None:
    place = tmp_path / "theirs"
    place.mkdir()
    os.chown(place, 65_534, 65_534)

    with pytest.raises(PermissionError):
        make_private(str(place))


@pytest.mark.case("S67")
def test_a_child_process_inherits_what_it_needs_and_no_secret(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("OPENAI_API_KEY", "AWS_SECRET_ACCESS_KEY", "DATABASE_URL", "LD_PRELOAD"):
        monkeypatch.setenv(name, "planted")
    for name in ("MESSENGERS_PORT", "LC_ALL", "TZ", "https_proxy"):
        monkeypatch.setenv(name, "kept")

    inherited = child_environment()

    assert "planted" not in inherited.values()
    assert {"MESSENGERS_PORT", "LC_ALL", "TZ", "https_proxy", "PATH"} <= set(inherited)
