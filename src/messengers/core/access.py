"""Who may be written to without asking the owner: by identity and policy, never by text."""

from dataclasses import dataclass

from messengers.models import Chat, Instance

__all__ = ["Verdict", "judge", "owner_knows"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What policy says of something that would leave for a chat."""

    allowed: bool
    """False: it needs the owner's approval, or is refused where `refused`."""
    why: str = ""
    refused: bool = False


def owner_knows(chat: Chat, instance: Instance) -> bool:
    """Whether the owner's side chose this chat.

    He wrote there or decided for it; for a bot it is enough that the person wrote first. Groups
    and channels are known by the owner's decision only.
    """
    if chat.decision == "always":
        return True
    if chat.kind != "dm":
        return False
    if chat.owner_wrote_at is not None:
        return True
    return instance.kind == "bot" and chat.peer_wrote_at is not None


def judge(chat: Chat, instance: Instance) -> Verdict:
    """The verdict for one chat under its instance's policy."""
    if instance.read_only:
        return Verdict(allowed=False, refused=True, why="This instance is read-only.")
    if chat.decision == "never":
        why = "The owner said never to write to this chat."
        return Verdict(allowed=False, refused=True, why=why)
    if chat.decision == "always" or instance.confirm == "never":
        return Verdict(allowed=True)
    if instance.confirm == "always":
        return Verdict(allowed=False, why="This instance asks before everything that leaves.")
    if owner_knows(chat, instance):
        return Verdict(allowed=True)
    if chat.kind != "dm":
        why = "The owner has not approved writing to this group or channel yet."
    else:
        why = "The owner has not written to this chat yet."
    return Verdict(allowed=False, why=why)
