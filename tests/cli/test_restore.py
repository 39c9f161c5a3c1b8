"""Repairs: a backup put back by a person at a terminal, and what is made of messages made anew."""

import json
import shutil
from pathlib import Path

import httpx2
import pytest

from tests.cli.conftest import Run
from tests.cli.terminals import sitting
from tests.living import House

pytestmark = pytest.mark.timeout(120)


def test_restoring_needs_a_person(run: Run, user: Path) -> None:
    assert "interactive terminal" in run("restore", str(user / "copy.db"), code=1).stderr


def answered(house: House, file: Path, answer: str = "") -> tuple[int, str]:
    with sitting(["messengers", "restore", str(file)], house.env, house.user) as terminal:
        if answer:
            terminal.until("Go on?")
            terminal.type(answer)
        return terminal.end(), terminal.shown


@pytest.mark.case("F11")
def test_the_doctor_finds_the_damage_and_a_backup_repairs_it(empty_house: House, run: Run) -> None:
    house = empty_house
    house.run("messengers instances add webchat shop")
    house.run("messengers backup")
    (copy,) = (house.home / "backups").glob("messengers-*.db")
    code, shown = answered(house, copy)
    assert code == 1
    assert "Messengers runs already" in shown

    house.run("messengers stop")
    database = house.home / "messengers.db"
    content = bytearray(database.read_bytes())
    content[4096:4196] = b"\x5a" * 100
    database.write_bytes(content)
    told = json.loads(run("doctor", "--home", str(house.home), "--json", code=1).stdout)
    (found,) = [check for check in told if check["what"] == "database"]
    assert found["found"].startswith("it is damaged: ")
    assert f"`messengers restore {copy}`" in found["remedy"]
    assert "is damaged" in run("instances", "list", "--home", str(house.home), code=1).stderr
    assert database.read_bytes() == bytes(content)

    code, shown = answered(house, copy, "y")
    assert code == 0
    assert "is in place" in shown
    assert "shop" in house.run("messengers instances list")
    shutil.rmtree(house.home / "backups")


def test_summaries_and_search_are_made_anew_while_no_daemon_runs(empty_house: House) -> None:
    house = empty_house
    house.run("messengers instances add webchat shop")
    with house.visitor("shop") as visitor:
        visitor.say("find the pelican")
    assert house.run("messengers rebuild", code=1) == ""
    house.run("messengers stop")

    shown = house.run("messengers rebuild")

    assert shown == "Made anew: the summaries of 1 chat and the words of 1 message.\n"


def test_another_master_key_needs_a_person_and_no_daemon_and_keys_go_on(
    empty_house: House, run: Run
) -> None:
    house = empty_house
    house.run("messengers instances add webchat shop")
    secret = house.run("messengers keys create laptop").strip()
    command = ["messengers", "rotate-key", "--keep-old"]
    assert "interactive terminal" in run("rotate-key", code=1).stderr
    with sitting(command, house.env, house.user) as terminal:
        assert terminal.end() == 1
        assert "Messengers runs already" in terminal.shown

    house.run("messengers stop")
    with sitting(command, house.env, house.user) as terminal:
        assert terminal.end() == 0, terminal.shown

    house.run("messengers instances list")
    headers = {"Authorization": f"Bearer {secret}"}
    assert httpx2.get(f"{house.url}/instances/shop/login", headers=headers).status_code == 403
    (line,) = json.loads(house.run("messengers audit --action rotate_key --json"))
    assert (line["actor"], line["outcome"]) == ("owner", "done")
    (house.home / "secret.key.old").unlink()
