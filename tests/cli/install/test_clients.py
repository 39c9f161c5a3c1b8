import json

import pytest

from messengers.cli.install import changes, jsonc, toml
from messengers.cli.install.clients import CLIENTS, client_of
from messengers.cli.install.entries import (
    KEY_VARIABLE,
    MANAGED,
    Entry,
    Launch,
    Transport,
    merge,
)
from messengers.errors import InvalidInput

LAUNCH = Launch("/opt/messengers", env={"MESSENGERS_HOME": "/data"})
URL = "http://127.0.0.1:3000/mcp"
REMOTE: tuple[Transport, ...] = ("http", "sse")
EVERY = [(key, transport) for key in CLIENTS for transport in REMOTE]
WORKS = {
    *(("claude-code", "http"), ("claude-code", "sse"), ("cursor", "http"), ("cursor", "sse")),
    *(("vscode", "http"), ("vscode", "sse"), ("windsurf", "http"), ("windsurf", "sse")),
    *(("gemini-cli", "http"), ("gemini-cli", "sse"), ("codex", "http"), ("opencode", "http")),
    *(("goose", "http"), ("kiro", "http"), ("grok", "http")),
}


@pytest.mark.parametrize(("key", "transport"), EVERY)
def test_each_pair_names_the_key_by_reference_or_is_refused(key: str, transport: Transport) -> None:
    client = CLIENTS[key]

    assert ((key, transport) in WORKS) == (transport in client.references)
    assert (transport in client.references) != (transport in client.refused)


@pytest.mark.case("S16")
@pytest.mark.parametrize(("key", "transport"), sorted(WORKS))
def test_a_remote_entry_holds_a_reference_and_no_secret(key: str, transport: Transport) -> None:
    entry = changes.entry_for(key, transport, LAUNCH, URL)
    text = changes.document(key, transport, "messengers", entry)

    assert URL in text
    assert KEY_VARIABLE in text or "${input:messengers-api-key}" in text
    assert changes.is_ours(entry)


@pytest.mark.parametrize(("key", "transport"), [each for each in EVERY if each not in WORKS])
def test_a_refused_pair_names_the_transport_that_works(key: str, transport: Transport) -> None:
    with pytest.raises(InvalidInput) as caught:
        changes.entry_for(key, transport, LAUNCH, URL)

    assert "--transport stdio" in caught.value.remedy


@pytest.mark.parametrize("key", CLIENTS)
def test_every_client_starts_us_by_an_absolute_command(key: str) -> None:
    entry = changes.entry_for(key, "stdio", LAUNCH, "")
    text = changes.document(key, "stdio", "messengers", entry)

    assert "/opt/messengers" in text
    assert "MESSENGERS_HOME" in text
    assert changes.is_ours(entry)


@pytest.mark.parametrize("key", [key for key in CLIENTS if CLIENTS[key].family != "yaml"])
def test_what_is_shown_is_what_is_read_back(key: str) -> None:
    client = CLIENTS[key]
    entry = changes.entry_for(key, "stdio", LAUNCH, "")
    text = changes.document(key, "stdio", "messengers", entry)
    editor = jsonc if client.family == "json" else toml

    assert editor.read(text, (*client.path, "messengers")) == entry
    assert changes.entry_in(client, text, "messengers") == entry


def test_codex_gets_the_variable_and_neither_headers_nor_type() -> None:
    entry = changes.entry_for("codex", "http", LAUNCH, URL)

    assert entry == {"url": URL, "bearer_token_env_var": KEY_VARIABLE}


def test_an_unknown_client_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InvalidInput) as caught:
        client_of("emacs")

    assert "cursor" in caught.value.remedy


@pytest.mark.parametrize(
    ("entry", "ours"),
    [
        ({"command": "/x/bin/messengers", "args": ["stdio"]}, True),
        ({"command": "/x/python", "args": ["-m", "messengers", "stdio"]}, True),
        ({"command": "uvx", "args": ["--from", "x", "messengers", "stdio"]}, True),
        ({"command": ["messengers", "stdio"]}, True),
        ({"cmd": "messengers", "args": ["stdio"]}, True),
        ({"command": "/x/other", "args": ["stdio"]}, False),
        ({"command": "stdio"}, False),
        ({"url": "http://elsewhere/mcp", "headers": {"Authorization": "Bearer x"}}, False),
        ({"command": "npx", "args": ["messengers"]}, False),
    ],
)
def test_ours_is_told_from_anothers(entry: Entry, ours: bool) -> None:
    assert changes.is_ours(entry) is ours


def test_what_the_owner_added_to_our_entry_stays() -> None:
    old: Entry = {
        "command": "/old",
        "args": ["stdio"],
        "env": {"MESSENGERS_HOME": "/old", "MESSENGERS_TIMEZONE": "Europe/Riga"},
        "timeout": 9,
        "enabled": False,
    }
    new = {"command": "/new", "args": ["stdio"], "enabled": True}

    assert merge(old, new, "MESSENGERS_HOME") == {
        "command": "/new",
        "args": ["stdio"],
        "env": {"MESSENGERS_TIMEZONE": "Europe/Riga"},
        "timeout": 9,
        "enabled": False,
    }


def test_an_environment_of_ours_alone_goes_with_its_reason() -> None:
    old: Entry = {"command": "/x", "env": {"MESSENGERS_HOME": "/h"}}

    assert merge(old, {"command": "/x"}, "MESSENGERS_HOME") == {"command": "/x"}
    assert merge({**old, "env": {}}, {"command": "/x"}, "H") == {"command": "/x", "env": {}}
    assert merge(old, {"url": URL}, "MESSENGERS_HOME") == {"url": URL}


def test_every_key_that_we_write_is_one_that_we_manage() -> None:
    free = {"name", "tools", "enabled", "timeout"}
    written = {
        name
        for key in CLIENTS
        for transport in ("stdio", *CLIENTS[key].references)
        for name in changes.entry_for(key, transport, LAUNCH, URL)
    }

    assert written - MANAGED == free


def test_vs_code_asks_for_the_key_itself() -> None:
    entry = changes.entry_for("vscode", "http", LAUNCH, URL)
    shown = json.loads(changes.document("vscode", "http", "messengers", entry))

    assert shown["inputs"][0]["password"] is True
    assert shown["inputs"][0]["id"] in shown["servers"]["messengers"]["headers"]["Authorization"]
