"""Hooks by which tests make workspaces, people and apps."""

from collections.abc import Iterable

from tests.fakes.slack.apps import App, Bot
from tests.fakes.slack.channels import Channel
from tests.fakes.slack.events import EVENT_SCOPES
from tests.fakes.slack.lines import Line
from tests.fakes.slack.people import User
from tests.fakes.slack.tokens import BOT_SCOPES, USER_SCOPES, Kind, Token
from tests.fakes.slack.workspaces import Workspace
from tests.fakes.slack.world import World

__all__ = ["Accounts"]


class Accounts(World):
    def add_workspace(self, name: str = "Acme", domain: str = "acme") -> Workspace:
        """With Slackbot, and #general, in which everybody is who comes later."""
        workspace = Workspace(self.identifiers.new("T"), name, domain)
        self.workspaces[workspace.id] = workspace
        slackbot = User("USLACKBOT", workspace.id, "slackbot", "Slackbot", updated=self.now())
        workspace.users[slackbot.id] = slackbot
        general = self.new_channel(workspace, "public_channel", "general", slackbot)
        general.is_general = True
        return workspace

    def add_user(
        self,
        workspace: Workspace,
        name: str,
        real_name: str = "",
        *,
        display_name: str = "",
        email: str = "",
        is_admin: bool = False,
    ) -> User:
        """`name` is the handle; apps that listen for it are told with team_join."""
        user = User(
            self.identifiers.new("U"),
            workspace.id,
            name,
            real_name or name.title(),
            display_name,
            email or f"{name}@{workspace.domain}.example",
            is_admin=is_admin,
            updated=self.now(),
        )
        self._settle(workspace, user)
        joined = {"type": "team_join", "user": user.json(), "event_ts": self.next_ts()}
        self.tell(workspace, "team_join", joined)
        return user

    def _settle(self, workspace: Workspace, user: User) -> None:
        workspace.users[user.id] = user
        if general := next((each for each in workspace.channels.values() if each.is_general), None):
            general.members[user.id] = user

    def add_app(self, name: str = "Helper", *, events: Iterable[str] = tuple(EVENT_SCOPES)) -> App:
        """It hears of `events` where a scope and membership let it; all there are by default."""
        number = self.identifiers.number()
        app_id = self.identifiers.new("A")
        app = App(app_id, name, f"signing-secret-{number:04}", f"verification-{number:04}")
        app.subscriptions = set(events)
        app.token = self._token("app", app, {"connections:write"}, f"xapp-1-{app_id}-{number:04}")
        self.apps[app.id] = app
        self.lines[app.id] = Line(self, app)
        return app

    def install(
        self, app: App, workspace: Workspace, scopes: Iterable[str] = BOT_SCOPES, *, name: str = ""
    ) -> Bot:
        """Its bot user in this workspace, with a bot token."""
        bot_id = self.identifiers.new("B")
        handle = name or app.name.lower().replace(" ", "_")
        user = User(
            self.identifiers.new("U"),
            workspace.id,
            handle,
            app.name,
            bot_id=bot_id,
            app_id=app.id,
            updated=self.now(),
        )
        bot = Bot(bot_id, app, workspace, user, name=app.name, updated=self.now())
        workspace.users[user.id] = user
        workspace.bots[bot_id] = app.bots[workspace.id] = bot
        value = f"xoxb-{self.identifiers.number():012}-{bot_id.lower()}"
        bot.token = self._token("bot", app, set(scopes), value, workspace, user)
        return bot

    def add_bot(
        self, workspace: Workspace, name: str = "Helper", scopes: Iterable[str] = BOT_SCOPES
    ) -> Bot:
        """An app of its own, installed here: `bot.token`, `bot.app.token`."""
        return self.install(self.add_app(name), workspace, scopes)

    def authorize(self, app: App, user: User, scopes: Iterable[str] = USER_SCOPES) -> Token:
        """A user token: the app acts as this person and hears what the person may hear."""
        workspace = self.workspaces[user.team_id]
        value = f"xoxp-{self.identifiers.number():012}-{user.id.lower()}"
        token = self._token("user", app, set(scopes), value, workspace, user)
        app.user_tokens.append(token)
        return token

    def _token(
        self,
        kind: Kind,
        app: App,
        scopes: set[str],
        value: str,
        workspace: Workspace | None = None,
        user: User | None = None,
    ) -> Token:
        token = Token(value, kind, app, scopes, workspace, user)
        self.tokens[value] = token
        return token

    def line(self, app: App | Bot) -> Line:
        """What the app is told: `deliveries`, `connections`."""
        return self.lines[app.app.id if isinstance(app, Bot) else app.id]

    def add_channel(
        self, workspace: Workspace, name: str, *members: User | Bot, private: bool = False
    ) -> Channel:
        """Nobody is told; the first member made it."""
        kind = "private_channel" if private else "public_channel"
        people = [each.user if isinstance(each, Bot) else each for each in members]
        return self.new_channel(workspace, kind, name, *people)

    def dm(self, *members: User | Bot) -> Channel:
        """The direct message of two, or of more."""
        return self.direct(*(each.user if isinstance(each, Bot) else each for each in members))
