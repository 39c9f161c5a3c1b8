"""The approvals page in a real browser: what the owner sees and presses."""

from base64 import b64encode
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from io import BytesIO

import pytest
from PIL import Image, ImageDraw
from playwright.async_api import Browser, Page, expect

from messengers.core.callers import OWNER
from tests.web.approvals.conftest import AGENT, Desk
from tests.web.browsers import DESKTOP, PHONE, SHOTS, OpenPage, Size, blank_page, browser

__all__ = ["browser"]

CONTRAST = """() => {
  const channel = (value) => {
    const part = value / 255;
    return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  };
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const parts = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const behind = (element) => {
    for (let each = element; each; each = each.parentElement) {
      const found = parts(getComputedStyle(each).backgroundColor);
      if (found.length < 4 || found[3] > 0) return found;
    }
    return [255, 255, 255];
  };
  const weak = [];
  for (const element of document.querySelectorAll("main *")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!own || !element.checkVisibility()) continue;
    const ink = light(parts(getComputedStyle(element).color)), page = light(behind(element));
    const ratio = (Math.max(ink, page) + 0.05) / (Math.min(ink, page) + 0.05);
    if (ratio < 4.5) weak.push(`${element.tagName} ${element.className} ${ratio}`);
  }
  return weak;
}"""
"""Every text against what it stands on, as WCAG 2.2 measures it; less than 4.5 is too weak."""

pytestmark = pytest.mark.timeout(90)


@pytest.fixture
def open_page(desk: Desk, browser: Browser) -> OpenPage:
    """Log in by a new link; whatever the browser complains about fails the test."""

    @asynccontextmanager
    async def opened(
        size: Size = DESKTOP, *, dark: bool = False, script: bool = True
    ) -> AsyncGenerator[Page]:
        async with blank_page(browser, size, dark=dark, script=script) as page:
            await page.goto(await desk.core.owner_sessions.link())
            await expect(page.locator("h1")).to_have_text("What waits for you")
            yield page

    return opened


def picture() -> str:
    image = Image.new("RGB", (320, 200), "#2b7a78")
    ImageDraw.Draw(image).text((24, 88), "Offer 2031-114: 48 chairs", fill="white", font_size=22)
    out = BytesIO()
    image.save(out, "PNG")
    return "data:image/png;base64," + b64encode(out.getvalue()).decode()


@pytest.mark.parametrize("script", [True, False])
async def test_the_owner_reads_and_approves_with_and_without_script(
    desk: Desk, open_page: OpenPage, script: bool
) -> None:
    await desk.hold("See you at five.", "eve", picture())
    async with open_page(script=script) as page:
        await expect(page.locator(".said")).to_have_text("See you at five.")
        image = page.locator(".preview")
        await expect(image).to_have_js_property("naturalWidth", 320)
        await page.get_by_role("button", name="Approve once").click()
        await expect(page.locator("#told")).to_contain_text("Sent.")
        await expect(page.locator("#none")).to_be_visible()
        await page.reload()

    assert [text for _, text, _ in desk.side.accepted if text] == ["See you at five."]


async def test_what_begins_to_wait_appears_below_and_nothing_moves(
    desk: Desk, open_page: OpenPage
) -> None:
    await desk.hold("first")
    async with open_page() as page:
        button = page.get_by_role("button", name="Approve once").first
        before = await button.bounding_box()
        await desk.hold("second", "mallory")
        await expect(page.locator(".ask")).to_have_count(2)
        await expect(page).to_have_title("(2) Approvals · Messengers")
        await expect(page.locator("#told")).to_have_text("One more waits.")
        moved = await button.bounding_box()
        await page.locator(".ask").last.get_by_role("button", name="Reject").click()
        await expect(page.locator("#told")).to_contain_text("Not sent.")

    assert before is not None
    assert moved is not None
    assert moved["x"] == before["x"]
    assert [each.shown.text for each in await desk.core.approvals.waiting()] == ["first"]


async def test_what_is_decided_in_a_terminal_meanwhile_loses_its_buttons(
    desk: Desk, open_page: OpenPage
) -> None:
    held = await desk.hold("raced")
    async with open_page() as page:
        await desk.core.approvals.decide(held, "reject", OWNER.actor)
        await expect(page.locator(".ask.over")).to_contain_text("does not wait any more")
        for button in await page.locator(".ask button").all():
            await expect(button).to_be_disabled()


async def test_a_keyboard_is_enough(desk: Desk, open_page: OpenPage) -> None:
    held = await desk.hold("typed")
    async with open_page() as page:
        for _ in range(2):  # the text, which may be long, then the first button
            await page.keyboard.press("Tab")
        focused = page.locator(":focus")
        await expect(focused).to_have_text("Approve once")
        await expect(focused).to_have_css("outline-style", "solid")
        await page.keyboard.press("Enter")
        await expect(page.locator("#told")).to_contain_text("Sent.")

    assert (await desk.core.approvals.get(held)).decision == "once"


async def test_logging_out_closes_the_page(desk: Desk, browser: Browser) -> None:
    context = await browser.new_context()
    page = await context.new_page()
    await page.goto(await desk.core.owner_sessions.link())
    await page.get_by_role("button", name="Log out").click()
    await expect(page.locator("h1")).to_have_text("This browser is not logged in")
    await page.goto(f"{desk.base}/approvals")
    await expect(page.locator("h1")).to_have_text("This browser is not logged in")
    await context.close()


@pytest.mark.parametrize(
    ("name", "size", "dark"),
    [("phone", PHONE, False), ("phone-dark", PHONE, True), ("desktop", DESKTOP, False)],
)
async def test_the_page_as_it_looks(
    desk: Desk, open_page: OpenPage, name: str, size: tuple[int, int], dark: bool
) -> None:
    SHOTS.mkdir(parents=True, exist_ok=True)
    past = await desk.hold("Good morning! The samples are on their way.", "anna")
    await desk.core.approvals.decide(past, "once", OWNER.actor)
    await desk.hold(
        "Hello Eve, here is the offer you asked for.\nIt holds for 30 days.", "eve", picture()
    )
    act = await desk.core.instances.prepare_disconnect(AGENT, "me")
    await desk.core.approvals.perform(act)
    async with open_page(size, dark=dark) as page:
        await expect(page.locator(".preview")).to_have_js_property("naturalWidth", 320)
        await page.screenshot(path=SHOTS / f"approvals-{name}.png", full_page=True)
        width = await page.evaluate("document.documentElement.scrollWidth")
        weak = await page.evaluate(CONTRAST)
        unnamed = await page.locator("button:not(:has-text('')), img:not([alt])").count()
        small = [
            box
            for each in await page.locator(".answers button").all()
            if (box := await each.bounding_box()) is None or box["height"] < 44
        ]

    assert width == size[0]
    assert weak == []
    assert (unnamed, small) == (0, [])
