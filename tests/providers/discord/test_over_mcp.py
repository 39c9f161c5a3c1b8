"""What an agent does with a Discord bot: real MCP clients, a real daemon, the fake behind it."""

import base64
import io
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx2
import pytest
from discord.http import Route
from mcp.types import ElicitResult, ImageContent
from PIL import Image

from tests.desk import Agent, until
from tests.fakes.discord import Bot, Channel, FakeDiscord, Guild, Kind, Message, Permission, User
from tests.process.conftest import StartDaemon, environment, home, start_daemon
from tests.providers.discord.conftest import native
from tests.providers.discord.daemons import Desk, desk_of

__all__ = ["environment", "home", "start_daemon"]

pytestmark = pytest.mark.timeout(60)


@dataclass
class Shop:
    """A bot that an agent works with, in a server with a guest."""

    desk: Desk
    bot: Bot
    ada: User
    guild: Guild
    general: Channel
    agent: Agent

    @property
    def discord(self) -> FakeDiscord:
        return self.desk.discord

    @property
    def place(self) -> str:
        """How the agent names the channel."""
        return str(self.general.id)

    def says(self, text: str, **more: object) -> Message:
        """The guest writes into the channel."""
        return self.discord.write(self.ada, self.general, text, **more)  # pyright: ignore[reportArgumentType] - any of its options

    async def chat_id(self, name: str) -> str:
        """A chat's id, once the list of chats shows it."""

        async def listed() -> str | None:
            told = await self.agent.told("list_chats", query=name)
            found = re.search(rf"\[(c[0-9a-z]+)[^]]*\] .*{name}", told)
            return found[1] if found else None

        return await until(listed)


@pytest.fixture
async def desk(discord: FakeDiscord, start_daemon: StartDaemon) -> AsyncIterator[Desk]:
    async with desk_of(discord, start_daemon) as desk:
        yield desk


@pytest.fixture
async def shop(desk: Desk, bot: Bot, ada: User, cellar: Guild) -> AsyncIterator[Shop]:
    await desk.add(bot)
    await desk.becomes("connected")
    general = next(iter(cellar.channels.values()))
    async with desk.agent() as agent:
        shop = Shop(desk, bot, ada, cellar, general, agent)
        shop.says("good morning")
        await agent.reads(shop.place, "good morning")
        yield shop


def picture(side: int = 48) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (64, side), (200, 30, 30)).save(out, "PNG")
    return out.getvalue()


def inline(data: bytes, mime: str) -> str:
    return f"data:{mime};base64,{base64.b64encode(data).decode()}"


async def test_an_agent_gets_a_form_for_the_owner_and_never_sees_the_token(
    desk: Desk,
    bot: Bot,
    ada: User,
    cellar: Guild,
    environment: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Over stdio. Which address Discord has is the owner's alone to say, so the fake takes it."""
    monkeypatch.setattr(Route, "BASE", desk.discord.api_url)
    own = {"origin": desk.daemon.url, "sec-fetch-site": "same-origin"}
    async with desk.window(environment) as agent:
        asked = await agent.found("create_instance", provider="discord", name="shop")
        async with httpx2.AsyncClient() as browser:
            shown = await browser.get(asked["link"])
            filled = await browser.post(asked["link"], data={"token": bot.token}, headers=own)
        listed = await agent.told("list_instances")
        desk.discord.write(ada, bot, "are you there?")
        transcript = await agent.reads(native(ada), "are you there?")
        await agent.sends("send_message", chat=native(ada), text="I am.")

    assert asked["outcome"] == "needs_form"
    assert "Message Content Intent" in shown.text
    assert "“shop” is connected" in re.sub(r"\s+", " ", filled.text)
    assert f"https://discord.com/oauth2/authorize?client_id={bot.id}" in listed
    assert [each.content for each in bot.sent()] == ["I am."]
    assert bot.token.rpartition(".")[2] not in f"{asked}{filled.text}{listed}{transcript}"


async def test_a_token_that_was_reset_leads_to_the_form_again(desk: Desk, bot: Bot) -> None:
    await desk.add(bot)
    await desk.becomes("connected")
    desk.discord.revoke(bot)
    await desk.becomes("bad_credentials")
    async with desk.agent() as agent:
        answer = await agent.found("connect_instance", instance="shop")

    assert answer["outcome"] == "needs_form"
    assert "/forms/" in answer["next_step"]


async def test_a_conversation(shop: Shop) -> None:
    """Chats, transcript, an answer, an edit, a reaction, and taking it back."""
    question = shop.says(f"is the **build** red, <@{shop.bot.id}>?")
    asked = await shop.agent.number(shop.place, "is the **build** red, @shop?")
    waiting = await shop.agent.told("list_chats", waiting_for_reply=True)
    text = "No, **green** @everyone: https://x.example"
    sent = await shop.agent.sends("send_message", chat=shop.place, text=text, reply_to=asked)
    (answer,) = shop.bot.sent(shop.general)
    flags = answer.flags
    await shop.agent.act("edit_message", message=sent, text="No, *green* again")
    await shop.agent.act("react", message=asked, emoji="👍")
    shop.guild.emojis[123456789012345678] = "Party"
    await shop.agent.act("react", message=asked, emoji=":Party:")
    shown = await shop.agent.told("read_messages", chat=shop.place)
    edited = answer.content
    await shop.agent.act("delete_message", message=sent)

    assert "Cellar · #general" in waiting
    assert (answer.reference, edited) == (question, "No, *green* again")
    assert flags & 4  # no previews
    assert not answer.mentions_everyone
    assert "No, *green* again" in shown
    assert [*question.reactions] == ["Party:123456789012345678"]
    assert "reactions :Party:" in shown
    assert shop.bot.sent(shop.general) == []


async def test_a_thread_and_a_forum_are_chats(shop: Shop) -> None:
    ideas = shop.discord.create_channel(shop.guild, "ideas", Kind.FORUM)
    thread = shop.discord.start_thread(shop.ada, shop.general, "plans")
    shop.discord.write(shop.ada, thread, "who comes?")
    await shop.agent.reads(thread.id, "who comes?")
    await shop.agent.sends("send_message", chat=str(thread.id), text="I do")
    forum = await shop.chat_id("ideas")
    post = await shop.agent.found("send_message", chat=forum, text="Rye on Sundays\n\nWhat of it?")
    listed = await shop.agent.told("list_chats", kind="thread")

    assert [each.content for each in shop.bot.sent(thread)] == ["I do"]
    assert "a new post" in str(post["notes"])
    assert [each.name for each in shop.guild.threads if each.parent is ideas] == ["Rye on Sundays"]
    assert "plans" in listed


async def test_waiting_finds_what_comes_and_searching_what_came(shop: Shop) -> None:
    first = await shop.agent.told("wait_for_messages", timeout_s=0)
    cursor = first.rpartition("cursor=")[2].split()[0]
    shop.says("two rye loaves please")
    woken = await shop.agent.told("wait_for_messages", timeout_s=10, cursor=cursor)
    found = await shop.agent.told("search_messages", query="rye loaves")
    recent = await shop.agent.told("list_recent_messages")

    assert "two rye loaves please" in woken
    assert "two rye loaves please" in found
    assert "two rye loaves please" in recent


async def test_files_come_and_go(shop: Shop) -> None:
    """A picture is shown, a document is read; two pictures leave as one message with its text."""
    shop.says("ours", files=[("a.png", picture())])
    shop.says("orders", files=[("note.txt", b"one rye\ntwo wheat\n")])
    photo = await shop.agent.number(shop.place, "ours")
    shown = await shop.agent.act("get_media", message=photo)
    order = await shop.agent.number(shop.place, "orders")
    read = await shop.agent.told("get_media", message=order)
    files = [inline(picture(side), "image/png") for side in (20, 30)]
    await shop.agent.sends("send_message", chat=shop.place, text="**yours**", attachments=files)

    (seen,) = [part for part in shown.content if isinstance(part, ImageContent)]
    assert Image.open(io.BytesIO(base64.b64decode(seen.data))).size == (64, 48)
    assert "two wheat" in read
    (sent,) = shop.bot.sent(shop.general)
    assert (sent.content, len(sent.attachments)) == ("**yours**", 2)


async def test_buttons_polls_places_and_pins(shop: Shop) -> None:
    agent, to = shop.agent, {"chat": shop.place}
    shop.discord.add_role(shop.guild, "staff", Permission.PIN_MESSAGES, shop.bot)
    await agent.sends("send_buttons", **to, text="Bread?", buttons=["Rye", "Wheat"])
    await agent.sends("send_poll", **to, question="Which day?", options=["Saturday", "Sunday"])
    here = {"latitude_deg": 56.95, "longitude_deg": 24.1, "title": "Bakery"}
    place = await agent.found("send_location", **to, **here)
    await agent.act("pin_message", message=place["message"])
    bread, poll, spot = shop.bot.sent(shop.general)
    shop.discord.press(shop.ada, bread, "0:Rye")
    shop.discord.vote(shop.ada, poll, 2)
    shown = await agent.reads(shop.place, "pressed: Rye")

    assert "Which day?" in shown
    assert "openstreetmap.org" in spot.content
    assert "link to a map" in str(place)
    assert spot.pinned_at


@pytest.mark.case("S24")
async def test_a_server_is_run_and_its_owner_is_asked(shop: Shop) -> None:
    await shop.desk.daemon.ask("PATCH", "/instances/shop", {"confirm": "unknown_chats"})
    eve = shop.discord.add_user("eve", "Eve")
    shop.discord.join(shop.guild, eve)
    rights = Permission.KICK_MEMBERS | Permission.MANAGE_GUILD
    shop.discord.add_role(shop.guild, "staff", rights, shop.bot)
    listed = await shop.agent.told("list_groups", instance="shop")
    (chat,) = re.findall(r"\[(c[0-9a-z]+)[^]]*\] Cellar", listed)
    await shop.agent.act("update_group", chat=chat, name="Bakery")
    before = await shop.agent.told("get_group", chat=chat)
    link = await shop.agent.told("get_group_invite", chat=chat)
    await shop.agent.act("change_group_members", chat=chat, change="remove", members=[native(eve)])
    await shop.agent.act("leave_group", chat=chat)

    assert all(word in before for word in ("Bakery", "Ada", "Eve"))
    assert "https://discord.gg/" in link
    assert eve.id not in shop.guild.members
    assert shop.bot.id not in shop.guild.members
    assert len(shop.agent.owner.questions) >= 3


@pytest.mark.case("S87")
async def test_nothing_is_changed_in_discord_before_the_owner_agreed(shop: Shop) -> None:
    rights = Permission.BAN_MEMBERS | Permission.MANAGE_GUILD
    shop.discord.add_role(shop.guild, "staff", rights, shop.bot)
    mine = await shop.agent.sends("send_message", chat=shop.place, text="mine")
    theirs = await shop.agent.number(shop.place, "good morning")
    group = re.findall(r"\[(c[0-9a-z]+)", await shop.agent.told("list_groups", instance="shop"))[0]
    await shop.desk.daemon.ask("PATCH", "/instances/shop", {"confirm": "always"})
    shop.agent.owner.answer = ElicitResult(action="decline")
    before = len(shop.discord.calls)
    acts: list[tuple[str, dict[str, object]]] = [
        ("edit_message", {"message": mine, "text": "another"}),
        ("delete_message", {"message": mine}),
        ("forward_message", {"message": theirs, "chat": shop.place}),
        ("react", {"message": theirs, "emoji": "👍"}),
        ("pin_message", {"message": theirs}),
        ("update_group", {"chat": group, "description": "mine now"}),
        ("change_group_members", {"chat": group, "change": "ban", "members": [native(shop.ada)]}),
        ("leave_group", {"chat": group}),
    ]
    outcomes = [(await shop.agent.found(tool, **given))["outcome"] for tool, given in acts]

    assert set(outcomes) <= {"not_done", "not_sent"}
    looks = {call.operation for call in shop.discord.calls[before:]}
    assert [each for each in looks if not each.startswith(("get_", "list_"))] == []
    assert [each.content for each in shop.bot.sent(shop.general)] == ["mine"]


async def test_what_cannot_be_done_is_said_with_its_reason(shop: Shop) -> None:
    agent, discord, bot = shop.agent, shop.discord, shop.bot
    hidden = discord.create_channel(shop.guild, "staff")
    gone = discord.create_channel(shop.guild, "gone")
    theirs = await agent.number(shop.place, "good morning")
    unseen, away = await shop.chat_id("staff"), await shop.chat_id("gone")
    discord.hide_now(hidden, shop.ada)
    discord.delete_channel(gone)
    told = {
        "unknown": await agent.refused("send_message", chat="1" * 18, text="hi", instance="shop"),
        "hidden": await agent.refused("send_message", chat=unseen, text="hi"),
        "deleted": await agent.refused("send_message", chat=away, text="hi"),
        "phone": await agent.refused(
            "send_message", chat="+37120000001", text="hi", instance="shop"
        ),
    }
    refusing = Permission.ATTACH_FILES | Permission.ADD_REACTIONS | Permission.SEND_POLLS
    discord.forbid(shop.general, bot, refusing)
    files = [inline(b"one rye", "text/plain")]
    told |= {
        "file": await agent.refused("send_message", chat=shop.place, text="", attachments=files),
        "poll": await agent.refused("send_poll", chat=shop.place, question="?", options=["a", "b"]),
        "reaction": await agent.refused("react", message=theirs, emoji="👍"),
        "pin": await agent.refused("pin_message", message=theirs),
    }
    discord.forbid(shop.general, bot, Permission.SEND_MESSAGES)
    told["text"] = await agent.refused("send_message", chat=shop.place, text="hi")
    discord.kick(shop.guild, bot)
    told["kicked"] = await agent.refused("send_message", chat=shop.place, text="hi")
    told["direct"] = await agent.refused(
        "send_message", chat=native(shop.ada), text="hi", instance="shop"
    )

    said = {name: words for name, words in _REASONS.items() if words not in told[name]}
    assert said == {}, told
    assert bot.sent() == []


_REASONS = {
    "unknown": "not on discord",
    "hidden": "does not see that channel",
    "deleted": "knows no such channel",
    "phone": "cannot write to phone numbers",
    "file": "it needs Send Messages and Attach Files",
    "poll": "it needs Send Messages and Create Polls",
    "reaction": "it needs Add Reactions and Read Message History",
    "pin": "it needs Pin Messages",
    "text": "it needs Send Messages",
    "kicked": "does not see that channel",
    "direct": "shares no server with that person",
}
