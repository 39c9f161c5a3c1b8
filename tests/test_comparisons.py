"""Secrets are compared in constant time everywhere: checked over the source itself."""

import ast
import re
from pathlib import Path

import pytest

SRC = Path(__file__).parents[1] / "src" / "messengers"
SECRET = re.compile(
    r"signature|digest|hmac|token|secret|password|proof|(^|_)mac($|_)", re.IGNORECASE
)
# Compared as names of things or for being there at all, never as the secret itself.
HARMLESS = {"kind", "name", "names", "fields"}


def name_of(node: ast.expr) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Call(func=func):
            return name_of(func)
        case ast.Subscript(slice=ast.Constant(value=str(name))):
            return name
        case _:
            return ""


def unsafe(source: str) -> list[int]:
    """Lines on which something that is called like a secret meets == or !=."""
    found: list[int] = []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Compare):
            continue
        if not all(isinstance(op, ast.Eq | ast.NotEq) for op in node.ops):
            continue
        sides = [node.left, *node.comparators]
        if any(isinstance(side, ast.Constant) or name_of(side).isupper() for side in sides):
            continue
        if any(SECRET.search(name_of(side)) for side in sides):
            found.append(node.lineno)
    return found


@pytest.mark.case("S55")
def test_no_secret_is_compared_with_equals() -> None:
    found = {
        str(path.relative_to(SRC)): lines
        for path in SRC.rglob("*.py")
        if (lines := unsafe(path.read_text("utf-8")))
    }

    assert found == {}


@pytest.mark.case("S55")
@pytest.mark.parametrize(
    "line",
    [
        "a.digest == b",
        "hmac_of(x) != given",
        "row['signature'] == mine",
        "token == other",
        "m != mac",
    ],
)
def test_the_check_sees_what_it_is_for(line: str) -> None:
    assert unsafe(line) == [1]
