"""A house of its own for what is tested from outside: the installed command line in a fresh home,
with a daemon, and a visitor of its chat page."""

import json
import os
import pty
import shlex
import subprocess
import sys
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
from websockets.sync.client import ClientConnection, connect

from messengers.home import child_environment

BIN = Path(sys.executable).parent
_DEADLINE_S = 60


@dataclass
class Visitor:
    """A browser without a screen."""

    socket: ClientConnection
    said: int = 0

    def until(self, **wanted: object) -> dict[str, Any]:
        """The next frame with these values."""
        while True:
            frame: dict[str, Any] = json.loads(self.socket.recv(_DEADLINE_S))
            if wanted.items() <= frame.items():
                return frame

    def say(self, text: str) -> None:
        """Write; it is durable when this returns."""
        self.said += 1
        key = f"client-{self.said:04}"
        self.socket.send(json.dumps({"type": "say", "client_id": key, "text": text}))
        self.until(client_id=key)

    def answer(self) -> str:
        """The next message of the other side, as the page's HTML."""
        return str(self.until(type="message", mine=False)["html"])


@dataclass
class House:
    """A user directory with nothing in it, and everything the command line does there."""

    user: Path

    @property
    def home(self) -> Path:
        """Where it lies when nothing says otherwise."""
        mac = sys.platform == "darwin"
        shared = "Library/Application Support" if mac else ".local/share"
        return self.user / shared / "messengers"

    @property
    def env(self) -> dict[str, str]:
        return {
            **_inherited(),
            "HOME": str(self.user),
            "MESSENGERS_PORT": "0",
            "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",  # noqa: TID251 - what a person's shell has
            "COLUMNS": "120",
        }

    def run(self, command: str | Sequence[str], *, code: int = 0) -> str:
        """Standard output of a command that ends with `code`."""
        line = shlex.split(command) if isinstance(command, str) else command
        done = subprocess.run(
            line,
            cwd=self.user,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=_DEADLINE_S,
            check=False,
        )
        assert done.returncode == code, f"{line}: {done.stdout}\n{done.stderr}"
        return done.stdout

    def run_at_terminal(self, command: str, *answers: str) -> str:
        """What a command shows to a person at a terminal who types `answers`."""
        ours, theirs = pty.openpty()
        process = subprocess.Popen(
            shlex.split(command),
            cwd=self.user,
            env=self.env,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
        )
        os.close(theirs)
        os.write(ours, "".join(f"{answer}\n" for answer in answers).encode())
        shown = b"".join(_chunks(ours))
        os.close(ours)
        assert process.wait(_DEADLINE_S) == 0, shown.decode()
        return shown.decode()

    @property
    def url(self) -> str:
        return str(json.loads((self.home / "daemon.json").read_text("utf-8"))["url"])

    @contextmanager
    def visitor(self, instance: str = "shop") -> Generator[Visitor]:
        """Somebody opens the chat page."""
        page = f"{self.url}/chat/{instance}"
        cookie = httpx2.get(page).cookies["visitor"]
        address = page.replace("http://", "ws://") + "/ws"
        headers = {"Cookie": f"visitor={cookie}"}
        with connect(address, additional_headers=headers, proxy=None) as socket:
            visitor = Visitor(socket)
            visitor.until(type="hello")
            yield visitor


def _inherited() -> dict[str, str]:
    """What a child needs of our environment, without where our own user keeps things."""
    kept = child_environment().items()
    return {name: value for name, value in kept if not name.startswith(("XDG_", "MESSENGERS_"))}


def _chunks(descriptor: int) -> Iterator[bytes]:
    while True:
        try:
            data = os.read(descriptor, 65_536)
        except OSError:  # the other side of a terminal is closed
            return
        if not data:
            return
        yield data


@contextmanager
def living(user: Path) -> Generator[House]:
    """A house in an empty directory; whatever daemon is started in it ends with this."""
    house = House(user)
    yield house
    house.run("messengers stop")


@pytest.fixture
def empty_house(tmp_path: Path) -> Iterator[House]:
    """Nothing runs yet."""
    with living(tmp_path) as house:
        yield house


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A daemon with the chat page `shop`, shared by a module: starting one takes seconds."""
    with living(tmp_path_factory.mktemp("house")) as house:
        house.run("messengers instances add webchat shop")
        yield house
