"""What Telegram declares without loading its SDK."""

from messengers.providers.base import ProviderInfo
from messengers.providers.telegram.config import TelegramConfig
from messengers.providers.telegram.limits import CAPABILITIES

__all__ = ["INFO"]

INFO = ProviderInfo(
    name="telegram",
    title="Telegram bot",
    kind="bot",
    class_path="messengers.providers.telegram.provider:TelegramProvider",
    config=TelegramConfig,
    summary="A Telegram bot of yours, not your own account: it talks to whoever writes to it.",
    setup=(
        "In Telegram write /newbot to @BotFather, choose a name, and copy the token it answers."
        " People must open the bot and press Start before it can write to them; in groups it sees"
        " everything only after /setprivacy, Disable, at @BotFather."
    ),
    capabilities=CAPABILITIES,
    endpoints=("api",),
    docs="docs/providers/telegram.md",
)
