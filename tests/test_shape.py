"""The habits no linter checks: sizes, names, reasons, one place for the environment, no hosts."""

import ast
import importlib
import re
import tomllib
from collections.abc import Iterator
from importlib.metadata import requires
from pathlib import Path

import pytest

from messengers import errors
from tests.programs import ROOT, tracked_files

SRC = ROOT / "src" / "messengers"
MODULES = sorted(SRC.rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))

FORBIDDEN_NAMES = re.compile(
    r"(^|_)(manager|service|helper|util|handler|processor|common)s?(_|$)|^base_|^part\d"
)
# Settings for the product; home and the stdio pump before anything heavy is imported.
ENVIRONMENT_READERS = {"settings.py", "home.py", "cli/stdio.py"}
ENVIRONMENT = {"environ", "environb", "getenv"}
# The outermost loops, and where code of strangers runs: what is raised there has nowhere to go.
OUTERMOST_LOOPS: set[str] = {
    "core/dispatch.py",
    "core/feed.py",
    "core/arrivals.py",  # strangers' files, and what reads them
    "core/health.py",  # a stranger's __str__
    "core/inbox.py",
    "core/outbox.py",
    "core/pairings.py",
    "core/sessions.py",  # a provider that fails does not keep its instance from being removed
    "core/supervisor.py",
    "listener.py",
    "providers/catalog.py",  # a stranger's package at import
    "providers/whatsapp_web/calls.py",  # the engine's threads, in the worker
    "providers/whatsapp_web/engine.py",
    "providers/whatsapp_web/people.py",
    "providers/whatsapp_web/worker.py",  # its last words
    "store/writer.py",
}
REASONED = re.compile(
    r"#\s*(?:noqa:\s*[A-Z]+\d+(?:\s*,\s*[A-Z]+\d+)*|type:\s*ignore\[[\w,\s-]+\]"
    r"|pyright:\s*ignore\[[\w,\s]+\]|pragma:\s*no\s*(?:cover|branch))(?P<reason>.*)$"
)
EXCUSE = re.compile(r"#\s*(?:noqa|type:\s*ignore|pyright:\s*ignore|pragma:\s*no)\b")


def relative(path: Path) -> str:
    return path.relative_to(SRC).as_posix() if path.is_relative_to(SRC) else str(path)


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"), filename=str(path))


def too_long(paths: list[Path], limit: int) -> dict[str, int]:
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text("utf-8").splitlines()) for path in paths
    }
    return {name: lines for name, lines in lengths.items() if lines > limit}


def swallows_everything(handler: ast.ExceptHandler) -> bool:
    """A bare `except`, `except Exception` or `except BaseException` that does not raise again."""
    caught = handler.type
    names = caught.elts if isinstance(caught, ast.Tuple) else [caught]
    broad = caught is None or any(
        isinstance(name, ast.Name) and name.id in {"Exception", "BaseException"} for name in names
    )
    last = handler.body[-1]
    return broad and not (isinstance(last, ast.Raise))


def environment_reads(path: Path) -> Iterator[int]:
    for node in ast.walk(tree_of(path)):
        match node:
            case ast.Attribute(value=ast.Name(id="os"), attr=name) if name in ENVIRONMENT:
                yield node.lineno
            case ast.ImportFrom(module="os", names=names):
                yield from (node.lineno for each in names if each.name in ENVIRONMENT)
            case _:
                pass


def test_files_stay_short() -> None:
    assert too_long(MODULES, 400) == {}
    assert too_long(TESTS, 600) == {}
    assert too_long([path for path in MODULES if path.name == "__init__.py"], 20) == {}


def test_modules_are_named_by_nouns_of_the_domain() -> None:
    named = [relative(path) for path in MODULES if FORBIDDEN_NAMES.search(path.stem)]
    folders = [relative(path) for path in SRC.rglob("*/") if FORBIDDEN_NAMES.search(path.name)]

    assert named + folders == []


@pytest.mark.parametrize(
    "name", ["base_client", "utils", "send_helper", "handlers", "part2", "common"]
)
def test_the_name_rule_knows_a_bad_name(name: str) -> None:
    assert FORBIDDEN_NAMES.search(name)


def test_every_module_says_what_it_is() -> None:
    # Empty folder markers say nothing and need not.
    silent = [
        relative(path)
        for path in MODULES
        if path.read_text("utf-8").strip() and not ast.get_docstring(tree_of(path))
    ]

    assert silent == []


def test_everything_is_caught_in_the_outermost_loops_only() -> None:
    places = {
        relative(path)
        for path in MODULES
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.ExceptHandler) and swallows_everything(node)
    }

    assert places == OUTERMOST_LOOPS


def test_the_environment_is_read_in_its_places_only() -> None:
    places = {
        f"{relative(path)}:{line}"
        for path in MODULES
        if relative(path) not in ENVIRONMENT_READERS
        for line in environment_reads(path)
    }

    assert places == set()


def test_nothing_prints() -> None:
    printing = [
        f"{relative(path)}:{node.lineno}"
        for path in MODULES
        if not relative(path).startswith("cli/")
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "print"
    ]

    assert printing == []


def test_every_excuse_carries_its_rule_and_its_reason() -> None:
    bare: list[str] = []
    for path in MODULES + [path for path in TESTS if path.name != "test_shape.py"]:
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            if not EXCUSE.search(line):
                continue
            excuse = REASONED.search(line)
            if excuse is None or not re.search(r"\w{3}", excuse["reason"]):
                bare.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()}")

    assert bare == []


def drawn_tree(docstring: str) -> dict[str, tuple[str | None, str, int]]:
    """Class name to (parent, code, status), read from the lines of the drawing."""
    line_shape = re.compile(r"^([\s│├└─]*)([A-Z]\w+)\s+(\w+)\s+(\d{3})\b")
    ancestors: list[tuple[int, str]] = []
    found: dict[str, tuple[str | None, str, int]] = {}
    for line in docstring.splitlines():
        if not (match := line_shape.match(line)):
            continue
        indent, name, code, status = match.groups()
        ancestors = [each for each in ancestors if each[0] < len(indent)]
        found[name] = (ancestors[-1][1] if ancestors else None, code, int(status))
        ancestors.append((len(indent), name))
    return found


def descendants(cls: type[errors.MessengersError]) -> Iterator[type[errors.MessengersError]]:
    for child in cls.__subclasses__():
        yield child
        yield from descendants(child)


def test_the_error_tree_is_the_one_that_is_drawn() -> None:
    for path in MODULES:
        if "migrations" in path.parts or path.name in {"__main__.py", "env.py"}:
            continue
        # As neonize loads it starts a program: it is for the worker alone.
        if not re.search(r"^(?:from|import) neonize", path.read_text("utf-8"), re.MULTILINE):
            importlib.import_module(".".join(path.relative_to(SRC.parent).with_suffix("").parts))
    root = errors.MessengersError
    actual: dict[str, tuple[str | None, str, int]] = {
        root.__name__: (None, root.code, root.http_status)
    }
    for cls in descendants(root):
        if cls.__module__.startswith("messengers."):
            parent = cls.__bases__[0].__name__
            actual[cls.__name__] = (parent, cls.code, cls.http_status)

    assert drawn_tree(errors.__doc__ or "") == actual


def test_error_codes_are_unique() -> None:
    codes = [code for _, code, _ in drawn_tree(errors.__doc__ or "").values()]

    assert sorted(codes) == sorted(set(codes))


def test_the_tree_names_no_registry_host_and_no_machine_path() -> None:
    hosts = ["pypi" + ".org", "pythonhosted" + ".org", "registry." + "npmjs", "deb.debian" + ".org"]
    paths = [r"/(?:home|Users)/(?!you\b|me\b|user\b)\w+/", "/" + r"root/\w", "/" + r"work/\w"]
    pattern = re.compile(
        "|".join(
            [re.escape(host) for host in hosts] + [rf"(?<![\w.}}/])(?:{path})" for path in paths]
        )
    )
    found = [
        f"{name}: {match[0]}"
        for name in tracked_files()
        if (match := pattern.search((ROOT / name).read_bytes().decode("utf-8", "replace")))
    ]

    assert found == []


def test_constraints_pin_every_dependency_exactly_and_name_no_source() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    wanted: list[str] = [
        *project["project"]["dependencies"],
        *project["project"]["optional-dependencies"]["whatsapp"],
        *project["dependency-groups"]["dev"],
        *project["build-system"]["requires"],
    ]
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]

    loose = [line for line in pins if not re.fullmatch(r"[a-z0-9-]+==[0-9][\w.]*", line)]
    names = {line.partition("==")[0] for line in pins}
    wanted += [each for each in requires("discord.py") or () if each.endswith('>= "3.13"')]
    plain = {re.split(r"[\[<>=;]", each)[0].lower().replace(".", "-") for each in wanted}
    missing = plain - names

    assert loose == []
    assert missing == set()
