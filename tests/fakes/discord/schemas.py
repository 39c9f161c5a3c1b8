"""What in a value does not agree with a JSON schema of the specification."""

import re
from collections.abc import Iterator
from typing import cast

from tests.fakes.discord.people import Json

__all__ = ["Schemas"]

_TYPES: dict[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "null": type(None),
}
_REFERENCE = "#/components/schemas/"
_DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


class Schemas:
    def __init__(self, named: dict[str, Json]) -> None:
        self.named = named

    def faults(self, value: object, schema: Json, place: str) -> list[str]:
        """Nothing if it agrees; of several allowed kinds, what the nearest one misses."""
        schema = self.resolved(schema)
        found = list(self._own(value, schema, place))
        for each in schema.get("allOf", []):
            found += self.faults(value, each, place)
        for alternatives in ("oneOf", "anyOf"):
            if tried := self._likely(value, schema.get(alternatives, [])):
                found += min((self.faults(value, each, place) for each in tried), key=len)
        return found

    def _likely(self, value: object, alternatives: list[Json]) -> list[Json]:
        """Without null where there is something: it would be the nearest to much."""
        if value is None:
            return alternatives
        return [each for each in alternatives if self.resolved(each).get("type") != "null"]

    def unknown(self, value: object, schema: Json, place: str) -> Iterator[str]:
        """Fields of objects that no kind allowed there has."""
        kinds = list(self._flat(schema))
        if isinstance(value, list):
            items = [kind["items"] for kind in kinds if "items" in kind]
            for index, each in enumerate(cast("list[object]", value)):
                yield from self.unknown(each, {"anyOf": items}, f"{place}[{index}]")
        if not isinstance(value, dict):
            return
        if any("additionalProperties" in kind for kind in kinds):
            return
        for name, each in cast("Json", value).items():
            fields = [kind["properties"][name] for kind in kinds if name in kind["properties"]]
            if fields:
                yield from self.unknown(each, {"anyOf": fields}, f"{place}.{name}")
            else:
                yield f"{place}.{name} is unknown"

    def resolved(self, schema: Json) -> Json:
        while "$ref" in schema:
            schema = self.named[schema["$ref"].removeprefix(_REFERENCE)]
        return schema

    def _flat(self, schema: Json) -> Iterator[Json]:
        schema = self.resolved(schema)
        yield {"properties": {}, **schema}
        for word in ("allOf", "oneOf", "anyOf"):
            for each in schema.get(word, []):
                yield from self._flat(each)

    def _own(self, value: object, schema: Json, place: str) -> Iterator[str]:
        if not _is_of(value, schema.get("type")):
            yield f"{place} is not {schema['type']} but {value!r:.60}"
            return
        if "const" in schema and value != schema["const"]:
            yield f"{place} is not {schema['const']!r} but {value!r:.60}"
        if "enum" in schema and value not in [*schema["enum"], None]:
            yield f"{place} is none of {schema['enum']} but {value!r:.60}"
        match value:
            case dict():
                yield from self._object(cast("Json", value), schema, place)
            case list():
                yield from self._array(cast("list[object]", value), schema, place)
            case str():
                yield from _text(value, schema, place)
            case bool() | None:
                return
            case int() | float():
                yield from _number(value, schema, place)
            case _:
                yield f"{place} is {type(value)}"

    def _object(self, value: Json, schema: Json, place: str) -> Iterator[str]:
        properties = schema.get("properties", {})
        others = schema.get("additionalProperties")
        for name in schema.get("required", []):
            if name not in value:
                yield f"{place}.{name} is missing"
        for name, each in value.items():
            if name in properties:
                yield from self.faults(each, properties[name], f"{place}.{name}")
            elif others is False:
                yield f"{place}.{name} is unknown"
            elif isinstance(others, dict):
                yield from self.faults(each, cast("Json", others), f"{place}.{name}")

    def _array(self, value: list[object], schema: Json, place: str) -> Iterator[str]:
        if not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value)):
            yield f"{place} has {len(value)} items"
        if schema.get("uniqueItems") and len({repr(each) for each in value}) < len(value):
            yield f"{place} has an item twice"
        if "items" in schema:
            for index, each in enumerate(value):
                yield from self.faults(each, schema["items"], f"{place}[{index}]")


def _is_of(value: object, kind: str | list[str] | None) -> bool:
    if kind is None:
        return True
    kinds = [kind] if isinstance(kind, str) else kind
    if isinstance(value, bool):
        return "boolean" in kinds
    if isinstance(value, float) and value.is_integer():
        return not {"integer", "number"}.isdisjoint(kinds)
    return any(isinstance(value, _TYPES[each]) for each in kinds)


def _text(value: str, schema: Json, place: str) -> Iterator[str]:
    if not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value)):
        yield f"{place} has {len(value)} characters"
    if "pattern" in schema and not re.search(schema["pattern"], value):
        yield f"{place} is not like {schema['pattern']} but {value!r:.60}"
    if schema.get("format") == "date-time" and not _DATE.fullmatch(value):
        yield f"{place} is no time but {value!r:.60}"
    if schema.get("format") == "uri" and not re.match(r"\w+://", value):
        yield f"{place} is no address but {value!r:.60}"


def _number(value: float, schema: Json, place: str) -> Iterator[str]:
    if not schema.get("minimum", value) <= value <= schema.get("maximum", value):
        yield f"{place} is out of range: {value!r}"
