"""Tool sets: nobody has one by accident, and a name of none passes nowhere in silence."""

import json
from pathlib import Path

import pytest

from messengers import __version__
from messengers.cli.stdio import USAGE
from messengers.clock import SystemClock
from messengers.core.callers import OWNER, Caller
from messengers.core.keys import Keys
from messengers.errors import InvalidInput
from messengers.hello import Welcome, welcome
from messengers.settings import Settings, known_toolsets
from messengers.store import Store

BOTH = frozenset({"rich", "groups"})


def greeted(settings: Settings, toolsets: str) -> Welcome:
    line = json.dumps({"messengers": 1, "version": __version__, "toolsets": toolsets})
    return welcome(line.encode(), settings, lambda _: True)


def asker(found: Welcome) -> Caller:
    assert found.caller is not None
    return found.caller


def test_a_tool_set_that_does_not_exist_is_no_setting(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MESSENGERS_TOOLSETS", "rich, gruops")

    with pytest.raises(InvalidInput) as raised:
        Settings.load(home=tmp_path)

    named = "there are rich, groups and access."
    assert raised.value.cause == f"The setting toolsets does not fit: {named}"
    assert "MESSENGERS_TOOLSETS or" in raised.value.remedy


@pytest.mark.parametrize("written", ["groups,rich", " rich , groups,", "rich,rich,groups"])
def test_a_setting_is_a_list_of_names(
    written: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MESSENGERS_TOOLSETS", written)

    assert Settings.load(home=tmp_path).toolsets == ("rich", "groups")


def test_a_setting_in_the_file_may_be_a_real_list(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_text('toolsets = ["groups"]', "utf-8")

    assert Settings.load(home=tmp_path).toolsets == ("groups",)

    (tmp_path / "settings.toml").write_text("toolsets = 3", "utf-8")
    with pytest.raises(InvalidInput):
        Settings.load(home=tmp_path)


def test_a_client_gets_those_it_names_or_the_daemons(tmp_path: Path) -> None:
    plain = Settings.load(home=tmp_path)
    chosen = Settings.load(home=tmp_path, toolsets="groups")

    assert asker(greeted(plain, "")).toolsets == frozenset()
    assert asker(greeted(plain, "rich, groups")).toolsets == BOTH
    assert asker(greeted(chosen, "")).toolsets == {"groups"}
    assert asker(greeted(chosen, "rich")).toolsets == {"rich"}


def test_a_client_that_asks_for_none_there_is_is_told_instead_of_served_without(
    tmp_path: Path,
) -> None:
    found = greeted(Settings.load(home=tmp_path), "rich,gruops")

    refused = json.loads(found.answer)
    assert found.caller is None
    assert (refused["ok"], refused["reason"]) == (False, "unknown_toolset")
    assert "There are rich, groups and access." in refused["message"]
    assert "gruops" not in refused["message"]


def test_the_usage_names_them_all() -> None:
    assert ", ".join(known_toolsets(BOTH)) in USAGE


async def test_a_key_has_those_it_was_made_with_over_restarts(tmp_path: Path) -> None:
    store = await Store.open(tmp_path, SystemClock())
    keys = Keys(store, SystemClock())
    await keys.load()
    _, plain = await keys.create(OWNER, "plain")
    _, able = await keys.create(OWNER, "able", toolsets=["groups"])
    with pytest.raises(InvalidInput):
        await keys.create(OWNER, "wrong", toolsets=["gruops"])

    again = Keys(store, SystemClock(), local_toolsets=("rich",))
    await again.load()
    local = (tmp_path / "local.key").read_text("ascii").strip()
    found = [again.verify(secret, from_loopback=True) for secret in (plain, able, local)]
    await store.aclose()

    assert [caller and set(caller.toolsets) for caller in found] == [set(), {"groups"}, {"rich"}]
