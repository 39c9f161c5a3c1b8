"""What the logs hold, and what they never hold."""

import io
import json
import logging
import os
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
import structlog

from messengers.logs import configure, log_file, register_secret, tail
from messengers.web.markdown import html_of_markdown

TOKEN = "7012345678:AAF" + "xK9-_q" * 8


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """Logging belongs to the process, so each test gives it back."""
    root, before = logging.getLogger(), logging.getLogger().level
    yield
    configure(stream=None)
    root.setLevel(before)
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()


@pytest.fixture
def shown() -> io.StringIO:
    return io.StringIO()


def fail(secret: str) -> None:
    local = f"local {secret}"
    raise ValueError(f"refused: Bearer {secret}\nERROR forged line {len(local)}")


def test_an_entry_says_when_how_bad_who_and_what(shown: io.StringIO) -> None:
    configure(stream=shown)

    structlog.get_logger("messengers.test").warning("It rains.", drops=3)

    line = shown.getvalue()
    assert line.endswith(" warning  messengers.test: It rains.  drops=3\n")
    assert line.startswith("20")


def test_json_entries_are_one_object_a_line(shown: io.StringIO) -> None:
    configure(style="json", stream=shown)

    structlog.get_logger("messengers.test").info("Many\nlines", odd="\x1b[31m\u2028")

    lines = shown.getvalue().splitlines()
    assert len(lines) == 1
    entry = json.loads(lines[0])
    assert entry["event"] == "Many\nlines"
    assert entry["odd"] == "\x1b[31m\u2028"


@pytest.mark.case("S65")
@pytest.mark.parametrize("style", ["console", "json"])
def test_no_entry_holds_a_secret_whoever_wrote_it(
    shown: io.StringIO, tmp_path: Path, style: str
) -> None:
    file = tmp_path / "log" / "messengers.log"
    configure("debug", "json" if style == "json" else "console", file, shown)
    register_secret("no-shape-at-all")
    log, foreign = structlog.get_logger("ours"), logging.getLogger("theirs")

    log.info("GET %s", f"https://api.telegram.org/bot{TOKEN}/getMe", token="planted-1")
    log.info("nested", request={"headers": [("authorization", f"Bearer {TOKEN}")]})
    foreign.warning("GET https://api.telegram.org/bot%s/getMe", TOKEN, extra={"qr": "planted-1"})
    foreign.error("no-shape-at-all")
    for one in (log, foreign):
        try:
            fail(TOKEN)
        except ValueError:
            one.exception("It broke.")

    for text in (shown.getvalue(), file.read_text("utf-8")):
        assert "xK9" not in text
        assert "planted-1" not in text
        assert "no-shape" not in text
        assert "Traceback" in text


@pytest.mark.case("S65")
def test_no_text_forges_an_entry(shown: io.StringIO) -> None:
    configure(stream=shown)

    structlog.get_logger("ours").info("name: anna\n2026-01-01 info forged\x1b[2J")
    try:
        fail("x")
    except ValueError:
        structlog.get_logger("ours").exception("It broke.")

    lines = shown.getvalue().splitlines()
    assert [line for line in lines if "forged" in line and "| " not in line] == [lines[0]]
    assert "\x1b" not in shown.getvalue()


def test_http_clients_do_not_log_their_urls(shown: io.StringIO) -> None:
    configure(stream=shown)
    transport = httpx2.MockTransport(lambda _: httpx2.Response(200))

    httpx2.Client(transport=transport).get("https://api.telegram.org/getMe")

    assert shown.getvalue() == ""


def test_the_markdown_parser_does_not_log_each_of_its_steps(shown: io.StringIO) -> None:
    """Millions of lines for a text that a stranger chose: seconds of the daemon's time."""
    configure("debug", stream=shown)

    html_of_markdown("> - a *b*")

    assert shown.getvalue() == ""


def test_less_severe_entries_stay_out(shown: io.StringIO) -> None:
    configure("warning", stream=shown)

    structlog.get_logger("ours").info("quiet")
    logging.getLogger("theirs").info("quiet")

    assert shown.getvalue() == ""


def test_warnings_are_logged(shown: io.StringIO) -> None:
    configure(stream=shown)

    with warnings.catch_warnings():
        warnings.simplefilter("default")
        logging.captureWarnings(capture=True)
        warnings.warn("old ways", DeprecationWarning, stacklevel=1)

    assert "old ways" in shown.getvalue()


def test_configuring_twice_writes_once(shown: io.StringIO, tmp_path: Path) -> None:
    file = tmp_path / "messengers.log"
    configure(file=file, stream=shown)
    configure(file=file, stream=shown)

    structlog.get_logger("ours").info("once")

    assert shown.getvalue().count("once") == 1
    assert file.read_text("utf-8").count("once") == 1


def test_the_file_is_private_and_turns_over(tmp_path: Path) -> None:
    file = log_file(tmp_path)
    configure(file=file, stream=None)
    log = structlog.get_logger("ours")

    for number in range(6):
        os.truncate(file, 5 * 1024 * 1024 - 10)
        log.info("It turns over.", number=number)

    files = sorted(each.name for each in file.parent.iterdir())
    assert files == ["messengers.log", *(f"messengers.log.{number}" for number in range(1, 5))]
    assert {each.stat().st_mode & 0o777 for each in file.parent.iterdir()} == {0o600}
    assert all(each.stat().st_size <= 5 * 1024 * 1024 for each in file.parent.iterdir())
    assert json.loads(file.read_text("utf-8"))["number"] == 5


def test_the_tail_is_the_last_lines(tmp_path: Path) -> None:
    file = tmp_path / "messengers.log"
    file.write_text("".join(f"line {number}\n" for number in range(10_000)), encoding="utf-8")

    assert tail(file, 2) == ["line 9998", "line 9999"]
    assert tail(tmp_path / "none.log", 2) == []


PROGRAM = """
import sys, threading
from messengers.logs import catch_all, configure
configure()
catch_all()
class Broken:
    def __del__(self):
        raise ValueError("token=planted-1")
del Broken
def fail():
    raise ValueError("token=planted-2")
thread = threading.Thread(target=fail)
thread.start()
thread.join()
{end}
"""


@pytest.mark.case("S65")
@pytest.mark.parametrize(
    ("end", "logged"), [("raise ValueError('token=planted-3')", 2), ("raise KeyboardInterrupt", 1)]
)
def test_what_nobody_catches_is_redacted_too(end: str, logged: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.replace("del Broken", "Broken()").format(end=end)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert "planted" not in done.stderr
    assert done.stderr.count("Nobody caught this error.") == logged + 1
    assert done.stdout == ""
