"""How files come in and are shared: an address, the bytes, then the message.

https://docs.slack.dev/messaging/working-with-files
"""

from tests.fakes.slack import access
from tests.fakes.slack.channels import Channel
from tests.fakes.slack.files import File
from tests.fakes.slack.formatting import sanitized
from tests.fakes.slack.messages import Details, Message
from tests.fakes.slack.methods import method
from tests.fakes.slack.people import Json, User
from tests.fakes.slack.posting import author_of, blocks_of, thread_of
from tests.fakes.slack.refusal import Refused
from tests.fakes.slack.requests import Call
from tests.fakes.slack.world import World

__all__ = ["new_file", "shared", "visible_to"]

SIZE_MAX = 1 << 30
_MOST_PLACES = 100


def new_file(world: World, user: User, name: str, length: int) -> File:
    file_id = world.identifiers.new("F")
    home = f"{world.url}/files-pri/{user.team_id}-{file_id}"
    file = File(file_id, name, user, world.now(), home, length)
    world.files[file.id] = file
    return file


def visible_to(user: User, file: File) -> bool:
    if file.user is user:
        return True
    return any(access.sees(user, each.channel) and not each.deleted for each in file.shared)


def shared(
    world: World,
    files: list[File],
    channel: Channel,
    user: User,
    text: str = "",
    thread_ts: str = "",
    details: Details | None = None,
) -> Message:
    """One message with all of them; those who listen hear of each file, too."""
    about: Details = {**(details or {}), "files": files, "subtype": "file_share"}
    message = world.post(channel, text, user, thread_ts, **about)
    for file in files:
        file.shared.append(message)
        world.tell_file("file_shared", file, channel)
    world.announce(message)
    return message


@method("files.getUploadURLExternal", "files:write")
def files_get_upload_url_external(world: World, call: Call) -> object:
    name, length = call.required("filename"), call.number("length")
    if length <= 0:
        raise Refused.invalid("must be greater than 0 [json-pointer:/length]")
    if length > SIZE_MAX:
        raise Refused("file_upload_size_restricted")
    file = new_file(world, call.actor, name, length)
    file.alt_text = call.text("alt_txt")
    return {"upload_url": f"{world.url}/upload/v1/{file.id}", "file_id": file.id}


@method("files.completeUploadExternal", "files:write")
def files_complete_upload_external(world: World, call: Call) -> object:
    """It is shared a little later: the answer does not know the message yet."""
    files = [_uploaded(world, call, each) for each in call.objects("files", "invalid_files")]
    if not files:
        raise Refused.invalid("missing required field: files")
    places = _places(call)
    threads = [thread_of(call, each) for each in places]
    text = sanitized(call.text("initial_comment"))
    details: Details = {**author_of(call), "blocks": blocks_of(call)}

    async def share() -> None:
        for channel, thread in zip(places, threads, strict=True):
            shared(world, files, channel, call.actor, text, thread, details)

    for file in files:
        file.completed = True
        world.tell_file("file_created", file)
    if not world.loses_shares:
        world.soon(share)
    return {"files": [{"id": each.id, "title": each.title or each.name} for each in files]}


def _uploaded(world: World, call: Call, told: Json) -> File:
    file = world.files.get(str(told.get("id")))
    if file is None or file.user is not call.actor or file.data is None or file.completed:
        raise Refused("file_not_found")
    file.title = str(told.get("title") or "")
    return file


def _places(call: Call) -> list[Channel]:
    """None keeps the files private."""
    names = call.names("channels") + call.names("channel_id")
    if len(names) > _MOST_PLACES:
        raise Refused("channels_limit_exceeded")
    places: list[Channel] = []
    for name in names:
        channel = call.workspace.channels.get(name)
        if channel is None or not access.sees(call.actor, channel):
            raise Refused("channel_not_found")
        if call.actor.id not in channel.members:
            raise Refused("not_in_channel")
        if channel.is_archived:
            raise Refused("posting_to_channel_denied")
        places.append(channel)
    return places


def _file(world: World, call: Call) -> File:
    file = world.files.get(call.required("file"))
    if file is None or file.user.team_id != call.workspace.id or not visible_to(call.actor, file):
        raise Refused("file_not_found")
    if file.deleted:
        raise Refused("file_deleted")
    return file


@method("files.info", "files:read")
def files_info(world: World, call: Call) -> object:
    paging = {"paging": {"count": 100, "total": 0, "page": 1, "pages": 0}}
    return {"file": _file(world, call).details(), "comments": [], **paging}


@method("files.delete", "files:write")
def files_delete(world: World, call: Call) -> object:
    file = _file(world, call)
    if file.user is not call.actor:
        raise Refused("cant_delete_file")
    world.remove_file(file)
    return {}
