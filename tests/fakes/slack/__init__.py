"""A fake Slack for loopback tests: strict with apps, and people do what tests say."""

from tests.fakes.slack.apps import App, Bot
from tests.fakes.slack.channels import Channel
from tests.fakes.slack.messages import Message
from tests.fakes.slack.people import User
from tests.fakes.slack.server import FakeSlack
from tests.fakes.slack.tokens import Token
from tests.fakes.slack.workspaces import Workspace

__all__ = ["App", "Bot", "Channel", "FakeSlack", "Message", "Token", "User", "Workspace"]
