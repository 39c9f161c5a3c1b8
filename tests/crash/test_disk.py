"""The disk is full while messages come and go: nothing is acknowledged that is not stored, what is
refused says so, what a call led to is not lost, and all goes on by itself."""

from functools import partial

import anyio
import pytest
from sqlalchemy import Connection

from messengers.core.callers import OWNER
from messengers.errors import StorageUnavailable
from messengers.models import Outcome
from messengers.store import sqlite
from messengers.web.health import is_well
from tests.core.conftest import House

pytestmark = pytest.mark.timeout(60)
MINE = {"from": "me"}


def room(conn: Connection, pages: int | None) -> None:
    """So many pages more than the database has; None: as many as it likes."""
    raw = sqlite.raw(conn)
    have = int(raw.execute("PRAGMA page_count").fetchone()[0])
    raw.execute(f"PRAGMA max_page_count={have + pages if pages is not None else 1_000_000_000}")


async def fill(house: House) -> None:
    """Take all the room there is."""
    await house.core.store.write(partial(room, pages=0))
    with pytest.raises(StorageUnavailable):
        await house.personal.say("long " * 20_000, "full", id_="x")


async def begun(house: House) -> None:
    """Wait until a call took effect."""
    with anyio.fail_after(10):
        while True:
            if house.personal.accepted:
                return
            await anyio.sleep(0.01)


async def freed(house: House) -> None:
    """Make room again, in no transaction with what the full disk refuses."""
    while True:
        try:
            return await house.core.store.write(partial(room, pages=None))
        except StorageUnavailable:
            continue


@pytest.mark.case("F09")
async def test_a_full_disk_loses_nothing_and_is_told(house: House) -> None:
    await house.personal.say("hi ann", "ann", **MINE)
    chat = (await house.told("hi ann")).chat
    house.personal.hang = anyio.Event()
    under_way = await house.send(chat, "under way", wait_s=0)
    await begun(house)

    await fill(house)
    well_when_full = await is_well(house.core)
    with pytest.raises(StorageUnavailable):
        await house.send(chat, "refused " * 500)
    house.personal.hang.set()
    with pytest.raises(StorageUnavailable):
        await house.personal.say("not acknowledged " * 500, "ann", id_="n9")
    await freed(house)
    began_s = anyio.current_time()
    assert await house.personal.say("not acknowledged " * 500, "ann", id_="n9")

    async def recorded() -> bool | None:
        detail = await house.core.history.get(OWNER, under_way.message)
        return detail.message.delivery == "sent" or None

    assert await house.core.events.wait(recorded, 5)
    after = await house.send(chat, "after it", wait_s=5)
    took_s = anyio.current_time() - began_s

    assert not well_when_full
    assert await is_well(house.core)
    assert after.outcome is Outcome.ACCEPTED
    assert [text for _, text, _ in house.personal.accepted] == ["under way", "after it"]
    assert took_s < 5
    integrity = await house.core.store.write(
        lambda conn: sqlite.raw(conn).execute("PRAGMA integrity_check").fetchall()
    )
    assert integrity == [("ok",)]
