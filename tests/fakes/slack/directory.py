"""What apps learn of people, groups, bots and the workspace."""

from tests.fakes.slack import access
from tests.fakes.slack.methods import method
from tests.fakes.slack.paging import page_of
from tests.fakes.slack.people import Json, User
from tests.fakes.slack.refusal import Refused
from tests.fakes.slack.requests import Call
from tests.fakes.slack.world import World

__all__: list[str] = []

_ICONS = (34, 44, 68, 88, 102, 132, 230)


def _told(call: Call, user: User) -> Json:
    body = user.json(with_email=call.token.may("users:read.email"))
    return body | ({"locale": "en-US"} if call.flag("include_locale") else {})


@method("users.list", "users:read")
def users_list(world: World, call: Call) -> object:
    """Those who were deactivated too."""
    page, metadata = page_of(world, call, list(call.workspace.users.values()))
    return {"members": [_told(call, each) for each in page], "cache_ts": world.now(), **metadata}


@method("users.info", "users:read")
def users_info(world: World, call: Call) -> object:
    return {"user": _told(call, access.user_of(call, call.required("user")))}


@method("users.lookupByEmail", "users:read.email")
def users_lookup_by_email(world: World, call: Call) -> object:
    email = call.required("email").lower()
    for user in call.workspace.users.values():
        if user.email.lower() == email and not user.deleted:
            return {"user": _told(call, user)}
    raise Refused("users_not_found")


@method("users.profile.get", "users.profile:read")
def users_profile_get(world: World, call: Call) -> object:
    user = access.user_of(call, call.text("user")) if call.text("user") else call.actor
    return {"profile": user.profile(with_email=call.token.may("users:read.email"))}


@method("users.getPresence", "users:read")
def users_get_presence(world: World, call: Call) -> object:
    user = access.user_of(call, call.text("user")) if call.text("user") else call.actor
    if user is not call.actor:
        return {"presence": user.presence}
    online = user.presence == "active"
    about = {"auto_away": not online, "manual_away": False, "connection_count": int(online)}
    return {"presence": user.presence, "online": online, **about}


@method("usergroups.list", "usergroups:read")
def usergroups_list(world: World, call: Call) -> object:
    found = [dict(each) for each in call.workspace.usergroups]
    for each in found:
        members = each.pop("users")
        if call.flag("include_users"):
            each["users"] = members
        if call.flag("include_count"):
            each["user_count"] = len(members)
    return {"usergroups": found}


@method("usergroups.users.list", "usergroups:read")
def usergroups_users_list(world: World, call: Call) -> object:
    wanted = call.required("usergroup")
    for each in call.workspace.usergroups:
        if each["id"] == wanted:
            return {"users": each["users"]}
    raise Refused("no_such_subteam")


@method("bots.info", "users:read")
def bots_info(world: World, call: Call) -> object:
    bot = call.workspace.bots.get(call.text("bot"))
    if bot is None:
        raise Refused("bot_not_found")
    body = bot.json()
    body.pop("team_id")
    return {"bot": body}


@method("team.info", "team:read")
def team_info(world: World, call: Call) -> object:
    workspace = call.workspace
    icons: Json = {f"image_{size}": f"{workspace.url}{size}.png" for size in _ICONS}
    return {
        "team": {
            "id": workspace.id,
            "name": workspace.name,
            "url": workspace.url,
            "domain": workspace.domain,
            "email_domain": f"{workspace.domain}.example",
            "icon": {**icons, "image_default": True},
        }
    }


@method("emoji.list", "emoji:read")
def emoji_list(world: World, call: Call) -> object:
    """Custom ones only."""
    return {"emoji": call.workspace.emoji, "cache_ts": world.next_ts()}
