"""The canary sees what it is for, and the whole product gives it nothing."""

from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest
import structlog
from mcp import Client

from messengers.core.callers import OWNER
from messengers.logs import register_secret
from messengers.mcp_server.server import build_server
from tests.canary import PLANTED, Canary
from tests.core.conftest import House, house, open_house
from tests.fakes.scripted import platform

__all__ = ["house", "open_house"]


def plant_in_a_file(canary: Canary, directory: Path, secret: str) -> None:
    (directory / "below").mkdir()
    (directory / "below" / "x.db-wal").write_bytes(b"\0\0" + secret.encode() + b"\0")


def plant_in_an_answer(canary: Canary, directory: Path, secret: str) -> None:
    canary.answers.append(f"the token {secret} is wrong")


def plant_in_the_log(canary: Canary, directory: Path, secret: str) -> None:
    canary.log.write(secret)


@pytest.mark.case("S64")
@pytest.mark.parametrize("plant", [plant_in_a_file, plant_in_an_answer, plant_in_the_log])
@pytest.mark.parametrize("known", [True, False])
def test_it_finds_a_secret_wherever_it_stands(
    canary: Canary, tmp_path: Path, plant: Callable[[Canary, Path, str], None], known: bool
) -> None:
    nest = tmp_path / "nest"
    nest.mkdir()
    another = Canary(canary.known, type(canary.log)())
    secret = PLANTED["CANARY_TOKEN"] if known else uuid4().hex
    register_secret(secret)
    assert another.found(nest) == []

    plant(another, nest, secret)

    assert len(another.found(nest)) == 1
    for file in nest.rglob("*.db-wal"):
        file.unlink()


@pytest.mark.case("S64")
def test_the_product_logs_where_it_listens(canary: Canary) -> None:
    register_secret("a-secret-of-this-test")

    structlog.get_logger("messengers.test").error("token a-secret-of-this-test was refused")

    assert "token [redacted] was refused" in canary.log.getvalue()


@pytest.mark.case("S63", "S64")
async def test_credentials_leave_no_trace_outside_the_seal(
    canary: Canary, house: House, tmp_path: Path
) -> None:
    """The fixture itself fails this when one of them stands in a file, an answer or the log."""
    tokens = [uuid4().hex for _ in range(3)]
    async with Client(build_server(house.core, "admin"), mode="auto") as client:
        for token in tokens[:2]:
            body = {"provider": "scripted_bot", "name": f"n{token[:8]}"}
            call = {**body, "credentials": {"token": token, "greeting": "x" * 60}}
            await client.call_tool("create_instance", call)
    # A fault that repeats the credentials, as those of HTTP clients do.
    platform(tokens[2]).start = lambda: RuntimeError(f"https://x.example/bot{tokens[2]}/getMe: 500")
    await house.core.instances.create(OWNER, "scripted_bot", "third", {"token": tokens[2]})
    await house.core.store.backup(tmp_path / "copy.db")
    _, secret = await house.core.keys.create(OWNER, "canary")

    third = house.core.instances.resolve(OWNER, "third").id
    assert "getMe: 500" in "".join(house.core.instances.problems(third))
    assert {tokens[2].encode(), secret.encode()} <= set(canary.secrets())
    assert len(canary.answers) >= 2
    assert canary.found(tmp_path) == []
