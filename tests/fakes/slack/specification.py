"""Slack's own specifications, and what does not agree with them.

They are read from beside the project and are not part of it: without them nothing is checked.
They are years old; what came later is named here, from https://docs.slack.dev/reference/methods.
"""

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import cast

import pytest

from tests.fakes.slack.newer import (
    NEWER_ARGUMENTS,
    NEWER_EVENTS,
    NEWER_FIELDS,
    NEWER_METHODS,
    WRONG_PLACES,
)
from tests.fakes.slack.people import Json, words
from tests.fakes.slack.requests import Call
from tests.programs import ROOT

__all__ = ["Specification", "needs_specification", "specification"]

_FOLDER = ROOT.parent / "shared" / "specs"
_WEB, _EVENTS = _FOLDER / "slack_web_v2.json", _FOLDER / "slack_events.json"
_TS = re.compile(r"\d{10}\.\d{6}")
_TIMESTAMPS = set(words("ts thread_ts timestamp message_ts"))
_BOUND = re.compile(r"\d{1,10}(\.\d{6})?")
_BOUNDS = {"oldest", "latest"}
_TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "object": dict,
    "array": list,
    "null": type(None),
}
# Replaced by `authorizations`; and a message that has no answers has no thread either.
_NOT_ALWAYS = {"authed_users", "parent_user_id", "thread_ts"}
_JSON_TEXTS = set(words("attachments blocks files metadata unfurls view"))


@cache
def specification() -> "Specification | None":
    if not _WEB.is_file():
        return None
    return Specification(
        json.loads(_WEB.read_text("utf-8")), json.loads(_EVENTS.read_text("utf-8"))
    )


def needs_specification() -> None:
    """Skips a test that shows what is checked by them."""
    if specification() is None:
        pytest.skip(f"the platform's specification is not here: {_WEB}")


class Specification:
    def __init__(self, web: Json, events: Json) -> None:
        self._definitions: dict[str, Json] = web["definitions"]
        self._methods: dict[str, Json] = {
            path[1:]: next(iter(verbs.values())) for path, verbs in web["paths"].items()
        }
        self._topics: dict[str, Json] = events["topics"]
        self._wrapper: Json = events["components"]["schemas"]["GenericEventWrapper"]

    def faults_of(self, call: Call) -> list[str]:
        """What is wrong with a request, a line each."""
        return [f"{call.method}: {fault}" for fault in self._request_faults(call)]

    def _request_faults(self, call: Call) -> Iterator[str]:
        arguments = self._arguments(call.method)
        if arguments is None:
            yield "no such method"
            return
        for name in sorted(call.params.keys() - arguments.keys()):
            yield f"unknown argument {name}"
        for name, each in arguments.items():
            if each.get("required") and call.params.get(name) in (None, ""):
                yield f"{name} is missing"
        for name in call.params.keys() & arguments.keys():
            yield from _wrong_argument(name, call.params[name], arguments[name])

    def _arguments(self, method: str) -> dict[str, Json] | None:
        if method in NEWER_METHODS:
            named = words(NEWER_METHODS[method])
            return {each.rstrip("*"): {"required": each.endswith("*")} for each in named}
        if method not in self._methods:
            return None
        listed: list[Json] = self._methods[method].get("parameters", [])
        known = {each["name"]: each for each in listed if each["name"] != "token"}
        return known | {each: {} for each in words(NEWER_ARGUMENTS.get(method, ""))}

    def faults_of_answer(self, method: str, answer: Json) -> list[str]:
        """What is wrong with an answer of the fake itself."""
        if method not in self._methods:
            return []
        schema = self._methods[method]["responses"]["200"]["schema"]
        return self._wrong(answer, schema, method)

    def faults_of_event(self, name: str, payload: Json) -> list[str]:
        """What is wrong with an event of the fake itself."""
        topic = name.replace("_", ".")
        if topic not in self._topics and name not in NEWER_EVENTS:
            return [f"{name} is no event"]
        return self._wrong(payload, self._wrapper, name)

    def _wrong(self, value: object, schema: Json, place: str) -> list[str]:
        """Nothing if it fits; otherwise what the nearest of several shapes misses."""
        if reference := schema.get("$ref"):
            return self._wrong(value, self._definitions[reference.rpartition("/")[2]], place)
        if "items" in schema and "type" not in schema:  # their way to write `anyOf`
            items: Json | list[Json] = schema["items"]
            shapes = items if isinstance(items, list) else [items]
            return min((self._wrong(value, each, place) for each in shapes), key=len)
        kinds = schema.get("type", [])
        kinds = [kinds] if isinstance(kinds, str) else kinds
        if place in WRONG_PLACES:
            return []
        if kinds and not any(_is(value, kind) for kind in kinds):
            return [f"{place} is not {kinds[0]} but {value!r:.60}"]
        return list(self._inside(value, schema, place))

    def _inside(self, value: object, schema: Json, place: str) -> Iterator[str]:
        if isinstance(value, str):
            yield from _wrong_text(value, schema, place)
        elif isinstance(value, list):
            items = schema.get("items")
            if isinstance(items, dict):
                for number, each in enumerate(cast("list[object]", value)):
                    yield from self._wrong(each, cast("Json", items), f"{place}[{number}]")
        elif isinstance(value, dict):
            yield from self._wrong_fields(cast("Json", value), schema, place)

    def _wrong_fields(self, value: Json, schema: Json, place: str) -> Iterator[str]:
        fields: dict[str, Json] = schema.get("properties", {})
        if schema.get("additionalProperties") is False and fields:
            for name in value.keys() - fields.keys() - NEWER_FIELDS:
                yield f"{place}.{name} is unknown"
        for name in schema.get("required", []):
            if name not in value and name not in _NOT_ALWAYS:
                yield f"{place}.{name} is missing"
        for name in value.keys() & fields.keys():
            yield from self._wrong(value[name], fields[name], f"{place}.{name}")


def _wrong_argument(name: str, value: object, described: Json) -> Iterator[str]:
    if name in _TIMESTAMPS | _BOUNDS:
        shape = _BOUND if name in _BOUNDS else _TS
        if value and not (isinstance(value, str) and shape.fullmatch(value)):
            yield f"{name} is no timestamp but {value!r:.60}"
        return
    if isinstance(value, str):
        yield from _wrong_form(name, value, described.get("type", ""))
    elif described.get("type") == "boolean" and not isinstance(value, bool):
        yield f"{name} is not boolean but {value!r:.60}"


def _wrong_form(name: str, value: str, kind: str) -> Iterator[str]:
    """Text of a form or query."""
    if name in _JSON_TEXTS and value:
        try:
            json.loads(value)
        except ValueError:
            yield f"{name} is no JSON but {value!r:.60}"
    if kind == "boolean" and value.lower() not in {"", "true", "false", "0", "1"}:
        yield f"{name} is not boolean but {value!r:.60}"
    if kind == "integer" and not value.isdigit():
        yield f"{name} is not integer but {value!r:.60}"


def _wrong_text(value: str, schema: Json, place: str) -> Iterator[str]:
    if (pattern := schema.get("pattern")) and not re.search(pattern, value):
        yield f"{place} is not like {pattern} but {value!r:.60}"
    if (allowed := schema.get("enum")) and value not in allowed:
        yield f"{place} is none of {allowed} but {value!r:.60}"


def _is(value: object, kind: str) -> bool:
    if kind in {"integer", "number"} and isinstance(value, bool):
        return False
    return isinstance(value, _TYPES[kind])
