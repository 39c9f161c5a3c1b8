"""What Slack declares without loading its SDK."""

from messengers.providers.base import ProviderInfo
from messengers.providers.slack.config import SlackConfig, kind_of
from messengers.providers.slack.limits import CAPABILITIES

__all__ = ["INFO"]

INFO = ProviderInfo(
    name="slack",
    title="Slack",
    kind="bot",
    kind_of=kind_of,
    class_path="messengers.providers.slack.provider:SlackProvider",
    config=SlackConfig,
    summary="A Slack app of yours, as a bot that people write to, or with your own account.",
    setup=(
        "At api.slack.com/apps create an app from the manifest in docs/providers/slack.md and"
        " install it to your workspace. Copy the Bot User OAuth Token (xoxb-…) under OAuth &"
        " Permissions and, under Basic Information, an App-Level Token (xapp-…) with"
        " connections:write. Then invite the bot to channels: /invite @its name."
    ),
    capabilities=CAPABILITIES,
    endpoints=("api",),
    docs="docs/providers/slack.md",
)
