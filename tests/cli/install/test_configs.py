"""The ready configs of `mcp-config/`: what the program prints, readable, and working."""

import importlib
import json
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client, StdioServerParameters

from messengers.cli.install.clients import CLIENTS
from tests.cli.conftest import Run
from tests.living import House
from tests.programs import ROOT

pytestmark = pytest.mark.timeout(90)

FOLDER = ROOT / "mcp-config"
CONFIGS = sorted(path for path in FOLDER.iterdir() if path.suffix != ".md")
READERS: Mapping[str, Callable[[str], Any]] = {
    ".json": json.loads,
    ".toml": tomllib.loads,
    ".yaml": lambda text: importlib.import_module("yaml").safe_load(text),
}


def entry_of(path: Path) -> dict[str, Any]:
    """Our server, read as the client's own parser would."""
    document = READERS[path.suffix](path.read_text("utf-8"))
    for key in (*CLIENTS[path.name.split(".")[0]].path, "messengers"):
        document = document[key]
    return document


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.name)
def test_a_config_is_what_the_program_prints(run: Run, path: Path) -> None:
    key, transport, _ = path.name.split(".")

    shown = run("install", "--print", key, "--transport", transport, "--command", "messengers")

    assert shown.stdout == path.read_text("utf-8")


def test_there_is_a_config_for_every_pair_that_works() -> None:
    pairs = {
        f"{key}.{transport}.{client.family}"
        for key, client in CLIENTS.items()
        for transport in ("stdio", *client.references)
    }

    assert {path.name for path in CONFIGS} == pairs


def test_the_page_beside_them_lists_every_client() -> None:
    page = (FOLDER / "README.md").read_text("utf-8")

    assert [line.split()[1] for line in page.splitlines() if line.startswith("| ")][1:] == list(
        CLIENTS
    )


@pytest.mark.parametrize(
    "path", [path for path in CONFIGS if ".stdio." not in path.name], ids=lambda path: path.name
)
def test_a_remote_config_can_be_read_and_points_at_the_daemon(path: Path) -> None:
    entry = entry_of(path)
    url = entry.get("url") or entry.get("serverUrl") or entry.get("uri")

    assert url == f"http://127.0.0.1:3000/{'sse' if '.sse.' in path.name else 'mcp'}"


@pytest.mark.parametrize(
    "path", [path for path in CONFIGS if ".stdio." in path.name], ids=lambda path: path.name
)
async def test_a_stdio_config_starts_and_lists_its_tools(house: House, path: Path) -> None:
    entry = entry_of(path)
    command: str | list[str] = entry.get("command") or entry["cmd"]
    line = [command, *entry["args"]] if isinstance(command, str) else command

    server = StdioServerParameters(command=line[0], args=line[1:], env=house.env)
    with anyio.fail_after(15):
        async with Client(server) as client:
            tools = {tool.name for tool in (await client.list_tools()).tools}

    assert {"list_chats", "send_message"} <= tools
