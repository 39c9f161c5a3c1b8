"""Credentials from the command line: from files, pipes and hidden prompts, never from arguments.

What stands in the arguments stands in the shell's history and in every process list.
"""

import difflib
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import typer

from messengers.cli.terminal import is_interactive, misused, say
from messengers.core.credentials import ConfigField
from messengers.redaction import register_secret

__all__ = ["given", "pairs", "prompted"]

_STDIN = "@-"
_MAX_BYTES = 64 * 1024


def pairs(options: Sequence[str], option: str) -> dict[str, str]:
    """`name=value` options as a mapping; misuse ends the command."""
    found: dict[str, str] = {}
    for each in options:
        name, equals, value = each.partition("=")
        if not equals or not name:
            misused(f"{option} takes NAME=VALUE.")
        if name in found:
            misused(f"{option} {name} is given twice.")
        found[name] = value
    return found


def given(fields: Sequence[ConfigField], options: Sequence[str]) -> dict[str, str]:
    """What `--set` says. A secret that is given literally is refused.

    `name=@file`, `name=@-` for standard input, `name=value` for what is no secret (`@@` begins a
    value with one @).
    """
    found = pairs(options, "--set")
    if list(found.values()).count(_STDIN) > 1:
        misused("Standard input can fill one field only.")
    by_name = {field.name: field for field in fields}
    for name, value in found.items():
        if name not in by_name:
            near = difflib.get_close_matches(name, by_name, n=1)
            known = ", ".join(by_name) or "none"
            misused(
                f"--set: there is no field {name}.",
                f"Did you mean {near[0]}?" if near else f"It has: {known}.",
            )
        if by_name[name].kind == "secret" and not value.startswith("@"):
            misused(
                f"{name} is a secret and must not stand in the command line: it is now in your "
                "shell's history, so make a new one.",
                f"Write --set {name}=@FILE or --set {name}=@-, or leave it out to be asked.",
            )
        found[name] = _value(name, value)
        if by_name[name].kind == "secret":
            register_secret(found[name])
    return found


def prompted(fields: Sequence[ConfigField], known: Mapping[str, str]) -> dict[str, str]:
    """Ask for the required fields that are not given; secrets are not echoed.

    Ends the command where nobody sits at the terminal.
    """
    lacking = [field for field in fields if field.required and not known.get(field.name)]
    if lacking and not is_interactive():
        options = " ".join(f"--set {field.name}=@FILE" for field in lacking)
        misused(f"It needs {', '.join(field.name for field in lacking)}.", f"Add {options}.")
    answers: dict[str, str] = {}
    for field in lacking:
        if field.help:
            say(field.help)
        value: str = typer.prompt(field.title, hide_input=field.kind == "secret")
        if field.kind == "secret":
            register_secret(value)
        answers[field.name] = value
    return answers


def _value(name: str, value: str) -> str:
    if value.startswith("@@"):
        return value[1:]
    if not value.startswith("@"):
        return value
    try:
        if value == _STDIN:
            text = sys.stdin.read(_MAX_BYTES + 1)
        else:
            with Path(value[1:]).expanduser().open(encoding="utf-8") as stream:
                text = stream.read(_MAX_BYTES + 1)
    except OSError as exc:
        misused(f"The file for {name} cannot be read: {exc.strerror}.")
    except UnicodeDecodeError:
        misused(f"What was read for {name} is not UTF-8 text.")
    if len(text) > _MAX_BYTES:
        misused(f"What was read for {name} is too large.")
    # Editors and echo end a file with one line break; no credential does.
    return text.removesuffix("\n").removesuffix("\r")
