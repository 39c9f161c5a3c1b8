"""Clients that configure themselves: their own command, where it is on PATH, makes the change."""

import json
import shutil

from pydantic import TypeAdapter

from messengers.cli.install.entries import MANAGED, Entry, Launch

__all__ = ["adding", "removing"]

_LAUNCH = TypeAdapter(Launch)
Lines = tuple[tuple[str, ...], ...]


def adding(key: str, name: str, new: Entry, old: Entry | None) -> Lines:
    """The command lines that put our entry there; none where we edit the file ourselves."""
    match key:
        case "claude-code" if shutil.which("claude"):
            entry = json.dumps(new, ensure_ascii=False)
            added = ("claude", "mcp", "add-json", "--scope", "user", name, entry)
            # It refuses a name that is taken.
            return (*removing(key, name), added) if old is not None else (added,)
        case "codex" if shutil.which("codex") and not set(new) - MANAGED:
            # It would drop what it has no option for, such as a timeout.
            return (("codex", "mcp", "add", name, *_codex(new)),)
        case _:
            return ()


def removing(key: str, name: str) -> Lines:
    """The command lines that take our entry away; none where we edit the file ourselves."""
    match key:
        case "claude-code" if shutil.which("claude"):
            return (("claude", "mcp", "remove", "--scope", "user", name),)
        case "codex" if shutil.which("codex"):
            return (("codex", "mcp", "remove", name),)
        case _:
            return ()


def _codex(entry: Entry) -> list[str]:
    if "url" in entry:
        variable = str(entry["bearer_token_env_var"])
        return ["--url", str(entry["url"]), "--bearer-token-env-var", variable]
    launch = _LAUNCH.validate_python(entry)
    pairs = [f"--env={key}={value}" for key, value in launch.env.items()]
    return [*pairs, "--", launch.command, *launch.args]
