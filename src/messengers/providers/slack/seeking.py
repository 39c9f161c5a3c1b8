"""Recipients by their names, asked for when somebody writes to one: `#channel` and `@name`."""

from collections.abc import Sequence

from messengers.errors import PlatformRefused
from messengers.providers.slack.calls import Calls
from messengers.providers.slack.directory import Directory, name_of_person
from messengers.providers.slack.places import is_person
from messengers.providers.slack.wire import as_object

__all__ = ["found"]

_CHANNELS = "public_channel,private_channel"


async def found(calls: Calls, directory: Directory, target: str) -> Sequence[str]:
    """The native ids of a recipient, the one to use first; none where Slack shows none."""
    if target.startswith("#"):
        return await _channel(calls, target[1:])
    if target.startswith("@"):
        return await _person(calls, target[1:])
    if is_person(target):
        return (target,) if await directory.person(target) else ()
    place = await directory.place(target)
    if place is None:
        return ()
    peer = str(place.get("peer") or "")
    return (peer, target) if peer else (target,)


async def _channel(calls: Calls, name: str) -> Sequence[str]:
    """One that the account is in, else any public one."""
    for method, types in (("users.conversations", _CHANNELS), ("conversations.list", "")):
        asked = calls.pages(method, "channels", types=types or None, exclude_archived=True)
        try:
            async for each in asked:
                if as_object(each).get("name") == name:
                    return (str(as_object(each)["id"]),)
        except PlatformRefused:
            if not types:
                raise
    return ()


async def _person(calls: Calls, handle: str) -> Sequence[str]:
    """Slack finds nobody by a handle: its list is read until he comes."""
    async for each in calls.pages("users.list", "members"):
        user = as_object(each)
        if not user.get("deleted") and name_of_person(user)["handle"] == handle:
            return (str(user["id"]),)
    return ()
