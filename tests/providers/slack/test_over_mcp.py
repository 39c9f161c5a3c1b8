"""What an agent does with a Slack app: real MCP clients, a real daemon, the fake behind it."""

import base64
import io
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx2
import pytest
from mcp.types import ElicitResult, ImageContent
from PIL import Image
from slack_sdk.web.async_client import AsyncWebClient

from tests.desk import Agent
from tests.fakes.slack import Bot, Channel, FakeSlack, Message, User, Workspace
from tests.fakes.slack.gatherings import Upload
from tests.process.conftest import StartDaemon, environment, home, start_daemon
from tests.providers.slack.daemons import Desk, desk_of

__all__ = ["environment", "home", "start_daemon"]

pytestmark = pytest.mark.timeout(60)


TEAM = {"chat": "#team", "instance": "work"}
"""A channel by its name, which a write takes where the account is named too."""


@dataclass
class Work:
    """An app that an agent works with, a colleague and a channel with both."""

    desk: Desk
    bot: Bot
    grace: User
    team: Channel
    agent: Agent

    @property
    def slack(self) -> FakeSlack:
        return self.desk.slack

    async def chat_id(self) -> str:
        """The channel's, for what takes no name."""
        listed = await self.agent.told("list_chats")
        (chat,) = re.findall(r"\[(c[0-9a-z]+)[^]]*\] #team", listed)
        return chat

    def says(self, text: str, thread: Message | None = None) -> Message:
        """The colleague writes into the channel."""
        return self.slack.write(self.grace, self.team, text, thread=thread)


@pytest.fixture
async def desk(slack: FakeSlack, start_daemon: StartDaemon) -> AsyncIterator[Desk]:
    async with desk_of(slack, start_daemon) as desk:
        yield desk


@pytest.fixture
async def work(desk: Desk, bot: Bot, grace: User, team: Channel) -> AsyncIterator[Work]:
    await desk.add(bot.token)
    await desk.becomes("connected")
    async with desk.agent() as agent:
        work = Work(desk, bot, grace, team, agent)
        work.says("good morning")
        await agent.reads("#team", "good morning")
        yield work


def picture() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (64, 48), (200, 30, 30)).save(out, "PNG")
    return out.getvalue()


def inline(data: bytes, mime: str) -> str:
    return f"data:{mime};base64,{base64.b64encode(data).decode()}"


async def test_an_agent_gets_a_form_for_the_owner_and_never_sees_the_tokens(
    desk: Desk,
    bot: Bot,
    grace: User,
    environment: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Over stdio. Which address Slack has is the owner's alone to say, so the fake takes it."""
    monkeypatch.setattr(AsyncWebClient, "BASE_URL", desk.slack.base_url)
    own = {"origin": desk.daemon.url, "sec-fetch-site": "same-origin"}
    tokens = {"token": bot.token.value, "app_token": bot.app.token.value}
    async with desk.window(environment) as agent:
        asked = await agent.found("create_instance", provider="slack", name="work")
        async with httpx2.AsyncClient() as browser:
            shown = await browser.get(asked["link"])
            filled = await browser.post(asked["link"], data=tokens, headers=own)
        listed = await agent.told("list_instances")
        desk.slack.write(grace, bot, "are you there?")
        transcript = await agent.reads(grace.id, "are you there?")
        await agent.sends("send_message", chat=grace.id, text="I am.")

    assert asked["outcome"] == "needs_form"
    assert "api.slack.com/apps" in shown.text
    assert "“work” is connected" in re.sub(r"\s+", " ", filled.text)
    assert "As @helper in Acme." in listed
    assert [each.shown for each in bot.sent()] == ["I am."]
    told = f"{asked}{filled.text}{listed}{transcript}"
    assert [secret for secret in tokens.values() if secret in told] == []


async def test_a_token_that_was_revoked_leads_to_the_form_again(desk: Desk, bot: Bot) -> None:
    await desk.add(bot.token)
    await desk.becomes("connected")
    desk.slack.revoke(bot, "token_revoked")
    async with desk.agent() as agent:
        refused = await agent.refused("send_message", chat="#general", text="hi", instance="work")
        await desk.becomes("bad_credentials")
        answer = await agent.found("connect_instance", instance="work")

    assert "does not accept this token" in refused
    assert answer["outcome"] == "needs_form"
    assert "/forms/" in answer["next_step"]


async def test_a_conversation_in_a_thread(work: Work) -> None:
    """Chats, transcript, an answer in a thread, an edit, a reaction, and taking it back."""
    question = work.says("is the <https://a.example|build> *red*, <@" + work.bot.user.id + ">?")
    asked = await work.agent.number("#team", "is the [build](https://a.example) **red**")
    listed = await work.agent.told("list_chats", waiting_for_reply=True)
    sent = await work.agent.sends(
        "send_message", **TEAM, text="No, **green**: https://x.example", reply_to=asked
    )
    answer = work.bot.sent(work.team)[0]
    work.says("thanks", thread=question)
    shown = await work.agent.reads("#team", "thanks")
    await work.agent.act("edit_message", message=sent, text="No, _green_ again")
    await work.agent.act("react", message=asked, emoji="👍")
    after = await work.agent.told("read_messages", chat="#team")
    edited = answer.text
    await work.agent.act("delete_message", message=sent)

    assert "#team" in listed
    assert (answer.thread_ts, edited) == (question.ts, "No, _green_ again")
    assert (answer.options["unfurl_links"], answer.options["unfurl_media"]) == ("false", "false")
    assert "No, **green**: https://x.example" in shown
    assert "No, _green_ again" in after
    assert "👍" in after
    assert list(question.reactions) == ["+1"]
    assert work.bot.sent(work.team) == []


async def test_waiting_finds_what_comes_and_searching_what_came(work: Work) -> None:
    first = await work.agent.told("wait_for_messages", timeout_s=0)
    cursor = first.rpartition("cursor=")[2].split()[0]
    work.says("the deploy is done")
    woken = await work.agent.told("wait_for_messages", timeout_s=10, cursor=cursor)
    found = await work.agent.told("search_messages", query="deploy done")
    recent = await work.agent.told("list_recent_messages")

    assert "the deploy is done" in woken
    assert "the deploy is done" in found
    assert "the deploy is done" in recent


async def test_files_come_and_go(work: Work) -> None:
    """A picture is shown, a document is read; a picture leaves with its text."""
    work.slack.upload(
        work.grace, work.team, Upload("a.png", picture(), mime="image/png"), text="ours"
    )
    note = Upload("note.txt", b"one rye\ntwo wheat\n", mime="text/plain")
    work.slack.upload(work.grace, work.team, note, text="orders")
    photo = await work.agent.number("#team", "ours")
    shown = await work.agent.act("get_media", message=photo)
    read = await work.agent.told("get_media", message=await work.agent.number("#team", "orders"))
    files = [inline(picture(), "image/png")]
    await work.agent.sends("send_message", **TEAM, text="and **yours**", attachments=files)

    (seen,) = [part for part in shown.content if isinstance(part, ImageContent)]
    assert Image.open(io.BytesIO(base64.b64decode(seen.data))).size == (64, 48)
    assert "two wheat" in read
    (sent,) = work.bot.sent(work.team)
    assert (sent.text, sent.files[0].data) == ("and *yours*", picture())


async def test_buttons_are_pressed_places_are_links_and_messages_are_pinned(work: Work) -> None:
    buttons = {"buttons": ["Rye", "Wheat"]}
    await work.agent.sends("send_buttons", **TEAM, text="Bread?", **buttons)
    here = {"latitude_deg": 56.95, "longitude_deg": 24.1, "title": "Bakery"}
    place = await work.agent.found("send_location", **TEAM, **here)
    await work.agent.act("pin_message", message=place["message"])
    bread, spot = work.bot.sent(work.team)
    work.slack.press(work.grace, bread, "Rye")
    shown = await work.agent.reads("#team", "pressed: Rye")

    assert [each["text"]["text"] for each in bread.buttons] == ["Rye", "Wheat"]
    assert "openstreetmap.org" in spot.text
    assert "link to a map" in str(place)
    assert work.slack.asked("pins.add")[0]["timestamp"] == spot.ts
    assert "Bread?" in shown


@pytest.mark.case("S24")
async def test_a_channel_is_run_its_owner_is_asked_and_nobody_is_called(
    work: Work, acme: Workspace
) -> None:
    await work.desk.daemon.ask("PATCH", "/instances/work", {"confirm": "unknown_chats"})
    alan = work.slack.add_user(acme, "alan", "Alan Turing")
    made = await work.agent.found(
        "create_group", instance="work", name="Bread Makers", members=[alan.id]
    )
    chat = made["chat"]
    await work.agent.act("update_group", chat=chat, description="All of bread")
    shown = await work.agent.told("get_group", chat=chat)
    text = "@channel <!here> <@" + alan.id + "> hello"
    await work.agent.sends("send_message", chat=chat, text=text)
    others: dict[str, object] = {
        "chat": await work.chat_id(),
        "change": "add",
        "members": [alan.id],
    }
    await work.agent.act("change_group_members", **others)
    came = alan.id in work.team.members
    await work.agent.act("change_group_members", **{**others, "change": "remove"})
    await work.agent.act("leave_group", chat=chat)
    listed = await work.agent.told("list_groups", instance="work")
    (sent,) = work.bot.sent(acme.named("bread-makers"))

    assert "#bread-makers" in shown
    assert all(word in shown for word in ("Alan Turing", "All of bread"))
    assert (sent.called, sent.shown) == (set(), text)
    assert (came, alan.id in work.team.members) == (True, False)
    assert len(work.agent.owner.questions) >= 3
    assert "#bread-makers" not in listed


@pytest.mark.case("S87")
async def test_nothing_is_changed_in_slack_before_the_owner_agreed(work: Work) -> None:
    mine = await work.agent.sends("send_message", **TEAM, text="mine")
    theirs = await work.agent.number("#team", "good morning")
    chat = await work.chat_id()
    await work.desk.daemon.ask("PATCH", "/instances/work", {"confirm": "always"})
    work.agent.owner.answer = ElicitResult(action="decline")
    before = len(work.slack.calls)
    acts: list[tuple[str, dict[str, object]]] = [
        ("edit_message", {"message": mine, "text": "another"}),
        ("delete_message", {"message": mine}),
        ("forward_message", {"message": theirs, "chat": chat}),
        ("react", {"message": theirs, "emoji": "👍"}),
        ("pin_message", {"message": theirs}),
        ("update_group", {"chat": chat, "description": "mine now"}),
        ("change_group_members", {"chat": chat, "change": "remove", "members": [work.grace.id]}),
        ("leave_group", {"chat": chat}),
        ("disconnect_instance", {"instance": "work"}),
        ("delete_instance", {"instance": "work"}),
    ]
    outcomes = [(await work.agent.found(tool, **given))["outcome"] for tool, given in acts]

    assert set(outcomes) == {"not_done", "not_sent"}
    assert len(work.agent.owner.questions) >= len(acts)
    looks = {"auth.test", "conversations.info", "conversations.members", "users.info"}
    assert {call.method for call in work.slack.calls[before:]} <= looks
    assert [each.text for each in work.bot.sent(work.team)] == ["mine"]


async def test_what_cannot_be_done_is_said_with_its_reason(work: Work, acme: Workspace) -> None:
    closed = work.slack.add_channel(acme, "closed", work.grace, private=True)
    old = work.slack.add_channel(acme, "old", work.grace, work.bot)
    work.slack.archive(old, work.grace)
    agent = work.agent
    unknown = await agent.refused("send_message", chat="#nowhere", text="hi", instance="work")
    private = await agent.refused("send_message", chat=closed.id, text="hi", instance="work")
    archived = await agent.refused("send_message", chat=old.id, text="hi", instance="work")
    phone = await agent.refused("send_message", chat="+37120000001", text="hi", instance="work")
    work.bot.token.scopes -= {"chat:write"}
    scope = await agent.refused("send_message", **TEAM, text="hi")
    work.bot.token.scopes |= {"chat:write"}
    work.slack.kick(work.team, work.bot, work.grace)
    await agent.sends("send_message", **TEAM, text="back by itself: it is a public channel")

    assert "Slack shows this account no such conversation or person." in unknown
    assert "/invite" in private
    assert "archived" in archived
    assert "no phone numbers" in phone
    assert "lacks a scope: chat:write" in scope
    assert [each.text for each in work.bot.sent()] == ["back by itself: it is a public channel"]
