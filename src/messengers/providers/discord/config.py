"""What a Discord bot needs, and what its owner may choose."""

import re

from pydantic import BaseModel, ConfigDict, SecretStr, field_validator

__all__ = ["DiscordConfig"]

_TOKEN = re.compile(r"[\w-]{17,100}\.[\w-]{5,20}\.[\w-]{20,100}", re.ASCII)


class DiscordConfig(BaseModel):
    """A bot's token and a choice."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    token: SecretStr
    """The bot's token from https://discord.com/developers/applications (Bot, Reset Token)."""
    link_previews: bool = False
    """Show a preview under links in messages. Off: Discord's servers fetch no page we name."""

    @field_validator("token")
    @classmethod
    def _is_token(cls, token: SecretStr) -> SecretStr:
        if not _TOKEN.fullmatch(token.get_secret_value()):
            raise ValueError("it is three parts with dots between them, from the page of the bot")
        return token
