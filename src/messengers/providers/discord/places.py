"""Where messages stand: channels, people and servers as native ids, and recipients as written.

A channel or thread is its number, a direct message `user:NUMBER` by its person, and a server
`guild:NUMBER`: all three are numbers of one kind, which do not tell what they are of.
"""

import re

from messengers.errors import InvalidInput, PlatformRefused

__all__ = ["GUILD", "USER", "guild_of", "parse_target", "user_of"]

USER, GUILD = "user:", "guild:"
_NUMBER = r"\d{15,20}"
_WRITTEN = re.compile(rf"(user:|guild:)?({_NUMBER})", re.ASCII)
_MENTION = re.compile(rf"<(@!?|#)({_NUMBER})>", re.ASCII)
_LINK = re.compile(
    rf"https?://(?:\w+\.)?discord(?:app)?\.com/channels/(?:@me|{_NUMBER})/({_NUMBER})(?:/\d+)?/?",
    re.ASCII | re.IGNORECASE,
)
_PROFILE = re.compile(rf"https?://(?:\w+\.)?discord(?:app)?\.com/users/({_NUMBER})/?", re.ASCII)
_NAME = re.compile(r"@([a-z0-9_.]{2,32})", re.ASCII | re.IGNORECASE)
_PHONE = re.compile(r"\+[\d\s().-]{6,20}", re.ASCII)
_FOREIGN = re.compile(
    r".+@(?:s\.whatsapp\.net|c\.us|g\.us|lid|broadcast)|(?:slack|telegram|tg|whatsapp):.+"
    r"|v[0-9a-f]{24}|(?:https?://)?(?:t\.me|telegram\.me)/.+",
    re.IGNORECASE,
)


def parse_target(text: str) -> str | None:
    """The native id, number or `@name` that a written recipient means; None when it means none.

    Raises InvalidInput for ids of other messengers and for phone numbers.
    """
    text = text.strip()
    if _WRITTEN.fullmatch(text):
        return text
    if found := _MENTION.fullmatch(text):
        return found[2] if found[1] == "#" else USER + found[2]
    if found := _LINK.fullmatch(text):
        return found[1]
    if found := _PROFILE.fullmatch(text):
        return USER + found[1]
    if found := _NAME.fullmatch(text):
        return f"@{found[1].lower()}"
    if _PHONE.fullmatch(text):
        raise InvalidInput(
            "A Discord bot cannot write to phone numbers.",
            "Give the person's @name or id; they share a server with the bot.",
        )
    if _FOREIGN.fullmatch(text):
        raise InvalidInput(
            "That is another messenger's chat id.",
            "A Discord chat goes by its id, a person by @name; list_chats names them.",
        )
    return None


def user_of(native_id: str) -> str:
    """The number of a person's native id; '' for what is none."""
    return native_id.removeprefix(USER) if native_id.startswith(USER) else ""


def guild_of(native_id: str) -> str:
    """The number of a server. Raises PlatformRefused for what is none."""
    number = native_id.removeprefix(GUILD)
    if number == native_id or not number.isdecimal():
        raise PlatformRefused("That is no server.", "list_groups names them.")
    return number
