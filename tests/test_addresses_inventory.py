"""Where addresses come in and where connections go out: each place known, each with its reason."""

import ast
import dataclasses
import importlib
import inspect
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from pydantic import BaseModel

from messengers.mcp_server.table import TABLE
from messengers.urls import SafeUrl
from tests.test_shape import MODULES, SRC, relative, tree_of

NAMED = re.compile(
    r"(^|(?<!name)_)(url|uri|href|source|webhook|endpoint|proxy|picture|avatar|image|api_?url|agno_?url)s?$",
    re.IGNORECASE,
)
SHOWN: Mapping[str, str] = {
    "cli.install.entries.Remote.url": "the daemon's own, written into a client's configuration",
    "cli.instances._Provider.endpoints": "names only",
    "cli.status.Status.url": "the daemon's own",
    "core.drafts.PartPlan.source": "the words that the transcript shows",
    "core.registry.Entry.endpoints": "set over the control socket only",
    "models.Button.url": "shown to people, who open it themselves",
    "providers.base.ProviderContext.endpoints": "set over the control socket only",
    "providers.base.ProviderContext.webhook_url": "our own, told to the messenger",
    "providers.base.ProviderInfo.endpoints": "names only",
    "providers.slack.intake.Account.url": "Slack's own, shown to people",
    "settings.Settings.public_url": "our own, shown to people",
    "store.tables.InstanceRow.endpoints": "set over the control socket only",
    "web.approvals._Entry.pictures": "data: addresses of our own making",
    "web.control.instances.New.endpoints": "the control socket's own route",
}
"""Fields with such a name that hold text: nothing connects to what stands in them."""
CLIENTS = frozenset({"httpx2", "httpx", "httpcore2", "httpcore", "aiohttp", "requests", "urllib3"})
OUTWARD: Mapping[str, str] = {
    "guarded/client.py": "the guard",
    "guarded/connections.py": "the guard",
    "guarded/exchanges.py": "the guard",
    "cli/control.py": "the control socket",
    "cli/install/verification.py": "the address that the owner typed for his own daemon",
    "cli/visitor.py": "the demo's own page",
}
"""Who opens HTTP connections. A provider may, to its messenger's own endpoint."""


def models() -> Iterator[tuple[str, Mapping[str, object]]]:
    """Every pydantic model and dataclass of ours, with its fields and their types."""
    for path in MODULES:
        if "migrations" in path.parts or path.name in {"__main__.py", "env.py"}:
            continue
        if re.search(r"^(?:from|import) neonize", path.read_text("utf-8"), re.MULTILINE):
            continue
        name = ".".join(path.relative_to(SRC.parent).with_suffix("").parts)
        module = importlib.import_module(name)
        for each in list(vars(module).values()):
            if inspect.isclass(each) and each.__module__ == name:
                place = f"{name.removeprefix('messengers.')}.{each.__name__}"
                if issubclass(each, BaseModel):
                    yield place, {n: f.annotation for n, f in each.model_fields.items()}
                elif dataclasses.is_dataclass(each):
                    known: Mapping[str, object] = each.__annotations__
                    yield place, known


def is_text(annotation: object) -> bool:
    """Whether an address could stand there as it was written."""
    return re.search(r"\b(?:str|AnyUrl|HttpUrl|AnyHttpUrl)\b", repr(annotation)) is not None


@pytest.mark.case("S37")
def test_every_field_that_names_an_address_has_the_guarded_type_or_is_only_shown() -> None:
    found = {
        f"{place}.{name}"
        for place, fields in models()
        for name, annotation in fields.items()
        if NAMED.search(name) and is_text(annotation)
    }

    assert found == set(SHOWN)


@pytest.mark.case("S37")
@pytest.mark.parametrize(
    ("name", "annotation", "found"),
    [
        ("webhook", str, True),
        ("base_url", "str | None", True),
        ("avatarUrl", str, True),
        ("api_url", SafeUrl, False),
        ("name", str, False),
    ],
)
def test_the_inventory_knows_a_bare_address(name: str, annotation: object, found: bool) -> None:
    snake = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name)

    assert bool(NAMED.search(snake) and is_text(annotation)) is found


@pytest.mark.case("S37")
def test_no_tool_takes_an_endpoint() -> None:
    taken = {
        f"{row.name}.{name}"
        for row in TABLE
        for name in row.tool.parameters["properties"]
        if re.search(r"url|endpoint|webhook|proxy|uri", name, re.IGNORECASE)
    }

    assert taken == set()


@pytest.mark.case("S37")
def test_connections_go_out_in_known_places_only() -> None:
    found = {
        relative(path)
        for path in MODULES
        if not relative(path).startswith("providers/") and CLIENTS & set(imports(path))
    }

    assert found == set(OUTWARD)


@pytest.mark.case("S27")
def test_nothing_hands_an_address_of_a_message_to_a_model() -> None:
    """What the protocol and agent libraries call contents that somebody else would fetch."""
    banned = {"ResourceLink", "EmbeddedResource", "ImageUrl", "FileUrl", "AudioUrl", "VideoUrl"}
    found = {
        f"{relative(path)}: {node.id}"
        for path in MODULES
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Name) and node.id in banned
    }

    assert found == set()


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(tree_of(path)):
        match node:
            case ast.Import(names=names):
                yield from (name.name.partition(".")[0] for name in names)
            case ast.ImportFrom(module=str(module)):
                yield module.partition(".")[0]
            case _:
                pass
