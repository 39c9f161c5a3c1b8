"""Errors the API answers, with its own words.

Source: https://docs.discord.com/developers/topics/opcodes-and-status-codes#json
"""

from typing import NamedTuple

from tests.fakes.discord.people import Json

__all__ = ["REASONS", "InvalidForm", "Refused", "form_errors"]


class _Reason(NamedTuple):
    status: int
    message: str


REASONS: dict[int, _Reason] = {
    10002: _Reason(404, "Unknown Application"),
    10003: _Reason(404, "Unknown Channel"),
    10004: _Reason(404, "Unknown Guild"),
    10006: _Reason(404, "Unknown Invite"),
    10007: _Reason(404, "Unknown Member"),
    10008: _Reason(404, "Unknown Message"),
    10009: _Reason(404, "Unknown Permission Overwrite"),
    10011: _Reason(404, "Unknown Role"),
    10013: _Reason(404, "Unknown User"),
    10014: _Reason(400, "Unknown Emoji"),
    10015: _Reason(404, "Unknown Webhook"),
    10026: _Reason(404, "Unknown Ban"),
    10060: _Reason(404, "Unknown Sticker"),
    10087: _Reason(404, "Unknown Tag"),
    10062: _Reason(404, "Unknown interaction"),
    20001: _Reason(403, "Bots cannot use this endpoint"),
    20016: _Reason(429, "This action cannot be performed due to slowmode rate limit."),
    20028: _Reason(429, "The write action you are performing has hit the rate limit."),
    30001: _Reason(400, "Maximum number of guilds reached (100)"),
    30003: _Reason(400, "Maximum number of pins reached (250)"),
    30005: _Reason(400, "Maximum number of guild roles reached (250)"),
    30007: _Reason(400, "Maximum number of webhooks reached (15)"),
    30010: _Reason(400, "Maximum number of reactions reached (20)"),
    30013: _Reason(400, "Maximum number of guild channels reached (500)"),
    30015: _Reason(400, "Maximum number of attachments in a message reached (10)"),
    30033: _Reason(400, "Maximum number of thread participants has been reached (1000)"),
    30046: _Reason(429, "Maximum number of edits to messages older than 1 hour reached."),
    40001: _Reason(401, "Unauthorized"),
    40003: _Reason(429, "You are opening direct messages too fast."),
    40005: _Reason(413, "Request entity too large"),
    40007: _Reason(403, "The user is banned from this guild."),
    40033: _Reason(400, "This message has already been crossposted."),
    40058: _Reason(400, "Cannot send a message in a forum channel"),
    40060: _Reason(400, "Interaction has already been acknowledged."),
    40066: _Reason(400, "There are no tags available that can be set by non-moderators."),
    40067: _Reason(400, "A tag is required to create a forum post in this channel."),
    40333: _Reason(403, "internal network error"),
    50001: _Reason(403, "Missing Access"),
    50003: _Reason(403, "Cannot execute action on a DM channel"),
    50005: _Reason(403, "Cannot edit a message authored by another user"),
    50006: _Reason(400, "Cannot send an empty message"),
    50007: _Reason(403, "Cannot send messages to this user"),
    50008: _Reason(400, "Cannot send messages in a non-text channel"),
    50013: _Reason(403, "Missing Permissions"),
    50016: _Reason(400, "You must provide at least 2 and fewer than 100 messages to delete."),
    50019: _Reason(403, "A message can only be pinned to the channel it was sent in"),
    50021: _Reason(403, "Cannot execute action on a system message"),
    50024: _Reason(400, "Cannot execute action on this channel type"),
    50027: _Reason(401, "Invalid Webhook Token"),
    50028: _Reason(400, "Invalid Role"),
    50033: _Reason(400, "Invalid Recipient(s)"),
    50034: _Reason(400, "You can only bulk delete messages that are under 14 days old."),
    50041: _Reason(400, "Invalid API version"),
    50045: _Reason(413, "File uploaded exceeds the maximum size"),
    50046: _Reason(400, "Invalid Asset"),
    50068: _Reason(400, "Invalid message type"),
    50081: _Reason(400, "Invalid sticker sent"),
    50083: _Reason(400, "Thread is archived"),
    50109: _Reason(400, "The request body contains invalid JSON."),
    50151: _Reason(400, "The specified emoji is invalid."),
    50159: _Reason(400, "Voice messages do not support additional content."),
    50160: _Reason(400, "Voice messages must have a single audio attachment."),
    50161: _Reason(400, "Voice messages must have supporting metadata."),
    50173: _Reason(403, "Cannot send voice messages in this channel"),
    50278: _Reason(403, "Cannot send messages to this user due to having no mutual guilds"),
    90001: _Reason(403, "Reaction blocked"),
    110000: _Reason(400, "Index not yet available. Try again later"),
    130000: _Reason(503, "API resource is currently overloaded. Try again a little later"),
    160014: _Reason(400, "You cannot forward a message whose content you cannot read"),
    160002: _Reason(400, "Cannot reply without permission to read message history"),
    160004: _Reason(400, "A thread has already been created for this message"),
    160005: _Reason(400, "Thread is locked"),
    160006: _Reason(400, "Maximum number of active threads reached"),
    200000: _Reason(400, "Message was blocked by automatic moderation"),
    240000: _Reason(400, "Message blocked by harmful links filter"),
    220001: _Reason(400, "Webhooks posted to forum channels must have a thread_name or thread_id"),
    220002: _Reason(400, "Webhooks cannot have both a thread_name and thread_id"),
    220003: _Reason(400, "Webhooks can only create threads in forum channels"),
    400001: _Reason(403, "Access to file uploads has been limited for this guild."),
    520000: _Reason(403, "Poll voting blocked"),
    520001: _Reason(400, "Poll expired"),
    520003: _Reason(400, "Cannot edit a poll message"),
    520006: _Reason(400, "Cannot expire a non-poll message"),
}  # fmt: skip


class Refused(Exception):
    """`code` is Discord's own; 0 is the web server's, with the status' words."""

    def __init__(
        self, code: int, status: int = 0, message: str = "", *, retry_after_s: float | None = None
    ) -> None:
        reason = REASONS.get(code, _Reason(400, ""))
        self.code = code
        self.status = status or reason.status
        self.message = message or reason.message
        self.retry_after_s = retry_after_s
        super().__init__(f"{self.status} {code} {self.message}")

    @property
    def body(self) -> Json:
        body: Json = {"message": self.message, "code": self.code}
        if self.retry_after_s is not None:
            body |= {"retry_after": round(self.retry_after_s, 3), "global": False}
        return body


class InvalidForm(Refused):
    """50035; each fault has the place of its field, such as `embeds.0.title`."""

    def __init__(self, *faults: tuple[str, str, str]) -> None:
        super().__init__(50035, 400, "Invalid Form Body")
        self.faults = faults

    @property
    def body(self) -> Json:
        return {**super().body, "errors": form_errors(*self.faults)}


def form_errors(*faults: tuple[str, str, str]) -> Json:
    """From place, code and message of each; an empty place is the whole form."""
    found: Json = {}
    for place, code, message in faults:
        inner = found
        for name in filter(None, place.split(".")):
            inner = inner.setdefault(name, {})
        inner.setdefault("_errors", []).append({"code": code, "message": message})
    return found
