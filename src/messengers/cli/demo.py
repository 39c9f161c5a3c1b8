"""`messengers demo`: the whole product at work in a home that is gone afterwards."""

import json
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Annotated, NoReturn

import typer
from anyio.from_thread import start_blocking_portal
from pydantic import TypeAdapter
from rich.console import Console
from rich.rule import Rule

from messengers.cli.control import ask
from messengers.cli.install.changes import document, entry_for
from messengers.cli.install.command import own_launch
from messengers.cli.install.entries import Launch
from messengers.cli.status import STATUS
from messengers.cli.terminal import is_interactive, say
from messengers.core.acts import InstanceAnswer
from messengers.errors import MessengersError, NotReady
from messengers.home import START_LOG_FILE, child_environment

__all__ = ["demo"]

_START_S = 30.0
_END_S = 10.0
_NAME = "demo"
_ANSWER = TypeAdapter(InstanceAnswer)


def demo(
    once: Annotated[
        bool, typer.Option("--once", help="End after the conversation, also on a terminal.")
    ] = False,
) -> None:
    """See it work: a daemon, a chat page, a visitor, and an AI client that answers him.

    Everything lives in a temporary directory and is removed in the end.
    """
    stays = is_interactive() and not once
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 100)
    with _ending_in_order(), _temporary_home() as home, _daemon(home):
        page = _open_page(home)
        console.print(Rule("Messengers: an AI client talks through a real chat"))
        say(f"A daemon runs with one instance, the chat page {page}", "")
        _converse(console, _launch(home), page)
        console.print(Rule("Now you"))
        _next_steps(home, page)
        if stays:
            say("", "It stays up until you press Ctrl+C.")
            signal.pause()
        else:
            say("", "On a terminal `messengers demo` stays up for that; this one ends here.")


def _converse(console: Console, launch: Launch, page: str) -> None:
    # Here, because the SDK takes longer to load than the rest of the command line together.
    from messengers.cli.conversation import converse

    # In a thread of its own: what a signal raises comes up here, where nothing is half done, not
    # wherever the conversation is: there it could leave a lock closed behind it.
    try:
        with start_blocking_portal() as portal:
            portal.start_task_soon(converse, console, launch, page).result()
    except BaseExceptionGroup as group:
        raise _first(group) from group


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """What ended the conversation: a signal, an error of ours, or something unforeseen."""
    for kind in (SystemExit, MessengersError):
        found = group.subgroup(kind)
        while isinstance(found, BaseExceptionGroup):
            found = found.exceptions[0]
        if found is not None:
            return found
    return NotReady("The demo's conversation broke off.", "`messengers doctor` may tell why.")


def _open_page(home: Path) -> str:
    body = {"provider": "webchat", "name": _NAME, "credentials": {"title": "Messengers demo"}}
    return ask("POST", "/instances", _ANSWER, body, home=home, start=False).link


def _launch(home: Path) -> Launch:
    """As an option instead of the environment: the line must work when it is pasted elsewhere."""
    launch = own_launch(home)
    return replace(launch, args=(*launch.args, "--home", str(home)), env={})


def _next_steps(home: Path, page: str) -> None:
    entry = entry_for("claude-code", "stdio", _launch(home), "")
    config = json.dumps(json.loads(document("claude-code", "stdio", "messengers", entry)))
    launch = own_launch(None)
    ours = "messengers" if shutil.which("messengers") else shlex.join(_without_stdio(launch))
    say(
        f"Write something yourself:   {page}",
        "Let Claude Code answer it, for this one session:",
        f"  claude --mcp-config {shlex.quote(config)}",
        "Set it up for good:",
        f"  {ours} install claude-code",
        f"  {ours} instances add webchat NAME",
    )


def _without_stdio(launch: Launch) -> list[str]:
    return [launch.command, *launch.args[:-1]]


@contextmanager
def _temporary_home() -> Generator[Path]:
    home = Path(tempfile.mkdtemp(prefix="messengers-demo-"))
    try:
        yield home
    finally:
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def _daemon(home: Path) -> Generator[None]:
    """A daemon of this home alone, on a free port, untouched by the owner's settings."""
    environment = {
        name: value
        for name, value in child_environment().items()
        if not name.startswith("MESSENGERS_")
    }
    log = home / START_LOG_FILE
    log.parent.mkdir(mode=0o700)
    with log.open("wb") as output:
        daemon = subprocess.Popen(  # noqa: S603  # our own interpreter and module
            [sys.executable, "-m", "messengers", "serve", "--home", str(home), "--port", "0"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=home,
            env=environment,
            # Ctrl+C is the demo's: it ends the daemon in order.
            start_new_session=True,
        )
    try:
        _await_ready(home, daemon)
        yield
    finally:
        daemon.terminate()
        try:
            daemon.wait(_END_S)
        except subprocess.TimeoutExpired:
            daemon.kill()
            daemon.wait()


def _await_ready(home: Path, daemon: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + _START_S
    while time.monotonic() < until and daemon.poll() is None:
        try:
            ask("GET", "/status", STATUS, home=home, start=False)
        except NotReady:
            time.sleep(0.05)
        else:
            return
    said = (home / START_LOG_FILE).read_text("utf-8", "replace").strip().splitlines()
    raise NotReady("The demo's daemon did not start.", " ".join(said[-3:]))


@contextmanager
def _ending_in_order() -> Generator[None]:
    """Whatever ends the demo, its processes and files end with it."""

    def leave(number: int, _: FrameType | None) -> NoReturn:
        raise SystemExit(0 if number == signal.SIGINT else 128 + number)

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, leave) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
