"""A laboratory for each test, and the house for those that need no process of their own."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest

from tests.core.conftest import house, open_house
from tests.crash.laboratory import Lab
from tests.fakes.ledger_book import Ledger, ledger

__all__ = ["book", "house", "lab", "open_house"]


@pytest.fixture
async def book() -> AsyncIterator[Ledger]:
    """The messenger."""
    async with ledger() as opened:
        yield opened


@pytest.fixture
async def lab(tmp_path: Path, book: Ledger) -> AsyncIterator[Lab]:
    """A daemon that runs, with no account yet."""
    async with httpx2.AsyncClient(timeout=60) as client:
        laboratory = Lab(tmp_path / "home", book, client)
        await laboratory.start()
        yield laboratory
        if laboratory.process is not None:
            laboratory.process.kill()
            await laboratory.process.aclose()
