"""The nodes both sides exchange inside the encrypted stream: a tag, attributes, children or bytes.

Encoding is our own, because the other implementation packs lower-case hex as upper-case and so
changes names such as `cafe`. Jids must go out in their packed form: the engine takes an attribute
for a jid only if it came as one.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pyaileys.wabinary import BinaryNode
from pyaileys.wabinary.constants import TAGS, TOKEN_MAP
from pyaileys.wabinary.decode import decode_binary_node

__all__ = ["SERVER", "Node", "bare", "decode", "device_of", "encode", "server_of", "user_of"]

SERVER = "s.whatsapp.net"
_DEVICE_JID = re.compile(r"(\d+):(\d+)@(s\.whatsapp\.net|lid)")
_JID = re.compile(
    r"([\d-]*)@(s\.whatsapp\.net|lid|g\.us|c\.us)|(status)@(broadcast)|()(s\.whatsapp\.net)"
)
_DOMAINS = {SERVER: 0, "lid": 1}
_SHOWN_CHILDREN = 6


@dataclass(slots=True, init=False)
class Node:
    """Attributes given as None are left out; text content travels as its bytes."""

    tag: str
    attrs: dict[str, str]
    content: "list[Node] | bytes | None"

    def __init__(
        self,
        tag: str,
        attrs: Mapping[str, str | int | None] | None = None,
        content: "Sequence[Node] | bytes | str | None" = None,
    ) -> None:
        self.tag = tag
        self.attrs = {key: str(value) for key, value in (attrs or {}).items() if value is not None}
        match content:
            case str():
                self.content = content.encode()
            case None | bytes():
                self.content = content
            case _:
                self.content = list(content)

    def __getitem__(self, name: str) -> str:
        return self.attrs[name]

    def get(self, name: str, default: str = "") -> str:
        return self.attrs.get(name, default)

    @property
    def children(self) -> "list[Node]":
        return self.content if isinstance(self.content, list) else []

    @property
    def first(self) -> "Node | None":
        return next(iter(self.children), None)

    @property
    def raw(self) -> bytes:
        return self.content if isinstance(self.content, bytes) else b""

    @property
    def number(self) -> int:
        return int.from_bytes(self.raw, "big")

    def find(self, *path: str) -> "Node | None":
        """The first node down the tags, or None."""
        node: Node | None = self
        for tag in path:
            node = next((each for each in node.children if each.tag == tag), None) if node else None
        return node

    def child(self, *path: str) -> "Node":
        """The first node down the tags; a stanza without it breaks the protocol."""
        found = self.find(*path)
        if found is None:
            raise ValueError(f"no <{'/'.join(path)}> in {self}")
        return found

    def all(self, tag: str) -> "Iterator[Node]":
        return (each for each in self.children if each.tag == tag)

    def __str__(self) -> str:
        attrs = "".join(f' {key}="{value}"' for key, value in self.attrs.items())
        if self.children:
            shown = "".join(str(each) for each in self.children[:_SHOWN_CHILDREN])
            rest = len(self.children) - _SHOWN_CHILDREN
            return f"<{self.tag}{attrs}>{shown}{f'…{rest} more' if rest > 0 else ''}</{self.tag}>"
        if not self.raw:
            return f"<{self.tag}{attrs}/>"
        return f"<{self.tag}{attrs}>[{len(self.raw)} bytes]</{self.tag}>"


def user_of(jid: str) -> str:
    return jid.split("@")[0].split(":")[0]


def device_of(jid: str) -> int:
    name = jid.split("@")[0]
    return int(name.split(":")[1]) if ":" in name else 0


def server_of(jid: str) -> str:
    return jid.rpartition("@")[2]


def bare(jid: str) -> str:
    """Without the device."""
    return f"{user_of(jid)}@{server_of(jid)}"


def decode(frame: bytes) -> Node:
    return _own(decode_binary_node(frame))


def _own(node: BinaryNode) -> Node:
    content = node.content
    if isinstance(content, list):
        return Node(node.tag, node.attrs, [_own(each) for each in content])
    return Node(node.tag, node.attrs, content)


def encode(node: Node) -> bytes:
    out = bytearray(1)  # 0: not compressed
    _write_node(out, node)
    return bytes(out)


def _write_node(out: bytearray, node: Node) -> None:
    _write_list(out, 1 + 2 * len(node.attrs) + (node.content is not None))
    _write_text(out, node.tag)
    for name, value in node.attrs.items():
        _write_text(out, name)
        _write_value(out, value)
    if isinstance(node.content, bytes):
        _write_bytes(out, node.content)
    elif node.content is not None:
        _write_list(out, len(node.content))
        for each in node.content:
            _write_node(out, each)


def _write_list(out: bytearray, size: int) -> None:
    if size == 0:
        out.append(TAGS["LIST_EMPTY"])
    elif size < 256:
        out += bytes((TAGS["LIST_8"], size))
    else:
        out.append(TAGS["LIST_16"])
        out += size.to_bytes(2, "big")


def _write_bytes(out: bytearray, data: bytes) -> None:
    if len(data) < 256:
        out += bytes((TAGS["BINARY_8"], len(data)))
    elif len(data) < 1 << 20:
        out.append(TAGS["BINARY_20"])
        out += len(data).to_bytes(3, "big")
    else:
        out.append(TAGS["BINARY_32"])
        out += len(data).to_bytes(4, "big")
    out += data


def _write_text(out: bytearray, text: str) -> None:
    token = TOKEN_MAP.get(text)
    if token is None:
        _write_bytes(out, text.encode())
        return
    if "dict" in token:
        out.append(TAGS["DICTIONARY_0"] + token["dict"])
    out.append(token["index"])


def _write_value(out: bytearray, text: str) -> None:
    if found := _DEVICE_JID.fullmatch(text):
        user, device, server = found.groups()
        out += bytes((TAGS["AD_JID"], _DOMAINS[server], int(device)))
        _write_bytes(out, user.encode())
    elif found := _JID.fullmatch(text):
        user, server = (part for part in found.groups() if part is not None)
        out.append(TAGS["JID_PAIR"])
        if user:
            _write_text(out, user)
        else:
            out.append(TAGS["LIST_EMPTY"])
        _write_text(out, server)
    else:
        _write_text(out, text)
