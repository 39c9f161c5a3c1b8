"""Groups and who is in them."""

import secrets
import time
from dataclasses import dataclass, field
from typing import Literal

from tests.fakes.whatsapp_web.devices import Peer
from tests.fakes.whatsapp_web.nodes import Node, user_of

__all__ = ["Group", "Role"]

Role = Literal["", "admin", "superadmin"]


def _new_jid() -> str:
    return f"1203630{secrets.randbelow(10**11):011d}@g.us"


def _now_s() -> int:
    return int(time.time())


@dataclass(eq=False)
class Group:
    """Members in their order with their roles; the one who made it is superadmin."""

    subject: str
    owner: Peer
    members: dict[Peer, Role]
    lid_addressing: bool = True
    jid: str = field(default_factory=_new_jid)
    created_s: int = field(default_factory=_now_s)
    description: str = ""
    description_id: str = ""
    announcement: bool = False
    locked: bool = False
    expiration_s: int = 0
    picture: bytes | None = None
    invite: str = field(default_factory=lambda: secrets.token_urlsafe(16))

    @property
    def addressing(self) -> str:
        return "lid" if self.lid_addressing else "pn"

    def jid_of(self, person: Peer) -> str:
        return person.lid if self.lid_addressing else person.pn

    def participant(self, person: Peer, **attrs: str | int | None) -> Node:
        named = {"jid": person.lid, "phone_number": person.pn}
        if not self.lid_addressing:
            named = {"jid": person.pn, "lid": person.lid}
        role = self.members.get(person) or None
        return Node("participant", {**named, "type": role, **attrs})

    def node(self) -> Node:
        owner = self.jid_of(self.owner)
        nodes = [self.participant(person) for person in self.members]
        if self.description:
            attrs = {"id": self.description_id, "t": self.created_s, "participant": owner}
            nodes.append(Node("description", attrs, [Node("body", None, self.description)]))
        if self.announcement:
            nodes.append(Node("announcement"))
        if self.locked:
            nodes.append(Node("locked"))
        if self.expiration_s:
            nodes.append(Node("ephemeral", {"expiration": self.expiration_s}))
        attrs = {
            "id": user_of(self.jid),
            "subject": self.subject,
            "s_t": self.created_s,
            "s_o": owner,
            "creation": self.created_s,
            "creator": owner,
            "creator_pn": self.owner.pn,
            "size": len(self.members),
            "addressing_mode": self.addressing,
        }
        return Node("group", attrs, nodes)
