"""Direct messages that bots open."""

from tests.fakes.discord.bots import Bot
from tests.fakes.discord.operations import operation
from tests.fakes.discord.people import Json
from tests.fakes.discord.refusal import Refused
from tests.fakes.discord.requests import Call
from tests.fakes.discord.world import World

__all__: list[str] = []


@operation("create_dm", "POST", "/users/@me/channels")
def create_dm(world: World, call: Call) -> Json:
    """It succeeds with whoever takes no messages, too."""
    user = world.users.get(call.given_id("recipient_id") or 0)
    if user is None or isinstance(user, Bot):
        raise Refused(50033)
    return world.dm(call.me, user).json(call.me)
