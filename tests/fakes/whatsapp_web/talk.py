"""What people on WhatsApp do that a linked device learns of: the writing part of the facade."""

import secrets
import time
from collections.abc import Sequence
from typing import Literal

from tests.fakes.whatsapp_web import messages, outgoing
from tests.fakes.whatsapp_web.devices import Account, Companion, Peer
from tests.fakes.whatsapp_web.membership import Group
from tests.fakes.whatsapp_web.messages import Reference
from tests.fakes.whatsapp_web.nodes import Node
from tests.fakes.whatsapp_web.wire import Proto
from tests.fakes.whatsapp_web.world import Sent, World

__all__ = ["Talk"]

ReceiptKind = Literal["delivered", "read", "played", "read-self", "server-error"]
TypingState = Literal["composing", "recording", "paused"]
Chat = Peer | Group | str


def _jid(chat: Chat) -> str:
    return chat if isinstance(chat, str) else chat.jid


class Talk(World):
    """Each method sends to one linked device; `group` says where, else it is a direct chat.

    A sender who is the device's own account is the owner writing on the phone; `chat` then says to
    whom. All return the message's id.
    """

    async def send_message(
        self,
        sender: Peer,
        companion: Companion,
        message: Proto,
        *,
        id: str | None = None,
        at: float | None = None,
        group: Group | str | None = None,
        chat: Peer | str | None = None,
        **attrs: str | int | None,
    ) -> str:
        return await outgoing.send(
            self,
            sender,
            companion,
            message,
            id=id,
            at=at,
            group=None if group is None else _jid(group),
            chat=None if chat is None else _jid(chat),
            **attrs,
        )

    async def send_group_message(
        self, sender: Peer, companion: Companion, group: Group | str, message: Proto
    ) -> str:
        return await outgoing.send(self, sender, companion, message, group=_jid(group))

    async def send_status(self, sender: Peer, companion: Companion, message: Proto) -> str:
        """A story."""
        return await outgoing.send(self, sender, companion, message, group=outgoing.STATUS)

    async def send_text(
        self,
        sender: Peer,
        companion: Companion,
        text: str,
        *,
        reply_to: Reference | None = None,
        mentions: Sequence[Peer] = (),
        expiration_s: int = 0,
        group: Group | None = None,
        chat: Peer | None = None,
    ) -> str:
        named = [person.jid if group is None else group.jid_of(person) for person in mentions]
        message = messages.text(text, reply_to=reply_to, mentions=named, expiration_s=expiration_s)
        return await self.send_message(sender, companion, message, group=group, chat=chat)

    async def send_image(
        self,
        sender: Peer,
        companion: Companion,
        data: bytes,
        *,
        caption: str = "",
        mimetype: str = "image/png",
        view_once: bool = False,
        group: Group | None = None,
    ) -> str:
        file = self.cdn.seal("Image", data)
        message = messages.image(file, mimetype=mimetype, caption=caption)
        if view_once:
            message = messages.view_once(message)
        return await self.send_message(sender, companion, message, group=group)

    async def send_video(
        self, sender: Peer, companion: Companion, data: bytes, *, caption: str = ""
    ) -> str:
        message = messages.video(self.cdn.seal("Video", data), caption=caption)
        return await self.send_message(sender, companion, message)

    async def send_audio(
        self, sender: Peer, companion: Companion, data: bytes, *, voice: bool = False
    ) -> str:
        message = messages.audio(self.cdn.seal("Audio", data), voice=voice)
        return await self.send_message(sender, companion, message)

    async def send_document(
        self,
        sender: Peer,
        companion: Companion,
        data: bytes,
        *,
        name: str,
        mimetype: str = "application/pdf",
        caption: str = "",
    ) -> str:
        file = self.cdn.seal("Document", data)
        message = messages.document(file, name=name, mimetype=mimetype, caption=caption)
        return await self.send_message(sender, companion, message)

    async def send_sticker(self, sender: Peer, companion: Companion, data: bytes) -> str:
        message = messages.sticker(self.cdn.seal("Image", data))
        return await self.send_message(sender, companion, message)

    async def send_album(
        self, sender: Peer, companion: Companion, pictures: Sequence[bytes]
    ) -> list[str]:
        """The ids: of the album, then of its pictures."""
        ids = [await self.send_message(sender, companion, messages.album(len(pictures)))]
        parent = Reference(ids[0], companion.account.jid)
        for data in pictures:
            picture = messages.in_album(messages.image(self.cdn.seal("Image", data)), parent)
            ids.append(await self.send_message(sender, companion, picture))
        return ids

    async def send_location(
        self, sender: Peer, companion: Companion, latitude: float, longitude: float, name: str = ""
    ) -> str:
        message = messages.location(latitude, longitude, name=name)
        return await self.send_message(sender, companion, message)

    async def send_contact(self, sender: Peer, companion: Companion, name: str, phone: str) -> str:
        return await self.send_message(sender, companion, messages.contact(name, phone))

    async def send_poll(
        self,
        sender: Peer,
        companion: Companion,
        question: str,
        options: Sequence[str],
        *,
        choices: int = 1,
        group: Group | None = None,
    ) -> str:
        message = messages.poll(question, options, choices=choices)
        return await self.send_message(sender, companion, message, group=group)

    async def send_vote(
        self,
        sender: Peer,
        companion: Companion,
        poll: Proto,
        poll_id: str,
        options: Sequence[str],
        *,
        group: Group | None = None,
    ) -> str:
        """For a poll the engine sent: `poll` is the message the peer received."""
        author = companion.account.lid
        chat = group.jid if group else author
        message = messages.vote(
            options,
            poll=Reference(poll_id, chat, author),
            secret=bytes(poll.messageContextInfo.messageSecret),
            author=author,
            voter=sender.lid,
        )
        return await self.send_message(sender, companion, message, group=group)

    async def send_reaction(
        self,
        sender: Peer,
        companion: Companion,
        to: Reference,
        emoji: str,
        *,
        group: Group | None = None,
    ) -> str:
        message = messages.reaction(to, emoji)
        return await self.send_message(sender, companion, message, group=group)

    async def send_edit(
        self,
        sender: Peer,
        companion: Companion,
        id: str,
        text: str,
        *,
        group: Group | None = None,
    ) -> str:
        """The sender changes what he wrote."""
        of = Reference(id, group.jid if group else companion.account.jid)
        message = messages.edit(of, text)
        return await self.send_message(sender, companion, message, group=group, edit="1")

    async def send_revoke(
        self,
        sender: Peer,
        companion: Companion,
        id: str,
        *,
        author: Peer | None = None,
        group: Group | None = None,
    ) -> str:
        """The sender deletes his message for everyone, or as admin that of `author`."""
        whose = group.jid_of(author) if group and author else ""
        of = Reference(id, group.jid if group else companion.account.jid, whose)
        edit = "8" if whose else "7"
        message = messages.revoke(of)
        return await self.send_message(sender, companion, message, group=group, edit=edit)

    async def set_disappearing(self, sender: Peer, companion: Companion, seconds: int) -> str:
        """The peer sets the timer of their direct chat."""
        return await self.send_message(sender, companion, messages.disappearing(seconds))

    async def send_undecryptable(
        self, sender: Peer, companion: Companion, message: Proto, *, group: Group | None = None
    ) -> str:
        """Garbage: the engine asks again, and gets the message if phones still resend."""
        id = outgoing.new_id()
        where = group.jid if group else None
        attrs: outgoing.Attrs = {
            "id": id,
            "t": int(time.time()),
            "type": "text",
            "notify": sender.name,
            **outgoing.address(self, sender, companion, where),
        }
        self.sent[id] = Sent(sender, message, attrs, where)
        kind, ciphertext = await sender.encrypt(companion, message.SerializeToString())
        broken = ciphertext[:-24] + secrets.token_bytes(24)
        enc = Node("enc", {"v": 2, "type": kind}, broken)
        await self.deliver(companion, Node("message", attrs, [enc]))
        return id

    async def retry_receipt(
        self,
        peer: Peer,
        companion: Companion,
        id: str,
        *,
        group: Group | None = None,
        count: int = 1,
    ) -> None:
        """The peer could not decrypt a message of the engine, which must send it again."""
        where = group.jid if group else None
        await outgoing.ask_again(self, peer, companion, id, group=where, count=count)

    async def receipt(
        self,
        sender: Peer,
        companion: Companion,
        ids: str | Sequence[str],
        kind: ReceiptKind = "read",
        *,
        group: Group | None = None,
    ) -> None:
        named = {"from": sender.jid}
        if group:
            named = {"from": group.jid, "participant": group.jid_of(sender)}
        await self._receipt(companion, ids, kind, named)

    async def _receipt(
        self, companion: Companion, ids: str | Sequence[str], kind: str, named: dict[str, str]
    ) -> None:
        first, *rest = [ids] if isinstance(ids, str) else ids
        attrs = {
            "id": first,
            "t": int(time.time()),
            "type": None if kind == "delivered" else kind,
            **named,
        }
        more = [Node("list", None, [Node("item", {"id": each}) for each in rest])]
        await self.deliver(companion, Node("receipt", attrs, more if rest else None))

    async def read_on_phone(
        self,
        account: Account,
        chat: Chat,
        ids: str | Sequence[str],
        *,
        kind: Literal["read", "read-self"] = "read-self",
    ) -> None:
        """The owner read a chat on the phone; `read` where he shows it to others."""
        if isinstance(chat, Group):
            named = {"from": chat.jid, "participant": chat.jid_of(account)}
        else:
            named = {"from": account.jid, "recipient": _jid(chat)}
        for companion in self.linked([account]):
            await self._receipt(companion, ids, kind, named)

    async def type(
        self,
        sender: Peer,
        companion: Companion,
        state: TypingState = "composing",
        *,
        group: Group | None = None,
    ) -> None:
        named = {"from": sender.jid}
        if group:
            named = {"from": group.jid, "participant": group.jid_of(sender)}
        content = Node("composing", {"media": "audio"})
        if state != "recording":
            content = Node(state)
        await self.deliver(companion, Node("chatstate", named, [content]))

    async def presence(
        self,
        sender: Peer,
        companion: Companion,
        available: bool,
        last_seen: int | None = None,
    ) -> None:
        kind = None if available else "unavailable"
        attrs = {"from": sender.jid, "type": kind, "last": last_seen}
        await self.deliver(companion, Node("presence", attrs))
