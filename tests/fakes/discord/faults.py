"""What goes wrong on purpose."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from tests.fakes.discord.people import Json

if TYPE_CHECKING:
    from tests.fakes.discord.bots import Bot
    from tests.fakes.discord.channels import Channel
    from tests.fakes.discord.requests import Call

__all__ = ["Answer", "Fault", "Faults"]


@dataclass(frozen=True)
class Answer:
    """What is sent instead of the true answer; text is sent as a page."""

    status: int
    body: Json | str
    headers: dict[str, str] = field(default_factory=dict[str, str])
    via: bool = True
    """Whether it passed Discord's own proxies, which name themselves in `Via`."""


@dataclass
class Fault:
    """Meets requests of this operation, bot and channel, where they are named; `times` of them."""

    operation: str = ""
    bot: "Bot | None" = None
    channel: "Channel | None" = None
    times: int | None = 1
    answer: Answer | None = None
    """The request is not carried out and gets this."""
    delay_s: float = 0
    unheard: bool = False
    """The connection breaks before the request is carried out."""
    then: Literal["answer", "hang", "cut"] = "answer"
    """What follows once it is carried out."""

    def meets(self, call: "Call") -> bool:
        if self.operation and self.operation != call.operation:
            return False
        if self.channel and call.path.get("channel_id") != str(self.channel.id):
            return False
        return self.bot in {None, call.bot}


@dataclass
class Faults:
    waiting: list[Fault] = field(default_factory=list[Fault])

    def add(self, fault: Fault) -> None:
        self.waiting.append(fault)

    def take(self, call: "Call") -> Fault | None:
        """The first that meets it; the last time it meets, it is gone."""
        fault = next((each for each in self.waiting if each.meets(call)), None)
        if fault and fault.times is not None:
            fault.times -= 1
            if fault.times <= 0:
                self.waiting.remove(fault)
        return fault
