"""Commands about the daemon's process: status, stop, logs, backup; and how it is asked."""

import json
import os
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import UnixStreamServer
from tempfile import TemporaryDirectory

import pytest
from pydantic import TypeAdapter

from messengers.cli.control import ask, segment
from messengers.errors import MessengersError, NotReady
from messengers.home import DAEMON_FILE
from messengers.lock import locked
from messengers.logs import log_file
from tests.cli.conftest import Run
from tests.cli.terminals import sitting
from tests.living import House

pytestmark = pytest.mark.timeout(90)

ANY = TypeAdapter(dict[str, object])


def test_status_of_nothing_says_so_and_is_a_failure(run: Run, user: Path) -> None:
    assert "No daemon runs" in run("status", code=1).stdout
    assert json.loads(run("status", "--json", code=1).stdout)["running"] is False
    assert list(user.iterdir()) == []


def test_status_tells_address_data_and_instances(at: Run, office: House) -> None:
    shown = at("status").stdout

    assert office.url in shown
    assert str(office.home) in shown
    assert "shop" in shown
    assert json.loads(at("status", "--json").stdout)["well"] is True


def test_an_empty_house_is_told_its_first_step_and_stops(empty_house: House) -> None:
    assert "makes a chat page" in empty_house.run("messengers instances list")
    assert "instances add webchat NAME" in empty_house.run("messengers status")
    assert "ended" in empty_house.run("messengers stop")
    assert "No daemon runs" in empty_house.run("messengers stop")


def test_stopping_takes_until_the_process_has_ended(empty_house: House) -> None:
    """Which is so once it has, also when nobody looks at the dead, as here."""
    waiting = [sys.executable, "-c", "import sys; sys.stdin.read()"]
    with ExitStack() as stack:
        lock = stack.enter_context(ExitStack())
        lock.enter_context(locked(empty_house.home))
        process = stack.enter_context(subprocess.Popen(waiting, stdin=subprocess.PIPE))
        assert process.stdin is not None
        told = b'{"stopping": true, "pid": %d}' % process.pid
        asked = stack.enter_context(speaking(empty_house.home, 200, told))
        command = ["messengers", "stop"]
        stop = stack.enter_context(subprocess.Popen(command, env=empty_house.env))
        assert asked.wait(30)
        lock.close()
        with pytest.raises(subprocess.TimeoutExpired):
            stop.wait(0.5)
        process.stdin.close()

        assert stop.wait(30) == 0
        assert process.returncode is None


def test_a_backup_is_a_database_without_the_key(at: Run, office: House) -> None:
    shown = at("backup").stdout

    (file,) = (office.home / "backups").glob("messengers-*.db")
    assert str(file) in shown
    assert "secret.key" in shown
    with sqlite3.connect(file) as copy:
        assert copy.execute("select count(*) from instance").fetchone()[0] >= 2
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    named = at("backup", str(file.with_name("mine.db"))).stdout
    assert "mine.db" in named


def test_a_backup_with_sessions_warns(at: Run, office: House) -> None:
    shown = at("backup", str(office.home / "full.db"), "--with-sessions").stdout

    assert "whoever has it has those accounts" in shown
    archive = office.home / "full-sessions.tar"
    assert stat.S_IMODE(archive.stat().st_mode) == 0o600


def test_a_backup_into_nowhere_is_a_failure(at: Run) -> None:
    told = at("backup", "/no/such/directory/x.db", code=1)

    assert "could not be written" in told.stderr


def test_logs_are_read_without_a_daemon(run: Run, user: Path) -> None:
    file = log_file(user / ".local" / "share" / "messengers")
    file.parent.mkdir(parents=True)
    entry = {
        "timestamp": "2026-11-20T14:05:00.123Z",
        "level": "warning",
        "logger": "messengers.daemon",
        "event": "What happened.",
        "port": 3000,
    }
    file.write_text(f'{json.dumps(entry)}\nno json\n"odd"\n', "utf-8")

    assert run("logs").stdout == (
        '2026-11-20T14:05:00 warning  daemon: What happened.  port=3000\nno json\n"odd"\n'
    )
    assert run("logs", "--raw", "-n", "3").stdout.startswith("{")


def test_without_a_log_the_daemons_first_words_are_shown(run: Run, user: Path) -> None:
    assert "messengers serve" in run("logs", code=1).stderr
    start = user / ".local" / "share" / "messengers" / "log" / "start.log"
    start.parent.mkdir(parents=True)
    start.write_text("it could not\n", "utf-8")

    assert run("logs").stdout == "it could not\n"


def test_following_shows_what_comes_also_after_a_rotation(empty_house: House) -> None:
    file = log_file(empty_house.home)
    file.parent.mkdir(parents=True)
    command = ["messengers", "logs", "-f"]
    with sitting(command, empty_house.env, empty_house.user) as terminal:
        file.write_text("first\n", "utf-8")
        terminal.until("first")
        file.rename(file.with_suffix(".1"))
        file.write_text("second ", "utf-8")
        with file.open("a", encoding="utf-8") as stream:
            stream.write("half\n")
        terminal.until("second half")
        os.killpg(terminal.process.pid, signal.SIGINT)
        assert terminal.end() != 0
        assert "Traceback" not in terminal.shown


def test_a_held_house_that_does_not_answer_is_told(user: Path) -> None:
    with locked(user / "home"), pytest.raises(NotReady) as caught:
        ask("GET", "/status", ANY, home=user / "home", start=False)

    assert "does not answer" in caught.value.cause


def test_a_daemon_that_cannot_start_is_told_with_its_last_words(run: Run, user: Path) -> None:
    home = user / "home"
    home.mkdir()
    (home / "settings.toml").write_text("port = 'none'", "utf-8")

    shown = run("keys", "list", "--home", str(home), code=1)

    assert "did not start" in shown.stderr
    assert "messengers doctor" in shown.stderr


@contextmanager
def speaking(home: Path, status: int, body: bytes) -> Generator[threading.Event]:
    """Something on the control socket that always gives this answer; no status hangs up. It tells
    when it was asked."""
    asked = threading.Event()

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.set()
            if not status:
                return
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET

        def address_string(self) -> str:
            return "unix"

        def log_message(self, format: str, *args: object) -> None:
            del format, args

    home.mkdir(exist_ok=True)
    with TemporaryDirectory(dir="/tmp") as short, UnixStreamServer(f"{short}/s", Answer) as server:
        record = json.dumps({"control": server.server_address})
        (home / DAEMON_FILE).write_text(record, "utf-8")
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield asked
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(
    ("status", "body", "told"),
    [
        (404, b"Not Found", "another version"),
        (400, b'{"error": 1}', "another version"),
        (200, b"[]", "another version"),
        (0, b"", "ended before it answered"),
        (409, b'{"error": {"code": "conflict", "cause": "Taken.", "remedy": "Wait."}}', "Taken."),
        (500, b"{}", ""),
    ],
)
def test_what_a_daemon_says_becomes_one_sentence(
    tmp_path_factory: pytest.TempPathFactory, status: int, body: bytes, told: str
) -> None:
    home = tmp_path_factory.mktemp("h") / "home"
    with speaking(home, status, body), pytest.raises(MessengersError) as caught:
        ask("GET", "/status", ANY, home=home, start=False)

    assert told in caught.value.cause
    assert caught.value.code == ("conflict" if status == 409 else caught.value.code)


def test_a_name_is_one_segment_of_a_path() -> None:
    assert segment("../../stop?x=1") == "%2E%2E%2F%2E%2E%2Fstop%3Fx%3D1"
