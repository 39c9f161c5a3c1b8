"""The system's Chromium, for what only a real browser shows."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest
from playwright.async_api import Browser, Page, async_playwright, expect

from tests.programs import ROOT, require_program

__all__ = ["DESKTOP", "NARROW", "PHONE", "SHOTS", "OpenPage", "Size", "blank_page", "browser"]

Size = tuple[int, int]
PHONE, DESKTOP, NARROW = (390, 844), (1280, 800), (360, 640)
SHOTS = ROOT / "build" / "screenshots"
OpenPage = Callable[..., AbstractAsyncContextManager[Page]]

expect.set_options(timeout=15_000)

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


@asynccontextmanager
async def blank_page(
    browser: Browser, size: Size, *, dark: bool, script: bool = True, expected: str = "\0"
) -> AsyncGenerator[Page]:
    """A page in a context of its own; whatever the browser complains about fails the test, but for
    what has `expected` in it."""
    context = await browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme="dark" if dark else "light",
        java_script_enabled=script,
        locale="en-GB",
    )
    page = await context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: complaints.append(message.text))
    yield page
    await context.close()
    assert [each for each in complaints if expected not in each] == []
