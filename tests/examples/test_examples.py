"""Every example runs as its docstring says, against a real daemon and a real visitor."""

import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.living import House
from tests.programs import ROOT

EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
pytestmark = pytest.mark.timeout(120)


def example(name: str) -> list[str]:
    return [sys.executable, str(ROOT / "examples" / name)]


@pytest.fixture(scope="module")
def key_file(house: House) -> Path:
    file = house.user / "laptop.key"
    file.write_text(house.run("messengers keys create laptop"))
    return file


def test_stdio_client_shows_what_is_new(house: House) -> None:
    with house.visitor() as visitor:
        visitor.say("Is the blue one still there?")
        shown = house.run(example("stdio_client.py"))

    assert re.search(r"^\d+ tools: list_instances, ", shown)
    assert 'webchat "shop"' in shown or "shop" in shown
    assert "Is the blue one still there?" in shown


def test_http_client_finds_with_a_key(house: House, key_file: Path) -> None:
    with house.visitor() as visitor:
        visitor.say("Please send the invoice")
        visitor.say("and the parcel")
        line = [*example("http_client.py"), "--url", house.url, "--key-file", str(key_file)]
        shown = house.run([*line, "invoice"])

    assert shown.startswith("1 found\n")
    assert "Please send the invoice" in shown
    assert "parcel" not in shown


def test_http_client_with_another_key_finds_nothing(house: House) -> None:
    wrong = house.user / "wrong.key"
    wrong.write_text("msk_wrong")
    line = [*example("http_client.py"), "--url", house.url, "--key-file", str(wrong), "invoice"]

    done = subprocess.run(line, env=house.env, capture_output=True, text=True, check=False)

    assert done.returncode != 0
    assert "found" not in done.stdout


def test_sse_agent_answers_the_question(house: House, key_file: Path) -> None:
    line = [*example("sse_agent.py"), "--url", house.url, "--key-file", str(key_file)]
    with house.visitor() as visitor:
        visitor.say("When are you open?")
        shown = house.run(line)
        answered = visitor.answer()

    assert '"outcome":"accepted"' in shown.replace(" ", "")
    assert "<strong>from 9 to 18</strong>" in answered


def test_answer_loop_answers_who_waited_and_who_comes(empty_house: House) -> None:
    # Of its own: it answers everybody, also those whom other tests left waiting.
    house = empty_house
    house.run("messengers instances add webchat shop")
    line = [*example("answer_loop.py"), "--count", "2"]
    with house.visitor() as early, house.visitor() as late, ThreadPoolExecutor(1) as threads:
        early.say("I was here before you")
        loop = threads.submit(house.run, line)
        first = early.answer()
        late.say("I come later")
        second = late.answer()
        shown = loop.result(60)

    assert "5 words" in first
    assert "3 words" in second
    assert shown.count("accepted") == 2


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_examples_stay_small_and_stand_in_their_list(path: Path) -> None:
    text = path.read_text("utf-8")

    assert len(text.splitlines()) <= 60
    assert path.name in (ROOT / "examples" / "README.md").read_text("utf-8")
    assert f"python examples/{path.name}" in text


def test_follow_events_shows_what_comes_in(house: House, key_file: Path) -> None:
    line = [*example("follow_events.py"), "--url", house.url, "--key-file", str(key_file)]
    with (
        house.visitor() as visitor,
        subprocess.Popen(
            [*line, "--count", "2"], env=house.env, stdout=subprocess.PIPE, text=True
        ) as process,
    ):
        assert process.stdout is not None
        assert process.stdout.readline().startswith("(stream.open ")
        visitor.say("Hello?")
        visitor.say("Anyone there?")
        shown = process.stdout.read()

    assert [line.partition(": ")[2] for line in shown.splitlines()] == ["Hello?", "Anyone there?"]
    assert process.returncode == 0
