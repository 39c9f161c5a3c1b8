"""Messages for one person's eyes, messages for later, and signs that an app is at work."""

from dataclasses import dataclass

import anyio

from tests.fakes.slack import access
from tests.fakes.slack.channels import Channel
from tests.fakes.slack.methods import method
from tests.fakes.slack.paging import page_of
from tests.fakes.slack.people import Json
from tests.fakes.slack.posting import check_place, content_of, details_of, place_of, posted
from tests.fakes.slack.refusal import Refused
from tests.fakes.slack.requests import Call
from tests.fakes.slack.world import Scheduled, World

__all__: list[str] = []

_FARTHEST_S = 120 * 86400
_GLANCE_S = 0.02


@method("chat.postEphemeral", "chat:write")
def chat_post_ephemeral(world: World, call: Call) -> object:
    """It stands in no history, and nobody hears of it."""
    channel = access.channel_of(call)
    text, blocks, attachments = content_of(call)
    check_place(call, channel)
    reader = access.user_of(call, call.required("user"))
    if reader.id not in channel.members:
        raise Refused("user_not_in_channel")
    message = world.whisper(
        channel, text, call.actor, reader, **details_of(call, blocks, attachments)
    )
    return {"message_ts": message.ts}


@method("chat.meMessage", "chat:write")
def chat_me_message(world: World, call: Call) -> object:
    channel = place_of(world, call)
    text, _, _ = content_of(call)
    check_place(call, channel)
    message = world.post(channel, text, call.actor, bot=call.bot, subtype="me_message")
    world.announce(message)
    return {"channel": channel.id, "ts": message.ts}


@dataclass(frozen=True)
class _Plan:
    world: World
    call: Call
    channel: Channel
    scheduled: Scheduled
    content: tuple[str, list[Json], list[Json]]

    async def carry_out(self) -> None:
        """When its time has come, if it was not taken back."""
        plans = self.world.scheduled
        while self.world.now() < self.scheduled.post_at and self.scheduled.id in plans:  # noqa: ASYNC110 — the fake's clock has no event
            await anyio.sleep(_GLANCE_S)
        if plans.pop(self.scheduled.id, None):
            posted(self.world, self.call, self.channel, *self.content)


@method("chat.scheduleMessage", "chat:write")
def chat_schedule_message(world: World, call: Call) -> object:
    channel = place_of(world, call)
    content = content_of(call)
    check_place(call, channel)
    try:
        post_at = int(call.required("post_at"))
    except ValueError as error:
        raise Refused("invalid_time") from error
    if post_at <= world.now():
        raise Refused("time_in_past")
    if post_at > world.now() + _FARTHEST_S:
        raise Refused("time_too_far")
    plan = Scheduled(
        world.identifiers.new("Q"), channel, post_at, world.now(), content[0], call.token
    )
    world.scheduled[plan.id] = plan
    world.soon(_Plan(world, call, channel, plan, content).carry_out)
    message: Json = {"type": "delayed_message", "text": content[0], "user": call.actor.id}
    if call.bot:
        message |= {"bot_id": call.bot.id, "app_id": call.app.id, "bot_profile": call.bot.json()}
    answer = {"channel": channel.id, "scheduled_message_id": plan.id, "post_at": post_at}
    return {**answer, "message": {**message, "ts": world.next_ts(), "team": call.workspace.id}}


@method("chat.deleteScheduledMessage", "chat:write")
def chat_delete_scheduled_message(world: World, call: Call) -> object:
    plan = world.scheduled.get(call.required("scheduled_message_id"))
    if plan is None or plan.token is not call.token or plan.channel.id != call.text("channel"):
        raise Refused("invalid_scheduled_message_id")
    del world.scheduled[plan.id]
    return {}


@method("chat.scheduledMessages.list")
def chat_scheduled_messages_list(world: World, call: Call) -> object:
    plans = [
        each
        for each in world.scheduled.values()
        if each.token is call.token and call.text("channel") in {"", each.channel.id}
    ]
    page, metadata = page_of(world, call, plans)
    return {"scheduled_messages": [each.json() for each in page], **metadata}


@method("assistant.threads.setStatus", "chat:write assistant:write", kinds=("bot",))
def assistant_threads_set_status(world: World, call: Call) -> object:
    """People see it under the thread, until the app's next message there."""
    channel = access.channel_of(call, "channel_id")
    if call.required("thread_ts") not in channel.messages:
        raise Refused("invalid_thread_ts")
    world.records.statuses.append((channel, call.text("thread_ts"), call.text("status")))
    return {}
