"""What becomes of channels, threads, members and roles, and who is told."""

from tests.fakes.discord.bots import Bot
from tests.fakes.discord.channels import Channel, Kind, Thread
from tests.fakes.discord.guilds import Guild, Member, Role
from tests.fakes.discord.intents import Intent
from tests.fakes.discord.messages import Flag, Message, MessageKind
from tests.fakes.discord.people import Json, User
from tests.fakes.discord.sessions import Session
from tests.fakes.discord.world import World

__all__ = [
    "begin_thread",
    "enter",
    "leave",
    "remove_channel",
    "tell_channel",
    "tell_member",
    "tell_role",
]


def tell_channel(world: World, event: str, channel: Channel, **more: object) -> None:
    """Rooms are known to the whole guild, threads to those who see them."""
    assert channel.guild
    place = channel if channel.is_thread else channel.guild

    def payload(session: Session) -> Json:
        return {**channel.json(session.bot), **more}

    world.emit(event, place, payload)


def begin_thread(
    world: World,
    parent: Channel,
    kind: Kind,
    name: str,
    owner: User,
    *,
    starter: Message | None = None,
) -> Channel:
    """From a message it has that message's id. Nobody is told yet."""
    assert parent.guild
    id = starter.id if starter else world.clock.new_id()
    thread = Channel(id, kind, name, parent.guild, parent)
    thread.thread = Thread(owner, world.now(), {owner.id: world.now()})
    world.channels[id] = parent.guild.channels[id] = thread
    if starter:
        starter.thread = thread
        starter.flags |= Flag.HAS_THREAD
        first = MessageKind.THREAD_STARTER_MESSAGE
        world.post(thread, owner, kind=first, reference=starter)
    return thread


def remove_channel(world: World, channel: Channel) -> None:
    """With the threads in it."""
    assert channel.guild
    if channel.is_thread:
        about = {
            "id": str(channel.id),
            "guild_id": str(channel.guild.id),
            "parent_id": str(channel.parent.id) if channel.parent else None,
            "type": int(channel.kind),
        }
        world.emit("THREAD_DELETE", channel, about)
    else:
        tell_channel(world, "CHANNEL_DELETE", channel)
    for each in list(channel.guild.channels.values()):
        if each is channel or (each.is_thread and each.parent is channel):
            del world.channels[each.id], channel.guild.channels[each.id]


def enter(world: World, thread: Channel, user: User) -> None:
    """Somebody is in a thread from now on."""
    assert thread.thread
    thread.thread.members[user.id] = world.now()
    if isinstance(user, Bot) and thread.kind is Kind.PRIVATE_THREAD:
        only = [user]
        world.emit("THREAD_CREATE", thread, lambda session: thread.json(session.bot), only=only)
    _tell_thread_members(world, thread, added=user)


def leave(world: World, thread: Channel, user: User) -> None:
    assert thread.thread
    hearers = world.hearers(thread)
    del thread.thread.members[user.id]
    _tell_thread_members(world, thread, removed=user, only=hearers)


def _tell_thread_members(
    world: World,
    thread: Channel,
    *,
    added: User | None = None,
    removed: User | None = None,
    only: list[Bot] | None = None,
) -> None:
    """Without the intent for members a bot hears of itself alone."""
    assert thread.thread
    assert thread.guild
    guild, count = thread.guild, min(len(thread.thread.members), 50)

    def payload(session: Session) -> Json | None:
        is_own = session.bot in {added, removed}
        if not is_own and Intent.GUILD_MEMBERS not in session.intents:
            return None
        found: Json = {"id": str(thread.id), "guild_id": str(guild.id), "member_count": count}
        if added:
            member = {"member": guild.members[added.id].json(), "presence": None}
            found["added_members"] = [{**thread.thread_member(added.id), **member}]
        if removed:
            found["removed_member_ids"] = [str(removed.id)]
        return found

    world.emit("THREAD_MEMBERS_UPDATE", thread, payload, only=only)


def tell_member(world: World, guild: Guild, member: Member, event: str) -> None:
    """A bot hears of its own changes without the intent, too."""
    payload = {**member.json(), "guild_id": str(guild.id)}
    world.emit(event, guild, payload, regardless=member.user)


def tell_role(world: World, guild: Guild, role: Role, event: str) -> None:
    payload: Json = {"guild_id": str(guild.id)}
    payload |= {"role_id": str(role.id)} if event == "GUILD_ROLE_DELETE" else {"role": role.json()}
    world.emit(event, guild, payload)
