"""What a provider wants to know of an account: read from its config model, checked against it.

Errors name fields, never values: what was typed may be a secret in the wrong place.
"""

import difflib
from collections.abc import Iterable, Mapping
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails, PydanticUndefined

from messengers.errors import InvalidInput
from messengers.models import Model
from messengers.redaction import redact, register_secret

__all__ = [
    "ConfigField",
    "check_fields",
    "fields_of",
    "missing",
    "plain",
    "read",
    "secret_names",
]

_MAX_VALUE = 64 * 1024
FieldKind = Literal["text", "secret", "flag", "number", "choice"]


class ConfigField(Model):
    """One field of a provider's config, as forms and prompts show it."""

    name: str
    title: str
    help: str = ""
    kind: FieldKind = "text"
    required: bool = False
    default: str = ""
    choices: tuple[str, ...] = ()


def fields_of(config: type[BaseModel]) -> tuple[ConfigField, ...]:
    """The fields in the order of their declaration."""
    return tuple(_field(name, info) for name, info in config.model_fields.items())


def secret_names(config: type[BaseModel]) -> tuple[str, ...]:
    """The fields that hold secrets."""
    return tuple(field.name for field in fields_of(config) if field.kind == "secret")


def missing(config: type[BaseModel], values: Mapping[str, object]) -> tuple[str, ...]:
    """Required fields without a value. Blank counts as none."""
    given = _given(values)
    return tuple(
        field.name for field in fields_of(config) if field.required and field.name not in given
    )


def check_fields(config: type[BaseModel], values: Mapping[str, object]) -> None:
    """Raises InvalidInput for a field that there is not; it names those there are."""
    known = tuple(config.model_fields)
    unknown = [name for name in values if name not in known]
    if unknown:
        near = difflib.get_close_matches(unknown[0], known, n=1)
        hint = f"Did you mean {near[0]}? " if near else ""
        raise InvalidInput(
            "There is no such field." if len(unknown) == 1 else "Several fields do not exist.",
            f"{hint}There are: {', '.join(known) or 'none'}.",
        )


def read(config: type[BaseModel], values: Mapping[str, object]) -> BaseModel:
    """The config from what somebody gave; its secrets are masked in every log from now on.

    Raises:
        InvalidInput: names the fields that do not fit and what they take.
    """
    check_fields(config, values)
    for name, value in values.items():
        _check_text(name, value)
    given = _given(values)
    secret = set(secret_names(config))
    for name, value in given.items():
        if name in secret:
            register_secret(str(value))
    try:
        return config.model_validate(given)
    except ValidationError as exc:
        problems = exc.errors(include_url=False, include_context=False)
        sentences = [_problem(config, problem, given) for problem in problems[:5]]
        raise InvalidInput(" ".join(sentences), "Correct it and try again.") from None


def plain(config: BaseModel) -> dict[str, Any]:
    """Every field as JSON, secrets revealed: for sealing, for nothing else."""
    values = config.model_dump(mode="json")
    for name in type(config).model_fields:
        value = getattr(config, name)
        if isinstance(value, SecretStr):
            values[name] = value.get_secret_value()
    return values


def _given(values: Mapping[str, object]) -> dict[str, object]:
    """Without blanks; a pasted token often brings a space or a line end along."""
    stripped = {k: v.strip() if isinstance(v, str) else v for k, v in values.items()}
    return {name: value for name, value in stripped.items() if value not in ("", None)}


def _check_text(name: str, value: object) -> None:
    if not isinstance(value, str):
        return
    if len(value) > _MAX_VALUE:
        raise InvalidInput(f"{name} is longer than {_MAX_VALUE:,} characters.", "Check it.")
    if "\0" in value or any("\ud800" <= char <= "\udfff" for char in value):
        raise InvalidInput(f"{name} holds characters that no text has.", "Paste it again.")


def _problem(config: type[BaseModel], problem: ErrorDetails, given: Mapping[str, object]) -> str:
    place = problem["loc"]
    name = str(place[0]) if place else "The configuration"
    told = redact(problem["msg"]).removeprefix("Value error, ").rstrip(".")
    if problem["type"] == "string_pattern_mismatch":
        # A pattern tells people nothing; what the field is for says how to write it.
        told = (config.model_fields[name].description or "").partition(";")[0].rstrip(".")
    # No colon after the name: what follows one after a secret's name is masked on its way out.
    if not told or any(len(str(value)) > 3 and str(value) in told for value in given.values()):
        return f"{name} does not fit."
    return f"{name} does not fit ({told})."


def _field(name: str, info: FieldInfo) -> ConfigField:
    leaves = tuple(_leaves(info.annotation))
    choices = tuple(leaf for leaf in leaves if isinstance(leaf, str))
    kind = _kind(leaves, choices)
    default = info.get_default(call_default_factory=False)
    if kind == "secret" or default is None or default is PydanticUndefined:
        default = ""
    elif kind == "flag":
        default = "on" if default else ""
    return ConfigField(
        name=name,
        title=info.title or name.replace("_", " ").capitalize(),
        help=" ".join((info.description or "").split()),
        kind=kind,
        required=info.is_required(),
        default=str(default),
        choices=choices,
    )


def _kind(leaves: tuple[object, ...], choices: tuple[str, ...]) -> FieldKind:
    if SecretStr in leaves:
        return "secret"
    if choices:
        return "choice"
    if bool in leaves:
        return "flag"
    return "number" if int in leaves or float in leaves else "text"


def _leaves(annotation: object) -> Iterable[object]:
    """The types and literal values an annotation is made of, None left out."""
    if get_origin(annotation) in (Union, UnionType, Literal):
        for part in get_args(annotation):
            yield from _leaves(part)
    elif annotation is not NoneType and annotation is not None:
        yield annotation
