"""What a provider needs of the system, and the extras of this installation."""

from dataclasses import replace
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest

from messengers.errors import NotReady
from messengers.extras import install_command, is_installed
from messengers.providers.catalog import Catalog
from messengers.providers.requirements import FFMPEG, LIBMAGIC, Requirement, System, this_system
from tests.fakes.scripted import EXTRA

NOWHERE: dict[System, str] = {"Debian": "x", "macOS": "x", "Windows": "x"}


def test_a_program_is_looked_for_on_the_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    before = FFMPEG.is_there()
    (tmp_path / "ffmpeg").write_text("#!/bin/sh\n", "utf-8")
    (tmp_path / "ffmpeg").chmod(0o755)

    assert (before, FFMPEG.is_there()) == (False, True)


@pytest.mark.parametrize(("library", "there"), [("c", True), ("no_such_thing_of_ours", False)])
def test_a_library_is_looked_for_where_the_system_keeps_them(library: str, there: bool) -> None:
    needed = Requirement("it", "nothing works", NOWHERE, library=library)

    assert needed.is_there() is there


@pytest.mark.parametrize(
    ("platform", "system", "told"),
    [
        ("linux", "Debian", "apt-get install ffmpeg"),
        ("darwin", "macOS", "brew install ffmpeg"),
        ("win32", "Windows", "winget install Gyan.FFmpeg"),
    ],
)
def test_each_system_is_told_its_own_command(platform: str, system: str, told: str) -> None:
    found = this_system(platform)

    assert found == system
    assert told in FFMPEG.remedy(found)
    assert set(LIBMAGIC.install) == set(FFMPEG.install)


@pytest.mark.parametrize(
    ("note", "told"),
    [
        ("", "{}/bin/python -m pip install --upgrade"),
        ("pipx_metadata.json", "pipx install --force"),
        ("uv-receipt.toml", "uv tool install --force --upgrade"),
    ],
)
@pytest.mark.parametrize(
    ("origin", "where"),
    [
        ("", ""),
        ('{"url": "file:///opt/here", "dir_info": {}}', " @ file:///opt/here"),
        (
            '{"url": "https://git.example/m.git", "vcs_info": {"vcs": "git", "commit_id": "c0"}}',
            " @ git+https://git.example/m.git",
        ),
    ],
)
def test_an_extra_is_installed_as_the_rest_was(
    tmp_path: Path, note: str, told: str, origin: str, where: str
) -> None:
    if note:
        (tmp_path / note).touch()

    command = install_command("whatsapp", str(tmp_path), origin)

    assert command == f'{told.format(tmp_path)} "messengers-mcp[whatsapp]{where}"'


def test_an_extra_is_there_when_its_packages_are() -> None:
    try:
        there = bool(distribution("neonize"))
    except PackageNotFoundError:
        there = False

    assert is_installed("whatsapp") is there
    assert is_installed("telepathy") is False


def test_an_engine_that_is_missing_is_told_with_its_command() -> None:
    with pytest.raises(
        NotReady, match=r"python -m pip install --upgrade .messengers-mcp\[telepathy\]"
    ):
        Catalog().provider_class(replace(EXTRA, class_path="no_such_engine:Provider"))
