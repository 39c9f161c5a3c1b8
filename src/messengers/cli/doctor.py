"""`messengers doctor`: every reason why it may not work, each with its remedy."""

import os
import shutil
import socket
import sqlite3
import stat
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import typer
from pydantic import TypeAdapter

from messengers.cli.control import ask, place_of
from messengers.cli.install import changes, files, places
from messengers.cli.install.clients import CLIENTS
from messengers.cli.remedies import at_terminal
from messengers.cli.status import STATUS
from messengers.cli.terminal import AsJson, Home, data, rows, say
from messengers.core.views import Examined
from messengers.errors import MessengersError
from messengers.extras import install_command, is_installed
from messengers.home import LOCAL_KEY_FILE
from messengers.lock import is_held, recorded
from messengers.models import Lifecycle, Model
from messengers.providers.catalog import Catalog
from messengers.providers.requirements import Requirement, this_system
from messengers.settings import Settings, unknown_variables
from messengers.store.backup import newest
from messengers.store.instances import providers_in
from messengers.store.integrity import fault_of
from messengers.store.sqlite import DATABASE

__all__ = ["Check", "doctor"]

State = Literal["ok", "warn", "fail"]
_SQLITE_MIN = (3, 35, 0)
"""The first with RETURNING."""
_FREE_MIN_BYTES = 200 * 1024 * 1024
_MASTER_KEY_FILE = "secret.key"
_WELL = frozenset({Lifecycle.CONNECTED})
_PASSING = frozenset(
    {
        Lifecycle.CREATED,
        Lifecycle.STARTING,
        Lifecycle.CONNECTING,
        Lifecycle.AWAITING_LOGIN,
        Lifecycle.BACKOFF,
        Lifecycle.DEGRADED,
        Lifecycle.STOPPED,
    }
)


_FINDINGS = TypeAdapter(list[Examined])


class Check(Model):
    """One thing that was looked at."""

    what: str
    state: State
    found: str
    remedy: str = ""


def doctor(home: Home = None, as_json: AsJson = False) -> None:
    """Look for what is wrong, and say what helps. Exit code 1: something is."""
    place = place_of(home)
    checks = [check for look in _LOOKS for check in look(place)]
    if as_json:
        data(checks)
    else:
        rows(("", "what", "found"), [(check.state, check.what, check.found) for check in checks])
        remedies = [check for check in checks if check.remedy]
        say(*(f"  → {check.what}: {check.remedy}" for check in remedies))
    if any(check.state == "fail" for check in checks):
        raise typer.Exit(1)


def _versions(_: Path) -> Iterator[Check]:
    python = ".".join(map(str, sys.version_info[:3]))
    yield _verdict(
        "Python", sys.version_info >= (3, 11), python, "Install Messengers with 3.11 or newer."
    )
    yield _verdict(
        "SQLite",
        sqlite3.sqlite_version_info >= _SQLITE_MIN,
        sqlite3.sqlite_version,
        "Use a Python with a newer SQLite, e.g. one that uv installs.",
    )


def _settings(place: Path) -> Iterator[Check]:
    try:
        Settings.load(home=place)
    except MessengersError as exc:
        yield Check(what="settings", state="fail", found=exc.cause, remedy=exc.remedy)
    else:
        yield Check(what="settings", state="ok", found="they fit")
    for sentence in unknown_variables():
        yield Check(what="settings", state="warn", found=sentence, remedy="Correct its name.")


def _directory(place: Path) -> Iterator[Check]:
    if not place.exists():
        yield Check(what="data directory", state="ok", found=f"{place} is made at the first start")
        return
    found = place.stat()
    if not place.is_dir() or found.st_uid != os.getuid() or not os.access(place, os.W_OK):
        yield Check(
            what="data directory",
            state="fail",
            found=f"{place} cannot be written by this user",
            remedy="Give it to this user (chown), or choose another with MESSENGERS_HOME.",
        )
        return
    yield _mode("data directory", place, 0o700)
    for name in (_MASTER_KEY_FILE, LOCAL_KEY_FILE):
        if (place / name).exists():
            yield _mode(name, place / name, 0o600)
    if (place / DATABASE).exists() and not _has_key(place):
        yield Check(
            what=_MASTER_KEY_FILE,
            state="fail",
            found="it is missing, and the database holds what only it opens",
            remedy="Put it back from where you keep it; without it instances must be set up anew.",
        )
    free = shutil.disk_usage(place).free
    yield _verdict(
        "disk", free >= _FREE_MIN_BYTES, f"{free / 1e9:.1f} GB free", "Make room.", bad="warn"
    )


def _database(place: Path) -> Iterator[Check]:
    database = place / DATABASE
    if not database.exists():
        return
    fault, last = fault_of(database), newest(place) or "FILE"
    yield _verdict(
        "database",
        not fault,
        f"it is damaged: {fault}" if fault else "it is whole",
        f"`messengers stop`, then `messengers restore {last}`. Nothing was deleted.",
    )


def _has_key(place: Path) -> bool:
    return (place / _MASTER_KEY_FILE).exists() or Settings.load(home=place).keyring


def _daemon(place: Path) -> Iterator[Check]:
    if not is_held(place):
        found = "none runs; an MCP client or `messengers serve` starts it"
        yield Check(what="daemon", state="ok", found=found)
        return
    record = recorded(place)
    try:
        status = ask("GET", "/status", STATUS, home=place, start=False)
    except MessengersError as exc:
        pid = record.get("pid", "?")
        yield Check(
            what="daemon",
            state="fail",
            found=exc.cause,
            remedy=f"`messengers logs` tells more; if it stays so, end process {pid}.",
        )
        return
    found = f"{status.version}, process {status.pid}, {status.url}"
    yield _verdict("daemon", status.well, found, "`messengers logs` tells why it is not well.")
    if record.get("stdio_port"):
        yield Check(what="stdio port", state="ok", found=str(record["stdio_port"]))
    else:
        yield _stdio_socket(str(record.get("socket", "")))
    for view in status.instances:
        state = view.health.lifecycle
        well: State = "ok" if state in _WELL else "warn" if state in _PASSING else "fail"
        yield Check(
            what=f"instance {view.instance.name}",
            state=well,
            found=" ".join(
                part for part in (state.replace("_", " "), at_terminal(view.health.reason)) if part
            ),
            remedy="" if well == "ok" else at_terminal(view.next_step),
        )
    yield from _findings(place)


def _findings(place: Path) -> Iterator[Check]:
    """What the messengers themselves say of the instances."""
    try:
        found = ask("GET", "/findings", _FINDINGS, home=place, start=False)
    except MessengersError as exc:
        yield Check(what="messengers", state="warn", found=exc.cause, remedy=exc.remedy)
        return
    for each in found:
        yield Check(
            what=f"{each.instance}: {each.what}",
            state=each.state,
            found=each.found,
            remedy=each.remedy,
        )


def _providers(place: Path) -> Iterator[Check]:
    """What the providers in use need: their extra, and what the system must have."""
    try:
        used = providers_in(place / DATABASE)
    except MessengersError:
        return  # the daemon's own check says what is wrong with the database
    for info in Catalog().all():
        has_extra = bool(info.extra) and is_installed(info.extra)
        if info.name in used and info.extra and not has_extra:
            yield Check(
                what=info.name,
                state="fail",
                found=f"there are instances of it, and messengers-mcp[{info.extra}] is missing",
                remedy=f"`{install_command(info.extra)}`, then `messengers stop`.",
            )
        if info.name in used or has_extra:
            yield from (_program(info.name, program) for program in info.programs)


def _program(provider: str, program: Requirement) -> Check:
    there = program.is_there()
    return _verdict(
        f"{program.name} for {provider}",
        there,
        "it is there" if there else f"it is missing: {program.what_for}",
        program.remedy(this_system()),
        bad="warn",
    )


def _stdio_socket(path: str) -> Check:
    with socket.socket(socket.AF_UNIX) as stream:
        stream.settimeout(2)
        try:
            stream.connect(path)
        except OSError as exc:
            found = f"{path}: {exc.strerror or exc}"
            remedy = "`messengers stop`, then any client starts it anew."
            return Check(what="stdio socket", state="fail", found=found, remedy=remedy)
    return Check(what="stdio socket", state="ok", found=path)


def _clients(_: Path) -> Iterator[Check]:
    for key in places.installed():
        client = CLIENTS[key]
        file = places.config_file(client)
        try:
            entry = changes.entry_in(client, files.read(file), "messengers")
        except MessengersError as exc:
            yield Check(what=client.title, state="fail", found=exc.cause, remedy=exc.remedy)
            continue
        remedy = f"`messengers install {key}`"
        if entry is None:
            yield Check(what=client.title, state="ok", found=f"not set up; {remedy} does it")
            continue
        command = str(entry.get("command") or "")
        works = not command or shutil.which(command) is not None
        yield _verdict(
            client.title,
            works,
            f"set up in {file}" if works else f"{file} starts {command}, which is not there",
            f"{remedy} corrects it.",
        )


def _mode(what: str, path: Path, wanted: int) -> Check:
    mode = stat.S_IMODE(path.stat().st_mode)
    return _verdict(
        what,
        not mode & ~wanted,
        f"{path} ({mode:04o})",
        f"Others can read it: chmod {wanted:o} {path}",
    )


def _verdict(what: str, well: bool, found: str, remedy: str, *, bad: State = "fail") -> Check:
    return Check(what=what, state="ok" if well else bad, found=found, remedy="" if well else remedy)


_LOOKS: tuple[Callable[[Path], Iterator[Check]], ...] = (
    _versions,
    _settings,
    _directory,
    _database,
    _daemon,
    _providers,
    _clients,
)
