"""The platform's own specification, and what does not agree with it.

It is read from beside the project and is not part of it: without it nothing is checked.
"""

import json
import re
from functools import cache
from typing import TYPE_CHECKING

import pytest

from tests.fakes.discord.people import Json
from tests.fakes.discord.schemas import Schemas
from tests.programs import ROOT

if TYPE_CHECKING:
    from tests.fakes.discord.requests import Call

__all__ = ["SPECIFICATION", "Specification", "needs_specification", "specification"]

SPECIFICATION = ROOT.parent / "shared" / "specs" / "discord_openapi.json"
_FORM = "multipart/form-data"
_JSON = "application/json"
# Of events, what they are about.
_EVENTS = {
    "MESSAGE_CREATE": "MessageResponse",
    "MESSAGE_UPDATE": "MessageResponse",
    "CHANNEL_CREATE": "GuildChannelResponse",
    "CHANNEL_UPDATE": "GuildChannelResponse",
    "CHANNEL_DELETE": "GuildChannelResponse",
    "THREAD_CREATE": "ThreadResponse",
    "THREAD_UPDATE": "ThreadResponse",
    "GUILD_CREATE": "GuildResponse",
    "GUILD_UPDATE": "GuildResponse",
    "GUILD_MEMBER_ADD": "GuildMemberResponse",
}
# discord.py sends these, the server takes no notice.
_IDLE = re.compile(
    r"(update(_original)?(_webhook)?_message: tts|create_thread: message\.tts"
    r"|create_thread: \?use_nested_fields"
    r"|ban_user_from_guild: \?delete_message_seconds|set_channel_permission_overwrite: id"
    r"|\w+: .*embeds\[\d+\]\.flags) is unknown"
    # Permissions have more bits than JSON's numbers are safe for.
    r"|\w+: .*(allow|deny|permissions) is not \['integer', 'null'\] but '\d+'"
)


@cache
def specification() -> "Specification | None":
    if not SPECIFICATION.is_file():
        return None
    return Specification(json.loads(SPECIFICATION.read_text("utf-8")))


def needs_specification() -> None:
    """Skips a test that shows what is checked by it."""
    if specification() is None:
        pytest.skip(f"the platform's specification is not here: {SPECIFICATION}")


# Requests may write ids as numbers too, as discord.py does.
_ASKED_ID: Json = {"type": ["string", "integer"], "pattern": "^[0-9]+$"}


# Forwards (1) are on the API's pages, not in the specification.
_NEWER: dict[str, Json] = {"MessageReferenceType": {"type": "integer", "minimum": 0, "maximum": 1}}


class Specification:
    def __init__(self, document: Json) -> None:
        named: dict[str, Json] = {**document["components"]["schemas"], **_NEWER}
        self.schemas = Schemas(named)
        self.requests = Schemas({**named, "SnowflakeType": _ASKED_ID})
        self.operations: dict[str, tuple[str, str, Json]] = {}
        """Method, path and description, by name."""
        for path, methods in document["paths"].items():
            shared = methods.get("parameters", [])
            for verb, described in methods.items():
                if verb != "parameters":
                    parameters = shared + described.get("parameters", [])
                    described = {**described, "parameters": parameters}
                    self.operations[described["operationId"]] = (verb.upper(), path, described)

    def names(self, verb: str, path: str) -> bool:
        """Whether there is such an operation."""
        return any(
            verb == known and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path)
            for known, template, _ in self.operations.values()
        )

    def faults_of(self, call: "Call") -> list[str]:
        """What is wrong with a request, a line each."""
        if call.operation not in self.operations:
            return []  # older routes that discord.py still uses
        described = self.operations[call.operation][2]
        faults = (*self._query(call, described), *self._body(call, described))
        named = [f"{call.operation}: {fault}" for fault in faults]
        return [each for each in named if not _IDLE.fullmatch(each)]

    def _query(self, call: "Call", described: Json) -> list[str]:
        known = {each["name"]: each for each in described["parameters"] if each["in"] == "query"}
        found = [f"?{name} is unknown" for name in call.query if name not in known]
        for name, each in known.items():
            if name in call.query:
                value = _meant(call.query[name], self.requests.resolved(each["schema"]))
                found += self.requests.faults(value, each["schema"], f"?{name}")
            elif each.get("required"):
                found.append(f"?{name} is missing")
        return found

    def _body(self, call: "Call", described: Json) -> list[str]:
        request = described.get("requestBody")
        if request is None:
            return ["it takes no body"] if call.body else []
        content = request["content"]
        if call.mime not in content and call.body:
            return [f"its body cannot be {call.mime}"]
        schema = content.get(call.mime, content.get(_JSON, {})).get("schema", {})
        found = self.requests.faults(call.body, schema, "")
        found += self.requests.unknown(call.body, schema, "")
        if call.mime == _FORM:
            named = {str(each["id"]) for each in call.objects("attachments")}
            found += [f"nothing describes the file {each}" for each in call.files.keys() - named]
        return [each.removeprefix(".") for each in found]

    def faults_of_answer(self, operation: str, status: int, answer: object) -> list[str]:
        """What is wrong with an answer of the fake itself."""
        if operation not in self.operations:
            return []
        responses = self.operations[operation][2]["responses"]
        if str(status) not in responses:
            return [f"{operation} never answers {status}"]
        content = responses[str(status)].get("content")
        if content is None:
            return [] if answer is None else [f"{operation}: {status} has no body"]
        return self.schemas.faults(answer, content[_JSON]["schema"], operation)

    def faults_of_event(self, name: str, payload: Json) -> list[str]:
        if not (kind := _EVENTS.get(name)):
            return []
        return self.schemas.faults(payload, self.schemas.named[kind], name)


def _meant(text: str, schema: Json) -> object:
    """What the text of a query stands for."""
    kind = schema.get("type")
    kinds = [kind] if isinstance(kind, str) else kind or []
    if "boolean" in kinds and text.lower() in {"true", "false", "1", "0"}:
        return text.lower() in {"true", "1"}
    if "integer" in kinds and text.lstrip("-").isdigit():
        return int(text)
    return text
