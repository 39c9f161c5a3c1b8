"""The chat page in a real browser: what a visitor sees and does."""

from base64 import b64encode
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from io import BytesIO

import pytest
from PIL import Image
from playwright.async_api import Browser, FilePayload, Page, expect

from messengers.core.callers import OWNER
from tests.web.browsers import DESKTOP, NARROW, PHONE, SHOTS, OpenPage, Size, blank_page, browser
from tests.web.chat.conftest import AGENT, Site

__all__ = ["browser"]


pytestmark = pytest.mark.timeout(90)


@pytest.fixture
def open_page(site: Site, browser: Browser) -> OpenPage:
    """Open the page as a new visitor; whatever the browser complains about fails the test."""

    @asynccontextmanager
    async def opened(
        size: Size = PHONE, *, dark: bool = False, expected: str = "\0"
    ) -> AsyncGenerator[Page]:
        async with blank_page(browser, size, dark=dark, expected=expected) as page:
            await page.goto(f"http://{site.host}/chat/shop")
            await online(page)
            yield page

    return opened


async def online(page: Page) -> None:
    await expect(page.locator("body")).to_have_attribute("data-state", "open")


async def write(page: Page, text: str) -> None:
    await page.fill("#text", text)
    await page.press("#text", "Enter")


def picture(colour: str = "teal", size: tuple[int, int] = (300, 200), kind: str = "PNG") -> bytes:
    out = BytesIO()
    Image.new("RGB", size, colour).save(out, kind)
    return out.getvalue()


async def test_a_visitor_writes_and_an_agent_answers(site: Site, open_page: OpenPage) -> None:
    async with open_page() as page:
        await expect(page.locator("#welcome")).to_contain_text("Hi! Ask us <anything>.")
        await write(page, "Do you have bread?")
        await expect(page.locator(".mine .mark")).to_have_text("✓")
        await expect(page.locator("#welcome")).to_be_hidden()
        asked = await site.told("Do you have bread?")
        sent = await site.answer(
            "**Yes**, two loaves. <script>alert(1)</script>", reply_to=asked.id
        )
        answer = page.locator(".theirs .text")
        await expect(answer.locator("strong")).to_have_text("Yes")
        await expect(answer).to_contain_text("<script>alert(1)</script>")
        await expect(page.locator(".theirs .quote")).to_contain_text("Do you have bread?")
        await site.eventually(lambda: delivery(site, sent.message, "read"))
        await page.reload()
        await expect(page.locator(".message")).to_have_count(2)
        await expect(page.locator(".theirs .text strong")).to_have_text("Yes")


async def delivery(site: Site, message: str, wanted: str) -> bool | None:
    found = (await site.core.history.get(OWNER, message)).message.delivery
    return found == wanted or None


async def test_the_page_follows_edits_reactions_receipts_and_typing(
    site: Site, open_page: OpenPage
) -> None:
    changes, perform = site.core.changes, site.core.approvals.perform
    async with open_page() as page:
        await write(page, "Hi")
        theirs = await site.told("Hi")
        chat = await site.chat()
        await site.provider.typing(chat.native_id, active=True)
        await expect(page.locator("#typing")).to_be_visible()
        await expect(page.locator("#state")).to_have_text("typing…")
        sent = await site.answer("Helo")
        await expect(page.locator("#typing")).to_be_hidden()
        await perform(await changes.prepare_edit(AGENT, sent.message, "Hello"), 5)
        await expect(page.locator(".theirs .text")).to_have_text("Hello")
        await expect(page.locator(".theirs .changed")).to_have_text("edited")
        await perform(await changes.prepare_react(AGENT, theirs.id, "👍"), 5)
        await expect(page.locator(".mine .chip")).to_have_text("👍")
        await site.core.receipts.up_to(OWNER, chat)
        await expect(page.locator(".mine .mark")).to_have_text("✓✓")
        await site.core.instances.set_policy(OWNER, "shop", confirm="never")
        await perform(await changes.prepare_delete(AGENT, sent.message), 5)
        await expect(page.locator(".theirs .text")).to_have_text("This message was deleted")


async def test_a_visitors_typing_and_name_reach_us(site: Site, open_page: OpenPage) -> None:
    heard: list[str] = []
    stop = site.core.events.listen(lambda signal: heard.append(f"{signal.kind} {signal.data}"))
    async with open_page() as page:
        await page.click("#me")
        await page.fill("#name", "Anna")
        await page.click("text=Save")
        await page.type("#text", "Hello")
        await page.press("#text", "Shift+Enter")
        await page.type("#text", "there")
        await page.press("#text", "Enter")
        stored = await site.told("Hello\nthere")
        await expect(page.locator("#my-name")).to_have_text("Anna")
        await page.click("#me")
        await page.fill("#name", "Anna B")
        await page.press("#name", "Enter")
        await write(page, "again")
        await site.told("again")
        chat = await site.chat()
    stop()

    assert stored.sender.display_name == "Anna"
    assert chat.name == "Anna B"
    assert heard[:2] == ["typing on", "typing off"]


async def test_pictures_go_both_ways_and_open_large(site: Site, open_page: OpenPage) -> None:
    async with open_page() as page:
        cake: FilePayload = {"name": "cake.png", "mimeType": "image/png", "buffer": picture()}
        wide = picture("navy", (5_000, 100), "BMP")
        huge: FilePayload = {"name": "huge.bmp", "mimeType": "image/bmp", "buffer": wide}
        await page.set_input_files("#files", [cake, huge])
        await expect(page.locator(".thumbnail")).to_have_count(2)
        await write(page, "like these")
        stored = await site.told("like these")
        await expect(page.locator(".mine .picture img")).to_have_count(2)
        await expect(page.locator(".mine .mark")).to_have_text("✓")
        await site.answer(
            "ours", f"data:image/jpeg;base64,{b64encode(picture(kind='JPEG')).decode()}"
        )
        await expect(page.locator(".theirs .picture img")).to_have_js_property("naturalWidth", 300)
        await page.click(".theirs .picture")
        await expect(page.locator("#lightbox")).to_be_visible()
        await page.keyboard.press("Escape")
        await expect(page.locator("#lightbox")).to_be_hidden()

    assert [(each.mime, each.width) for each in stored.attachments] == [
        ("image/png", 300),
        ("image/jpeg", 4_096),
    ]


async def test_what_is_no_picture_is_refused_before_it_leaves(
    site: Site, open_page: OpenPage
) -> None:
    async with open_page() as page:
        document: FilePayload = {"name": "a.pdf", "mimeType": "application/pdf", "buffer": b"%PDF"}
        await page.set_input_files("#files", document)
        await expect(page.locator("#notice")).to_contain_text("Only pictures")
        await expect(page.locator("#send")).to_be_disabled()

    assert not site.core.store.media_dir.exists()


async def test_a_broken_picture_is_said_not_to_be_sent_and_can_be_discarded(
    site: Site, open_page: OpenPage
) -> None:
    async with open_page(expected="422") as page:
        broken: FilePayload = {"name": "x.png", "mimeType": "image/png", "buffer": b"<html>"}
        await page.set_input_files("#files", broken)
        await write(page, "look at this")
        await expect(page.locator(".failed .mark")).to_have_text("Not sent")
        await expect(page.locator(".failure")).to_contain_text("That is no picture.")
        await write(page, "never mind")
        await site.told("never mind")
        await page.click("text=Discard")
        await expect(page.locator(".message")).to_have_count(1)


async def test_what_is_written_while_the_chat_is_closed_arrives_later(
    site: Site, open_page: OpenPage
) -> None:
    async with open_page() as page:
        await write(page, "first")
        await site.told("first")
        await site.core.instances.disconnect(OWNER, "shop")
        await expect(page.locator("#state")).to_have_text("Closed at the moment")
        await write(page, "second")
        await expect(page.locator(".pending .mark")).to_have_text("Sending…")
        await page.reload()
        await expect(page.locator(".pending")).to_have_count(1)
        await site.core.instances.connect(OWNER, "shop")
        await site.told("second")
        await expect(page.locator(".message")).to_have_count(2)
        await expect(page.locator(".pending")).to_have_count(0)


async def test_earlier_messages_come_when_scrolling_up(site: Site, open_page: OpenPage) -> None:
    async with open_page() as page:
        await write(page, "the very first")
        chat = await site.chat_of(await site.told("the very first"))
        for number in range(70):
            await site.provider.receive(chat.native_id, f"line {number}", (), f"line-{number:04}")
        await site.told("line 69")
        await page.reload()
        await expect(page.locator(".message")).to_have_count(50)
        await expect(page.locator(".message").last).to_be_in_viewport()
        await page.locator("#log").evaluate("log => log.scrollTo(0, 0)")
        await expect(page.locator(".message")).to_have_count(71)
        await expect(page.locator(".message").first).to_contain_text("the very first")


async def test_two_tabs_of_one_visitor_show_the_same(site: Site, open_page: OpenPage) -> None:
    async with open_page() as page:
        other = await page.context.new_page()
        await other.goto(page.url)
        await online(other)
        await write(page, "from one tab")
        await expect(other.locator(".mine .text")).to_have_text("from one tab")
        await site.told("from one tab")
        await site.answer("to both")
        for tab in (page, other):
            await expect(tab.locator(".theirs .text")).to_have_text("to both")


@pytest.mark.case("S72")
async def test_the_pages_policy_stops_what_a_sanitiser_would_let_through(
    site: Site, open_page: OpenPage
) -> None:
    async with open_page(expected="Content Security Policy") as page:
        rebuilt = await page.evaluate(
            """async () => {
                const { safeFragment } = await import("/static/markup.js");
                const box = document.createElement("div");
                box.append(safeFragment(
                    '<p onclick="x()" style="color:red">a<script>window.hit=1</script>' +
                    '<img src=x onerror="window.hit=1"><a href="javascript:window.hit=1">b</a>' +
                    '<a href="https://a.b" onclick="x()">c</a><iframe src="//evil"></iframe></p>' +
                    '<ol start="3"><li>d</li></ol><svg onload="window.hit=1"></svg>'));
                document.body.append(box);
                return [box.innerHTML, window.hit];
            }"""
        )

    assert rebuilt[0] == (
        '<p>ab<a href="https://a.b" target="_blank" rel="noopener noreferrer nofollow">c</a></p>'
        '<ol start="3"><li>d</li></ol>'
    )
    assert rebuilt[1] is None


@pytest.mark.parametrize(
    ("name", "size", "dark"),
    [
        ("phone", PHONE, False),
        ("desktop", DESKTOP, False),
        ("desktop-dark", DESKTOP, True),
        ("narrow-dark", NARROW, True),
    ],
)
async def test_it_looks_right_at_every_width(
    site: Site, open_page: OpenPage, name: str, size: tuple[int, int], dark: bool
) -> None:
    """Nothing overflows and everything needed is in sight; the picture is for human eyes."""
    async with open_page(size, dark=dark) as page:
        await write(page, "Do you have bread? " + "https://example.org/" + "long" * 30)
        await site.told("Do you have bread? " + "https://example.org/" + "long" * 30)
        code = "```\n" + "wide " * 60 + "\n```"
        await site.answer(f"# Yes\n\n{code}\n\n| a | b |\n|---|---|\n| {'x' * 90} | {'y' * 90} |")
        await expect(page.locator(".theirs table")).to_be_visible()
        await page.screenshot(path=SHOTS / f"chat-{name}.png", animations="disabled")
        overflow = await page.evaluate(
            """() => {
                const parts = [document.documentElement, document.querySelector("#log")];
                return Math.max(...parts.map((part) => part.scrollWidth - part.clientWidth));
            }"""
        )
        for part in ("#text", "#send", "#attach", "#me", "#state"):
            await expect(page.locator(part)).to_be_in_viewport(ratio=1)

    assert overflow <= 0
