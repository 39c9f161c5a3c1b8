"""Buttons and selects: what is wrong with them, and how they come back."""

from collections import Counter
from collections.abc import Iterator
from itertools import count

from tests.fakes.discord.bodies import parts
from tests.fakes.discord.people import Json

__all__ = ["component_faults", "find_component", "numbered"]

_ROWS_MAX = 5
_BUTTONS_MAX = 5
_CUSTOM_ID_MAX = 100
_LABEL_MAX = 80
_OPTIONS_MAX = 25
_ROW, _BUTTON, _STRING_SELECT = 1, 2, 3
_SELECTS = {3, 5, 6, 7, 8}
_LINK = 5

Fault = tuple[str, str, str]


def component_faults(rows: list[Json]) -> Iterator[Fault]:
    if len(rows) > _ROWS_MAX and all(row.get("type") == _ROW for row in rows):
        yield "components", "BASE_TYPE_BAD_LENGTH", f"Must be between 1 and {_ROWS_MAX} in length."
    for index, row in enumerate(rows):
        if row.get("type") == _ROW:
            yield from _row(f"components.{index}", row)
    ids = [each["custom_id"] for row in rows for each in _inside(row) if each.get("custom_id")]
    for twice, times in Counter(ids).items():
        if times > 1:
            words = f"Component custom id cannot be duplicated: {twice}"
            yield "components", "COMPONENT_CUSTOM_ID_DUPLICATED", words


def _row(place: str, row: Json) -> Iterator[Fault]:
    inner = parts(row, "components")
    if not 1 <= len(inner) <= _BUTTONS_MAX:
        words = f"Must be between 1 and {_BUTTONS_MAX} in length."
        yield f"{place}.components", "BASE_TYPE_BAD_LENGTH", words
    if len(inner) > 1 and any(each.get("type") in _SELECTS for each in inner):
        words = "Action row cannot hold that many components"
        yield f"{place}.components", "COMPONENT_LAYOUT_WIDTH_EXCEEDED", words
    for index, each in enumerate(inner):
        yield from _component(f"{place}.components.{index}", each)


def _component(place: str, each: Json) -> Iterator[Fault]:
    is_link = each.get("type") == _BUTTON and each.get("style") == _LINK
    if is_link and not each.get("url"):
        yield f"{place}.url", "BASE_TYPE_REQUIRED", "A url is required"
    if not is_link and not each.get("custom_id"):
        yield f"{place}.custom_id", "BASE_TYPE_REQUIRED", "This field is required"
    if each.get("type") == _BUTTON and not (each.get("label") or each.get("emoji")):
        words = "A button must have a label or an emoji"
        yield place, "BUTTON_COMPONENT_MISSING_LABEL_OR_EMOJI", words
    for name, most in (("custom_id", _CUSTOM_ID_MAX), ("label", _LABEL_MAX)):
        if len(each.get(name) or "") > most:
            words = f"Must be {most} or fewer in length."
            yield f"{place}.{name}", "BASE_TYPE_MAX_LENGTH", words
    if each.get("type") == _STRING_SELECT:
        options = parts(each, "options")
        if not 1 <= len(options) <= _OPTIONS_MAX:
            words = f"Must be between 1 and {_OPTIONS_MAX} in length."
            yield f"{place}.options", "BASE_TYPE_BAD_LENGTH", words


def numbered(components: list[Json], numbers: "count[int] | None" = None) -> list[Json]:
    """As the server keeps them: each has an id."""
    numbers = numbers or count(1)
    found: list[Json] = []
    for each in components:
        kept = {name: value for name, value in each.items() if value is not None}
        kept.setdefault("id", next(numbers))
        if "components" in kept:
            kept["components"] = numbered(kept["components"], numbers)
        if "accessory" in kept:
            kept["accessory"] = numbered([kept["accessory"]], numbers)[0]
        found.append(kept)
    return found


def _inside(component: Json) -> Iterator[Json]:
    yield component
    accessory = [component["accessory"]] if component.get("accessory") else []
    for each in [*parts(component, "components"), *accessory]:
        yield from _inside(each)


def find_component(components: list[Json], custom_id: str) -> Json:
    """Raises StopIteration where there is none."""
    inside = (each for row in components for each in _inside(row))
    return next(each for each in inside if each.get("custom_id") == custom_id)
