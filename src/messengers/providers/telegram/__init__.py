"""Telegram: a bot account, over the Bot API."""

from messengers.providers.telegram.info import INFO

__all__ = ["INFO"]
