"""The login page in a real browser: what its owner sees until the account is connected."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from io import BytesIO

import pytest
import zxingcpp
from PIL import Image
from playwright.async_api import Browser, Page, expect

from messengers.core.callers import OWNER
from messengers.errors import RateLimited
from tests.web.browsers import DESKTOP, PHONE, SHOTS, OpenPage, Size, blank_page, browser
from tests.web.login.conftest import FIRST, Desk

__all__ = ["browser"]


pytestmark = pytest.mark.timeout(90)


@pytest.fixture
def open_page(desk: Desk, browser: Browser) -> OpenPage:
    """Open a new link; whatever the browser complains about fails the test."""

    @asynccontextmanager
    async def opened(
        size: Size = DESKTOP, *, dark: bool = False, expected: str = "\0"
    ) -> AsyncGenerator[Page]:
        async with blank_page(browser, size, dark=dark, expected=expected) as page:
            await page.goto(await desk.link())
            await expect(page.locator("#qr")).to_be_visible()
            yield page

    return opened


async def scanned(page: Page) -> str:
    """What a phone's camera reads off the screen."""
    image = Image.open(BytesIO(await page.screenshot()))
    return zxingcpp.read_barcodes(image)[0].text


async def state(page: Page, wanted: str) -> None:
    await expect(page.locator("body")).to_have_attribute("data-state", wanted)


@pytest.mark.parametrize("dark", [False, True])
async def test_a_phone_scans_each_code_until_the_page_says_connected(
    desk: Desk, open_page: OpenPage, dark: bool
) -> None:
    async with open_page(dark=dark) as page:
        assert await scanned(page) == FIRST
        await expect(page.locator("#scan-left")).to_contain_text("Holds for")
        before = await page.get_attribute("#qr", "src")
        desk.phone.text = "https://example.org/linked#second"
        await expect(page.locator("#qr")).not_to_have_attribute("src", str(before))
        assert await scanned(page) == desk.phone.text
        desk.phone.scan()
        await state(page, "done")
        await expect(page.locator("#told")).to_contain_text("Connected.")
        await expect(page.locator("#qr")).to_be_hidden()
        assert await page.get_attribute("#qr", "src") is None


async def test_a_number_gets_a_code_to_type_and_the_way_back(
    desk: Desk, open_page: OpenPage
) -> None:
    async with open_page(PHONE) as page:
        await page.fill("#phone", "+371 20 000 000")
        await page.press("#phone", "Enter")
        await expect(page.locator("#code")).to_have_text("ABCD-1234")
        await expect(page.locator("#spelled")).to_have_text("A B C D - 1 2 3 4")
        await expect(page.locator("#type-caption")).to_have_text("Type it under Linked devices.")
        await expect(page.locator("#qr")).to_be_hidden()
        await page.click("#back")
        await expect(page.locator("#qr")).to_be_visible()

    assert set(desk.phone.phones) == {"+37120000000"}


async def test_a_number_that_is_refused_is_told_beside_it_and_the_code_stays(
    desk: Desk, open_page: OpenPage
) -> None:
    desk.phone.refusal = RateLimited(
        "Too many codes were asked for.", "Wait 60 s.", retry_after_s=60
    )
    async with open_page(expected="422") as page:
        await page.fill("#phone", "20")
        await page.click("#by-phone button")
        await expect(page.locator("#refused")).to_contain_text("country code")
        await page.fill("#phone", "+37120000000")
        await page.click("#by-phone button")
        await expect(page.locator("#refused")).to_contain_text("60 s")
        await expect(page.locator("#qr")).to_be_visible()


async def test_a_login_that_ends_says_why_and_starts_again(desk: Desk, open_page: OpenPage) -> None:
    async with open_page() as page:
        desk.phone.end("Nobody scanned the code in time.")
        await state(page, "failed")
        await expect(page.locator("#told")).to_contain_text("Nobody scanned the code in time.")
        await expect(page.locator("#qr")).to_be_hidden()
        desk.phone.text = "https://example.org/linked#anew"
        await page.click("text=Start again")
        await expect(page.locator("#qr")).to_be_visible()
        assert await scanned(page) == desk.phone.text


async def test_an_account_that_is_removed_meanwhile_ends_the_page(
    desk: Desk, open_page: OpenPage
) -> None:
    async with open_page(expected="404") as page:
        await desk.core.instances.delete(OWNER, "phone", purge=True)
        await state(page, "failed")
        await expect(page.locator("#qr")).to_be_hidden()


@pytest.mark.parametrize(
    ("name", "size", "dark"),
    [("phone-dark", PHONE, True), ("phone", PHONE, False), ("desktop", DESKTOP, False)],
)
async def test_the_page_as_it_looks(
    desk: Desk, open_page: OpenPage, name: str, size: tuple[int, int], dark: bool
) -> None:
    SHOTS.mkdir(parents=True, exist_ok=True)
    desk.phone.text = "https://wa.example/settings/linked_devices#2@" + "aB3dE5fG7h" * 20
    async with open_page(size, dark=dark) as page:
        await page.screenshot(path=SHOTS / f"login-{name}.png", animations="disabled")
        width = await page.evaluate("document.documentElement.scrollWidth")
        await page.fill("#phone", "+37120000000")
        await page.press("#phone", "Enter")
        await expect(page.locator("#code")).to_be_visible()
        await page.screenshot(path=SHOTS / f"login-{name}-code.png", animations="disabled")
        desk.phone.scan()
        await state(page, "done")
        await page.screenshot(path=SHOTS / f"login-{name}-done.png", animations="disabled")

    assert width == size[0]
