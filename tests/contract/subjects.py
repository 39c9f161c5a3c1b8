"""The providers under the contract suite. A new provider adds one Subject."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from messengers.providers.base import Part, Provider
from messengers.providers.visitors import HostsVisitors

__all__ = ["SUBJECTS", "Subject"]

VISITOR = "v0123456789abcdef01234567"


@dataclass(frozen=True)
class Subject:
    """What the suite must know of a provider that it cannot ask it."""

    name: str
    chat: str
    """A native chat id that may be sent to."""
    arrive: Callable[[Provider], Awaitable[object]]
    """Makes something arrive at a running provider."""
    config: Mapping[str, str] = field(default_factory=dict[str, str])
    targets: Mapping[str, str] = field(default_factory=dict[str, str])
    """What people write → the native chat id it names."""
    foreign: tuple[str, ...] = ("12345@s.whatsapp.net",)
    """Ids of other providers, refused with a hint."""


async def _visitor_writes(provider: Provider) -> None:
    assert isinstance(provider, HostsVisitors)
    await provider.receive(VISITOR, "hello", (), "first")


async def _echo_answers(provider: Provider) -> None:
    await provider.send("valley:north", Part(text="hello"), "first")


SUBJECTS = (
    Subject("webchat", VISITOR, _visitor_writes, targets={VISITOR: VISITOR}),
    Subject(
        "echo",
        "valley:north",
        _echo_answers,
        targets={" valley:north ": "valley:north"},
        foreign=("@someone", "+37120000000"),
    ),
)
