"""What a bot asks about itself and the gateway."""

from tests.fakes.discord.greeting import Greeting
from tests.fakes.discord.operations import operation
from tests.fakes.discord.people import Json
from tests.fakes.discord.refusal import Refused
from tests.fakes.discord.requests import Call
from tests.fakes.discord.world import World

__all__: list[str] = []


@operation("get_my_user", "GET", "/users/@me")
def my_user(_world: World, call: Call) -> Json:
    return {**call.me.json(), "mfa_enabled": True, "locale": "en-US", "verified": True}


@operation("get_my_application", "GET", "/applications/@me")
@operation("get_my_oauth2_application", "GET", "/oauth2/applications/@me")
def my_application(world: World, call: Call) -> Json:
    return call.me.application(len(world.guilds_of(call.me)))


@operation("get_gateway", "GET", "/gateway", is_open=True)
def gateway(world: World, _call: Call) -> Json:
    return {"url": world.gateway_url}


@operation("get_bot_gateway", "GET", "/gateway/bot")
def bot_gateway(world: World, call: Call) -> Json:
    assert isinstance(world, Greeting)
    return {
        "url": world.gateway_url,
        "shards": 1,
        "session_start_limit": world.limits_of(call.me),
    }


@operation("get_user", "GET", "/users/{user_id}")
def user(world: World, call: Call) -> Json:
    found = world.users.get(call.id("user_id"))
    if found is None:
        raise Refused(10013)
    return found.json()
