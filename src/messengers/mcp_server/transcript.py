"""Messages as lines that no text can forge.

    [14:05 m3k9] Anna: see you at five?
      | second line of the same message
      ↳ 📎 image · reply to m3k7 · edited · reactions 👍2
    [14:06 m3ka me] yes

What stands in the brackets is ours alone: the bracket opens a line and no name can stand in it, and
whether the account itself wrote (`me`) is said there. Every line of a text after the first starts
with two spaces and a bar, everything else we say about a message with two spaces and an arrow.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from messengers.core.words import counted
from messengers.mcp_server.text import Visible, cut
from messengers.mcp_server.times import Zone
from messengers.models import Attachment, Chat, Message, Reaction

__all__ = ["SHORT", "Transcript", "first_and_last", "preview"]

SHORT = 1_500
"""Characters of one message in a list; get_message shows the rest."""


@dataclass
class Transcript:
    """Renders messages in the owner's zone and counts hidden characters."""

    zone: Zone
    visible: Visible = field(default_factory=Visible)
    longest: int = SHORT

    def lines(self, messages: Iterable[Message]) -> list[str]:
        """Messages of one chat in their order, with a line for the day where it changes."""
        lines: list[str] = []
        today = ""
        for message in messages:
            day = self.zone.day(_when(message))
            lines += [day] if day != today else []
            lines += self.message(message)
            today = day
        return lines

    def message(self, message: Message, chat: str = "") -> list[str]:
        """One message; where several chats mix, `chat` is the id of its own and the day is told."""
        raw, left_out = cut(self.visible.text(message.text), self.longest)
        first, *rest = raw.split("\n")
        sender = self._sender(message)
        marks = self._marks(message, left_out)
        lines = [f"[{self._bracket(message, chat)}] {sender}{first}".rstrip()]
        lines += [f"  | {line}".rstrip() for line in rest]
        if marks:
            lines.append(f"  ↳ {' · '.join(marks)}")
        return lines

    def attachments(self, message: Message) -> list[str]:
        """Each attachment with what is known of it, and its transcript."""
        lines: list[str] = []
        for index, each in enumerate(message.attachments):
            size = counted(each.size_bytes, "byte") if each.size_bytes is not None else ""
            duration = f"{each.duration_s:.0f} s" if each.duration_s is not None else ""
            known = [each.kind, size, duration, self._theirs(each.mime, 60)]
            known.append(self._theirs(each.name, 80))
            lines.append(f"  ↳ attachment {index}: {' · '.join(part for part in known if part)}")
            if each.transcript:
                spoken = self.visible.text(each.transcript)
                lines += [f"  | {line}".rstrip() for line in spoken.split("\n")]
        return lines

    def _bracket(self, message: Message, chat: str) -> str:
        moment = _when(message)
        when = self.zone.minute(moment) if chat else self.zone.clock(moment)
        mine = "me" if _mine(message) else ""
        return " ".join(part for part in (when, message.id, chat, mine) if part)

    def _sender(self, message: Message) -> str:
        if _mine(message):
            return ""
        sender = message.sender
        name = sender.display_name or sender.username or sender.phone or sender.native_id
        return f"{self.visible.line(name, 40).replace(':', ' ') or 'someone'}: "

    def _marks(self, message: Message, left_out: int) -> list[str]:
        more = f"… +{counted(left_out, 'character')}, get_message {message.id}"
        marks = [more] if left_out else []
        marks += [self._attachment(each) for each in message.attachments]
        if message.reply_to:
            marks.append(f"reply to {self._theirs(message.reply_to, 40)}")
        if message.part:
            marks.append(f"part {message.part}")
        if message.mentions_me:
            marks.append("mentions me")
        if message.status != "active":
            marks.append(message.status)
        if message.delivery in {"failed", "unknown", "pending"}:
            marks.append(f"delivery {message.delivery}")
        if message.reactions:
            marks.append("reactions " + " ".join(map(self._reaction, message.reactions)))
        return marks

    def _reaction(self, reaction: Reaction) -> str:
        count = str(reaction.count) if reaction.count > 1 else ""
        return f"{self._theirs(reaction.emoji, 12)}{count}"

    def _attachment(self, attachment: Attachment) -> str:
        name = self._theirs(attachment.name, 60) if attachment.kind == "document" else ""
        return f"📎 {attachment.kind} {name}".rstrip()

    def _theirs(self, raw: str, limit: int) -> str:
        """A stranger's word among our marks: it holds nothing that divides them."""
        return self.visible.line(raw, limit).replace("·", "-")


def preview(chat: Chat, visible: Visible, limit: int = 60) -> str:
    """The last message of a chat in one line."""
    text = visible.line(chat.last_text, limit)
    if not text:
        return ""
    sender = "me" if chat.last_direction == "out" else visible.line(chat.last_sender, 24)
    return f"{sender}: {text}" if sender and sender != chat.name else text


def first_and_last(messages: Sequence[Message]) -> tuple[datetime | None, datetime | None]:
    """When the first and the last of them were sent."""
    return (_when(messages[0]), _when(messages[-1])) if messages else (None, None)


def _when(message: Message) -> datetime:
    return message.sent_at or message.received_at


def _mine(message: Message) -> bool:
    return message.direction == "out"
