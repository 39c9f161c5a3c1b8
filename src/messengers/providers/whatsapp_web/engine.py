"""The engine of one account: its connection, and what it tells, in the protocol's words.

Part of the worker: it imports the engine (neonize, whatsmeow inside). The engine's callback is
blocked until an event is written, so nothing is queued here.
"""
# The engine has no types:
# pyright: standard, reportTypedDictNotRequiredAccess=false, reportAttributeAccessIssue=false

import base64
import ctypes
import importlib.metadata
import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import orjson
from google.protobuf.message import Message as Protobuf
from neonize._binder import ProxySettings, free_bytes, gocode
from neonize.client import NewClient
from neonize.events import INT_TO_EVENT
from neonize.proto import Neonize_pb2 as told
from neonize.proto.waCompanionReg.WAWebProtobufsCompanionReg_pb2 import DeviceProps
from neonize.utils.enum import Presence

from messengers.providers.whatsapp_web import history
from messengers.providers.whatsapp_web.groups import changes_of, group_of
from messengers.providers.whatsapp_web.people import People, bare
from messengers.providers.whatsapp_web.protocol import PROTOCOL, Chat, WireMessage
from messengers.providers.whatsapp_web.reading import change_of, read
from messengers.providers.whatsapp_web.session import prepare

__all__ = ["Engine"]

_FIRST_CODE_S, _NEXT_CODE_S = 60, 20
"""How long the first and each later QR code holds (whatsmeow's qrchan.go)."""
_NAMES_AFTER_S = (0.5, 1.0, 2.0, 4.0, 15.0, 60.0)
"""When the address book is read again after a connection: it comes without an event."""
_NAMES_EVERY_S = 600.0
_RECEIPTS = {
    told.Receipt.DELIVERED: "delivered",
    told.Receipt.READ: "read",
    told.Receipt.PLAYED: "read",
}
_BANNED = told.ConnectFailureReason.UNKNOWN_LOGOUT
"""406, which WhatsApp's own client calls banned (whatsmeow's events.go)."""
_BANS = {
    told.TemporaryBan.SEND_TO_TOO_MANY_PEOPLE: "it wrote to too many people",
    told.TemporaryBan.BLOCKED_BY_USERS: "too many people blocked it",
    told.TemporaryBan.CREATED_TOO_MANY_GROUPS: "it made too many groups",
    told.TemporaryBan.SENT_TOO_MANY_SAME_MESSAGE: "it sent the same message too often",
    told.TemporaryBan.BROADCAST_LIST: "it sent too much to broadcast lists",
}
_READ_ELSEWHERE = (told.Receipt.READ_SELF, told.Receipt.PLAYED_SELF)


class Engine:
    """One account."""

    def __init__(self, session: Path, line: Callable[[object], None]) -> None:
        _quiet()
        self._line = line
        self._codes = 0
        self._timers_file = session.with_name("timers.json")
        self._timers: dict[str, int] = _loaded(self._timers_file)
        prepare(session)
        self.client = NewClient(str(session), uuid="account")
        self.people = People(self.client)
        self._handlers: Mapping[type[Protobuf], Callable[[Any], None]] = {
            told.PairStatus: self._paired,
            told.Connected: self._connected,
            told.Disconnected: lambda _: line({"event": "disconnected"}),
            told.KeepAliveTimeout: lambda _: line({"event": "silent"}),
            told.KeepAliveRestored: lambda _: line({"event": "restored"}),
            told.LoggedOut: self._logged_out,
            told.StreamReplaced: lambda _: line({"event": "replaced"}),
            told.TemporaryBan: self._banned,
            told.ConnectFailure: self._refused,
            told.ClientOutdated: lambda _: line({"event": "outdated"}),
            told.OfflineSyncCompleted: lambda event: line(
                {"event": "caught_up", "count": event.Count}
            ),
            told.HistorySync: self._history,
            told.Message: self._message,
            told.UndecryptableMessage: self._undecryptable,
            told.Receipt: self._receipt,
            told.ChatPresence: self._typing,
            told.JoinedGroup: self._joined,
            told.GroupInfo: self._nothing,
            told.GroupInfoEvent: self._group_changed,
        }

    def hello(self) -> dict[str, object]:
        """The first line."""
        version = importlib.metadata.version("neonize")
        return {"event": "hello", "protocol": PROTOCOL, "engine": "neonize", "version": version}

    def connect(self, proxy: str, device_name: str, whole_history: bool) -> None:
        """Start; everything else comes as events."""
        codes = [code for code, kind in INT_TO_EVENT.items() if kind in self._handlers]
        self.client.event.list_func = dict.fromkeys(codes, _unused)
        self.client.event.execute = self._told
        self.client.qr(self._code)
        self.client.device_props = DeviceProps(
            os=device_name, platformType=DeviceProps.DESKTOP, requireFullSync=whole_history
        )

        def run() -> None:
            try:
                self.client.connect(ProxySettings(proxy) if proxy else None)
            except Exception as exc:  # noqa: BLE001 - the outermost loop of the engine
                self._line({"event": "failed", "why": str(exc)[:300]})
            else:
                self._line({"event": "failed", "why": "the engine stopped"})

        threading.Thread(target=run, daemon=True).start()

    def login_ended(self, word: str) -> None:
        """What the engine printed of a login by code."""
        if word == "err-client-outdated":
            self._line({"event": "outdated"})
        elif word != "success":
            self._line({"event": "login_over", "why": word})

    def timer_of(self, chat: str) -> int:
        """After how many seconds messages of a chat disappear; 0: never."""
        return self._timers.get(chat, 0)

    def _told(self, _uuid: int, binary: int, size: int, code: int) -> None:
        """An event, on a thread of the engine. What it raises would be lost there."""
        data = ctypes.string_at(binary, size)
        try:
            event = INT_TO_EVENT[code].FromString(data)
            if isinstance(event, told.Device):
                self.client.me = event
                return
            self._handlers[type(event)](event)
        except BrokenPipeError:
            raise
        except Exception as exc:  # noqa: BLE001 - kept as it is, to be understood later
            raw = base64.b64encode(data).decode()
            self._line({"event": "raw", "code": code, "data": raw, "why": type(exc).__name__})

    def _nothing(self, _event: Protobuf) -> None:
        """An event that is told in another way too."""

    def _code(self, _client: object, data: bytes) -> None:
        self._codes += 1
        lasts_s = _FIRST_CODE_S if self._codes == 1 else _NEXT_CODE_S
        self._line(
            {"event": "qr", "text": data.decode(), "number": self._codes, "lasts_s": lasts_s}
        )

    def _paired(self, event: told.PairStatus) -> None:
        if event.Error:
            self._line({"event": "login_over", "why": event.Error[:200]})
        else:
            self._line({"event": "paired"})

    def _connected(self, _event: told.Connected) -> None:
        me = self.client.get_me()
        self.people.mine = {each for each in (bare(me.JID), bare(me.LID)) if each}
        self.people.learn(bare(me.JID), bare(me.LID))
        self._line(
            {"event": "connected", "me": self.people.known(bare(me.JID), push_name=me.PushName)}
        )
        threading.Thread(target=self._settle, daemon=True).start()

    def _settle(self) -> None:
        """After a connection: stay unseen, so that the phone rings on; groups and names."""
        _tried(self._tell_groups)
        unseen = False
        waited_s = 0.0
        for after_s in _NAMES_AFTER_S:
            # Without the account's own name, which comes by itself, presence is refused.
            unseen = unseen or _tried(self._stay_unseen)
            time.sleep(after_s - waited_s)
            waited_s = after_s
            _tried(self._tell_names)
        while True:
            time.sleep(_NAMES_EVERY_S)
            _tried(self._tell_names)

    def _stay_unseen(self) -> None:
        self.client.send_presence(Presence.UNAVAILABLE)

    def _tell_groups(self) -> None:
        groups = self.client.get_joined_groups()
        found = [self._group(group) for group in groups]
        for start in range(0, len(found), 200):
            self._line({"event": "chats", "chats": found[start : start + 200]})

    def _tell_names(self) -> None:
        changed = self.people.load()
        for start in range(0, len(changed), 200):
            self._line({"event": "people", "people": changed[start : start + 200]})

    def _logged_out(self, event: told.LoggedOut) -> None:
        banned = event.OnConnect and event.Reason == _BANNED
        self._line({"event": "banned"} if banned else {"event": "logged_out"})

    def _banned(self, event: told.TemporaryBan) -> None:
        why = _BANS[event.Code] if event.HasField("Code") else ""
        self._line({"event": "banned", "seconds": event.Expire, "why": why})

    def _refused(self, event: told.ConnectFailure) -> None:
        reason = told.ConnectFailureReason.Name(event.Reason)
        self._line({"event": "refused", "reason": reason, "why": event.Message[:200]})

    def _history(self, event: told.HistorySync) -> None:
        for each in history.events_of(event.Data, self.people):
            if each["event"] == "history":
                self._set_timer(each["chat"]["id"], each.pop("expires_s", 0))
            self._line(each)

    def _message(self, event: told.Message) -> None:
        source = event.Info.MessageSource
        if source.Chat.Server == "broadcast" and source.Chat.User == "status":
            return
        change = change_of(event.Message)
        if change is not None:
            self._changed(event, *change)
            return
        body = read(event.Message)
        if body.empty:
            return
        found = self._base(event.Info) | body.fields
        if event.IsViewOnce or event.IsViewOnceV2 or event.IsViewOnceV2Extension:
            found["marks"] = list(dict.fromkeys([*found.get("marks", []), "view_once"]))
        self._name_mentions(found, body.mentioned)
        self._set_timer(found["chat"]["id"], found.pop("expires_s", 0))
        self._line({"event": "message", "message": found})

    def _undecryptable(self, event: told.UndecryptableMessage) -> None:
        if event.Info.MessageSource.Chat.Server == "broadcast":
            return
        found = self._base(event.Info)
        found["marks"] = ["undecrypted"]
        self._line({"event": "message", "message": found})

    def _base(self, info: told.MessageInfo) -> WireMessage:
        """Where a message is from, whoever wrote it."""
        source = info.MessageSource
        chat = self._chat_of(source, info.Pushname)
        found = WireMessage(id=info.ID, chat=chat, at=info.Timestamp / 1000)
        if source.IsFromMe:
            found["mine"] = True
        else:
            found["sender"] = self.people.person(source.Sender, source.SenderAlt, info.Pushname)
        return found

    def _chat_of(self, source: told.MessageSource, push_name: str = "") -> Chat:
        server = source.Chat.Server
        if server == "g.us":
            group = Chat(id=bare(source.Chat), kind="group")
            self.people.met(group["id"], source.Sender)
            return group
        if server == "newsletter":
            return Chat(id=bare(source.Chat), kind="channel")
        if source.IsFromMe:
            return Chat(**self.people.person(source.Chat, source.RecipientAlt), kind="dm")
        # A broadcast list is read as what its sender wrote to us.
        person = self.people.person(source.Sender, source.SenderAlt, push_name)
        return Chat(**person, kind="dm")

    def _name_mentions(self, found: WireMessage, mentioned: Iterable[str]) -> None:
        for native_id in mentioned:
            if self.people.is_me(native_id):
                found["mentions_me"] = True
            user = native_id.partition("@")[0]
            if f"@{user}" in found.get("text", ""):
                name = self.people.shown(native_id)
                found["text"] = found["text"].replace(f"@{user}", f"@{name}")

    def _changed(self, event: told.Message, kind: str, change: dict[str, Any]) -> None:
        """A message that changes another one."""
        info = event.Info
        if not kind:
            return
        chat = self._chat_of(info.MessageSource, info.Pushname)
        common = {"chat": chat, "at": info.Timestamp / 1000, "stanza": info.ID, **change}
        match kind:
            case "timer":
                self._set_timer(chat["id"], change["expires_s"], known=True)
            case "reaction" | "vote":
                sender = self.people.person(
                    info.MessageSource.Sender, info.MessageSource.SenderAlt, info.Pushname
                )
                if kind == "vote":
                    common["options"] = self._options(event)
                mine = bool(info.MessageSource.IsFromMe)
                self._line({"event": kind, "sender": sender, "mine": mine, **common})
            case _:
                self._line({"event": kind, **common})

    def _options(self, event: told.Message) -> list[str]:
        """The hashes of the options that somebody voted for.

        Asked of the library, because neonize 0.5.2 takes its answer for bytes, which it is not.
        """
        data = event.SerializeToString()
        answer = gocode.DecryptPollVote(self.client.uuid, data, len(data))
        try:
            decrypted = told.ReturnFunctionWithError.FromString(answer.contents.get_bytes())
        finally:
            free_bytes(answer)
        if decrypted.Error:
            raise ValueError(decrypted.Error)
        return [each.hex() for each in decrypted.PollVoteMessage.selectedOptions]

    def _receipt(self, event: told.Receipt) -> None:
        source = event.MessageSource
        common = {"chat": self._chat_of(source), "at": event.Timestamp}
        if event.Type in _READ_ELSEWHERE:
            self._line({"event": "read", **common})
        elif event.Type in _RECEIPTS and not source.IsFromMe:
            state = _RECEIPTS[event.Type]
            self._line({"event": "receipt", "ids": [*event.MessageIDs], "state": state, **common})

    def _typing(self, event: told.ChatPresence) -> None:
        active = event.State == told.ChatPresence.COMPOSING
        chat = self._chat_of(event.MessageSource)
        self._line({"event": "typing", "chat": chat, "active": active})

    def _joined(self, event: told.JoinedGroup) -> None:
        self._line({"event": "chats", "chats": [self._group(event.GroupInfo)]})

    def _group(self, info: told.GroupInfo) -> Chat:
        """A group as a chat; how long its messages stay and how it names people is remembered."""
        chat = group_of(info)
        self._set_timer(chat["id"], info.GroupEphemeral.DisappearingTimer)
        for member in info.Participants[:1]:
            self.people.met(chat["id"], member.JID)
        return chat

    def _group_changed(self, event: told.GroupInfoEvent) -> None:
        if event.HasField("Ephemeral"):
            self._set_timer(bare(event.JID), event.Ephemeral.DisappearingTimer, known=True)
        for each in changes_of(event, self.people):
            self._line(each)

    def _set_timer(self, chat: str, seconds: int, *, known: bool = False) -> None:
        """Remember after how long a chat's messages disappear; 0 counts when it is `known`."""
        if self._timers.get(chat, 0) == seconds or not (seconds or known):
            return
        self._timers[chat] = seconds
        self._timers_file.write_bytes(orjson.dumps(self._timers))


def _quiet() -> None:
    """The engine's log would name people; what matters comes as events."""
    root = logging.getLogger()
    root.handlers[:] = [logging.NullHandler()]
    logging.disable(logging.CRITICAL)


def _unused(_client: object, _event: object) -> None:
    """Events are taken from the engine's callback itself; it only wants to know which."""


def _tried(step: Callable[[], None]) -> bool:
    """Do what is worth having and may fail: it comes again with the next connection."""
    try:
        step()
    except BrokenPipeError:
        raise
    except Exception:  # noqa: BLE001 - the engine raises its own kinds
        return False
    return True


def _loaded(file: Path) -> dict[str, int]:
    try:
        return orjson.loads(file.read_bytes())
    except (FileNotFoundError, orjson.JSONDecodeError):
        return {}
