"""Discord: a bot account, over its gateway and its HTTP API."""

from messengers.providers.discord.info import INFO

__all__ = ["INFO"]
