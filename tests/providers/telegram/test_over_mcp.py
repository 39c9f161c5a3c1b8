"""What an agent does with a bot: real MCP clients, a real daemon, the fake Telegram behind it."""

import base64
import io
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx2
import pytest
from aiogram.client.telegram import TelegramAPIServer
from mcp.types import AudioContent, ImageContent
from PIL import Image

from messengers.providers.telegram import wire
from tests.fakes.telegram import Bot, Chat, FakeTelegram, User
from tests.process.conftest import StartDaemon, environment, home, start_daemon
from tests.providers.telegram.conftest import becomes, until
from tests.providers.telegram.daemons import Agent, Desk, desk_of

__all__ = ["environment", "home", "start_daemon"]

pytestmark = pytest.mark.timeout(60)


@dataclass
class Shop:
    """A bot that an agent works with, and a customer."""

    desk: Desk
    bot: Bot
    ada: User
    agent: Agent

    @property
    def telegram(self) -> FakeTelegram:
        return self.desk.telegram

    @property
    def chat(self) -> str:
        """How the agent names the chat with the customer."""
        return str(self.ada.id)

    async def number(self, text: str, chat: str = "") -> str:
        """The id of the message that says something."""
        return await self.agent.number(chat or self.chat, text)

    async def room(self, *others: User, owner: User | None = None) -> tuple[Chat, str]:
        """A group with the bot as an admin, and its chat id here."""
        owner = owner or self.ada
        group = self.telegram.add_supergroup("Bakers", owner, *others, self.bot)
        self.telegram.promote(group, owner, self.bot)
        self.telegram.write(owner, group, "hello bakers")

        async def listed() -> str | None:
            told = await self.agent.told("list_groups", instance="shop")
            found = re.search(r"\[(c[0-9a-z]+)[^]]*\] Bakers", told)
            return found[1] if found else None

        return group, await until(listed)


@pytest.fixture
async def desk(telegram: FakeTelegram, start_daemon: StartDaemon) -> AsyncIterator[Desk]:
    async with desk_of(telegram, start_daemon) as desk:
        yield desk


@pytest.fixture
def bot(telegram: FakeTelegram) -> Bot:
    return telegram.add_bot("shop_bot", can_join_groups=True, can_read_all_group_messages=True)


@pytest.fixture
async def shop(desk: Desk, bot: Bot) -> AsyncIterator[Shop]:
    await desk.add(bot)
    ada = desk.telegram.add_user("Ada", "Lovelace", "ada")
    desk.telegram.start(ada, bot, "from-the-flyer")
    async with desk.agent() as agent:
        await agent.reads(ada.id, "/start")
        yield Shop(desk, bot, ada, agent)


def picture(side: int = 64, form: str = "JPEG") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (side, side), (200, 30, 30)).save(out, form)
    return out.getvalue()


def inline(data: bytes, mime: str) -> str:
    return f"data:{mime};base64,{base64.b64encode(data).decode()}"


async def test_an_agent_gets_a_form_for_the_owner_and_never_sees_the_token(
    desk: Desk, bot: Bot, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over stdio. Which address Telegram has is the owner's alone to say, so the fake takes it."""
    monkeypatch.setattr(wire, "PRODUCTION", TelegramAPIServer.from_base(desk.telegram.url))
    ada = desk.telegram.add_user("Ada")
    async with desk.window(environment) as agent:
        asked = await agent.found("create_instance", provider="telegram", name="shop")
        async with httpx2.AsyncClient() as browser:
            shown = await browser.get(asked["link"])
            own = {"origin": desk.daemon.url, "sec-fetch-site": "same-origin"}
            filled = await browser.post(asked["link"], data={"token": bot.token}, headers=own)
        listed = await agent.told("list_instances")
        desk.telegram.start(ada, bot, "hello")
        transcript = await agent.reads(ada.id, "/start hello")

    secret = bot.token.partition(":")[2]
    assert asked["outcome"] == "needs_form"
    assert "@BotFather" in shown.text
    assert "“shop” is connected" in re.sub(r"\s+", " ", filled.text)
    assert "shop" in listed
    assert secret not in f"{asked}{filled.text}{listed}{transcript}"


async def test_a_token_that_does_not_hold_leads_to_the_form_again(desk: Desk, bot: Bot) -> None:
    await desk.add(bot)
    desk.telegram.revoke(bot)
    await desk.becomes("bad_credentials")
    async with desk.agent() as agent:
        answer = await agent.found("connect_instance", instance="shop")

    assert answer["outcome"] == "needs_form"
    assert "/forms/" in answer["next_step"]


async def test_a_conversation(shop: Shop) -> None:
    """Chats, transcript, an answer to a message, an edit, a reaction, and taking it back."""
    question = shop.telegram.write(shop.ada, shop.bot, "are you **open** on sunday?")
    asked = await shop.number("on sunday?")
    listed = await shop.agent.told("list_chats", waiting_for_reply=True)
    sent = await shop.agent.sends(
        "send_message", chat=shop.chat, text="Yes, **10 to 4**: https://x.example", reply_to=asked
    )
    (answer,) = shop.bot.sent()
    await shop.agent.act("edit_message", message=sent, text="Yes, *9* to 4")
    await shop.agent.act("react", message=asked, emoji="👍")
    shown = await shop.agent.told("read_messages", chat=shop.chat)
    edited = answer.text
    await shop.agent.act("delete_message", message=sent)

    assert "Ada Lovelace" in listed
    assert (edited, answer.marks) == ("Yes, 9 to 4", [("italic", "9")])
    assert answer.reply_id == question.id
    assert "me] Yes, *9* to 4" in shown
    assert list(question.reactions.values()) == [[{"type": "emoji", "emoji": "👍"}]]
    assert shop.bot.sent() == []
    assert [each["link_preview_options"] for each in shop.telegram.asked("sendMessage")] == [
        '{"is_disabled": true}'
    ]


async def test_waiting_finds_what_comes_and_searching_what_came(shop: Shop) -> None:
    first = await shop.agent.told("wait_for_messages", timeout_s=0)
    cursor = first.rpartition("cursor=")[2].split()[0]
    shop.telegram.write(shop.ada, shop.bot, "two rye loaves please")
    woken = await shop.agent.told("wait_for_messages", timeout_s=10, cursor=cursor)
    found = await shop.agent.told("search_messages", query="rye loaves")
    silent = await shop.agent.sends("send_message", chat=shop.chat, text="noted", silent=True)
    got = await shop.agent.told("get_message", message=silent)

    assert "two rye loaves please" in woken
    assert "two rye loaves please" in found
    assert shop.bot.sent()[0].silent
    assert "noted" in got


async def test_files_come_and_go(shop: Shop) -> None:
    """A photo is shown, a voice note is heard, a document is read; a picture leaves as a photo."""
    shop.telegram.send(shop.ada, shop.bot, "photo", picture(), caption="our oven")
    shop.telegram.send(shop.ada, shop.bot, "voice", caption="listen")
    note = b"one rye\ntwo wheat\n"
    shop.telegram.send(shop.ada, shop.bot, "document", note, name="order.txt", mime="text/plain")
    photo, voice = await shop.number("our oven"), await shop.number("listen")
    shown = await shop.agent.act("get_media", message=photo)
    heard = await shop.agent.act("get_media", message=voice)
    document = await shop.number("order.txt")
    read = await shop.agent.told("get_media", message=document)
    await shop.agent.sends(
        "send_message",
        chat=shop.chat,
        text="and **ours**",
        attachments=[inline(picture(), "image/jpeg")],
    )
    await shop.agent.act("forward_message", message=photo, chat=shop.chat)

    (image,) = [part for part in shown.content if isinstance(part, ImageContent)]
    assert Image.open(io.BytesIO(base64.b64decode(image.data))).size == (64, 64)
    assert [part for part in heard.content if isinstance(part, AudioContent)]
    assert "two wheat" in read
    ours, forwarded = shop.bot.sent()
    assert (ours.kind, ours.text, ours.marks) == ("photo", "and ours", [("bold", "ours")])
    assert (forwarded.kind, forwarded.text) == ("photo", "our oven")


async def test_an_album_comes_as_one_and_several_files_leave_in_order(shop: Shop) -> None:
    shop.telegram.send_album(shop.ada, shop.bot, ["photo", "photo", "photo"], "our shop")
    shown = await shop.agent.reads(shop.chat, "our shop")
    files = [inline(picture(side), "image/png") for side in (20, 30, 40)]
    await shop.agent.sends("send_message", chat=shop.chat, text="ours", attachments=files)
    await becomes(lambda: len(shop.bot.sent()) == 3)

    assert shown.count("image") >= 3
    assert [each.content["photo"][-1]["width"] for each in shop.bot.sent()] == [20, 30, 40]


async def test_places_contacts_polls_buttons_stickers_and_pins(shop: Shop) -> None:
    here: dict[str, object] = {"chat": shop.chat, "latitude_deg": 56.95, "longitude_deg": 24.1}
    await shop.agent.sends("send_location", **here)
    await shop.agent.sends("send_location", **here, title="Bakery, Main street 1")
    await shop.agent.sends("send_contact", chat=shop.chat, name="Bob Baker", phone="+37120000000")
    await shop.agent.sends(
        "send_poll", chat=shop.chat, question="Which day?", options=["Saturday", "Sunday"]
    )
    await shop.agent.sends("send_buttons", chat=shop.chat, text="Bread?", buttons=["Rye", "Wheat"])
    await shop.agent.sends(
        "send_buttons", chat=shop.chat, text="Pay?", buttons=["Cash"], keyboard=True
    )
    sticker = inline(picture(512, "WEBP"), "image/webp")
    last = await shop.agent.sends("send_sticker", chat=shop.chat, sticker=sticker)
    await shop.agent.act("pin_message", message=last)
    sent = shop.bot.sent()
    poll, bread = sent[3:5]
    shop.telegram.vote(shop.ada, poll, 1)
    shop.telegram.press(shop.ada, bread, "Rye")
    shop.telegram.write(shop.ada, shop.bot, "Cash")  # what its button writes
    shown = await shop.agent.reads(shop.chat, "Cash")

    assert [each.kind for each in sent] == [
        *("location", "venue", "contact", "poll", "text", "text", "sticker")
    ]
    assert sent[1].content["venue"]["address"] == "Main street 1"
    assert shop.telegram.asked("pinChatMessage")[0]["message_id"] == str(sent[-1].id)
    assert "Rye" in shown
    await shop.agent.reads(shop.chat, "Sunday")


async def test_a_group_is_run_and_its_owner_is_asked(shop: Shop) -> None:
    await shop.desk.daemon.ask("PATCH", "/instances/shop", {"confirm": "unknown_chats"})
    eve = shop.telegram.add_user("Eve")
    group, chat = await shop.room(eve)
    shop.telegram.write(eve, group, "buy my coins")
    await shop.agent.reads(chat, "buy my coins")
    await shop.agent.act("update_group", chat=chat, name="Bakers of Riga", description="Bread")
    link = await shop.agent.told("get_group_invite", chat=chat)
    before = await shop.agent.told("get_group", chat=chat)
    await shop.agent.act("change_group_members", chat=chat, change="ban", members=[str(eve.id)])
    await shop.agent.sends("send_message", chat=chat, text="@everyone see <b>@all</b>")
    await shop.agent.act("leave_group", chat=chat)

    assert "t.me/" in link
    assert all(word in before for word in ("Bakers of Riga", "Bread", "Ada Lovelace", "Eve"))
    assert shop.telegram.asked("banChatMember")[0]["user_id"] == str(eve.id)
    assert shop.bot.sent(group)[-1].text == "@everyone see <b>@all</b>"
    assert len(shop.agent.owner.questions) == 4
    assert await shop.agent.told("list_groups", instance="shop") == "The account is in no group."


async def test_what_cannot_be_done_is_said_with_its_reason(shop: Shop) -> None:
    stranger = shop.telegram.add_user("Stranger")
    never = await shop.agent.refused(
        "send_message", chat=str(stranger.id), text="hi", instance="shop", wait_s=5
    )
    phone = await shop.agent.refused(
        "send_message", chat="+37120000001", text="hi", instance="shop"
    )
    shop.telegram.block(shop.ada, shop.bot)
    blocked = await shop.agent.refused("send_message", chat=shop.chat, text="still there?")
    group = await shop.agent.refused(
        "create_group", instance="shop", name="Bakers", members=[str(shop.ada.id)]
    )

    assert "started" in never or "not on telegram" in never
    assert "cannot write to phone numbers" in phone
    assert "blocked the bot" in blocked
    assert "cannot make groups" in group
    assert shop.bot.sent() == []
