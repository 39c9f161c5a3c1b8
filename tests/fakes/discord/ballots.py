"""Polls that bots look into and end."""

from tests.fakes.discord.access import message_of, room_of
from tests.fakes.discord.events import surroundings
from tests.fakes.discord.messages import Message, MessageKind
from tests.fakes.discord.operations import operation
from tests.fakes.discord.people import Json, User
from tests.fakes.discord.polls import Poll
from tests.fakes.discord.refusal import Refused
from tests.fakes.discord.requests import Call
from tests.fakes.discord.world import World

__all__ = ["end_poll", "tell_vote"]


@operation(
    "get_answer_voters", "GET", "/channels/{channel_id}/polls/{message_id}/answers/{answer_id}"
)
def get_answer_voters(world: World, call: Call) -> Json:
    limit, after = call.number("limit", 25, 1, 100), call.asked_id("after") or 0
    _, poll = _asked(world, call)
    voters = sorted(poll.voters(call.id("answer_id")), key=lambda user: user.id)
    return {"users": [user.json() for user in voters if user.id > after][:limit]}


@operation("poll_expire", "POST", "/channels/{channel_id}/polls/{message_id}/expire")
def poll_expire(world: World, call: Call) -> Json:
    message, poll = _asked(world, call)
    if message.author is not call.me:
        raise Refused(50005)
    if poll.finished:
        raise Refused(520001)
    end_poll(world, message)
    return world.shown(message, call.me)


def _asked(world: World, call: Call) -> tuple[Message, Poll]:
    message = message_of(world, call, room_of(world, call))
    if message.poll is None:
        raise Refused(520006)
    return message, message.poll


def end_poll(world: World, message: Message) -> Message:
    """Returns the message in which Discord tells the result."""
    poll = message.poll
    assert poll
    poll.finished = True
    poll.expires_at = min(poll.expires_at, world.now())
    world.announce(message, "MESSAGE_UPDATE")
    kind = MessageKind.POLL_RESULT
    result = world.post(message.channel, message.author, kind=kind, reference=message)
    result.embeds = [_result(poll)]
    world.announce(result)
    return result


def _result(poll: Poll) -> Json:
    total = sum(len(voters) for voters in poll.votes.values())
    fields = {"poll_question_text": poll.question, "total_votes": str(total)}
    if total:
        winner = max(poll.votes, key=lambda id: len(poll.voters(id)))
        fields["victor_answer_id"] = str(winner)
        fields["victor_answer_text"] = poll.answers[winner - 1]
        fields["victor_answer_votes"] = str(len(poll.voters(winner)))
    named = [{"name": name, "value": value, "inline": False} for name, value in fields.items()]
    return {"type": "poll_result", "fields": named}


def tell_vote(world: World, event: str, message: Message, user: User, answer_id: int) -> None:
    payload = {
        **surroundings(message.channel),
        "user_id": str(user.id),
        "message_id": str(message.id),
        "answer_id": answer_id,
    }
    world.emit(event, message.channel, payload)
