"""Logging in: what is shown, whatever the provider has or lacks for that."""

from pathlib import Path

import anyio
import pytest

from messengers.core.callers import OWNER
from messengers.core.core import open_core
from messengers.errors import BadCredentials, InvalidInput, NotFound, Unreachable
from messengers.models import Health, Lifecycle, UserAction
from messengers.providers.login import (
    AskInput,
    Done,
    LoginFailed,
    LoginStep,
    ShowCode,
    ShowQr,
    Wait,
)
from messengers.settings import Settings
from tests.core.conftest import AGENT, House
from tests.fakes.scripted import Platform, ScriptedProvider, platform


class Steps:
    """The login of a provider, step by step; bound to a built one by a test."""

    def __init__(self, *steps: LoginStep | Exception) -> None:
        self.steps = list(steps)
        self.phones: list[str] = []

    async def login_step(self, phone: str = "") -> LoginStep:
        await anyio.lowlevel.checkpoint()
        self.phones.append(phone)
        step = self.steps[0] if len(self.steps) == 1 else self.steps.pop(0)
        if isinstance(step, Exception):
            raise step
        return step


class ScannedProvider(ScriptedProvider):
    """The scripted messenger with a login of its own."""

    steps: Steps

    async def login_step(self, phone: str = "") -> LoginStep:
        return await self.steps.login_step(phone)


async def _awaiting(house: House, *steps: LoginStep | Exception) -> Steps:
    """Let the personal account wait for a login that goes through these steps."""
    entry = house.core.instances.registry.by_name("me")
    assert isinstance(entry.built, ScriptedProvider)
    entry.built.__class__ = ScannedProvider
    assert isinstance(entry.built, ScannedProvider)
    entry.built.steps = Steps(*steps)
    told = Health(lifecycle=Lifecycle.AWAITING_LOGIN, user_action=UserAction.SCAN_QR)
    house.personal.sinks[-1].report(told)
    return entry.built.steps


async def test_a_chat_page_shows_the_qr_of_its_address(house: House) -> None:
    await house.core.instances.create(OWNER, "webchat", "shop")

    step = await house.core.login.step(AGENT, "shop", wait_s=0)

    assert isinstance(step, ShowQr)
    assert step.text == "http://127.0.0.1:3000/chat/shop"
    assert step.text in step.caption
    assert "public_url" in step.caption


async def test_a_chat_page_on_the_internet_is_for_phones_too(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home", public_url="https://chat.example")
    async with open_core(settings) as core:
        await core.instances.create(OWNER, "webchat", "shop")
        step = await core.login.step(AGENT, "shop", wait_s=0)

    assert isinstance(step, ShowQr)
    assert step.caption == "Scan it or open https://chat.example/chat/shop to write to “shop”."


async def test_what_is_connected_needs_no_login(house: House) -> None:
    assert isinstance(await house.core.login.step(AGENT, "me", wait_s=5), Done)


async def test_a_code_that_comes_late_is_waited_for(house: House) -> None:
    code = ShowQr(transaction="t", text="2@abc", caption="Scan it.")
    steps = await _awaiting(house, Wait(transaction="t"), Wait(transaction="t"), code)

    with anyio.fail_after(5):
        step = await house.core.login.step(AGENT, "me", wait_s=5)

    assert step == code
    assert len(steps.phones) == 3


async def test_without_time_to_wait_it_says_that_there_is_nothing_yet(house: House) -> None:
    await _awaiting(house, Wait(transaction="t", reason="Starting."))

    assert await house.core.login.step(AGENT, "me", wait_s=0) == Wait(
        transaction="t", reason="Starting."
    )


async def test_a_number_gives_a_code_to_type(house: House) -> None:
    steps = await _awaiting(house, ShowCode(transaction="t", code="ABCD-1234", caption="Type it."))

    step = await house.core.login.step(AGENT, "me", phone="+37120000000", wait_s=1)

    assert isinstance(step, ShowCode)
    assert steps.phones == ["+37120000000"]


async def test_a_login_that_fails_says_why(house: House) -> None:
    await _awaiting(house, Unreachable("No route.", "Check the network."))

    step = await house.core.login.step(AGENT, "me", wait_s=1)

    assert step == LoginFailed(
        transaction=house.core.instances.by_name("me").id, reason="No route. Check the network."
    )


async def _refused() -> Platform:
    account = platform("tok-4f1c-r")
    account.start = lambda: BadCredentials("The token is refused.")
    return account


async def test_refused_credentials_are_asked_for_by_name_and_repaired_by_a_form(
    house: House,
) -> None:
    account = await _refused()
    made = await house.core.instances.create(
        OWNER, "scripted_bot", "shop", {"token": "tok-4f1c-r", "greeting": "moin"}
    )
    assert (made.outcome, made.state, made.user_action) == (
        "needs_form", "bad_credentials", "fix_credentials",
    )  # fmt: skip

    step = await house.core.login.step(AGENT, "shop", wait_s=1)

    assert isinstance(step, AskInput)
    assert step.fields == ("token",)
    again = await house.core.instances.connect(AGENT, "shop")
    form = house.core.forms.take(again.link.rpartition("/")[2])
    assert form is not None
    assert form.instance_id == made.id
    assert form.given == {"greeting": "moin"}
    account.start = lambda: None
    fixed = await house.core.instances.update(
        OWNER, "shop", {"token": "tok-4f1c-b", "greeting": ""}
    )
    assert (fixed.outcome, fixed.state) == ("done", "connected")
    assert platform("tok-4f1c-b").runs == 1


async def test_a_stopped_or_ended_account_says_how_to_go_on(house: House) -> None:
    await house.core.instances.disconnect(OWNER, "me")
    ended = Health(lifecycle=Lifecycle.LOGGED_OUT, reason="Logged out on the phone.")
    house.bot.sinks[-1].report(ended)

    stopped = await house.core.login.step(AGENT, "me", wait_s=0)
    logged_out = await house.core.login.step(AGENT, "bot", wait_s=0)

    assert isinstance(stopped, LoginFailed)
    assert "connect_instance" in stopped.reason
    assert isinstance(logged_out, LoginFailed)
    assert logged_out.reason.startswith("Logged out on the phone.")


async def test_an_account_that_ends_while_waiting_is_not_waited_for(house: House) -> None:
    told = Health(lifecycle=Lifecycle.CONNECTING)
    house.personal.sinks[-1].report(told)
    steps: list[LoginStep] = []

    async def ask() -> None:
        steps.append(await house.core.login.step(AGENT, "me", wait_s=60))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ask)
        await anyio.lowlevel.checkpoint()
        banned = Health(lifecycle=Lifecycle.BANNED, reason="The account was closed.")
        house.personal.sinks[-1].report(banned)

    assert steps == [
        LoginFailed(
            transaction=house.core.instances.by_name("me").id, reason="The account was closed."
        )
    ]


@pytest.mark.parametrize("wait_s", [-1, 121, 1e9])
async def test_an_absurd_wait_is_refused(house: House, wait_s: float) -> None:
    with pytest.raises(InvalidInput):
        await house.core.login.step(AGENT, "me", wait_s=wait_s)


async def test_an_unknown_account_is_not_found(house: House) -> None:
    with pytest.raises(NotFound):
        await house.core.login.step(AGENT, "nobody")
