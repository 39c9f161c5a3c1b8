"""Keys over a fresh store, and a clock that the test moves."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from messengers.core.keys import Keys
from messengers.store import Store

__all__ = ["NOW", "SetClock", "clock", "keys", "loaded", "store"]

NOW = datetime(2026, 11, 20, 14, 0, tzinfo=UTC)


class SetClock:
    """A clock that goes when it is told to."""

    def __init__(self) -> None:
        self.time = NOW

    def now(self) -> datetime:
        return self.time

    def monotonic_s(self) -> float:
        return (self.time - NOW).total_seconds()


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
async def store(tmp_path: Path, clock: SetClock) -> AsyncIterator[Store]:
    opened = await Store.open(tmp_path, clock)
    yield opened
    await opened.aclose()


@pytest.fixture
async def keys(store: Store, clock: SetClock) -> Keys:
    return await loaded(store, clock)


async def loaded(store: Store, clock: SetClock) -> Keys:
    keys = Keys(store, clock)
    await keys.load()
    return keys
