"""What a person does with a bot's buttons, selects and forms, and what the bot answers."""

from dataclasses import dataclass, field

from tests.fakes.discord.bots import Bot
from tests.fakes.discord.channels import Channel
from tests.fakes.discord.messages import Message
from tests.fakes.discord.people import Json, User
from tests.fakes.discord.refusal import Refused

__all__ = ["Interaction"]


@dataclass(eq=False)
class Interaction:
    id: int
    token: str
    kind: int
    """3 a button or select, 5 a form."""
    bot: Bot
    user: User
    channel: Channel
    data: Json
    made_at: float
    message: Message | None = None
    """Where the button is."""
    answer: int = 0
    """The type of the first answer; 0 before it."""
    response: Message | None = None
    """What the bot wrote in answer."""
    followups: list[Message] = field(default_factory=list[Message])
    form: Json | None = None
    """What the bot asks the person to fill in."""
    status: int = 0
    """Of the answer to a delivery over HTTP."""
    error: str = ""
    """Why that answer was none."""

    def message_at(self, place: str) -> Message:
        """`@original`, or a follow-up by its id."""
        known = self.followups if place != "@original" else [self.response or self.message]
        for each in known:
            if each and not each.deleted and place in {"@original", str(each.id)}:
                return each
        raise Refused(10008)
