"""What an app asked for: arguments by query, form or JSON, the token by header or argument."""

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from starlette.requests import Request

from tests.fakes.slack.people import Json, User
from tests.fakes.slack.refusal import Refused

if TYPE_CHECKING:
    from tests.fakes.slack.apps import App, Bot
    from tests.fakes.slack.tokens import Token
    from tests.fakes.slack.workspaces import Workspace

__all__ = ["Call", "bearer", "received"]


@dataclass(eq=False)
class Call:
    """A request that was let in."""

    method: str
    params: Json
    """As they came: text, or JSON's own kinds where the whole body was JSON."""
    token: "Token"
    headers: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def app(self) -> "App":
        return self.token.app

    @property
    def workspace(self) -> "Workspace":
        if self.token.workspace is None:
            raise Refused("not_allowed_token_type")
        return self.token.workspace

    @property
    def actor(self) -> User:
        if self.token.user is None:
            raise Refused("not_allowed_token_type")
        return self.token.user

    @property
    def bot(self) -> "Bot | None":
        """Whose bot token it is."""
        if self.token.kind != "bot":
            return None
        return self.app.bots[self.workspace.id]

    def text(self, name: str) -> str:
        value = self.params.get(name)
        if value is None:
            return ""
        return value if isinstance(value, str) else json.dumps(value)

    def required(self, name: str) -> str:
        if not (value := self.text(name)):
            raise Refused.invalid(f"missing required field: {name}")
        return value

    def number(self, name: str, default: int = 0) -> int:
        if not (value := self.text(name)):
            return default
        try:
            return int(value)
        except ValueError as error:
            raise Refused.invalid(f"must be an integer [json-pointer:/{name}]") from error

    def flag(self, name: str, *, default: bool = False) -> bool:
        value = self.text(name).lower()
        return value in {"true", "1"} if value else default

    def names(self, name: str) -> list[str]:
        """A list, or text with commas."""
        value = self.params.get(name)
        if isinstance(value, list):
            return [str(each) for each in cast("list[object]", value)]
        return [each.strip() for each in self.text(name).split(",") if each.strip()]

    def value(self, name: str, error: str) -> object:
        """What a JSON argument says; `error` is for what is no JSON."""
        value = self.params.get(name)
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value) if value else None
        except ValueError as failure:
            raise Refused(error) from failure

    def objects(self, name: str, error: str) -> list[Json]:
        value = self.value(name, error)
        if value is None:
            return []
        if not isinstance(value, list):
            raise Refused(error)
        items = cast("list[object]", value)
        if not all(isinstance(each, dict) for each in items):
            raise Refused(error)
        return cast("list[Json]", items)

    def object(self, name: str, error: str) -> Json:
        value = self.value(name, error)
        if value is not None and not isinstance(value, dict):
            raise Refused(error)
        return cast("Json", value or {})


def bearer(request: Request) -> str:
    kind, _, value = request.headers.get("authorization", "").partition(" ")
    return value.strip() if kind.lower() == "bearer" else ""


async def received(request: Request) -> tuple[str, Json]:
    """The token and the arguments; the body wins over the query."""
    params: Json = dict(request.query_params)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json":
        params |= _decoded(await request.body())
    elif kind in {"application/x-www-form-urlencoded", "multipart/form-data"}:
        async with request.form() as form:
            params |= {name: value for name, value in form.items() if isinstance(value, str)}
    elif kind and await request.body():
        raise Refused("invalid_post_type")
    shown = params.pop("token", "")
    return bearer(request) or str(shown), params


def _decoded(body: bytes) -> Json:
    try:
        value = json.loads(body or b"{}")
    except ValueError as error:
        raise Refused("invalid_json") from error
    if not isinstance(value, dict):
        raise Refused("json_not_object")
    return cast("Json", value)
