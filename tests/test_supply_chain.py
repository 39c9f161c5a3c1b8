"""What is installed with us: pinned, looked up, nothing runs by itself."""

import json
import re
import sys
import tomllib
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import anyio
import pytest

from tests.programs import ROOT

PROGRAM = ROOT / "tests" / "spec" / "vulnerabilities.py"
NAME = re.compile(r"[A-Za-z0-9._-]+")
PIN = re.compile(r"[a-z0-9-]+==[0-9][0-9A-Za-z.+!-]*")
LOUD = """
import importlib, pkgutil, socket, sys
def refuse(*_, **__):
    raise SystemExit("the network was asked at import")
socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = refuse
import messengers
# Migrations are run, not imported. A provider's own modules come with its first instance, which
# speaks to its messenger anyway.
skipped = ("messengers.store.migrations.", "messengers.__main__", "messengers.providers.")
for module in pkgutil.walk_packages(messengers.__path__, "messengers."):
    if not module.name.startswith(skipped):
        importlib.import_module(module.name)
print(len(sys.modules))
"""


def asked_for() -> set[str]:
    """Every package that we name, as the index spells it."""
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    data = tomllib.loads(text)
    named = [
        *data["project"]["dependencies"],
        *data["project"]["optional-dependencies"]["whatsapp"],
        *data["dependency-groups"]["dev"],
        *data["build-system"]["requires"],
    ]
    found = [name[0] for each in named if (name := NAME.match(each))]
    return {re.sub(r"[-_.]+", "-", name).lower() for name in found}


@pytest.mark.case("S76")
def test_every_version_is_pinned_exactly() -> None:
    text = (ROOT / "constraints.txt").read_text("utf-8")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]

    assert [line for line in lines if not PIN.fullmatch(line)] == []
    assert asked_for() - {line.partition("==")[0] for line in lines} == set()


@pytest.mark.case("S76")
def test_installing_us_runs_nothing_of_ours() -> None:
    build = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))

    assert build["build-system"] == {
        "requires": build["build-system"]["requires"],
        "build-backend": "hatchling.build",
    }
    assert "hooks" not in json.dumps(build["tool"]["hatch"])
    assert not (ROOT / "setup.py").exists()
    assert not list((ROOT / "src").rglob("*.pth"))


@pytest.mark.case("S76")
async def test_importing_us_asks_no_network() -> None:
    done = await anyio.run_process([sys.executable, "-c", LOUD], check=False)

    assert done.returncode == 0, (done.stdout + done.stderr).decode()[-2_000:]


class Source(BaseHTTPRequestHandler):
    """An OSV that knows one vulnerability, of `leaky`."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        name = asked["package"]["name"]
        events = [{"introduced": "0"}, {"fixed": "2.0"}]
        affected = {
            "package": {"name": name, "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": events}],
        }
        found = {"vulns": [{"id": "TEST-1", "summary": "It leaks.", "affected": [affected]}]}
        body = json.dumps(found if name == "leaky" else {}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: a test's output is for its failures."""


@contextmanager
def source() -> Generator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Source) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/v1/query"
        server.shutdown()


async def looked_up(pinned: Path, url: str) -> tuple[int, str]:
    options = ["--vulnerability-service", "osv", "--osv-url", url]
    cache = ["--cache-dir", str(pinned.parent / "cache")]
    command = [sys.executable, str(PROGRAM), str(pinned), *options, *cache]
    done = await anyio.run_process(command, check=False)
    return done.returncode, done.stdout.decode()


@pytest.mark.case("S76")
async def test_a_known_vulnerability_fails_and_a_silent_source_is_skipped(tmp_path: Path) -> None:
    leaky, plain = tmp_path / "leaky.txt", tmp_path / "plain.txt"
    leaky.write_text("leaky==1.0\nplain==1.0\n")
    plain.write_text("plain==1.0\n")
    with source() as url:
        found, nothing = await looked_up(leaky, url), await looked_up(plain, url)
    silent = await looked_up(plain, "http://127.0.0.1:9/v1/query")

    assert found == (
        1,
        "pip-audit: known vulnerabilities\nleaky 1.0: TEST-1, mended in 2.0\n",
    )
    assert nothing == (0, "pip-audit: 1 of 1 versions looked at, nothing known\n")
    assert silent == (0, "pip-audit: skipped, its source did not answer\n")
