"""The words for wrong arguments. No value is ever repeated: it may be a stranger's or a secret."""

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, cast

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from messengers.errors import InvalidInput

__all__ = ["check_names", "check_text", "wrong_types"]

_MAX_NAMES = 100
_SENTENCES = {
    "missing": "{name} is missing.",
    "string_type": "{name} must be text.",
    "int_type": "{name} must be a whole number.",
    "int_parsing": "{name} must be a whole number.",
    "int_parsing_size": "{name} must be a smaller whole number.",
    "int_from_float": "{name} must be a whole number.",
    "float_type": "{name} must be a number.",
    "float_parsing": "{name} must be a number.",
    "bool_type": "{name} must be true or false.",
    "bool_parsing": "{name} must be true or false.",
    "literal_error": "{name} must be one of: {expected}.",
    "tuple_type": "{name} must be a list.",
    "extra_forbidden": "There is no {name}.",
    "dict_type": "{name} must be an object of texts.",
    "greater_than_equal": "{name} must be at least {ge}.",
    "less_than_equal": "{name} must be at most {le}.",
}


def check_names(arguments: Mapping[str, Any], known: Sequence[str]) -> None:
    """Raises InvalidInput for a parameter that the tool does not have.

    The SDK would ignore it, and a misspelt dry_run would send.
    """
    for given in list(arguments)[:_MAX_NAMES]:
        if given not in known:
            near = get_close_matches(given.lower(), known, n=1, cutoff=0.6)
            hint = f"did you mean {near[0]}?" if near else f"it takes {', '.join(known)}."
            raise InvalidInput(f"No parameter {_name(given)}; {hint}")


def check_text(value: object, name: str = "") -> None:
    """Raises InvalidInput for what is no text: NUL, and halves of surrogate pairs."""
    match value:
        case str():
            _check_characters(value, name)
        case Mapping():
            for key, each in cast("Mapping[str, object]", value).items():
                _check_characters(key, name or "a parameter's name")
                check_text(each, name or key)
        case list() | tuple():
            for each in cast("Iterable[object]", value):
                check_text(each, name)
        case _:
            return


def _check_characters(text: str, name: str) -> None:
    if text.isascii() and "\0" not in text:
        return
    if "\0" in text:
        raise InvalidInput(f"{name} holds a NUL character.", "Leave it out.")
    if any("\ud800" <= char <= "\udfff" for char in text):
        raise InvalidInput(f"{name} holds half of a surrogate pair.", "Send whole characters.")


def wrong_types(error: ValidationError) -> InvalidInput:
    """The sentence for the first argument that does not fit its schema."""
    first = error.errors(include_url=False, include_input=False)[0]
    remedy = "Add it" if first["type"] == "missing" else "Correct it"
    return InvalidInput(_sentence(first), f"{remedy} and call again.")


def _sentence(detail: ErrorDetails) -> str:
    name = _place(detail["loc"])
    pattern = _SENTENCES.get(detail["type"], "{name} does not fit its schema.")
    expected = {key: str(value) for key, value in detail.get("ctx", {}).items()}
    return pattern.format_map({"expected": "", "ge": "", "le": "", **expected, "name": name})


def _place(loc: tuple[int | str, ...]) -> str:
    """The parameter; of one in a list of several fields, which and where."""
    match loc:
        case (str(name), int(number), str(field), *_):
            return f"{name}[{number}].{_name(field)}"
        case (name, *_):
            return str(name)
        case _:
            return "The arguments"


def _name(given: str) -> str:
    """A name worth repeating is short and looks like one."""
    return (
        given if len(given) <= 40 and given.isascii() and given.isidentifier() else "of that name"
    )
