"""A client whose stream was cut repeats its call, by itself and under a new id: one message."""

from collections.abc import Callable
from typing import Any

import anyio
import pytest

from tests.crash.laboratory import Lab

pytestmark = pytest.mark.timeout(180)
Scaled = Callable[[int, int], int]
AT_ONCE = 20


@pytest.mark.case("F04")
@pytest.mark.soak
@pytest.mark.parametrize("client_ref", ["r1", ""])
async def test_a_call_that_is_repeated_after_its_stream_was_cut_is_one_message(
    lab: Lab, scaled: Scaled, client_ref: str
) -> None:
    await lab.connect("plain")
    arguments = {"chat": "to:ann", "instance": "plain", "text": "hold on", "client_ref": client_ref}
    lab.book.holds = "called"
    answers: list[dict[str, Any]] = []
    times, cut = scaled(3, 50), 0

    async def repeat() -> None:
        nonlocal cut
        for _ in range(times):
            is_cut = await cut_short(lab, arguments, 0.05)
            cut += is_cut
        answers.append(await lab.call("send_message", **arguments, wait_s=30))

    with anyio.fail_after(60):
        while not lab.book.held:
            await cut_short(lab, arguments, 0.5)  # the account may not be connected yet
    async with anyio.create_task_group() as tasks:
        for _ in range(AT_ONCE):
            tasks.start_soon(repeat)
        await lab.until(lambda: cut == AT_ONCE * times)
        lab.book.release()
    other = await lab.call("send_message", **{**arguments, "text": "other"}, wait_s=0)
    await lab.settled()
    await lab.stop()

    told = [answer["structuredContent"] for answer in answers]
    assert len(told) == AT_ONCE
    assert {(each["message"], each["outcome"]) for each in told} == {
        (told[0]["message"], "accepted")
    }
    if client_ref:
        assert other["isError"]
        assert "something else" in other["content"][0]["text"]
    assert lab.book.texts("plain") == ["hold on"] if client_ref else ["hold on", "other"]


async def cut_short(lab: Lab, arguments: dict[str, str], after_s: float) -> bool:
    """A call whose stream ends before it is answered; whether it did."""
    with anyio.move_on_after(after_s) as cutting:
        await lab.call("send_message", **arguments, wait_s=30)
    return cutting.cancelled_caught
