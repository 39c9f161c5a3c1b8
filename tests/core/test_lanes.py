"""Lanes: what wakes one that is about to rest is not lost."""

from anyio.lowlevel import checkpoint
from sqlalchemy import text

from messengers.core.callers import OWNER
from messengers.models import IdKind, Outcome, require_id
from tests.core.conftest import House

CLAIMED = text("UPDATE outbox SET state = 'claimed' WHERE id = 1")
DECIDED = text("UPDATE outbox SET state = 'unknown' WHERE id = 1")


async def test_a_lane_that_a_crash_left_busy_goes_on_however_it_is_freed(house: House) -> None:
    await house.personal.say("hi ann", **{"from": "me"})
    chat = (await house.told("hi ann")).chat
    await house.send(chat, "first")
    lane = require_id(IdKind.CHAT, chat, "chat")
    for turns in range(60):
        await house.core.store.write(lambda conn: conn.execute(CLAIMED))
        waiting = await house.send(chat, f"number {turns}", wait_s=0)
        assert waiting.outcome is Outcome.QUEUED
        house.core.outbox.wake(lane)
        for _ in range(turns):
            await checkpoint()
        await house.core.store.write(lambda conn: conn.execute(DECIDED))
        house.core.outbox.wake(lane)

        async def left(message: str = waiting.message) -> bool | None:
            found = await house.core.history.get(OWNER, message)
            return found.message.delivery == "sent" or None

        assert await house.core.events.wait(left, 5), f"it rests, after {turns} turns"
