"""The system's Chromium, for what only a real browser shows."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, async_playwright

from tests.programs import require_program

__all__ = ["browser"]

ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    """One for all: each page opens in a context of its own, with nothing of another's."""
    program = require_program("chromium")
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=program, args=ARGS)
        yield started
        await started.close()
