"""What people do around messages: make conversations, come and go, upload, pin."""

from dataclasses import dataclass

from tests.fakes.slack import events, rooms, uploads
from tests.fakes.slack.apps import Bot
from tests.fakes.slack.channels import Channel
from tests.fakes.slack.files import File
from tests.fakes.slack.formatting import sanitized
from tests.fakes.slack.messages import Message
from tests.fakes.slack.people import Json, User
from tests.fakes.slack.talk import Talk
from tests.fakes.slack.workspaces import Workspace

__all__ = ["Gatherings", "Upload"]


@dataclass(frozen=True)
class Upload:
    """A file people send; `size` may claim more than there is."""

    name: str
    data: bytes
    mime: str = ""
    title: str = ""
    size: int | None = None
    about: Json | None = None
    """More of its fields, such as `{"subtype": "slack_audio", "duration_ms": 1200}`."""


class Gatherings(Talk):
    def create_channel(
        self, workspace: Workspace, creator: User, name: str, *, private: bool = False
    ) -> Channel:
        """Those who listen are told, unlike with `add_channel`."""
        return rooms.create(self, workspace, name, creator, private=private)

    def join(self, channel: Channel, *people: User | Bot, inviter: User | None = None) -> None:
        for each in people:
            rooms.join(self, channel, each.user if isinstance(each, Bot) else each, inviter)

    def leave(self, channel: Channel, person: User | Bot) -> None:
        rooms.leave(self, channel, person.user if isinstance(person, Bot) else person)

    def kick(self, channel: Channel, person: User | Bot, by: User) -> None:
        rooms.leave(self, channel, person.user if isinstance(person, Bot) else person, by)

    def rename(self, channel: Channel, by: User, name: str) -> None:
        rooms.rename(self, channel, by, name)

    def set_topic(self, channel: Channel, by: User, topic: str) -> None:
        rooms.set_topic(self, channel, by, topic)

    def set_purpose(self, channel: Channel, by: User, purpose: str) -> None:
        rooms.set_purpose(self, channel, by, purpose)

    def archive(self, channel: Channel, by: User) -> None:
        rooms.archive(self, channel, by)

    def unarchive(self, channel: Channel, by: User) -> None:
        rooms.unarchive(self, channel, by)

    def delete_channel(self, channel: Channel, by: User) -> None:
        rooms.delete(self, channel, by)

    def pin(self, message: Message, by: User) -> None:
        rooms.pin(self, message.channel, by, message.ts)

    def unpin(self, message: Message, by: User) -> None:
        rooms.unpin(self, message.channel, by, message.ts)

    def upload(
        self,
        user: User,
        to: Channel | Bot | User,
        *files: Upload,
        text: str = "",
        thread: Message | None = None,
    ) -> Message:
        """One message with all the files."""
        channel = to if isinstance(to, Channel) else self.dm(user, to)
        made = [self._upload(user, each) for each in files]
        thread_ts = thread.thread_ts or thread.ts if thread else ""
        return uploads.shared(self, made, channel, user, sanitized(text), thread_ts)

    def _upload(self, user: User, upload: Upload) -> File:
        size = len(upload.data) if upload.size is None else upload.size
        file = uploads.new_file(self, user, upload.name, size)
        file.data, file.mime, file.title = upload.data, upload.mime, upload.title
        file.about = upload.about or {}
        file.completed = True
        return file

    def delete_file(self, file: File) -> None:
        """Messages keep its place."""
        self.remove_file(file)

    def break_file(self, file: File, status: int = 503) -> None:
        """Downloads get this status."""
        self.broken_files[file.id] = status

    def change_user(self, user: User, **fields: str | bool) -> None:
        """What others see of somebody: `display_name`, `deleted`, `status_text` and the like."""
        for name, value in fields.items():
            if not hasattr(user, name):
                raise AttributeError(name)
            setattr(user, name, value)
        user.updated = self.now()
        workspace = self.workspaces[user.team_id]
        events.user_changed(self, workspace, user)

    def open_home(self, user: User, bot: Bot) -> None:
        """Somebody looks at the app's home."""
        channel = self.dm(user, bot)
        event = {
            "type": "app_home_opened",
            "user": user.id,
            "channel": channel.id,
            "tab": "messages",
            "event_ts": self.next_ts(),
        }
        self.tell(bot.workspace, "app_home_opened", event, to=bot)

    def add_emoji(self, workspace: Workspace, name: str, address: str) -> None:
        """A custom one; `alias:name` is another name of one."""
        workspace.emoji[name] = address
        added = {"type": "emoji_changed", "subtype": "add", "name": name, "value": address}
        self.tell(workspace, "emoji_changed", {**added, "event_ts": self.next_ts()})

    def add_usergroup(self, workspace: Workspace, handle: str, *members: User) -> Json:
        creator = members[0].id
        group: Json = {
            "id": self.identifiers.new("S"),
            "team_id": workspace.id,
            "is_usergroup": True,
            "is_subteam": True,
            "name": handle.title(),
            "description": "",
            "handle": handle,
            "is_external": False,
            "date_create": self.now(),
            "date_update": self.now(),
            "date_delete": 0,
            "auto_type": None,
            "auto_provision": False,
            "enterprise_subteam_id": "",
            "created_by": creator,
            "updated_by": creator,
            "deleted_by": None,
            "prefs": {"channels": [], "groups": []},
            "users": [each.id for each in members],
        }
        workspace.usergroups.append(group)
        told = {"type": "subteam_created", "subteam": group, "event_ts": self.next_ts()}
        self.tell(workspace, "subteam_created", told)
        return group
