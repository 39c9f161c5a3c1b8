"""This version has no tool sets: a name of one passes nowhere in silence."""

import json
from pathlib import Path

import pytest

from messengers import __version__
from messengers.errors import InvalidInput
from messengers.hello import welcome
from messengers.settings import Settings


def greeted(home: Path, toolsets: str) -> dict[str, object]:
    line = json.dumps({"messengers": 1, "version": __version__, "toolsets": toolsets})
    found = welcome(line.encode(), Settings.load(home=home), lambda _: True)
    assert (found.caller is None) == bool(toolsets)
    return json.loads(found.answer)


def test_a_tool_set_that_does_not_exist_is_no_setting(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MESSENGERS_TOOLSETS", "rich, groups")

    with pytest.raises(InvalidInput) as raised:
        Settings.load(home=tmp_path)

    assert raised.value.cause == (
        "The setting toolsets does not fit: this version has no tool sets beyond the presets."
    )


def test_a_client_that_asks_for_one_is_told_instead_of_served_without(tmp_path: Path) -> None:
    refused = greeted(tmp_path, "rich")

    assert (refused["ok"], refused["reason"]) == (False, "unknown_toolset")
    assert "no tool sets" in str(refused["message"])
    assert greeted(tmp_path, "")["ok"] is True
