"""What the phone hands over at the first login, by conversations. Part of the worker."""
# The engine has no types:
# pyright: standard, reportTypedDictNotRequiredAccess=false, reportAttributeAccessIssue=false

from collections.abc import Iterator
from typing import Any

from neonize.proto.waHistorySync.WAWebProtobufsHistorySync_pb2 import Conversation, HistorySync
from neonize.proto.waWeb.WAWebProtobufsWeb_pb2 import WebMessageInfo

from messengers.providers.whatsapp_web.people import People
from messengers.providers.whatsapp_web.protocol import Chat, WireMessage
from messengers.providers.whatsapp_web.reading import change_of, read

__all__ = ["events_of"]

_SLICE = 250
"""Messages of one event: what the store writes at once without making others wait."""
_DELIVERY = {
    WebMessageInfo.ERROR: "failed",
    WebMessageInfo.PENDING: "sent",
    WebMessageInfo.SERVER_ACK: "sent",
    WebMessageInfo.DELIVERY_ACK: "delivered",
    WebMessageInfo.READ: "read",
    WebMessageInfo.PLAYED: "read",
}


def events_of(sync: HistorySync, people: People) -> Iterator[dict[str, Any]]:
    """One sync as events: history in slices, people with their names, progress."""
    for mapping in sync.phoneNumberToLidMappings:
        people.learn(mapping.pnJID, mapping.lidJID)
    named = [
        people.known(each.ID, push_name=each.pushname) for each in sync.pushnames if each.pushname
    ]
    for conversation in sync.conversations:
        yield from _conversation(conversation, people)
    if named:
        yield {"event": "people", "people": named}
    yield {"event": "progress", "percent": sync.progress}


def _conversation(conversation: Conversation, people: People) -> Iterator[dict[str, Any]]:
    native_id = conversation.ID
    if native_id.endswith(("@broadcast", "@newsletter")):
        return
    chat = _chat(conversation, people)
    messages = [
        found
        for each in conversation.messages
        if (found := _message(each.message, chat, people)) is not None
    ]
    common: dict[str, Any] = {"event": "history", "chat": chat}
    if conversation.unreadCount:
        common["unread"] = conversation.unreadCount
    if conversation.ephemeralExpiration:
        common["expires_s"] = conversation.ephemeralExpiration
    for start in range(0, len(messages), _SLICE):
        yield {**common, "messages": messages[start : start + _SLICE]}


def _chat(conversation: Conversation, people: People) -> Chat:
    if conversation.ID.endswith("@g.us"):
        name = conversation.name or conversation.displayName
        return Chat(id=conversation.ID, kind="group", name=name, by="platform")
    alt = conversation.pnJID or conversation.lidJID
    # The phone's own name of it may be what the other side calls himself: a stranger's word.
    said = conversation.displayName or conversation.name
    return Chat(**people.known(conversation.ID, alt, said), kind="dm")


def _message(info: WebMessageInfo, chat: Chat, people: People) -> WireMessage | None:
    key = info.key
    if not key.ID or not info.HasField("message") or change_of(info.message) is not None:
        return None
    body = read(info.message)
    if body.empty:
        return None
    found = body.fields
    found["id"], found["at"] = key.ID, info.messageTimestamp
    if key.fromMe:
        found["mine"] = True
        found["delivery"] = _DELIVERY.get(info.status, "sent")
    else:
        sender = info.participant or key.participant
        if chat["kind"] == "dm":
            found["sender"] = people.known(chat["id"], push_name=info.pushName)
        else:
            found["sender"] = people.known(sender, push_name=info.pushName)
    if any(map(people.is_me, body.mentioned)):
        found["mentions_me"] = True
    return found
