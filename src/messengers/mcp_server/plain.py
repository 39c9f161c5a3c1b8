"""The same answers as JSON, for programs: the domain types without what is empty."""

from collections.abc import Iterable, Mapping
from typing import Any, cast

from messengers.mcp_server.results import compact
from messengers.mcp_server.text import Visible, cut
from messengers.mcp_server.transcript import SHORT
from messengers.models import Message, Model

__all__ = ["as_data", "json_answer", "messages_as_data"]


def json_answer(ours: Mapping[str, object], theirs: Mapping[str, object], note: str = "") -> str:
    """`ours` at the top, what strangers wrote under `untrusted`, cleaned like the text form."""
    visible = Visible()
    cleaned = _cleaned(theirs, visible)
    answer = {**ours, "note": note, "hidden_chars": visible.hidden}
    said = {key: value for key, value in answer.items() if value not in ("", 0, None)}
    return compact({**said, "untrusted": cleaned})


def messages_as_data(messages: Iterable[Message]) -> list[dict[str, Any]]:
    """Messages with long texts cut as in the text form."""
    return [_message(message) for message in messages]


def as_data(value: Model) -> dict[str, Any]:
    """A domain type without its defaults."""
    return value.model_dump(mode="json", exclude_defaults=True)


def _message(message: Message) -> dict[str, Any]:
    # A platform's own file reference is of no use outside its provider.
    hidden: Any = {"native_id": True, "more_ids": True, "attachments": {"__all__": {"native_ref"}}}
    data = message.model_dump(mode="json", exclude_defaults=True, exclude=hidden)
    text, left_out = cut(message.text, SHORT)
    return {**data, "text": text, "cut_chars": left_out} if left_out else data


def _cleaned(value: object, visible: Visible) -> object:
    match value:
        case str():
            return visible.text(value)
        case list() | tuple():
            return [_cleaned(each, visible) for each in cast("list[object]", value)]
        case dict():
            items = cast("dict[str, object]", value).items()
            return {key: _cleaned(each, visible) for key, each in items}
        case _:
            return value
