"""Views: modals and home tabs that apps show to people."""

from tests.fakes.slack import access
from tests.fakes.slack.methods import method
from tests.fakes.slack.people import Json
from tests.fakes.slack.refusal import Refused
from tests.fakes.slack.requests import Call
from tests.fakes.slack.world import Trigger, World

__all__: list[str] = []

_TRIGGER_LIVES_S = 3
_GIVEN = ("type", "title", "submit", "close", "blocks", "private_metadata", "callback_id")
_MOST_BLOCKS = 100


def _made(world: World, call: Call, kind: str) -> Json:
    given = call.object("view", "invalid_arguments")
    if given.get("type") != kind:
        raise Refused.invalid(f"must be {kind} [json-pointer:/view/type]")
    if len(given.get("blocks", [])) > _MOST_BLOCKS:
        raise Refused("view_too_large")
    view_id = world.identifiers.new("V")
    return {
        "id": view_id,
        "team_id": call.workspace.id,
        "private_metadata": "",
        "callback_id": "",
        **{name: given[name] for name in _GIVEN if name in given},
        "external_id": given.get("external_id", ""),
        "state": {"values": {}},
        "hash": f"{world.now()}.{view_id[-8:]}",
        "clear_on_close": bool(given.get("clear_on_close")),
        "notify_on_close": bool(given.get("notify_on_close")),
        "root_view_id": view_id,
        "previous_view_id": None,
        "app_id": call.app.id,
        "app_installed_team_id": call.workspace.id,
        "bot_id": call.bot.id if call.bot else "",
    }


def _trigger(world: World, call: Call) -> Trigger:
    """Good for one use, within three seconds."""
    trigger = world.triggers.get(call.required("trigger_id"))
    if trigger is None or trigger.app is not call.app:
        raise Refused("invalid_trigger_id")
    if trigger.used:
        raise Refused("exchanged_trigger_id")
    if world.now() - trigger.made > _TRIGGER_LIVES_S:
        raise Refused("expired_trigger_id")
    trigger.used = True
    return trigger


@method("views.open")
def views_open(world: World, call: Call) -> object:
    view = _made(world, call, "modal")
    _trigger(world, call)
    world.views[view["id"]] = view
    return {"view": view}


@method("views.update")
def views_update(world: World, call: Call) -> object:
    old = world.views.get(call.text("view_id"))
    if old is None or old["app_id"] != call.app.id:
        raise Refused("not_found")
    if call.text("hash") not in {"", old["hash"]}:
        raise Refused("hash_conflict")
    view = {**_made(world, call, old["type"]), "id": old["id"], "root_view_id": old["id"]}
    world.views[old["id"]] = view
    return {"view": view}


@method("views.publish", kinds=("bot",))
def views_publish(world: World, call: Call) -> object:
    """The home tab of one person."""
    user = access.user_of(call, call.required("user_id"))
    view = _made(world, call, "home")
    world.homes[call.app.id, user.id] = view
    world.views[view["id"]] = view
    return {"view": view}
