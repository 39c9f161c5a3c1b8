"""What a bot asked for over HTTP."""

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from starlette.datastructures import UploadFile
from starlette.requests import Request

from tests.fakes.discord.bodies import parts
from tests.fakes.discord.people import Json
from tests.fakes.discord.refusal import InvalidForm, Refused

if TYPE_CHECKING:
    from tests.fakes.discord.bots import Bot

__all__ = ["Call", "Upload", "received"]

_FIELD_MAX_BYTES = 1 << 28
_FILE_FIELD = re.compile(r"files\[(\d+)\]")


@dataclass(frozen=True)
class Upload:
    name: str
    data: bytes = field(repr=False)


@dataclass(eq=False)
class Call:
    """A request that was let in; `bot` is None where the path holds the secret."""

    operation: str
    """Its name in the specification, such as `create_message`."""
    bot: "Bot | None"
    path: dict[str, str]
    query: dict[str, str]
    body: Json
    files: dict[str, Upload]
    """By what `id` its `attachments` give them."""
    mime: str
    reason: str | None = None
    """For the audit log."""

    @property
    def me(self) -> "Bot":
        assert self.bot
        return self.bot

    def id(self, name: str) -> int:
        """Of the path."""
        return self._snowflake(name, self.path[name])

    def asked_id(self, name: str) -> int | None:
        """Of the query."""
        return self._snowflake(name, self.query[name]) if name in self.query else None

    def given_id(self, name: str) -> int | None:
        """Of the body."""
        value = self.body.get(name)
        return None if value is None else self._snowflake(name, str(value))

    def _snowflake(self, name: str, text: str) -> int:
        if not re.fullmatch(r"\d{1,20}", text):
            words = f'Value "{text}" is not snowflake.'
            raise InvalidForm((name, "NUMBER_TYPE_COERCE", words))
        return int(text)

    def number(self, name: str, default: int, least: int, most: int) -> int:
        """Of the query."""
        text = self.query.get(name, str(default))
        if not re.fullmatch(r"-?\d+", text):
            raise InvalidForm((name, "NUMBER_TYPE_COERCE", f'Value "{text}" is not int.'))
        if int(text) < least:
            words = f"int value should be greater than or equal to {least}."
            raise InvalidForm((name, "NUMBER_TYPE_MIN", words))
        if int(text) > most:
            words = f"int value should be less than or equal to {most}."
            raise InvalidForm((name, "NUMBER_TYPE_MAX", words))
        return int(text)

    def flag(self, name: str) -> bool:
        """Of the query."""
        return self.query.get(name, "").lower() in {"true", "1"}

    def objects(self, name: str) -> list[Json]:
        """Of the body."""
        return parts(self.body, name)


async def received(request: Request) -> tuple[str, Json, dict[str, Upload]]:
    """Kind of the body, what it says, and its files."""
    mime = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if mime == "multipart/form-data":
        return (mime, *await _form(request))
    text = await request.body()
    if not text:
        return mime, {}, {}
    if mime != "application/json":
        words = "Expected \"Content-Type\" header to be one of {'application/json'}."
        raise InvalidForm(("", "CONTENT_TYPE_INVALID", words))
    return mime, _decoded(text), {}


async def _form(request: Request) -> tuple[Json, dict[str, Upload]]:
    body: Json = {}
    files: dict[str, Upload] = {}
    async with request.form(max_part_size=_FIELD_MAX_BYTES) as form:
        for name, value in form.multi_items():
            if isinstance(value, UploadFile):
                match = _FILE_FIELD.fullmatch(name)
                files[match[1] if match else name] = Upload(
                    value.filename or "unknown.txt", await value.read()
                )
            elif name == "payload_json":
                body |= _decoded(value.encode())
            else:
                body[name] = value
    return body, files


def _decoded(text: bytes) -> Json:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise Refused(50109) from error
    if not isinstance(value, dict):
        raise InvalidForm(("", "DICT_TYPE_CONVERT", "Only dictionaries may be used in a DictType"))
    return cast("Json", value)
