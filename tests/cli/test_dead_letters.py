"""`messengers dead-letters`: from a delivery that nobody understands to a second attempt."""

import json
from pathlib import Path
from typing import Any

import anyio
import httpx2
import orjson
import pytest

from tests.cli.conftest import Run
from tests.fakes.scripted import signed
from tests.living import House

pytestmark = pytest.mark.timeout(90)


async def listed(at: Run) -> list[dict[str, Any]]:
    """The letters, once there is one."""
    with anyio.fail_after(20):
        while True:
            page = json.loads(at("dead-letters", "list", "--json").stdout)
            if page["items"]:
                return page["items"]
            await anyio.sleep(0.2)


async def test_a_letter_is_found_shown_and_tried_again(
    at: Run, office: House, tmp_path: Path
) -> None:
    assert "Everything that arrived was understood." in at("dead-letters", "list").stdout
    token = tmp_path / "token"
    token.write_text("letters", "ascii")
    made = at("instances", "add", "scripted_bot", "post", "--set", f"token=@{token}", "--json")
    body = orjson.dumps({"id": "1", "chat": "zed", "minute": "no number"})
    headers = {"x-signature": signed(b"letters", body).hex()}
    place = f"{office.url}/webhooks/{json.loads(made.stdout)['id']}"
    assert httpx2.post(place, content=body, headers=headers).status_code == 200

    (letter,) = await listed(at)

    assert letter["id"] in at("dead-letters", "list", "--instance", "post").stdout
    assert "no number" in at("dead-letters", "show", letter["id"]).stdout
    shown = json.loads(at("dead-letters", "show", letter["id"], "--json").stdout)
    assert json.loads(shown["payload"]) == orjson.loads(body)
    again = at("dead-letters", "replay", "all", code=1)
    assert f"Still not understood: {letter['id']}." in again.stdout
    told = json.loads(at("dead-letters", "replay", letter["id"], "--json", code=1).stdout)
    assert told["dead"] == [letter["id"]]
    assert "1 event that could not be understood" in at("status").stdout
    assert "No such dead letter." in at("dead-letters", "show", "x999", code=1).stderr
    at("instances", "remove", "post", "--purge", "--yes")
