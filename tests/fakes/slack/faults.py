"""What goes wrong on purpose."""

from dataclasses import dataclass, field
from typing import Literal

from tests.fakes.slack.channels import Channel
from tests.fakes.slack.people import Json
from tests.fakes.slack.requests import Call
from tests.fakes.slack.tokens import Token

__all__ = ["GATEWAY_PAGE", "Answer", "Fault", "Faults"]

GATEWAY_PAGE = (
    "<html>\r\n<head><title>503 Service Temporarily Unavailable</title></head>\r\n<body>\r\n"
    "<center><h1>503 Service Temporarily Unavailable</h1></center>\r\n</body>\r\n</html>\r\n"
)


@dataclass(frozen=True)
class Answer:
    """What is sent instead of the true answer; text is sent as a page."""

    status: int
    body: Json | str
    headers: dict[str, str] = field(default_factory=dict[str, str])


@dataclass
class Fault:
    """Meets requests of this method, token and channel, where they are named; `times` of them."""

    method: str = ""
    token: Token | None = None
    channel: Channel | None = None
    times: int | None = 1
    answer: Answer | None = None
    """The request is not carried out and gets this."""
    delay_s: float = 0
    unheard: bool = False
    """The connection breaks before the request is carried out."""
    then: Literal["answer", "hang", "cut", "break"] = "answer"
    """What follows once it is carried out; `break` is a gateway's page."""

    def meets(self, call: Call) -> bool:
        if self.method and self.method != call.method:
            return False
        if self.channel and call.text("channel") != self.channel.id:
            return False
        return self.token in {None, call.token}


@dataclass
class Faults:
    waiting: list[Fault] = field(default_factory=list[Fault])

    def add(self, fault: Fault) -> None:
        self.waiting.append(fault)

    def take(self, call: Call) -> Fault | None:
        """The first that meets it; the last time it meets, it is gone."""
        fault = next((each for each in self.waiting if each.meets(call)), None)
        if fault and fault.times is not None:
            fault.times -= 1
            if fault.times <= 0:
                self.waiting.remove(fault)
        return fault
