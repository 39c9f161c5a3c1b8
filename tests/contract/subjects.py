"""The providers under the contract suite. A new provider adds one Subject."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path

from messengers.providers.base import Part, Provider
from messengers.providers.visitors import HostsVisitors
from tests.contract import discord, slack, telegram, whatsapp

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
    world: Callable[[Path], AbstractAsyncContextManager[Mapping[str, str]]] | None = None
    """Stands for the platform: given the instance's directory it makes a login there and gives the
    endpoints to reach it by."""


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
    Subject(
        "discord",
        discord.GENERAL,
        discord.ada_writes,
        config={"token": discord.TOKEN},
        targets={
            f" {discord.GENERAL} ": discord.GENERAL,
            f"<#{discord.GENERAL}>": discord.GENERAL,
            "<@100000000000000002>": "user:100000000000000002",
            "@Ada.l": "@ada.l",
            "https://discord.com/channels/100000000000000003/100000000000000001": discord.GENERAL,
        },
        foreign=("12345@s.whatsapp.net", "+37120000000", VISITOR, "slack:C1", "t.me/bread"),
        world=discord.world,
    ),
    Subject(
        "telegram",
        telegram.ADA,
        telegram.ada_writes,
        config={"token": telegram.TOKEN},
        targets={
            telegram.ADA: telegram.ADA,
            " -1002000000001:7 ": "-1002000000001:7",
            "https://t.me/BreadNews": "@breadnews",
        },
        foreign=("12345@s.whatsapp.net", "+37120000000", VISITOR, "slack:C1"),
        world=telegram.world,
    ),
    Subject(
        "slack",
        slack.GRACE,
        slack.grace_writes,
        config={"token": slack.TOKEN, "app_token": slack.APP_TOKEN},
        targets={
            f" {slack.GRACE} ": slack.GRACE,
            "<#C07000ABCDE|team>": "C07000ABCDE",
            "https://acme.slack.com/archives/C07000ABCDE/p1700000000000100": "C07000ABCDE",
            "#Team": "#team",
            "@grace": "@grace",
        },
        foreign=("12345@s.whatsapp.net", "+37120000000", VISITOR, "-1002000000001:7"),
        world=slack.world,
    ),
    Subject(
        "whatsapp_web",
        whatsapp.BOB,
        whatsapp.bob_writes,
        targets={
            "+1 555 000-2222": whatsapp.BOB,
            "15550002222@c.us": whatsapp.BOB,
            "9261249409625765@lid": "9261249409625765@lid",
        },
        foreign=("tg:12345", VISITOR),
        world=whatsapp.world,
    ),
)
