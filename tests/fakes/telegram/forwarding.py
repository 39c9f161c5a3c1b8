"""Messages of bots that were messages before."""

from typing import TYPE_CHECKING

from tests.fakes.telegram import access
from tests.fakes.telegram.messages import Message, origin_of
from tests.fakes.telegram.methods import method
from tests.fakes.telegram.refusal import Refused
from tests.fakes.telegram.requests import Call
from tests.fakes.telegram.sending import Place, captioned, place_of, put
from tests.fakes.telegram.world import World

if TYPE_CHECKING:
    from tests.fakes.telegram.people import Json

__all__: list[str] = []


def _source(world: World, call: Call, number: int, what: str) -> Message:
    call.required("from_chat_id")
    chat = access.readable(world, call, "from_chat_id")
    message = access.message_of(chat, number, what)
    if message.is_service or message.extra.get("has_protected_content"):
        done = "copied" if what.endswith("copy") else "forwarded"
        raise Refused(400, f"the message can't be {done}")
    return message


def _sources(world: World, call: Call, what: str) -> list[Message]:
    """Those that are not there are passed over."""
    found: list[Message] = []
    for number in call.numbers("message_ids"):
        try:
            found.append(_source(world, call, number, what))
        except Refused:
            continue
    if not found:
        raise Refused(400, "messages can't be forwarded")
    return found


def _copied(world: World, call: Call, place: Place, source: Message) -> Message:
    content = dict(source.content)
    if "caption" in call.params:
        names = ("caption", "caption_entities")
        content = {name: each for name, each in content.items() if name not in names}
        content |= captioned(world, call, call.params)
    return put(world, call, place, content)


def _forwarded(world: World, call: Call, place: Place, source: Message) -> Message:
    extra: Json = {"forward_origin": origin_of(source)}
    return put(world, call, place, dict(source.content), extra)


@method("forwardMessage")
def forward_message(world: World, call: Call) -> object:
    source = _source(world, call, call.number("message_id"), "message to forward")
    place = place_of(world, call, source.kind)
    return _forwarded(world, call, place, source).json(call.bot)


@method("copyMessage")
def copy_message(world: World, call: Call) -> object:
    source = _source(world, call, call.number("message_id"), "message to copy")
    place = place_of(world, call, source.kind)
    return {"message_id": _copied(world, call, place, source).id}


@method("forwardMessages")
def forward_messages(world: World, call: Call) -> object:
    sources = _sources(world, call, "message to forward")
    place = place_of(world, call, "text")
    return [{"message_id": _forwarded(world, call, place, each).id} for each in sources]


@method("copyMessages")
def copy_messages(world: World, call: Call) -> object:
    sources = _sources(world, call, "message to copy")
    place = place_of(world, call, "text")
    return [{"message_id": _copied(world, call, place, each).id} for each in sources]
