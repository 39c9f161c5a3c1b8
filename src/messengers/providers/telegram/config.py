"""What a Telegram bot needs, and what its owner may choose."""

import re
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

__all__ = ["TelegramConfig", "commands_of"]

_TOKEN = re.compile(r"\d{5,20}:[\w-]{20,100}", re.ASCII)
_COMMAND = re.compile(r"/?([a-z0-9_]{1,32})\s*[-–—:]\s*(\S.{0,255})")
_MAX_COMMANDS = 100


class TelegramConfig(BaseModel):
    """A bot's token and a few choices."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    token: SecretStr
    """The bot's token from @BotFather (`/newbot`, or `/mybots`, API Token), like 123456789:AAF…"""
    receive: Literal["poll", "webhook"] = "poll"
    """How messages come: `poll` asks Telegram, `webhook` lets Telegram deliver to `public_url`."""
    link_previews: bool = False
    """Show a preview under links in messages. Off: Telegram's servers fetch no page we name."""
    commands: str = Field(default="", max_length=8_000)
    """The bot's menu, as `start - Begin; help - What I can do`. Empty: as @BotFather has it."""
    take_over: bool = False
    """Replace a webhook that another program set, so that this one receives instead."""

    @field_validator("token")
    @classmethod
    def _is_token(cls, token: SecretStr) -> SecretStr:
        if not _TOKEN.fullmatch(token.get_secret_value()):
            raise ValueError("it is a number, a colon and 35 characters, from @BotFather")
        return token

    @field_validator("commands")
    @classmethod
    def _are_commands(cls, commands: str) -> str:
        commands_of(commands)
        return commands


def commands_of(text: str) -> list[tuple[str, str]]:
    """(command, description) of each. ValueError for what Telegram would not take."""
    found: list[tuple[str, str]] = []
    for line in filter(None, map(str.strip, re.split(r"[;\n]", text))):
        match = _COMMAND.fullmatch(line)
        if match is None:
            raise ValueError("each is `command - description`: a-z, 0-9 and _, then what it does")
        found.append((match[1], match[2]))
    if len(found) > _MAX_COMMANDS:
        raise ValueError(f"Telegram takes {_MAX_COMMANDS} commands")
    return found
