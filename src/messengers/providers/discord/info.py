"""What Discord declares without loading its SDK."""

from messengers.providers.base import ProviderInfo
from messengers.providers.discord.config import DiscordConfig
from messengers.providers.discord.limits import CAPABILITIES

__all__ = ["INFO"]

INFO = ProviderInfo(
    name="discord",
    title="Discord bot",
    kind="bot",
    class_path="messengers.providers.discord.provider:DiscordProvider",
    config=DiscordConfig,
    summary="A Discord bot of yours, in servers and direct messages; it is not your own account.",
    setup=(
        "At https://discord.com/developers/applications make a New Application, open Bot, switch"
        " Message Content Intent and Server Members Intent on, press Reset Token and copy it. Once"
        " connected, the instance's status shows the link that puts the bot into a server."
    ),
    capabilities=CAPABILITIES,
    endpoints=("api",),
    docs="docs/providers/discord.md",
)
