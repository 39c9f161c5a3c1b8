"""Whose token it is; where sockets are opened."""

import uuid

from tests.fakes.slack.methods import method
from tests.fakes.slack.requests import Call
from tests.fakes.slack.world import World

__all__: list[str] = []


@method("auth.test", kinds=("bot", "user", "app"))
def auth_test(world: World, call: Call) -> object:
    if call.token.kind == "app":
        return {"app_name": call.app.name, "app_id": call.app.id}
    workspace, user = call.workspace, call.actor
    return {
        "url": workspace.url,
        "team": workspace.name,
        "user": user.name,
        "team_id": workspace.id,
        "user_id": user.id,
        "is_enterprise_install": False,
        **({"bot_id": call.bot.id} if call.bot else {}),
    }


@method("apps.connections.open", "connections:write", kinds=("app",))
def apps_connections_open(world: World, call: Call) -> object:
    """The address is good for one connection."""
    ticket = str(uuid.uuid4())
    world.tickets[ticket] = call.app
    socket = world.url.replace("http://", "ws://", 1)
    return {"url": f"{socket}/link/?ticket={ticket}&app_id={call.app.id}"}
