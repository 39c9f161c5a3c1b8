"""Apps, and the bots that are their installations in workspaces."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.fakes.slack.messages import Message
from tests.fakes.slack.people import Json, User
from tests.fakes.slack.tokens import Token

if TYPE_CHECKING:
    from tests.fakes.slack.channels import Channel
    from tests.fakes.slack.workspaces import Workspace

__all__ = ["App", "Bot"]


@dataclass(eq=False)
class App:
    id: str
    name: str
    signing_secret: str = field(repr=False)
    verification_token: str = field(repr=False)
    token: Token = field(init=False)
    """The app-level one, of Socket Mode."""
    subscriptions: set[str] = field(default_factory=set[str])
    """Names of events as the app's page lists them, such as `message.im`."""
    request_url: str = ""
    """Where events go while Socket Mode is off."""
    interactivity_url: str = ""
    bots: "dict[str, Bot]" = field(default_factory=dict[str, "Bot"])
    """By the workspace's id."""
    user_tokens: list[Token] = field(default_factory=list[Token])


@dataclass(eq=False)
class Bot:
    """An app in one workspace, and the user it acts as."""

    id: str
    app: App
    workspace: "Workspace"
    user: User
    token: Token = field(init=False)
    history: list[Message] = field(default_factory=list[Message])
    """All it ever posted."""
    name: str = ""
    updated: int = 0

    def sent(self, channel: "Channel | None" = None) -> list[Message]:
        """What people see of its messages, oldest first; ephemeral ones too."""
        return [
            each
            for each in self.history
            if not each.deleted and (channel is None or each.channel is channel)
        ]

    def json(self) -> Json:
        """As `bot_profile` of a message."""
        icons = {f"image_{size}": f"https://a.slack-edge.example/{size}.png" for size in _ICONS}
        return {
            "id": self.id,
            "deleted": self.token.refusal != "",
            "name": self.name,
            "updated": self.updated,
            "app_id": self.app.id,
            "user_id": self.user.id,
            "icons": icons,
            "team_id": self.workspace.id,
        }


_ICONS = (36, 48, 72)
