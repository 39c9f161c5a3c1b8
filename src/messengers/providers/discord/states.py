"""What a bot's own state is called, and what its owner must know or do about it."""

from messengers.models import Health, Lifecycle, UserAction

__all__ = ["connected"]

_WANTED = sum(1 << bit for bit in (0, 1, 2, 6, 10, 11, 14, 15, 16, 18, 35, 36, 38, 49, 51))
"""Invites, kick, ban, react, see, write, links, files, history, emoji, threads, polls, pins:
https://docs.discord.com/developers/topics/permissions. The owner may leave any out."""


def connected(bot: str, guilds: int, *, reads: bool, members: bool) -> Health:
    """It receives; what it is not told is said plainly, in the 300 characters that are shown."""
    link = f"discord.com/oauth2/authorize?client_id={bot}&scope=bot&permissions={_WANTED}"
    said = [f"Invite it by https://{link} ." if guilds else f"In no server yet: https://{link} ."]
    if not reads:
        said.append("Message Content Intent is off: in servers it sees only what mentions it.")
    if not members:
        said.append("Server Members Intent is off: it lists no members.")
    return Health(lifecycle=Lifecycle.CONNECTED, user_action=UserAction.NONE, reason=" ".join(said))
