"""What the daemon asks of the engine. Part of the worker: it imports the engine."""
# The engine has no types:
# pyright: standard, reportTypedDictNotRequiredAccess=false, reportAttributeAccessIssue=false

import base64
import io
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from neonize.exc import NeonizeError
from neonize.proto.waCommon.WACommon_pb2 import MessageKey
from neonize.proto.waE2E.WAWebProtobufsE2E_pb2 import Message, ReactionMessage
from neonize.utils.enum import (
    BlocklistAction,
    ChatPresence,
    ChatPresenceMedia,
    ClientType,
    ParticipantChange,
    ReceiptType,
)
from PIL import Image

from messengers.providers.whatsapp_web.engine import Engine
from messengers.providers.whatsapp_web.groups import described
from messengers.providers.whatsapp_web.people import bare, jid_of
from messengers.providers.whatsapp_web.pictures import fetched
from messengers.providers.whatsapp_web.protocol import ERRORS, ErrorKind, Refusal, secret_of
from messengers.providers.whatsapp_web.writing import edit_of, written

__all__ = ["Calls"]

With = Mapping[str, Any]
_PICTURE_PX = 640
_ACTIONS = {
    *("send", "edit", "delete", "react", "block"),
    *("create_group", "change_members", "update_group", "leave_group"),
}
"""Calls that leave something behind: an unknown error of theirs leaves open whether they did."""


class Unsent(Exception):
    """The messenger did not take the file of a message; certain that nothing was sent."""


class Calls:
    """Answers requests, each on a thread of its own."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._client = engine.client
        self._people = engine.people
        self._proxy = ""
        self._known: Mapping[str, Callable[[With], object]] = {
            "connect": self._connect,
            "pair": self._pair,
            "logout": lambda _: self._client.logout(),
            "probe": self._probe,
            "send": self._send,
            "edit": self._edit,
            "delete": self._delete,
            "react": self._react,
            "typing": self._typing,
            "read": self._read,
            "resolve": self._resolve,
            "download": self._download,
            "picture": self._picture,
            "blocked": self._blocked,
            "block": self._block,
            "groups": lambda _: [
                described(each, self._people) for each in self._client.get_joined_groups()
            ],
            "group": self._group,
            "create_group": self._create_group,
            "change_members": self._change_members,
            "update_group": self._update_group,
            "invite_link": self._invite_link,
            "leave_group": lambda given: self._client.leave_group(jid_of(given["chat"])),
        }

    def answer(self, call: str, given: With) -> dict[str, object]:
        """`{"ok": …}` or `{"error": …, "why": …}`; never raises what the engine raises."""
        try:
            return {"ok": self._known[call](given)}
        except Refusal as exc:
            return {"error": "unsupported", "why": str(exc)}
        except Unsent as exc:
            return {"error": "unreachable", "why": str(exc)[:300]}
        except (NeonizeError, RuntimeError) as exc:
            return {"error": _kind_of(str(exc), call), "why": str(exc)[:300]}
        except Exception as exc:  # noqa: BLE001 - the outermost loop of a call
            kind: ErrorKind = "uncertain" if call in _ACTIONS else "refused"
            return {"error": kind, "why": f"{type(exc).__name__}"}

    def _connect(self, given: With) -> None:
        self._proxy = given["proxy"]
        self._engine.connect(self._proxy, given["device_name"], given["whole_history"])

    def _pair(self, given: With) -> dict[str, object]:
        code = self._client.PairPhone(given["phone"], True, client_type=ClientType.CHROME)  # noqa: FBT003 - the engine's own order
        return {"code": code}

    def _probe(self, _given: With) -> dict[str, object]:
        return {"connected": self._client.is_connected, "logged_in": self._client.is_logged_in}

    def _send(self, given: With) -> dict[str, object]:
        part = dict(given["part"])
        if part.get("reply_to"):
            author = self._people.in_chat(given["chat"], self._author(part["reply_to"]))
            part["reply_to"] = {**part["reply_to"], "sender": author}
        message = self._written(part, self._engine.timer_of(given["chat"]))
        message.messageContextInfo.messageSecret = secret_of(given["key"])
        sent = self._client.send_message(jid_of(given["chat"]), message)
        at = sent.Timestamp / 1e9 if sent.Timestamp > 1e11 else sent.Timestamp
        return {"id": sent.ID, "at": at}

    def _written(self, part: With, expires_s: int) -> Message:
        """Whatever fails before the message is there leaves no doubt: nothing was sent."""
        try:
            return written(self._client, part, expires_s)
        except NeonizeError as exc:
            raise Unsent(str(exc)) from exc
        except (OSError, ValueError) as exc:
            raise Refusal("the file cannot be read") from exc

    def _author(self, ref: With) -> str:
        """Who wrote a message, as other people's apps name him."""
        if ref["from_me"]:
            return bare(self._client.get_me().JID)
        return str(ref["sender_native_id"])

    def _edit(self, given: With) -> None:
        change = edit_of(given["chat"], given["id"], given["text"])
        self._client.send_message(jid_of(given["chat"]), change)

    def _delete(self, given: With) -> None:
        me = self._client.get_me().JID
        self._client.revoke_message(jid_of(given["chat"]), jid_of(bare(me)), given["id"])

    def _react(self, given: With) -> None:
        ref = given["message"]
        key = MessageKey(remoteJID=given["chat"], fromMe=ref["from_me"], ID=ref["native_id"])
        if given["chat"].endswith("@g.us") and not ref["from_me"]:
            key.participant = self._people.in_chat(given["chat"], ref["sender_native_id"])
        now_ms = int(datetime.now(UTC).timestamp() * 1000)
        reaction = ReactionMessage(key=key, text=given["emoji"], senderTimestampMS=now_ms)
        self._client.send_message(jid_of(given["chat"]), Message(reactionMessage=reaction))

    def _typing(self, given: With) -> None:
        state = (
            ChatPresence.CHAT_PRESENCE_COMPOSING
            if given["active"]
            else ChatPresence.CHAT_PRESENCE_PAUSED
        )
        media = ChatPresenceMedia.CHAT_PRESENCE_MEDIA_TEXT
        self._client.send_chat_presence(jid_of(given["chat"]), state, media)

    def _read(self, given: With) -> None:
        """Read receipts; in a group those of one sender at a time."""
        by_sender: dict[str, list[str]] = {}
        for ref in given["messages"]:
            by_sender.setdefault(ref["sender_native_id"], []).append(ref["native_id"])
        for native_id, ids in by_sender.items():
            chat = jid_of(given["chat"])
            sender = jid_of(self._people.in_chat(given["chat"], native_id))
            self._client.mark_read(*ids, chat=chat, sender=sender, receipt=ReceiptType.READ)

    def _resolve(self, given: With) -> dict[str, object]:
        (found,) = self._client.is_on_whatsapp(given["phone"])
        if not found.IsIn:
            return {"person": None}
        number = f"{given['phone'].removeprefix('+')}@s.whatsapp.net"
        return {"person": self._people.known(number, bare(found.JID))}

    def _download(self, given: With) -> dict[str, object]:
        message = Message.FromString(base64.b64decode(given["ref"]))
        data = self._client.download_any(message)
        if data is None or len(data) > given["max_bytes"]:
            raise Refusal("the file is larger than it may be")
        return {"data": base64.b64encode(data).decode()}

    def _picture(self, given: With) -> dict[str, object]:
        found = self._client.get_profile_picture(jid_of(given["chat"]))
        data = fetched(found.URL, self._proxy, given["max_bytes"])
        return {"data": base64.b64encode(data).decode()}

    def _blocked(self, _given: With) -> list[object]:
        return [self._people.person(jid) for jid in self._client.get_blocklist().JIDs]

    def _block(self, given: With) -> None:
        action = BlocklistAction.BLOCK if given["blocked"] else BlocklistAction.UNBLOCK
        self._client.update_blocklist(jid_of(given["chat"]), action)

    def _group(self, given: With) -> dict[str, Any]:
        return described(self._client.get_group_info(jid_of(given["chat"])), self._people)

    def _create_group(self, given: With) -> dict[str, Any]:
        members = [jid_of(each) for each in given["members"]]
        return described(self._client.create_group(given["name"], members), self._people)

    def _change_members(self, given: With) -> list[dict[str, object]]:
        change = ParticipantChange(given["change"])
        members = [jid_of(each) for each in given["members"]]
        answered = self._client.update_group_participants(jid_of(given["chat"]), members, change)
        errors: dict[str, int] = {}
        for each in answered:
            for jid in (each.JID, each.LID, each.PhoneNumber):
                errors[bare(jid)] = each.Error
        return [
            {"id": member, "code": errors.get(self._matching(member, errors), -1)}
            for member in given["members"]
        ]

    def _matching(self, member: str, answered: Mapping[str, int]) -> str:
        """The id under which the answer names a member."""
        person = self._people.known(member)
        return next((each for each in (member, *person.get("alt", ())) if each in answered), "")

    def _update_group(self, given: With) -> None:
        chat = jid_of(given["chat"])
        if given.get("name") is not None:
            self._client.set_group_name(chat, given["name"])
        if given.get("description") is not None:
            before = self._client.get_group_info(chat).GroupTopic.TopicID
            self._client.set_group_topic(chat, before, "", given["description"])
        if given.get("announcements") is not None:
            self._client.set_group_announce(chat, given["announcements"])
        if given.get("picture") is not None:
            self._client.set_group_photo(chat, _square(base64.b64decode(given["picture"])))

    def _invite_link(self, given: With) -> dict[str, object]:
        link = self._client.get_group_invite_link(jid_of(given["chat"]), given["renew"])
        return {"link": link}


def _square(data: bytes) -> bytes:
    """A JPEG square of the middle of a picture, as group pictures must be."""
    with Image.open(io.BytesIO(data)) as picture:
        side = min(picture.size)
        left, top = (picture.width - side) // 2, (picture.height - side) // 2
        middle = picture.convert("RGB").crop((left, top, left + side, top + side))
    middle.thumbnail((_PICTURE_PX, _PICTURE_PX))
    out = io.BytesIO()
    middle.save(out, "JPEG", quality=90)
    return out.getvalue()


def _kind_of(why: str, call: str) -> ErrorKind:
    for text, kind in ERRORS.items():
        if text in why:
            return kind
    return "uncertain" if call in _ACTIONS else "refused"
