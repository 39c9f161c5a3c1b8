"""Slack: an app's bot, or one's own account, over the Web API and Socket Mode or the Events API."""

from messengers.providers.slack.info import INFO

__all__ = ["INFO"]
