"""Simulated people with their phones, and the devices an engine linked to one of them.

A phone keeps Signal sessions like a real one: a session that both sides began at once does not
lose the messages under way, because the one it replaced stays readable.
"""

import asyncio
import hashlib
import secrets
from collections import defaultdict, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from pyaileys.auth.creds import AuthenticationCreds
from pyaileys.auth.state import AuthenticationState
from pyaileys.auth.utils import init_auth_creds
from pyaileys.signal.repository import (
    PreKeyBundle,
    PreKeyBundleKey,
    SignalError,
    SignalRepository,
)
from pyaileys.signal.util import signal_pubkey

from tests.fakes.whatsapp_web.appstate import AppState
from tests.fakes.whatsapp_web.authority import CURVE
from tests.fakes.whatsapp_web.nodes import SERVER, Node
from tests.fakes.whatsapp_web.wire import Proto

__all__ = ["Account", "Companion", "Message", "Peer", "SignedPreKey"]

_ARCHIVED_SESSIONS = 5


@dataclass(frozen=True)
class Message:
    """What a simulated phone could read of a message an engine sent."""

    id: str
    sender: str  # the lid of the account that sent it
    chat: str  # as the engine addressed it
    message: Proto
    companion: "Companion"
    node: Node
    is_resend: bool = False  # the answer to a retry receipt

    @property
    def text(self) -> str:
        return self.message.conversation or self.message.extendedTextMessage.text


class _Keys:
    """The key store the Signal implementation wants."""

    def __init__(self) -> None:
        self.kept: dict[str, dict[str, object]] = defaultdict(dict)

    async def get(self, key_type: str, ids: list[str]) -> dict[str, object]:
        return {each: self.kept[key_type].get(each) for each in ids}

    async def set(self, data: Mapping[str, Mapping[str, object | None]]) -> None:
        for key_type, items in data.items():
            for name, value in items.items():
                if value is None:
                    self.kept[key_type].pop(name, None)
                else:
                    self.kept[key_type][name] = value

    async def clear(self) -> None:
        self.kept.clear()


@dataclass(frozen=True)
class SignedPreKey:
    id: int
    public: bytes
    signature: bytes

    def node(self) -> Node:
        return Node(
            "skey",
            None,
            [
                Node("id", None, self.id.to_bytes(3, "big")),
                Node("value", None, self.public),
                Node("signature", None, self.signature),
            ],
        )


def _key_node(number: int, public: bytes) -> Node:
    return Node(
        "key", None, [Node("id", None, number.to_bytes(3, "big")), Node("value", None, public)]
    )


def _bundle_nodes(registration_id: int, identity: bytes, signed: SignedPreKey) -> list[Node]:
    return [
        Node("registration", None, registration_id.to_bytes(4, "big")),
        Node("type", None, b"\x05"),
        Node("identity", None, identity),
        signed.node(),
    ]


def _pad(data: bytes) -> bytes:
    count = secrets.randbelow(15) + 1
    return data + bytes([count]) * count


def _unpad(data: bytes) -> bytes:
    return data[: -data[-1]]


class Peer:
    """A person with a phone. Keys are made when first needed, so that thousands cost nothing."""

    def __init__(self, phone: str, name: str, *, lid_addressing: bool = True) -> None:
        self.phone, self.name = phone, name
        self.pn = f"{phone}@{SERVER}"
        self.lid = f"9{int(hashlib.sha256(phone.encode()).hexdigest()[:12], 16):014d}@lid"
        self.lid_addressing = lid_addressing
        self.about = "Hey there!"
        self.picture: bytes | None = None
        self.inbox: asyncio.Queue[Message] = asyncio.Queue()
        self.received: list[Message] = []
        self.readers: set[tuple[str, Companion]] = set()  # who has the key of which group
        self._next_prekey = 1
        self._archive: dict[str, deque[object]] = defaultdict(
            lambda: deque(maxlen=_ARCHIVED_SESSIONS)
        )

    @property
    def jid(self) -> str:
        """As stanzas name this person."""
        return self.lid if self.lid_addressing else self.pn

    @cached_property
    def creds(self) -> AuthenticationCreds:
        return init_auth_creds()

    @cached_property
    def _keys(self) -> _Keys:
        return _Keys()

    @cached_property
    def _signal(self) -> SignalRepository:
        return SignalRepository(AuthenticationState(self.creds, self._keys))

    def bundle_node(self, jid: str) -> Node:
        """What the server hands out to whoever wants to write to this phone."""
        number, self._next_prekey = self._next_prekey, self._next_prekey + 1
        pair = CURVE.generate_keypair()
        self._keys.kept["pre-key"][str(number)] = {"public": pair.public, "private": pair.private}
        signed = self.creds.signed_pre_key
        nodes = _bundle_nodes(
            self.creds.registration_id,
            self.creds.signed_identity_key.public,
            SignedPreKey(signed.key_id, signed.key_pair.public, signed.signature),
        )
        return Node("user", {"jid": jid}, [*nodes, _key_node(number, pair.public)])

    def take(self, message: Message) -> None:
        self.received.append(message)
        self.inbox.put_nowait(message)

    async def encrypt(self, companion: "Companion", data: bytes) -> tuple[str, bytes]:
        """Kind and ciphertext of the next message to that device."""
        if not await self._signal.validate_session(companion.lid):
            await self.begin_session(companion, companion.take_bundle())
        return await self._signal.encrypt_message(companion.lid, data=_pad(data))

    async def begin_session(self, companion: "Companion", bundle: PreKeyBundle) -> None:
        self._put_away(companion, None)
        await self._signal.inject_outgoing_session(companion.lid, bundle)

    async def decrypt(self, companion: "Companion", kind: str, ciphertext: bytes) -> bytes:
        """Raises SignalError for what this phone cannot read."""
        sessions, address = self._keys.kept["session"], self._address(companion)
        current = sessions.get(address)
        try:
            data = await self._signal.decrypt_message(
                companion.lid, message_type=kind, ciphertext=ciphertext
            )
        except SignalError:
            return await self._decrypt_with_older(companion, kind, ciphertext)
        if kind == "pkmsg" and current is not None:
            self._put_away(companion, current)
        return _unpad(data)

    async def _decrypt_with_older(
        self, companion: "Companion", kind: str, ciphertext: bytes
    ) -> bytes:
        sessions, address = self._keys.kept["session"], self._address(companion)
        current = sessions.get(address)
        for older in list(self._archive[address]):
            sessions[address] = older
            try:
                data = await self._signal.decrypt_message(
                    companion.lid, message_type=kind, ciphertext=ciphertext
                )
            except SignalError:
                continue
            self._archive[address].remove(older)
            self._put_away(companion, current)
            return _unpad(data)
        if current is None:
            sessions.pop(address, None)
        else:
            sessions[address] = current
        raise SignalError(f"no session of {self.name} reads this {kind}")

    def _address(self, companion: "Companion") -> str:
        return str(self._signal.jid_to_address(companion.lid))

    def _put_away(self, companion: "Companion", session: object | None) -> None:
        address = self._address(companion)
        session = session or self._keys.kept["session"].get(address)
        if session is not None and session not in self._archive[address]:
            self._archive[address].appendleft(session)

    async def encrypt_group(self, group: str, data: bytes) -> tuple[bytes, bytes]:
        """Ciphertext for all members, and what a new reader needs to read it."""
        return await self._signal.encrypt_group_message(
            group_jid=group, me_jid=self.lid, data=_pad(data)
        )

    async def take_group_key(self, group: str, companion: "Companion", key: bytes) -> None:
        await self._signal.process_sender_key_distribution_message(
            group, author_jid=companion.lid, distribution_bytes=key
        )

    async def decrypt_group(self, group: str, companion: "Companion", ciphertext: bytes) -> bytes:
        data = await self._signal.decrypt_group_message(
            group_jid=group, author_jid=companion.lid, ciphertext=ciphertext
        )
        return _unpad(data)


@dataclass(eq=False)
class Companion:
    """A device that the engine under test linked to an account."""

    account: "Account"
    number: int
    identity: bytes
    registration_id: int
    signed_prekey: SignedPreKey
    certificate: bytes  # the signed device identity
    prekeys: deque[tuple[int, bytes]] = field(default_factory=deque[tuple[int, bytes]])
    waiting: list[Node] = field(default_factory=list[Node])  # sent while it was away
    unconfirmed: dict[tuple[str, str], Node] = field(default_factory=dict[tuple[str, str], Node])
    presences: list[str] = field(default_factory=list[str])  # announced: available, unavailable
    subscriptions: set[str] = field(default_factory=set[str])
    online: bool = False
    linked: bool = True
    greeted: bool = False  # the phone has sent it keys and history

    @property
    def presence(self) -> str | None:
        """What it announced last."""
        return self.presences[-1] if self.presences else None

    @property
    def jid(self) -> str:
        return f"{self.account.phone}:{self.number}@{SERVER}"

    @property
    def lid(self) -> str:
        return self.account.lid.replace("@", f":{self.number}@")

    def bundle_node(self, jid: str) -> Node:
        nodes = _bundle_nodes(self.registration_id, self.identity, self.signed_prekey)
        if self.prekeys:
            nodes.append(_key_node(*self.prekeys.popleft()))
        return Node("user", {"jid": jid}, [*nodes, Node("device-identity", None, self.certificate)])

    def take_bundle(self) -> PreKeyBundle:
        one_time = self.prekeys.popleft() if self.prekeys else None
        return PreKeyBundle(
            registration_id=self.registration_id,
            identity_key=signal_pubkey(self.identity),
            signed_pre_key=PreKeyBundleKey(
                self.signed_prekey.id,
                signal_pubkey(self.signed_prekey.public),
                self.signed_prekey.signature,
            ),
            pre_key=PreKeyBundleKey(one_time[0], signal_pubkey(one_time[1])) if one_time else None,
        )


class Account(Peer):
    """A person whose phone scans the QR code."""

    def __init__(self, phone: str, name: str, *, business: bool = False) -> None:
        super().__init__(phone, name)
        self.business = business
        self.companions: dict[int, Companion] = {}
        self.raw_id = secrets.randbits(31)
        self.app_state = AppState(self.raw_id)
        self.app_state.name_account(name)
        self.blocked: list[str] = []
        self.privacy = {
            "last": "all",
            "online": "all",
            "profile": "all",
            "status": "contacts",
            "readreceipts": "all",
            "groupadd": "all",
            "calladd": "all",
        }
        self.banned_until_s = 0.0
        self._last_device = 0

    def next_device(self) -> int:
        self._last_device += 1
        return self._last_device
