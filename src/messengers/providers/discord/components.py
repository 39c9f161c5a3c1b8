"""Buttons, selects and laid-out parts of messages, in words.

The types: https://docs.discord.com/developers/components/reference.
"""

from collections.abc import Iterator, Sequence

from messengers.providers.discord.fields import Json, part, parts

__all__ = ["choices_of", "filled_in", "label_of", "labels", "written_in"]

_BUTTON = 2
_SELECTS = {3, 5, 6, 7, 8}
_FIELD = 4


def _all(components: Sequence[Json]) -> Iterator[Json]:
    """Every one, those within others after them."""
    for each in components:
        yield each
        inner = [*(parts(each, "components"))]
        inner += [each[name] for name in ("accessory", "component") if each.get(name)]
        yield from _all(inner)


def labels(components: Sequence[Json]) -> Iterator[str]:
    """What can be pressed or chosen."""
    for each in _all(components):
        if each["type"] == _BUTTON:
            yield _label(each)
        elif each["type"] in _SELECTS:
            options = ", ".join(str(option["label"]) for option in parts(each, "options"))
            asked = str(each.get("placeholder") or "choose")
            yield f"{asked}: {options}" if options else asked


def _label(button: Json) -> str:
    emoji = part(button, "emoji").get("name")
    said = " ".join(filter(None, (emoji, button.get("label")))) or "?"
    return f"{said} ({button['url']})" if button.get("url") else said


def written_in(components: Sequence[Json]) -> list[str]:
    """The texts and pictures of a laid-out message."""
    found: list[str] = []
    for each in _all(components):
        match each["type"]:
            case 10:
                found.append(str(each["content"]))
            case 11:
                found.append(_picture(each))
            case 12:
                found += map(_picture, each["items"])
            case 13:
                found.append(f"(file: {each.get('name') or each['file']['url']})")
            case _:
                pass
    return found


def _picture(item: Json) -> str:
    said = f"{item['description']}: " if item.get("description") else ""
    return f"(picture: {said}{item['media']['url']})"


def label_of(components: Sequence[Json], custom_id: str) -> str:
    """What stands on a button; '' where there is none of this id."""
    fits = (each for each in _all(components) if each.get("custom_id") == custom_id)
    found = next(fits, None)
    return _label(found) if found is not None and found["type"] == _BUTTON else ""


def choices_of(components: Sequence[Json], data: Json) -> Sequence[str]:
    """What was chosen in a select, as it stood there."""
    fits = (each for each in _all(components) if each.get("custom_id") == data.get("custom_id"))
    options = (next(fits, None) or {}).get("options") or ()
    named = {str(option["value"]): str(option["label"]) for option in options}
    for kind in part(data, "resolved").values():
        for id, each in kind.items():
            named[str(id)] = str(
                each.get("global_name") or each.get("username") or each.get("name") or id
            )
    return [named.get(str(value), str(value)) for value in parts(data, "values")]


def filled_in(components: Sequence[Json]) -> Sequence[str]:
    """The fields of a form: name and text of each."""
    return [
        f"{each.get('custom_id', '')}: {each.get('value', '')}"
        for each in _all(components)
        if each["type"] == _FIELD
    ]
