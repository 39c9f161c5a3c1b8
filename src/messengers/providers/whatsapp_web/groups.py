"""Groups as the engine tells of them, in the protocol's words. Part of the worker."""
# The engine has no types:
# pyright: standard, reportTypedDictNotRequiredAccess=false, reportAttributeAccessIssue=false

import hashlib
from collections.abc import Iterable, Iterator
from typing import Any

from neonize.proto import Neonize_pb2 as told

from messengers.providers.whatsapp_web.people import People, bare
from messengers.providers.whatsapp_web.protocol import Chat, WireMessage

__all__ = ["changes_of", "described", "group_of"]


def group_of(info: told.GroupInfo) -> Chat:
    """A group as a chat; its name is what its admins gave it."""
    return Chat(id=bare(info.JID), kind="group", name=info.GroupName.Name, by="platform")


def described(info: told.GroupInfo, people: People) -> dict[str, Any]:
    """A group with its members."""
    members = [_member(each, people) for each in info.Participants]
    return {
        "id": bare(info.JID),
        "name": info.GroupName.Name,
        "description": info.GroupTopic.Topic,
        "owner": people.person(info.OwnerJID, info.OwnerPN).get("id", ""),
        "announcements": bool(info.GroupAnnounce.IsAnnounce),
        "i_am_admin": any(
            each["role"] != "member" and people.mine & {each["id"], *each.get("alt", ())}
            for each in members
        ),
        "members": members,
    }


def _member(participant: told.GroupParticipant, people: People) -> dict[str, Any]:
    alt = participant.PhoneNumber if participant.PhoneNumber.User else participant.LID
    role = "member"
    if participant.IsAdmin:
        role = "admin"
    if participant.IsSuperAdmin:
        role = "owner"
    return {**people.person(participant.JID, alt, participant.DisplayName), "role": role}


def changes_of(event: told.GroupInfoEvent, people: People) -> Iterator[dict[str, Any]]:
    """What happened in a group: its new name, and the line that the app shows between messages."""
    chat = Chat(id=bare(event.JID), kind="group")
    if event.HasField("Name"):
        chat |= {"name": event.Name.Name, "by": "platform"}
    said = list(_said(event, people))
    if not said:
        if event.HasField("Name"):
            yield {"event": "chats", "chats": [chat]}
        return
    text = "; ".join(said)
    digest = hashlib.sha256(f"{event.Timestamp} {text}".encode()).hexdigest()[:12]
    line = WireMessage(
        id=f"group-{event.Timestamp}-{digest}",
        chat=chat,
        sender=people.person(event.Sender),
        at=event.Timestamp,
        text=f"({text})",
        marks=["service"],
    )
    yield {"event": "message", "message": line}


def _said(event: told.GroupInfoEvent, people: People) -> Iterator[str]:
    for word, members in (
        ("joined", event.Join),
        ("left", event.Leave),
        ("became admin", event.Promote),
        ("is no admin any more", event.Demote),
    ):
        if members:
            yield f"{_names(members, people)} {word}"
    if event.HasField("Name"):
        yield f"the group is called {event.Name.Name} now"
    if event.HasField("Topic"):
        yield f"the description is now: {event.Topic.Topic}"
    if event.HasField("Announce"):
        yield "only admins write now" if event.Announce.IsAnnounce else "everybody writes now"
    if event.HasField("Ephemeral"):
        days = event.Ephemeral.DisappearingTimer / 86_400
        yield f"messages disappear after {days:g} days" if days else "messages stay now"
    if event.HasField("Delete"):
        yield "the group was deleted"


def _names(members: Iterable[told.JID], people: People) -> str:
    return ", ".join(people.shown(bare(each)) for each in members)
