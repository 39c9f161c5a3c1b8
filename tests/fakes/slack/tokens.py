"""What a client shows: whose token it is, and what it may do."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from tests.fakes.slack.people import words

if TYPE_CHECKING:
    from tests.fakes.slack.apps import App
    from tests.fakes.slack.people import User
    from tests.fakes.slack.workspaces import Workspace

__all__ = ["BOT_SCOPES", "USER_SCOPES", "Kind", "Token"]

Kind = Literal["bot", "user", "app"]
_BOTH = """
    bookmarks:read bookmarks:write channels:history channels:read chat:write emoji:read files:read
    files:write groups:history groups:read groups:write im:history im:read im:write mpim:history
    mpim:read mpim:write pins:read pins:write reactions:read reactions:write team:read
    usergroups:read users.profile:read users:read users:read.email
"""
BOT_SCOPES = frozenset(
    words(f"{_BOTH} app_mentions:read channels:join channels:manage chat:write.customize commands")
)
USER_SCOPES = frozenset(words(f"{_BOTH} channels:write search:read"))


@dataclass(eq=False)
class Token:
    value: str = field(repr=False)
    kind: Kind
    app: "App"
    scopes: set[str]
    workspace: "Workspace | None" = None
    user: "User | None" = None
    """Who acts by it: of a bot token the bot's user."""
    refusal: str = ""
    """The error each request gets."""

    def may(self, *scopes: str) -> bool:
        """It has one of them."""
        return not self.scopes.isdisjoint(scopes)
