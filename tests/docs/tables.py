"""The tables of README and docs, made from the code they describe.

`python -m tests.docs.tables` writes them between their marks; a test holds the pages to them.
"""

import re
import tomllib
from collections.abc import Callable, Iterable
from functools import partial
from importlib.resources import files
from pathlib import Path
from types import UnionType
from typing import TYPE_CHECKING, Any, get_args, get_origin

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from messengers.cli.install.clients import CLIENTS
from messengers.core.event_types import EVENT_TYPES
from messengers.core.scopes import PRESET_SCOPES, PRESETS, Scope, covers
from messengers.mcp_server.table import RESOURCES, TABLE, Row
from messengers.providers.base import ProviderInfo
from messengers.providers.catalog import BUILT_IN, Catalog
from messengers.settings import PREFIX, Settings
from messengers.urls import SafeUrl
from messengers.web.doors import CONTROL_SCOPES, KEY_DOORS
from tests.programs import ROOT

if TYPE_CHECKING:
    from messengers.cli.install.entries import Transport

FEATURES = {
    "text": ("receives.text", "sends.text"),
    "pictures": ("receives.images", "sends.images"),
    "files": ("receives.files", "sends.files"),
    "reply": ("sends.reply",),
    "edit": ("sends.edit",),
    "delete": ("sends.delete",),
    "react": ("sends.react",),
    "read receipts": ("sends.mark_read",),
    "typing": ("receives.typing",),
}
"""Column of the provider table → the rules of quality.toml that must all be done for it."""
MARKS = {"done": "✓", "todo": "not yet", "exempt": "–"}


def rendered(text: str) -> str:
    """The page with each `<!-- table: NAME -->` … `<!-- end -->` filled anew."""

    def fill(found: re.Match[str]) -> str:
        return f"{found['open']}\n{TABLES[found['name']]()}\n{found['close']}"

    shape = r"(?P<open><!-- table: (?P<name>[\w-]+) -->)\n.*?(?P<close><!-- end -->)"
    return re.sub(shape, fill, text, flags=re.DOTALL)


def pages() -> list[Path]:
    """Every page that holds a table."""
    candidates = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return [page for page in candidates if "<!-- table: " in page.read_text("utf-8")]


def providers() -> str:
    """Provider × feature: built-in ones, by their quality.toml."""
    catalog = Catalog()
    infos = [catalog.find(name) for name in BUILT_IN]
    head = ["provider", "kind", "needs", *FEATURES]
    return _table(head, (_provider(info) for info in infos))


def tools_short() -> str:
    """Tool, preset, first sentence."""
    lines = ([f"`{row.name}`", _needs(row), _sentence(row)] for row in TABLE)
    return _table(["tool", "preset", "what it does"], lines)


def tools_full() -> str:
    """Tool, kind, preset, whether repeating is harmless, parameters."""
    head = ["tool", "kind", "least preset", "repeatable", "parameters"]
    return _table(head, (_tool(row) for row in TABLE))


def scopes() -> str:
    """Every scope: who holds it unasked, and what it opens."""
    lines: list[list[str]] = []
    for scope in get_args(Scope):
        holders = [preset for preset in PRESETS if covers(PRESET_SCOPES[preset], scope)]
        opened = [row.name for row in TABLE if row.scope == scope]
        opened += [f"{scheme}://" for scheme, its in RESOURCES.items() if its == scope]
        opened += [door.path for door in KEY_DOORS if door.scope == scope]
        control = scope in CONTROL_SCOPES.values()
        told = ", ".join(f"`{name}`" for name in opened)
        rest = "the owner's commands" if control else ""
        lines.append([f"`{scope}`", holders[0], "; ".join(filter(None, (told, rest)))])
    return _table(["scope", "from the preset", "opens"], lines)


def settings() -> str:
    """Every field of Settings: variable, default, meaning."""
    lines: list[list[str]] = []
    for name, field in Settings.model_fields.items():
        text = " ".join((field.description or "").split())
        lines.append([f"`{PREFIX}{name.upper()}`", _default(name), _type(field.annotation), text])
    return _table(["variable", "default", "takes", "what it does"], lines)


def events() -> str:
    """Every type of event."""
    return _table(["type", "what happened"], ([f"`{k}`", v] for k, v in EVENT_TYPES.items()))


def clients() -> str:
    """Every client whose configuration is known, and over what it can reach us."""
    transports: tuple[Transport, ...] = ("http", "sse")
    lines = [
        [f"`{name}`", client.title, "shown only" if client.family == "yaml" else "written", "yes"]
        + ["yes" if each in client.references else "no" for each in transports]
        for name, client in CLIENTS.items()
    ]
    return _table(["name", "client", "its file is", "stdio", "HTTP", "SSE"], lines)


def options(provider: str) -> str:
    """The options of an instance."""
    config = Catalog().find(provider).config
    lines = [
        [f"`{name}`", _option_default(field), field.description or ""]
        for name, field in config.model_fields.items()
    ]
    return _table(["option", "default", "what it does"], lines)


def _option_default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    if isinstance(field.default, bool):
        return "on" if field.default else "off"
    return f"`{field.default}`" if field.default else "empty"


def quality(provider: str) -> dict[str, dict[str, dict[str, str]]]:
    """The quality.toml of a provider: section → rule → status and reason."""
    return tomllib.loads(
        files(f"messengers.providers.{provider}").joinpath("quality.toml").read_text("utf-8")
    )


def _provider(info: ProviderInfo) -> list[str]:
    rules = quality(info.name)
    needs = ", ".join(name for name, f in info.config.model_fields.items() if f.is_required())
    needs = needs or ("a phone that scans" if info.capabilities.login == "qr" else "nothing")
    page = f"[{info.title}]({info.docs})"
    return [page, info.kind, needs, *(_mark(rules, f) for f in FEATURES.values())]


def _mark(rules: dict[str, dict[str, dict[str, str]]], paths: Iterable[str]) -> str:
    found = [rules[section][rule]["status"] for section, _, rule in map(_split, paths)]
    worst = max(found, key=("done", "todo", "exempt").index)
    return MARKS[worst]


def _split(path: str) -> tuple[str, str, str]:
    return path.partition(".")


def _sentence(row: Row) -> str:
    text = row.tool.description or ""
    return text.partition(". ")[0].rstrip(".") + "."


def _needs(row: Row) -> str:
    return f"{row.preset} + {row.toolset}" if row.toolset else row.preset


def _tool(row: Row) -> list[str]:
    schema = row.tool.parameters
    required = schema.get("required", [])
    names = [f"**{n}**" if n in required else n for n in schema["properties"]]
    repeatable = "yes" if row.hints.idempotent_hint else "no"
    return [f"`{row.name}`", row.kind, _needs(row), repeatable, ", ".join(names)]


def _default(name: str) -> str:
    if name == "home":
        return "the platform's data directory"
    value: Any = Settings.model_fields[name].default
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if value is PydanticUndefined or value in ("", (), None):
        return "empty"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{value}`"


def _type(annotation: object) -> str:
    """`a \\| b` for closed sets, else the plain name."""
    args = get_args(annotation)
    origin = get_origin(annotation)
    if origin is tuple:
        return "a list"
    if SafeUrl in args:
        return "a web address"
    if args and origin is not UnionType:
        return " or ".join(f"`{each}`" for each in args)
    return {
        "str": "text",
        "int": "a number",
        "bool": "`true` or `false`",
        "Path": "a path",
        "SecretStr": "text",
    }[getattr(annotation, "__name__", "")]


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _table(head: list[str], lines: Iterable[list[str]]) -> str:
    rows = ["| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines]
    return "\n".join(["| " + " | ".join(head) + " |", "|" + "---|" * len(head), *rows])


TABLES: dict[str, Callable[[], str]] = {
    "providers": providers,
    "tools-short": tools_short,
    "tools-full": tools_full,
    "scopes": scopes,
    "settings": settings,
    "clients": clients,
    "events": events,
    **{f"{name}-options": partial(options, name) for name in BUILT_IN},
}


def write() -> list[Path]:
    """Fill every page's tables; the pages that changed."""
    changed: list[Path] = []
    for page in pages():
        text = page.read_text("utf-8")
        new = rendered(text)
        if new != text:
            page.write_text(new, "utf-8")
            changed.append(page)
    return changed


if __name__ == "__main__":
    write()
