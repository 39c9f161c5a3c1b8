"""An account that an agent sets up: over stdio, through the daemon, to the phone and back."""

import base64
import io
import json
from pathlib import Path

import anyio
import pytest
import zxingcpp
from mcp import Client
from mcp.types import ImageContent
from PIL import Image

from tests.fakes.whatsapp_web import FakeWhatsApp
from tests.fakes.whatsapp_web.devices import Account
from tests.mcp_server.conftest import text_of
from tests.process.conftest import Pump, tool_call
from tests.providers.whatsapp_web.conftest import until, workers
from tests.providers.whatsapp_web.daemons import PLANTED, House, act

pytestmark = pytest.mark.timeout(90)
CONNECTED = "Already connected: nothing to scan."


@pytest.fixture
def house(folder: Path, wa: FakeWhatsApp) -> House:
    return House(folder, wa)


@pytest.fixture
def me(wa: FakeWhatsApp) -> Account:
    return wa.add_account("15550001111", "Me Myself")


def read(data: str) -> str:
    """What a phone's camera reads of a picture."""
    (found,) = zxingcpp.read_barcodes(Image.open(io.BytesIO(base64.b64decode(data))))
    return found.text


async def code_of(client: Client) -> str:
    """The code that an agent shows its user."""
    shown = await act(client, "get_qr", instance="wa")
    (picture,) = [part for part in shown.content if isinstance(part, ImageContent)]
    assert picture.mime_type == "image/png"
    return read(picture.data)


async def connected(client: Client) -> bool | None:
    shown = text_of(await act(client, "get_qr", instance="wa"))
    return shown == CONNECTED or None


def places_of(house: House, secret: str) -> list[str]:
    """The files of the data directory in which something stands."""
    files = [file for file in house.home.rglob("*") if file.is_file()]
    return [file.name for file in files if secret.encode() in file.read_bytes()]


def seen(pid: int, what: str) -> str:
    """What the system says of a process."""
    return Path(f"/proc/{pid}/{what}").read_text("utf-8")


@pytest.mark.case("S67", "S79")
async def test_an_agent_shows_the_code_that_links_the_phone(house: House, me: Account) -> None:
    """The code is kept nowhere; the worker inherits no secret and is the engine's only home."""
    async with house.daemon() as daemon, house.client() as client:
        await act(client, "create_instance", provider="whatsapp_web", name="wa")
        code = await code_of(client)
        (worker,) = workers(house.folder)
        inherited, loaded = seen(worker, "environ"), seen(daemon.pid, "maps")
        await house.wa.scan_qr(code, me)
        await until(lambda: connected(client))
        parts = [part for part in code.partition("#")[2].split(",") if len(part) > 20]

        assert len(parts) >= 3
        assert [places_of(house, part) for part in parts] == [[]] * len(parts)
        assert [name for name in PLANTED if name in inherited] == []
        assert "neonize" not in loaded


@pytest.mark.case("S40", "S79")
async def test_an_agent_shows_the_code_to_type_and_the_session_is_its_owners_alone(
    house: House, me: Account
) -> None:
    async with house.daemon(), house.client() as client:
        await act(client, "create_instance", provider="whatsapp_web", name="wa")
        shown = text_of(await act(client, "get_qr", instance="wa", phone=f"+{me.phone}"))
        code = shown.splitlines()[-1].replace(" ", "")
        await house.wa.enter_code(code, me)
        await until(lambda: connected(client))
        (directory,) = (house.home / "instances").iterdir()
        modes = {path: path.stat().st_mode & 0o777 for path in directory.rglob("*")}

        assert places_of(house, code) + places_of(house, code.replace("-", "")) == []
        assert directory.stat().st_mode & 0o777 == 0o700
        assert directory / "session.db" in modes
        assert set(modes.values()) == {0o600}


@pytest.mark.case("S13")
async def test_whatever_the_engine_prints_stdout_carries_the_protocol_only(
    house: House, me: Account
) -> None:
    """Also where daemon and client are one process; at a login the engine prints much."""
    command = house.command("stdio", "--embedded", "--preset", "admin")
    environment = {**house.environment, "MESSENGERS_CONFIRM": "never", "MESSENGERS_PORT": "0"}
    async with await anyio.open_process(command, env=environment) as process:
        pump = Pump(process)
        await pump.open()
        await pump.call(tool_call("create_instance", 1, provider="whatsapp_web", name="wa"))
        shown = await pump.call(tool_call("get_qr", 2, instance="wa"))
        (picture,) = [part for part in shown["result"]["content"] if part["type"] == "image"]
        await house.wa.scan_qr(read(picture["data"]), me)
        await until(lambda: says_connected(pump))
        await pump.close_stdin()
        rest = await pump.stdout()
        with anyio.fail_after(10):
            await process.wait()

    assert [json.loads(line) for line in rest.splitlines()] == []


async def says_connected(pump: Pump) -> bool | None:
    answer = await pump.call(tool_call("get_qr", 3, instance="wa"))
    return answer["result"]["content"][0]["text"] == CONNECTED or None
