"""What bots answer to interactions.

Source: https://docs.discord.com/developers/interactions/receiving-and-responding
"""

from tests.fakes.discord.bodies import part
from tests.fakes.discord.composing import made
from tests.fakes.discord.editing import change
from tests.fakes.discord.forms import check_message
from tests.fakes.discord.interaction import Interaction
from tests.fakes.discord.messages import Flag, Message
from tests.fakes.discord.operations import operation
from tests.fakes.discord.people import Json
from tests.fakes.discord.refusal import Refused
from tests.fakes.discord.requests import Call
from tests.fakes.discord.world import World

__all__ = ["answered", "follow_up", "of_interaction"]

_FIRST_WITHIN_S = 3
_LIFE_S = 15 * 60
PONG, MESSAGE, LATER, LATER_UPDATE, UPDATE, CHOICES, FORM = 1, 4, 5, 6, 7, 8, 9


@operation(
    "create_interaction_response",
    "POST",
    "/interactions/{interaction_id}/{interaction_token}/callback",
    is_open=True,
)
def create_interaction_response(world: World, call: Call) -> Json | None:
    interaction = world.interactions.get(call.path["interaction_token"])
    if interaction is None or interaction.id != call.id("interaction_id"):
        raise Refused(10062)
    answered(world, call, interaction)
    return _described(world, interaction) if call.flag("with_response") else None


def answered(world: World, call: Call, interaction: Interaction) -> None:
    """The first answer, by a request of its own or as the answer to a delivery."""
    if interaction.answer:
        raise Refused(40060)
    if world.now() - interaction.made_at > _FIRST_WITHIN_S:
        raise Refused(10062)
    kind, data = int(call.body["type"]), part(call.body, "data")
    check_message(data)
    if kind == MESSAGE:
        interaction.response = _written(world, call, interaction, data)
    elif kind == LATER:
        for_user = interaction.user if _is_ephemeral(data) else None
        flags = Flag.LOADING | (Flag.EPHEMERAL if for_user else Flag.LOADING)
        message = world.post(
            interaction.channel,
            interaction.bot,
            flags=flags,
            for_user=for_user,
            application_id=interaction.bot.id,
        )
        interaction.response = message
        _tell(world, message)
    elif kind == UPDATE and interaction.message:
        _changed(world, call, interaction.message, data)
    elif kind == FORM:
        interaction.form = data
    interaction.answer = kind


def _is_ephemeral(data: Json) -> bool:
    return Flag.EPHEMERAL in Flag(data.get("flags") or 0)


def _written(world: World, call: Call, interaction: Interaction, data: Json) -> Message:
    message = made(
        world,
        interaction.bot,
        interaction.channel,
        data,
        call.files,
        for_user=interaction.user if _is_ephemeral(data) else None,
        application_id=interaction.bot.id,
    )
    _tell(world, message)
    return message


def _tell(world: World, message: Message, event: str = "MESSAGE_CREATE") -> None:
    """Nobody but its person sees an ephemeral one, not even other bots."""
    if not message.for_user:
        world.announce(message, event)


def _changed(world: World, call: Call, message: Message, data: Json) -> None:
    outer, call.body = call.body, data
    try:
        change(world, call, message)
    finally:
        call.body = outer
    message.flags &= ~Flag.LOADING
    _tell(world, message, "MESSAGE_UPDATE")


def of_interaction(world: World, call: Call) -> Interaction | None:
    """None where the path is that of a real webhook."""
    interaction = world.interactions.get(call.path["webhook_token"])
    if interaction is None or interaction.bot.id != call.id("webhook_id"):
        return None
    if world.now() - interaction.made_at > _LIFE_S:
        raise Refused(50027)
    return interaction


def follow_up(world: World, call: Call, interaction: Interaction) -> Message:
    """The first one fills in what was promised for later."""
    if not interaction.answer:
        raise Refused(10015)
    promised = interaction.response
    if promised and Flag.LOADING in promised.flags:
        _changed(world, call, promised, call.body)
        return promised
    message = _written(world, call, interaction, call.body)
    interaction.followups.append(message)
    return message


def _described(world: World, interaction: Interaction) -> Json:
    about: Json = {
        "id": str(interaction.id),
        "type": interaction.kind,
        "channel_id": str(interaction.channel.id),
    }
    if interaction.channel.guild:
        about["guild_id"] = str(interaction.channel.guild.id)
    found: Json = {"interaction": about}
    message = interaction.response or (
        interaction.message if interaction.answer == UPDATE else None
    )
    if message:
        about["response_message_id"] = str(message.id)
        about["response_message_loading"] = Flag.LOADING in message.flags
        about["response_message_ephemeral"] = Flag.EPHEMERAL in message.flags
        if interaction.answer in {MESSAGE, UPDATE}:
            shown = world.shown(message, interaction.bot)
            found["resource"] = {"type": interaction.answer, "message": shown}
    return found
