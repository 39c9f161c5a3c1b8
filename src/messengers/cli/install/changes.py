"""One change of one client's config: planned from what is there, shown, then made."""

import difflib
import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Protocol, cast

from messengers.cli.install import commands, files, jsonc, places, toml, yaml
from messengers.cli.install.clients import Client, client_of, reference
from messengers.cli.install.entries import KEY_VARIABLE, Entry, Launch, Remote, Transport, merge
from messengers.errors import Conflict, InvalidInput, Unsupported
from messengers.home import VARIABLE
from messengers.redaction import redact_value

__all__ = [
    "Change",
    "apply",
    "diff",
    "document",
    "entry_for",
    "entry_in",
    "plan_install",
    "plan_uninstall",
]

_COMMAND_TIMEOUT_S = 60


class Editor(Protocol):
    """A file format that is edited without touching what is not ours."""

    def whole(self, text: str, /) -> Mapping[str, object]: ...
    def read(self, text: str, path: tuple[str, ...], /) -> Entry | None: ...
    def put(self, text: str, path: tuple[str, ...], entry: Entry, /) -> str: ...
    def remove(self, text: str, path: tuple[str, ...], /) -> str: ...


_FORMATS: Mapping[str, ModuleType] = {"json": jsonc, "toml": toml, "yaml": yaml}


@dataclass(frozen=True, slots=True)
class Change:
    """What would happen to one client. `old` and `new` are our entry; None means there is none."""

    key: str
    client: Client
    file: Path
    path: tuple[str, ...]
    before: str
    after: str
    old: Entry | None
    new: Entry | None
    commands: tuple[tuple[str, ...], ...] = ()
    """The client's own command lines, which then make the change instead of us."""

    @property
    def is_needed(self) -> bool:
        return self.old != self.new


def entry_for(key: str, transport: Transport, launch: Launch, url: str) -> Entry:
    """Our entry in this client's words. Raises InvalidInput for a pair that cannot work."""
    client = client_of(key)
    if transport == "stdio":
        return client.stdio(launch)
    named = reference(client, transport)
    if client.remote is None:
        raise InvalidInput(f"{client.title} takes no remote server.", "Use --transport stdio.")
    return client.remote(Remote(transport, url, named))


def document(key: str, transport: Transport, name: str, entry: Entry) -> str:
    """A whole config that holds our entry, for a person to paste."""
    client = client_of(key)
    text: str = _FORMATS[client.family].show((*client.path, name), entry)
    if transport != "stdio" and client.extra:
        both = {**client.extra, **cast("dict[str, object]", json.loads(text))}
        return json.dumps(both, indent=2) + "\n"
    return text


def plan_install(
    key: str, transport: Transport, name: str, wanted: Entry, *, edit_file: bool = False
) -> Change:
    """What installing would change.

    Raises:
        InvalidInput: the config is malformed.
        Conflict: it holds another server of that name.
        Unsupported: we show this config and do not edit it.
    """
    client = client_of(key)
    if client.family == "yaml" or (transport != "stdio" and client.extra):
        raise Unsupported(
            f"The config of {client.title} is not edited by Messengers.",
            f"Paste what `messengers install --print {key} --transport {transport}` shows.",
        )
    file, path, before, old = _read(client, name)
    if old is not None and not is_ours(old):
        raise Conflict(
            f"{file} already has another server named {name}.",
            "Nothing was changed. Remove it there, or install under another --name.",
        )
    new = merge(old, wanted, VARIABLE)
    after = before if new == old else _checked(client, before, path, new)
    own = () if edit_file else commands.adding(key, name, new, old)
    return Change(key, client, file, path, before, after, old, new, own)


def plan_uninstall(key: str, name: str, *, edit_file: bool = False) -> Change:
    """What uninstalling would change: our own entry only."""
    client = client_of(key)
    if client.family == "yaml":
        raise Unsupported(
            f"The config of {client.title} is not edited by Messengers.", "Remove it there."
        )
    file, path, before, old = _read(client, name)
    if old is None or not is_ours(old):
        return Change(key, client, file, path, before, before, None, None)
    after = _checked(client, before, path, None)
    own = () if edit_file else commands.removing(key, name)
    return Change(key, client, file, path, before, after, old, None, own)


def entry_in(client: Client, text: str, name: str) -> Entry | None:
    """Our entry in a config's text; None also where we do not read the format.

    Raises InvalidInput when the config is malformed.
    """
    if client.family == "yaml":
        return None
    found = _editor(client).read(text, (*client.path, name))
    return found if found is not None and is_ours(found) else None


def is_ours(entry: Entry) -> bool:
    """Whether an entry starts Messengers or calls a daemon of it, however it was spelt."""
    words = [*_words(entry.get("command", entry.get("cmd"))), *_words(entry.get("args"))]
    if "stdio" in words:
        before = words[: words.index("stdio")]
        named = bool(before) and Path(before[-1]).stem == "messengers"
        return named or before[-2:] == ["-m", "messengers"]
    return _names_our_key(json.dumps(entry, default=str))


def diff(change: Change) -> str:
    """Our entry before and after, secrets masked.

    The rest of the file stays out of it: it does not change, and may hold others' secrets.
    """
    lines = difflib.unified_diff(
        _lines(change.old),
        _lines(change.new),
        fromfile=str(change.file),
        tofile=str(change.file),
        n=99,
        lineterm="",
    )
    heading = f"@@ {'.'.join(change.path)} @@"
    return "\n".join(heading if line.startswith("@@") else line for line in lines)


def apply(change: Change) -> Path | None:
    """Make the change; the backup's path. The client's own command makes it where there is one."""
    copy = files.backup(change.file)
    if not change.commands:
        files.replace(change.file, change.before, change.after)
        return copy
    for line in change.commands:
        _run(line, copy)
    editor = _editor(change.client)
    after = editor.read(files.read(change.file), change.path)
    if (after is None) != (change.new is None):
        raise Conflict(
            f"`{' '.join(change.commands[-1][:3])}` ended well, but {change.file} did not change.",
            "Repeat with --edit-file.",
        )
    return copy


def _run(line: tuple[str, ...], copy: Path | None) -> None:
    """Run a client's command. Raises Conflict with its own words when it fails."""
    kept = f" The config as it was: {copy}." if copy else ""
    try:
        done = subprocess.run(  # noqa: S603  # the client's command, found on PATH, shown before
            line, capture_output=True, text=True, timeout=_COMMAND_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as exc:
        raise Conflict(
            f"`{' '.join(line[:3])}` could not be run to its end.",
            f"Repeat with --edit-file.{kept}",
        ) from exc
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise Conflict(
            f"`{' '.join(line[:3])}` failed: {said[-1] if said else 'it said nothing'}.",
            f"Repeat with --edit-file.{kept}",
        )


def _editor(client: Client) -> Editor:
    return cast("Editor", _FORMATS[client.family])


def _read(client: Client, name: str) -> tuple[Path, tuple[str, ...], str, Entry | None]:
    """(file, path of our entry, the file's text, our entry); a malformed file is refused."""
    file, path = places.config_file(client), (*client.path, name)
    text = files.read(file)
    try:
        return file, path, text, _editor(client).read(text, path)
    except InvalidInput as exc:
        raise InvalidInput(
            f"{file} is malformed. {exc.cause}", "Nothing was changed. Correct it, then repeat."
        ) from exc


def _checked(client: Client, before: str, path: tuple[str, ...], new: Entry | None) -> str:
    """The edited text, proven by reading it again: ours is as wanted, all else as it was."""
    editor = _editor(client)
    after = editor.remove(before, path) if new is None else editor.put(before, path, new)
    same = _without(editor.whole(after), path) == _without(editor.whole(before), path)
    if editor.read(after, path) != new or not same:
        raise Unsupported(
            "This config is written in a way that cannot be edited safely.",
            "Nothing was changed. Paste what --print shows.",
        )
    return after


def _without(document: Mapping[str, object], path: Sequence[str]) -> dict[str, object]:
    """The document without the place at the path, and without what is empty for that."""
    key, rest = path[0], path[1:]
    kept = {name: value for name, value in document.items() if name != key}
    below = document.get(key)
    if rest and isinstance(below, Mapping):
        left = _without(cast("Mapping[str, object]", below), rest)
        return {**kept, key: left} if left else kept
    return kept


def _words(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    return [str(word) for word in cast("list[object]", value)] if isinstance(value, list) else []


def _names_our_key(text: str) -> bool:
    return KEY_VARIABLE in text or KEY_VARIABLE.lower().replace("_", "-") in text


def _lines(entry: Entry | None) -> list[str]:
    if entry is None:
        return []
    return json.dumps(_masked(entry), indent=2, ensure_ascii=False).splitlines()


def _masked(value: object, name: str = "") -> object:
    """Secrets out, references to ours in."""
    if isinstance(value, Mapping):
        pairs = cast("Mapping[str, object]", value).items()
        return {key: _masked(each, key) for key, each in pairs}
    if isinstance(value, str) and _names_our_key(value):
        return value
    return redact_value(value, name)
