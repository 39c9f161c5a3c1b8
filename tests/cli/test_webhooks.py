"""`messengers webhooks`, with the receiver of the examples at the other end."""

import json
import re
import socket
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager

import pytest
from typer.testing import CliRunner

from messengers.cli.main import app
from tests.living import House
from tests.programs import ROOT

pytestmark = pytest.mark.timeout(90)


@pytest.fixture
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


@pytest.fixture
def house(empty_house: House, port: int) -> House:
    """A daemon that may deliver to that port."""
    empty_house.home.mkdir(parents=True)
    settings = f'private_hosts = ["127.0.0.1:{port}"]\nport = 0\n'
    (empty_house.home / "settings.toml").write_text(settings)
    empty_house.run("messengers instances add webchat shop")
    return empty_house


def added(house: House, port: int, *more: str) -> str:
    """An endpoint, and the secret that a person was shown."""
    line = " ".join(("messengers webhooks add crm", f"http://127.0.0.1:{port}/", *more))
    shown = house.run_at_terminal(line)
    return re.findall(r"whsec_[A-Za-z0-9+/=]+", shown)[0]


@contextmanager
def receiving(house: House, port: int, secret: str) -> Generator[subprocess.Popen[str]]:
    file = house.user / "crm.secret"
    file.write_text(secret)
    line = [sys.executable, str(ROOT / "examples" / "webhook_receiver.py")]
    line += ["--port", str(port), "--secret-file", str(file)]
    with subprocess.Popen(line, env=house.env, stdout=subprocess.PIPE, text=True) as process:
        try:
            answers(port)
            yield process
        finally:
            process.terminate()


def answers(port: int) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError


def test_an_endpoint_from_its_first_day_to_its_last(house: House, port: int) -> None:
    assert "webhooks add NAME URL" in house.run("messengers webhooks list")
    secret = added(house, port, "--types message.received")
    with receiving(house, port, secret) as process, house.visitor() as visitor:
        assert "It was taken: status 204" in house.run("messengers webhooks test crm")
        assert process.stdout is not None
        assert process.stdout.readline() == "webhook.test\n"
        visitor.say("Is the blue one still there?")
        told = process.stdout.readline()
        shown = house.run("messengers webhooks log crm")
        again = house.run("messengers webhooks replay crm d1")
        since = house.run("messengers webhooks replay crm --since 1h")
    rotated = house.run("messengers webhooks rotate crm")
    listed = house.run("messengers webhooks list --json")

    assert told == "message.received Is the blue one still there?\n"
    assert "message.received" in shown
    assert again == "1 deliveries are made again.\n"
    assert "are looked at again" in since
    assert rotated.startswith("whsec_")
    assert rotated.strip() != secret
    assert [each["name"] for each in json.loads(listed)] == ["crm"]
    assert secret not in listed
    assert "is told nothing" in house.run("messengers webhooks disable crm")
    assert "disabled" in house.run("messengers webhooks show crm")
    assert "from now" in house.run_at_terminal("messengers webhooks enable crm --skip")
    assert "crm is gone" in house.run("messengers webhooks remove crm")
    assert "No endpoints" in house.run("messengers webhooks list")


def test_who_is_no_person_opens_no_way_out(house: House, port: int) -> None:
    for line in (f"add crm http://127.0.0.1:{port}/", "enable crm"):
        home = ["--home", str(house.home)]
        result = CliRunner().invoke(app, ["webhooks", *line.split(), *home])

        assert result.exit_code == 1
        assert "needs an interactive terminal" in result.stderr
    assert "No endpoints" in house.run("messengers webhooks list")


def test_what_is_not_taken_is_said_with_its_reason(house: House, port: int) -> None:
    added(house, port)
    home = ["--home", str(house.home)]

    tested = CliRunner().invoke(app, ["webhooks", "test", "crm", *home])
    since = CliRunner().invoke(app, ["webhooks", "replay", "crm", "--since", "soon", *home])
    failed = house.run("messengers webhooks log crm --failed")

    assert tested.exit_code == 1
    assert "It was not taken. That address was not reached." in tested.stdout
    assert since.exit_code == 2
    assert failed == "Nothing yet.\n"
