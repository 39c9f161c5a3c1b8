"""What a bot's own state is called, and what its owner must know or do about it."""

from messengers.models import Health, Lifecycle, UserAction

__all__ = ["connected", "invite_of"]

_WANTED = sum(1 << bit for bit in (0, 1, 2, 6, 10, 11, 14, 15, 16, 18, 35, 36, 38, 49, 51))
"""Invites, kick, ban, react, see, write, links, files, history, emoji, threads, polls, pins:
https://docs.discord.com/developers/topics/permissions. The owner may leave any out."""


def invite_of(bot: str) -> str:
    """The link that puts the bot into a server."""
    query = f"client_id={bot}&scope=bot&permissions={_WANTED}"
    return f"https://discord.com/oauth2/authorize?{query}"


def connected(bot: str, guilds: int, presses_at: str, *, reads: bool, members: bool) -> Health:
    """It receives; what it is not told is said plainly, in the 300 characters that are shown.

    `presses_at` is who else gets its interactions.
    """
    link = invite_of(bot)
    said = [f"Invite it by {link} ." if guilds else f"In no server yet: {link} ."]
    if presses_at:
        said.append(f"Presses of buttons go to {presses_at[:40]}.")
    if not reads:
        said.append("Message Content Intent is off: in servers it sees only what mentions it.")
    if not members:
        said.append("Server Members Intent is off.")
    return Health(lifecycle=Lifecycle.CONNECTED, user_action=UserAction.NONE, reason=" ".join(said))
