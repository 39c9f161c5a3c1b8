"""The log of events has an end: what is old leaves it, but nothing that anybody still waits for."""

from collections.abc import Sequence
from pathlib import Path

import anyio
import pytest

from messengers.core import core, events
from messengers.core.callers import OWNER
from tests.core.conftest import House, OpenHouse
from tests.core.test_pacing import HandClock
from tests.core.webhooks import open_mail, receiving

DAY_S = 24 * 3600.0


async def received(house: House) -> Sequence[str]:
    """The texts of the messages that the log tells of."""
    told = await house.core.events.since(OWNER, 0, kind="message.received")
    messages = [await house.core.history.get(OWNER, event.message) for _, event in told]
    return [each.message.text for each in messages]


async def settled(house: House) -> None:
    """Until the log has that both accounts are connected: nothing more comes by itself."""

    async def both() -> bool | None:
        told = await house.core.events.since(OWNER, 0, kind="instance.health")
        connected = [event for _, event in told if event.data.get("lifecycle") == "connected"]
        return len(connected) == 2 or None

    assert await house.core.events.wait(both, 5)


@pytest.mark.parametrize("at_once", [2, 2_000])
async def test_what_is_old_leaves_the_log_and_its_message_stays(
    open_house: OpenHouse, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(events, "_AT_ONCE", at_once)
    clock = HandClock()
    async with open_house(clock) as house:
        await settled(house)
        for text in ("old", "older"):
            await house.personal.say(text)
            old = await house.told(text)
        clock.go_on(90 * DAY_S + 1)
        await house.personal.say("new")
        await house.told("new")
        end = await house.core.events.position()

        await house.core.events.expire(90)

        assert await received(house) == ["new"]
        assert await house.core.events.position() == end
        assert (await house.core.history.get(OWNER, old.id)).history == ()
        (chat,) = {old.chat}
        place = await house.core.chats.get(OWNER, chat)
        texts = [each.text for each in (await house.core.history.read(OWNER, place)).items]
        assert texts == ["old", "older", "new"]


async def test_the_newest_event_stays_however_old_so_that_cursors_hold(
    open_house: OpenHouse,
) -> None:
    clock = HandClock()
    async with open_house(clock) as house:
        await settled(house)
        await house.personal.say("old")
        await house.told("old")
        waited = await house.core.history.wait(OWNER, timeout_s=0)
        end = await house.core.events.position()
        clock.go_on(1_000 * DAY_S)

        await house.core.events.expire(90)

        assert await house.core.events.oldest() == await house.core.events.position() == end
        again = await house.core.history.wait(OWNER, timeout_s=0, cursor=waited.cursor)
        assert not again.gap


async def test_who_comes_back_too_late_is_told(open_house: OpenHouse) -> None:
    clock = HandClock()
    async with open_house(clock) as house:
        waited = await house.core.history.wait(OWNER, timeout_s=0)
        for text in ("one", "two"):
            await house.personal.say(text)
            await house.told(text)
        clock.go_on(91 * DAY_S)
        await house.core.events.expire(90)

        again = await house.core.history.wait(OWNER, timeout_s=0, cursor=waited.cursor)

        assert again.gap


@pytest.mark.parametrize("days", [0, 30])
async def test_the_daemon_does_it_by_itself_unless_nothing_is_to_leave(
    open_house: OpenHouse, monkeypatch: pytest.MonkeyPatch, days: int
) -> None:
    monkeypatch.setattr(core, "_SWEEP_S", 0.01)
    clock = HandClock()
    async with open_house(clock, events_keep_days=days) as house:
        await house.personal.say("old")
        await house.told("old")
        clock.go_on(31 * DAY_S)
        await house.personal.say("new")
        await house.told("new")
        clock.go_on(2 * 3600)  # it is looked at once an hour

        with anyio.move_on_after(10 if days else 0.3):
            while True:
                if await received(house) == ["new"]:
                    break
                await anyio.sleep(0.02)
        assert await received(house) == (["new"] if days else ["old", "new"])


async def test_what_an_endpoint_was_not_told_yet_stays(tmp_path: Path) -> None:
    async with receiving() as receiver, open_mail(tmp_path / "home", receiver) as mail:
        page = await mail.page()
        await mail.add()
        await mail.say(page, "told")
        await receiver.until(1)
        await mail.settled("delivered")
        receiver.status = 500
        await mail.say(page, "waits")
        await mail.settled("delivered", "queued", attempts=2)
        await mail.core.webhooks.disable("crm")
        await mail.say(page, "unseen")
        mail.clock.at += events.timedelta(days=91)

        await mail.core.events.expire(90)
        receiver.status = 200
        await mail.core.webhooks.enable("crm")
        await receiver.until(4)

        assert receiver.texts == ["told", "waits", "waits", "unseen"]
