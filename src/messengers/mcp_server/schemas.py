"""Tool schemas without what only costs tokens."""

from typing import Any, cast

__all__ = ["of_answer", "of_parameters", "same_in_both_eras"]

_NEEDLESS = frozenset({"title", "minimum"})
"""A title made of a name says nothing more; a lower bound is as one expects, and the gate tells it
to whoever crosses it."""
_ORDER = ("type", "properties", "required")
_OPTIONAL = frozenset({"title", "default", "description"})
"""An answer's field is left out when it is empty: its default is never seen."""


def of_parameters(schema: dict[str, Any]) -> dict[str, Any]:
    """A copy without titles and lower bounds; a parameter of such a name stays.

    What pydantic defines apart stands where it is used: clients know no more of a tool than its
    type, properties and what is required.
    """
    defined = schema.get("$defs", {})
    plain = {key: value for key, value in schema.items() if key != "$defs"}
    return _without(_in_place(plain, defined), _NEEDLESS)


def of_answer(schema: dict[str, Any]) -> dict[str, Any]:
    """A copy with names and types only."""
    return _without(schema, _OPTIONAL)


def same_in_both_eras(tool: dict[str, Any]) -> dict[str, Any]:
    """A tool as it goes out, its schemas in one order: each protocol era has the SDK's own."""
    schemas = {
        key: {name: tool[key][name] for name in _ORDER if name in tool[key]}
        for key in ("inputSchema", "outputSchema")
        if key in tool
    }
    return {**tool, **schemas}


def _without(schema: dict[str, Any], dropped: frozenset[str]) -> dict[str, Any]:
    return {
        key: _named(value, dropped) if key == "properties" else _within(value, dropped)
        for key, value in schema.items()
        if key not in dropped
    }


def _named(properties: dict[str, Any], dropped: frozenset[str]) -> dict[str, Any]:
    return {name: _without(schema, dropped) for name, schema in properties.items()}


def _within(value: object, dropped: frozenset[str]) -> object:
    if isinstance(value, dict):
        return _without(cast("dict[str, Any]", value), dropped)
    return value


def _in_place(value: Any, defined: dict[str, Any]) -> Any:  # noqa: ANN401 - any part of a schema
    match value:
        case {"$ref": str(name)}:
            found = {**defined[name.removeprefix("#/$defs/")]}
            found.pop("description", None)
            return _in_place(found, defined)
        case dict():
            items = cast("dict[str, Any]", value).items()
            return {key: _in_place(each, defined) for key, each in items}
        case list():
            return [_in_place(each, defined) for each in cast("list[Any]", value)]
        case _:
            return value
