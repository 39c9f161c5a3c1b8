"""The chat page as a messenger, between a sink and open pages."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from messengers.clock import SystemClock
from messengers.errors import InvalidInput, NotConnected, Unsupported
from messengers.models import Attachment, Health, Lifecycle, MessageRef
from messengers.providers.base import (
    ChatSeen,
    ContactSeen,
    MediaBytes,
    MessageSeen,
    Part,
    ProviderContext,
    ReceiptSeen,
)
from messengers.providers.visitors import Front, PageFrame
from messengers.providers.webchat import INFO
from messengers.providers.webchat.config import WebchatConfig
from messengers.providers.webchat.incoming import named, translate
from messengers.providers.webchat.limits import CAPABILITIES, MAX_TEXT
from messengers.providers.webchat.outgoing import native_id
from messengers.providers.webchat.provider import WebchatProvider

ANNA, BORIS = "v" + "a" * 24, "v" + "b" * 24
OURS, THEIRS = MessageRef(native_id="o1", from_me=True), MessageRef(native_id="v1")


@dataclass
class Drawer:
    """A sink that keeps what it gets and drops duplicates, as the inbox does."""

    events: dict[str, tuple[str, str, bytes]] = field(
        default_factory=dict[str, tuple[str, str, bytes]]
    )
    signals: list[tuple[str, str, str]] = field(default_factory=list[tuple[str, str, str]])
    health: list[Health] = field(default_factory=list[Health])

    async def ingest(self, event_key: str, chat_key: str, kind: str, payload: bytes) -> bool:
        new = event_key not in self.events
        self.events.setdefault(event_key, (chat_key, kind, payload))
        return new

    def signal(self, chat_key: str, kind: str, data: str) -> None:
        self.signals.append((chat_key, kind, data))

    def report(self, health: Health) -> None:
        self.health.append(health)


@dataclass
class Page:
    """An open page."""

    frames: list[PageFrame] = field(default_factory=list[PageFrame])

    async def push(self, frame: PageFrame) -> None:
        self.frames.append(frame)


def build(config: BaseModel | None = None) -> WebchatProvider:
    context = ProviderContext(
        instance_id="0f3d2a3f-d45f-42b1-9a01-ba3a63c6590a",
        instance_name="shop",
        config=config or WebchatConfig(),
        endpoints={},
        directory=Path("unused"),
        clock=SystemClock(),
    )
    return WebchatProvider(context)


@dataclass
class Open:
    provider: WebchatProvider
    sink: Drawer


@pytest.fixture
async def running() -> AsyncIterator[Open]:
    provider, sink = build(), Drawer()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(provider.run, sink)
        await anyio.wait_all_tasks_blocked()
        yield Open(provider, sink)
        tasks.cancel_scope.cancel()


async def test_it_is_connected_as_soon_as_it_runs(running: Open) -> None:
    await running.provider.probe()

    assert running.sink.health[0].lifecycle == Lifecycle.CONNECTED


async def test_before_and_after_running_nothing_comes_in_but_sending_works() -> None:
    provider = build()
    page = Page()

    with pytest.raises(NotConnected):
        await provider.probe()
    with pytest.raises(NotConnected):
        await provider.receive(ANNA, "hello", (), "first")
    with pytest.raises(NotConnected):
        provider.join(ANNA, page.push)
    assert (await provider.send(ANNA, Part(text="hello"), "key")).delivery == "sent"


async def test_when_it_stops_the_open_pages_are_told() -> None:
    provider, page = build(), Page()
    connection = ""
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(provider.run, Drawer())
        await anyio.wait_all_tasks_blocked()
        connection = provider.join(ANNA, page.push)
        tasks.cancel_scope.cancel()
    provider.leave(ANNA, connection)

    assert page.frames == [{"type": "closed"}]


async def test_a_message_is_stored_before_the_other_pages_show_it(running: Open) -> None:
    page, stranger = Page(), Page()
    running.provider.join(ANNA, page.push)
    running.provider.join(BORIS, stranger.push)
    file = Attachment(kind="image", media="f1", mime="image/png")

    first = await running.provider.receive(ANNA, "hi\r\nthere\x00\x1b ", (file,), "first", "Anna")
    again = await running.provider.receive(ANNA, "hi\r\nthere", (file,), "first", "Anna")
    [(chat_key, kind, payload)] = running.sink.events.values()
    [seen] = translate(kind, payload)

    assert (first, again, chat_key) == (True, False, ANNA)
    assert isinstance(seen, MessageSeen)
    assert (seen.text, seen.native_id, seen.attachments) == ("hi\nthere", "vfirst", (file,))
    assert seen.chat == ChatSeen(ANNA, "dm", "Anna", "stranger")
    assert (seen.sender.native_id, seen.sender.display_name) == (ANNA, "Anna")
    assert [frame["id"] for frame in page.frames] == ["vfirst"]
    assert stranger.frames == []


async def test_our_message_reaches_every_page_of_its_visitor_once_per_key(running: Open) -> None:
    first, second = Page(), Page()
    leaving = running.provider.join(ANNA, first.push)
    running.provider.join(ANNA, second.push)

    answer = Part(text="hello", reply_to=MessageRef(native_id="vx"))
    sent = await running.provider.send(ANNA, answer, "key")
    running.provider.leave(ANNA, leaving)
    again = await running.provider.send(ANNA, Part(text="hello"), "key")

    assert sent.native_id == again.native_id == native_id("key") != native_id("other")
    assert len(first.frames) == 1
    assert len(second.frames) == 2
    assert (first.frames[0]["text"], first.frames[0]["reply_to"]) == ("hello", "vx")
    assert [frame["id"] for frame in running.provider.recent(ANNA)] == [sent.native_id] * 2
    assert running.provider.recent(BORIS) == []


async def test_a_picture_goes_with_its_measures(running: Open) -> None:
    page = Page()
    running.provider.join(ANNA, page.push)
    file = MediaBytes("image", "image/png", "cake.png", b"12345", "f7", 40, 30)

    await running.provider.send(ANNA, Part(text="look", media=file), "key")
    [shown] = json.loads(json.dumps(page.frames[0]["media"]))

    assert (shown["media"], shown["size_bytes"], shown["width"], shown["height"]) == (
        "f7",
        5,
        40,
        30,
    )


async def test_other_files_are_refused(running: Open) -> None:
    file = MediaBytes("document", "application/pdf", "menu.pdf", b"12345")

    with pytest.raises(Unsupported):
        await running.provider.send(ANNA, Part(media=file), "key")


async def test_changes_reach_the_open_pages(running: Open) -> None:
    page, provider = Page(), running.provider
    provider.join(ANNA, page.push)

    await provider.edit(ANNA, OURS, "new")
    await provider.delete(ANNA, OURS)
    await provider.react(ANNA, THEIRS, "👍")
    await provider.typing(ANNA, active=True)
    await provider.mark_read(ANNA, [THEIRS])

    assert page.frames == [
        {"type": "edited", "id": "o1", "text": "new"},
        {"type": "deleted", "id": "o1"},
        {"type": "reaction", "id": "v1", "emoji": "👍"},
        {"type": "typing", "active": True},
        {"type": "seen", "id": "v1"},
    ]


async def test_typing_is_a_signal(running: Open) -> None:
    running.provider.typed(ANNA, active=True)
    running.provider.typed(ANNA, active=False)

    assert running.sink.signals == [(ANNA, "typing", "on"), (ANNA, "typing", "off")]


async def test_a_name_and_receipts_are_events(running: Open) -> None:
    await running.provider.rename(ANNA, " Anna\u202e\n of  Riga\x00 ")
    await running.provider.rename(BORIS, "")
    await running.provider.shown(ANNA, ["o2", "o1"], "read")
    await running.provider.shown(ANNA, ["o1", "o2"], "read")
    events = [translate(kind, payload) for _, kind, payload in running.sink.events.values()]

    assert events[0] == (
        ChatSeen(ANNA, "dm", "Anna of Riga", "stranger"),
        ContactSeen(ANNA, "Anna of Riga", "stranger"),
    )
    assert events[1][0] == ChatSeen(BORIS, "dm", "Visitor bbbb", "stranger")
    assert len(events) == 3
    assert isinstance(events[2][0], ReceiptSeen)
    assert (events[2][0].native_ids, events[2][0].delivery) == (("o1", "o2"), "read")


@pytest.mark.parametrize("text", ["", " \n", "\x00", "x" * (MAX_TEXT + 1)])
async def test_an_unfit_message_is_not_stored(running: Open, text: str) -> None:
    with pytest.raises(InvalidInput):
        await running.provider.receive(ANNA, text, (), "first")

    assert running.sink.events == {}


@pytest.mark.parametrize(
    ("kind", "payload"), [("said", b"{}"), ("said", b"\xff"), ("named", b"[]"), ("dance", b"{}")]
)
def test_an_event_that_is_none_is_refused(kind: str, payload: bytes) -> None:
    with pytest.raises(InvalidInput):
        translate(kind, payload)


@pytest.mark.parametrize("text", ["+371 20000000", "@anna", "Anna", "c1f", ANNA[:-1], ANNA.upper()])
def test_only_a_visitor_id_names_a_visitor(text: str) -> None:
    assert build().parse_target(text) is None
    assert build().parse_target(f" {ANNA} ") == ANNA


@pytest.mark.parametrize(
    "text", ["37120000000@s.whatsapp.net", "1-2@g.us", "x@lid", "-1001234567890"]
)
def test_another_messengers_id_is_refused_with_a_hint(text: str) -> None:
    with pytest.raises(InvalidInput, match="list_chats"):
        build().parse_target(text)


def test_what_the_owner_chose_stands_in_front() -> None:
    chosen = WebchatConfig(title="Anna's", greeting="Hi", accent="#FFCC00")

    assert build().front() == Front("shop", WebchatConfig().greeting, "#3157d5")
    assert build(chosen).front() == Front("Anna's", "Hi", "#ffcc00")


@pytest.mark.parametrize(
    "wrong", [{"accent": "red"}, {"accent": "#12345g"}, {"title": "x" * 61}, {"colour": "#123456"}]
)
def test_a_config_that_does_not_fit_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        WebchatConfig.model_validate(wrong)


def test_another_providers_config_is_refused() -> None:
    class Other(BaseModel):
        token: str = ""

    with pytest.raises(InvalidInput):
        build(Other())


def test_it_declares_what_it_can() -> None:
    assert build().capabilities() == CAPABILITIES == INFO.capabilities
    assert CAPABILITIES.reuses_key
    assert set(CAPABILITIES.media) == {"image"}


@given(st.text(max_size=200))
def test_any_name_fits_on_one_line_or_is_none(name: str) -> None:
    event = named(ANNA, name, datetime(2026, 1, 1, tzinfo=UTC))

    assert len(event.name) <= 60
    assert event.name == event.name.strip()
    assert event.name.isprintable()
