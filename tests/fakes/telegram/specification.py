"""The platform's own specification, and what does not agree with it.

It is read from beside the project and is not part of it: without it nothing is checked.
"""

import json
import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import cast

import pytest

from tests.fakes.telegram.people import Json
from tests.fakes.telegram.requests import Call
from tests.programs import ROOT

__all__ = ["SPECIFICATION", "Specification", "needs_specification", "specification"]

SPECIFICATION = ROOT.parent / "shared" / "specs" / "telegram_api.json"
_LIST = "Array of "
_NUMBERS: dict[str, type | tuple[type, ...]] = {"Integer": int, "Float": (int, float)}
# Of Bot API 10.2 and 10.3: the specification at hand is older than the SDK.
_NEWER = {"can_send_welcome_messages"}
_SIMPLE = {"Integer", "Float", "String", "Boolean", "InputFile"}
_CONSTANT = re.compile(r'(?:always|must be) "?(\w+)"?$')


@cache
def specification() -> "Specification | None":
    if not SPECIFICATION.is_file():
        return None
    return Specification(json.loads(SPECIFICATION.read_text("utf-8")))


def needs_specification() -> None:
    """Skips a test that shows what is checked by it."""
    if specification() is None:
        pytest.skip(f"the platform's specification is not here: {SPECIFICATION}")


class Specification:
    def __init__(self, document: Json) -> None:
        self.methods: dict[str, Json] = document["methods"]
        self.types: dict[str, Json] = document["types"]

    def faults_of(self, call: Call) -> list[str]:
        """What is wrong with a request, a line each."""
        method = self.methods.get(call.method)
        if method is None:
            return [f"{call.method}: no such method"]
        fields = {each["name"]: each for each in method.get("fields", [])}
        given = {*call.params, *(call.files.keys() & fields.keys())}
        named = {text.removeprefix("attach://") for text in _texts(call.params)}
        faults = [f"unknown parameter {name}" for name in sorted(given - fields.keys() - _NEWER)]
        faults += [
            f"{name} is missing"
            for name, each in fields.items()
            if each["required"] and name not in given
        ]
        faults += [
            f"nothing names the file {name}" for name in call.files.keys() - named - fields.keys()
        ]
        for name in sorted(call.params.keys() & fields.keys()):
            faults += self._wrong(
                _meant(call.params[name], fields[name]["types"]), fields[name]["types"], name
            )
        return [f"{call.method}: {fault}" for fault in faults]

    def faults_of_answer(self, method: str, answer: object) -> list[str]:
        """What is wrong with an answer of the fake itself."""
        return self._wrong(answer, self.methods[method]["returns"], method)

    def faults_of_update(self, update: Json) -> list[str]:
        return self._wrong(update, ["Update"], "update")

    def _wrong(self, value: object, types: list[str], place: str) -> list[str]:
        """Nothing if it is of one of these types; otherwise what the nearest one misses."""
        if isinstance(value, list):
            return self._wrong_items(cast("list[object]", value), types, place)
        tried = [self._wrong_for(value, each, place) for each in types]
        return min(tried, key=len)

    def _wrong_items(self, values: list[object], types: list[str], place: str) -> list[str]:
        """Lists of several kinds may be mixed."""
        inner = [each.removeprefix(_LIST) for each in types if each.startswith(_LIST)]
        if not inner:
            return [f"{place} is not {types[0]} but a list"]
        items = enumerate(values)
        return [fault for i, each in items for fault in self._wrong(each, inner, f"{place}[{i}]")]

    def _wrong_for(self, value: object, kind: str, place: str) -> list[str]:
        if kind.startswith(_LIST):
            return [f"{place} is not a list but {value!r:.60}"]
        if kind in _SIMPLE:
            return [] if _is_simple(value, kind) else [f"{place} is not {kind} but {value!r:.60}"]
        described = self.types[kind]
        if subtypes := described.get("subtypes"):
            return self._wrong(value, subtypes, place)
        if not isinstance(value, dict):
            return [f"{place} is not {kind} but {value!r:.60}"]
        return list(self._wrong_fields(cast("Json", value), described, place))

    def _wrong_fields(self, value: Json, described: Json, place: str) -> Iterator[str]:
        fields = {each["name"]: each for each in described.get("fields", [])}
        for name in value.keys() - fields.keys() - _NEWER:
            yield f"{place}.{name} is unknown to {described['name']}"
        for name, each in fields.items():
            if name in value:
                yield from self._wrong(value[name], each["types"], f"{place}.{name}")
                yield from _wrong_constant(value[name], each, f"{place}.{name}")
            elif each["required"]:
                yield f"{place}.{name} is missing"


def _wrong_constant(value: object, described: Json, place: str) -> Iterable[str]:
    """Kinds of one family differ by a field that is always the same."""
    constant = _CONSTANT.search(described["description"])
    if constant and isinstance(value, str) and value != constant[1]:
        yield f"{place} is not {constant[1]} but {value!r:.60}"


def _is_simple(value: object, kind: str) -> bool:
    match kind:
        case "Boolean":
            return isinstance(value, bool)
        case "String" | "InputFile":
            return isinstance(value, str)
        case _:
            return isinstance(value, _NUMBERS[kind]) and not isinstance(value, bool)


def _meant(value: object, types: list[str]) -> object:
    """What the text of a form field stands for; text where it may be text."""
    if not isinstance(value, str) or (
        {"String", "InputFile"} & set(types) and "Integer" not in types
    ):
        return value
    try:
        meant = json.loads(value)
    except ValueError:
        return value
    return value if isinstance(meant, str) else meant


def _texts(value: object) -> Iterator[str]:
    """All texts in it, those inside JSON too."""
    match value:
        case str():
            yield value
            if value[:1] in {"[", "{"}:
                try:
                    yield from _texts(json.loads(value))
                except ValueError:
                    return
        case list():
            for each in cast("list[object]", value):
                yield from _texts(each)
        case dict():
            for each in cast("Json", value).values():
                yield from _texts(each)
        case _:
            return
