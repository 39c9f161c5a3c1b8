"""What a bot asked for: parameters by query, form, files or JSON."""

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from starlette.datastructures import UploadFile
from starlette.requests import Request

from tests.fakes.telegram.people import Json
from tests.fakes.telegram.refusal import Refused

if TYPE_CHECKING:
    from tests.fakes.telegram.bots import Bot

__all__ = ["Call", "Upload", "received"]

_ATTACHED = "attach://"
_FIELD_MAX_BYTES = 1 << 26


@dataclass(frozen=True)
class Upload:
    name: str
    mime: str
    data: bytes = field(repr=False)


@dataclass(eq=False)
class Call:
    """A request of a bot that was let in."""

    bot: "Bot"
    method: str
    params: Json
    """As they came: text, or JSON's own kinds where the whole body was JSON."""
    files: dict[str, Upload]

    def text(self, name: str) -> str:
        value = self.params.get(name, "")
        return value if isinstance(value, str) else json.dumps(value)

    def required(self, name: str) -> str:
        if not (value := self.text(name)):
            raise Refused(400, f'parameter "{name}" is required')
        return value

    def number(self, name: str, default: int = 0) -> int:
        """What is no number counts as none, as on the real server."""
        try:
            return int(self.text(name))
        except ValueError:
            return default

    def real(self, name: str) -> float:
        try:
            return float(self.text(name))
        except ValueError as error:
            raise Refused(400, f"{name} is empty") from error

    def flag(self, name: str) -> bool:
        return self.text(name).lower() in {"true", "yes", "1"}

    def value(self, name: str) -> object:
        """An object or a list; None where it was not sent."""
        value = self.params.get(name)
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value)
        except ValueError as error:
            raise Refused(400, f"can't parse {name.replace('_', ' ')} JSON object") from error

    def object(self, name: str) -> Json:
        value = self.value(name)
        if value is not None and not isinstance(value, dict):
            raise Refused(400, f"object expected as {name.replace('_', ' ')}")
        return cast("Json", value or {})

    def objects(self, name: str) -> list[Json]:
        value = self.value(name)
        if value is not None and not isinstance(value, list):
            raise Refused(400, f"expected an Array as {name.replace('_', ' ')}")
        return cast("list[Json]", value or [])

    def numbers(self, name: str) -> list[int]:
        value = self.value(name)
        if value is not None and not isinstance(value, list):
            raise Refused(400, f"expected an Array of {name.replace('_', ' ')}")
        return cast("list[int]", value or [])

    def upload(self, name: str) -> Upload | str:
        """The file of a field or of an `attach://`; otherwise the file id or URL it names."""
        return self.files.get(name) or self.attached(self.text(name))

    def attached(self, text: str) -> Upload | str:
        if not text.startswith(_ATTACHED):
            return text
        if file := self.files.get(text.removeprefix(_ATTACHED)):
            return file
        raise Refused(400, "there is no file in the request")


async def received(request: Request) -> tuple[Json, dict[str, Upload]]:
    """Parameters and files of a request; later places win over the query."""
    params: Json = dict(request.query_params)
    files: dict[str, Upload] = {}
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json":
        params |= _decoded(await request.body())
    elif kind in {"application/x-www-form-urlencoded", "multipart/form-data"}:
        async with request.form(max_part_size=_FIELD_MAX_BYTES) as form:
            for name, value in form.multi_items():
                if isinstance(value, UploadFile):
                    data = await value.read()
                    mime = value.content_type or "application/octet-stream"
                    files[name] = Upload(value.filename or name, mime, data)
                else:
                    params[name] = value
    return params, files


def _decoded(body: bytes) -> Json:
    try:
        value = json.loads(body or b"{}")
    except ValueError as error:
        raise Refused(400, "can't parse JSON object") from error
    if not isinstance(value, dict):
        raise Refused(400, "object expected")
    return cast("Json", value)
