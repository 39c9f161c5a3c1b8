"""The chat page's WebSocket, by a real client against the real server."""

from collections.abc import Generator
from contextlib import contextmanager
from secrets import token_hex
from socket import SO_RCVBUF, SOL_SOCKET, socket

import anyio
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from messengers.clock import SystemClock
from messengers.core.callers import OWNER
from messengers.models import SentMessage
from messengers.providers.base import Part
from tests.web.chat.conftest import AGENT, Frame, Guest, Site


async def test_a_message_is_acknowledged_and_stored_with_the_visitors_name(site: Site) -> None:
    async with site.guest() as guest:
        answer = await guest.say("Hello there", name="  Anna\n\u202e ")
        stored = await site.told("Hello there")
        chat = await site.chat()

    assert answer == {"type": "ack", "client_id": "client-0001"}
    assert (stored.direction, stored.sender.display_name) == ("in", "Anna")
    assert (chat.name, chat.name_source, chat.kind) == ("Anna", "stranger", "dm")


async def test_a_nameless_visitor_is_called_by_a_part_of_his_id(site: Site) -> None:
    async with site.guest() as guest:
        await guest.say("Hello")
        await site.told("Hello")
        chat = await site.chat()

    assert chat.name == f"Visitor {chat.native_id[1:5]}"


async def test_what_a_page_sends_twice_is_one_message(site: Site) -> None:
    cookie = await site.cookie()
    async with site.guest(cookie) as guest:
        await guest.say("once")
    async with site.guest(cookie) as guest:
        again = await guest.say("once")
        await guest.say("done", "client-0002")
        await site.told("done")
        history = await site.core.history.read(OWNER, await site.chat())

    assert again == {"type": "ack", "client_id": "client-0001"}
    assert [message.text for message in history.items] == ["once", "done"]


async def test_an_answer_appears_at_once_and_again_after_a_reload(site: Site) -> None:
    cookie = await site.cookie()
    async with site.guest(cookie) as guest:
        await guest.say("Hi")
        asked = await site.told("Hi")
        sent = await site.answer("**Hello** <b>you</b>", reply_to=asked.id)
        shown = await guest.until(type="message", mine=False)
    async with site.guest(cookie) as guest:
        messages = guest.frames[-1]["messages"]

    assert sent.outcome == "accepted"
    assert shown["html"] == "<p><strong>Hello</strong> &lt;b&gt;you&lt;/b&gt;</p>\n"
    assert shown["reply_to"] == "vclient-0001"
    assert [(m["id"], m["html"]) for m in messages] == [
        ("vclient-0001", "Hi"),
        (shown["id"], shown["html"]),
    ]
    assert messages[1]["reply_to"] == "vclient-0001"


async def test_a_plain_answer_stays_plain_after_a_reload(site: Site) -> None:
    cookie = await site.cookie()
    async with site.guest(cookie) as guest:
        await guest.say("Hi")
        await site.told("Hi")
        await site.answer("2 * 3 * 4 = [24]", format="plain")
        shown = await guest.until(type="message", mine=False)
    async with site.guest(cookie) as guest:
        again = guest.frames[-1]["messages"][-1]

    assert shown["html"] == "<p>2 * 3 * 4 = [24]</p>\n"
    assert again["html"] == shown["html"]


async def test_edits_reactions_and_deletions_reach_the_open_page_and_the_next(site: Site) -> None:
    cookie = await site.cookie()
    changes, perform = site.core.changes, site.core.approvals.perform
    async with site.guest(cookie) as guest:
        await guest.say("Hi")
        theirs = await site.told("Hi")
        ours, other = await site.answer("frist"), await site.answer("oops")
        await perform(await changes.prepare_edit(AGENT, ours.message, "first"), 5)
        edited = await guest.until(type="edited")
        await perform(await changes.prepare_react(AGENT, theirs.id, "👍"), 5)
        reaction = await guest.until(type="reaction")
        await site.core.instances.set_policy(OWNER, "shop", confirm="never")
        await perform(await changes.prepare_delete(AGENT, other.message), 5)
        deleted = await guest.until(type="deleted")
    async with site.guest(cookie) as guest:
        first, second, third = guest.frames[-1]["messages"]

    assert edited == {"type": "edited", "id": second["id"], "html": "<p>first</p>\n"}
    assert reaction == {"type": "reaction", "id": first["id"], "emoji": "👍"}
    assert deleted == {"type": "deleted", "id": third["id"]}
    assert first["reactions"] == ["👍"]
    assert (second["status"], second["html"]) == ("edited", "<p>first</p>\n")
    assert (third["status"], third["html"]) == ("deleted", "")


async def test_reading_is_shown_to_the_visitor_only_when_marked(site: Site) -> None:
    cookie = await site.cookie()
    async with site.guest(cookie) as guest:
        await guest.say("one")
        await guest.say("two", "client-0002")
        await site.told("two")
        await site.core.receipts.up_to(OWNER, await site.chat())
        seen = await guest.until(type="seen")
        await guest.say("three", "client-0003")
        await site.told("three")
    async with site.guest(cookie) as guest:
        hello = guest.frames[-1]

    assert seen == {"type": "seen", "id": "vclient-0002"}
    assert hello["seen"] == "vclient-0002"


async def test_what_the_page_shows_becomes_delivered_and_read(site: Site) -> None:
    async with site.guest() as guest:
        await guest.say("Hi")
        await site.told("Hi")
        sent = await site.answer("Hello")
        shown = await guest.until(type="message", mine=False)
        states: list[str | None] = [sent.delivery]
        for state in ("delivered", "read", "delivered"):
            await guest.send({"type": "shown", "ids": [shown["id"]], "state": state})
            await guest.say(state, f"client-{state}-{len(states)}")
            await site.told(state)
            states.append((await site.core.history.get(OWNER, sent.message)).message.delivery)

    assert states == ["sent", "delivered", "read", "read"]


async def test_typing_goes_both_ways_and_is_not_stored(site: Site) -> None:
    heard: list[tuple[str, str]] = []
    before = await site.core.events.position()
    stop = site.core.events.listen(lambda signal: heard.append((signal.kind, signal.data)))
    async with site.guest() as guest:
        await guest.send({"type": "typing", "active": True})
        await guest.send({"type": "typing", "active": False})
        await guest.send({"type": "older", "cursor": "nonsense"})
        await guest.until(type="history")
        stored = await site.core.events.since(OWNER, before)
        await guest.say("Hi")
        await site.told("Hi")
        await site.provider.typing((await site.chat()).native_id, active=True)
        shown = await guest.until(type="typing")
    stop()

    assert heard == [("typing", "on"), ("typing", "off")]
    assert [event.kind for _, event in stored if event.chat or event.kind == "typing"] == []
    assert shown["active"] is True


async def test_a_new_name_is_the_chats_name_and_never_overrides_the_owners(site: Site) -> None:
    async with site.guest() as guest:
        await guest.say("Hi")
        await site.told("Hi")
        await guest.send({"type": "rename", "name": "Anna"})
        await guest.say("one", "client-0002", name="Anna")
        await site.told("one")
        named = await site.chat()
        await site.core.chats.set_alias(OWNER, named, "The one with the cake")
        await guest.send({"type": "rename", "name": "Boss"})
        await guest.say("two", "client-0003", name="Boss")
        await site.told("two")
        aliased = await site.chat()
        told = [frame for frame in guest.frames if "cake" in str(frame)]

    assert (named.name, named.name_source) == ("Anna", "stranger")
    assert (aliased.name, aliased.name_source) == ("The one with the cake", "owner")
    assert told == []


async def test_two_pages_of_one_visitor_show_the_same(site: Site) -> None:
    cookie = await site.cookie()
    async with site.guest(cookie) as first, site.guest(cookie) as second:
        await first.say("from the first")
        echoed = await second.until(type="message")
        await site.told("from the first")
        await site.answer("to both")
        answers = [await page.until(type="message", mine=False) for page in (first, second)]

    assert (echoed["html"], echoed["mine"]) == ("from the first", True)
    assert answers[0] == answers[1]


async def test_older_messages_come_page_by_page(site: Site) -> None:
    cookie = await site.cookie()
    async with site.guest(cookie) as guest:
        for number in range(12):
            await guest.say(f"early {number}", f"early-{number:04}")
    await fill(site, cookie, 60)
    async with site.guest(cookie) as guest:
        hello = guest.frames[-1]
        await guest.send({"type": "older", "cursor": hello["cursor"]})
        older = await guest.until(type="history")
        await guest.send({"type": "older", "cursor": "nonsense"})
        refused = await guest.until(type="refused")

    assert len(hello["messages"]) == 50
    assert [m["html"] for m in older["messages"]][:2] == ["early 0", "early 1"]
    assert len(older["messages"]) == 22
    assert older["cursor"] == ""
    assert (refused["of"], refused["final"]) == ("older", True)


async def fill(site: Site, cookie: str, count: int) -> None:
    """More messages than a visitor may send in a moment."""
    visitor = site.core.visitors.identify(cookie)
    for number in range(count):
        await site.provider.receive(visitor, f"late {number}", (), f"late-{number:04}")
    await site.told(f"late {count - 1}")


async def test_a_stopped_instance_closes_its_pages_and_they_may_come_back(site: Site) -> None:
    cookie = await site.cookie()
    async with site.guest(cookie) as guest:
        await site.core.instances.disconnect(OWNER, "shop")
        closed = await guest.until(type="closed")
        with pytest.raises(ConnectionClosed) as cut:
            await guest.until(type="never")
    async with site.socket(cookie) as shut:
        refused = await Guest(shut).until(type="closed")
    await site.core.instances.connect(OWNER, "shop")
    async with site.guest(cookie) as guest:
        answer = await guest.say("back")

    assert closed == {"type": "closed"} == refused
    assert cut.value.rcvd is not None
    assert cut.value.rcvd.code == 1013
    assert answer["type"] == "ack"


class StandingClock(SystemClock):
    """For limits that must not fill up while a slow machine stores messages."""

    def monotonic_s(self) -> float:
        return 1_000.0


@pytest.mark.parametrize("clock", [StandingClock()], ids=["standing"])
async def test_too_many_messages_are_refused_politely_and_none_is_lost(site: Site) -> None:
    async with site.guest() as guest:
        for number in range(200):
            client_id = f"flood-{number:04}"
            await guest.send({"type": "say", "client_id": client_id, "text": f"{number}"})
        last = await guest.until(client_id="flood-0199")

    answers = [frame for frame in guest.frames if "client_id" in frame]
    assert [(frame["type"], frame["client_id"]) for frame in answers] == [
        ("ack" if number < 20 else "refused", f"flood-{number:04}") for number in range(200)
    ]
    assert last["final"] is False
    assert 0 < last["retry_after_s"] < 5


REFUSED_FOR_GOOD = {
    "empty": {"text": " \n\t "},
    "only controls": {"text": "\x00\x07"},
    "too long": {"text": "x" * 8_001},
    "bad id": {"client_id": "x"},
    "no such picture": {"media": ["AAAA"]},
    "too many pictures": {"media": ["AAAA"] * 7},
}


@pytest.mark.parametrize("name", REFUSED_FOR_GOOD)
async def test_a_message_that_does_not_fit_is_refused_with_its_reason(
    site: Site, name: str
) -> None:
    wrong = {"client_id": "client-0001", "text": "x", **REFUSED_FOR_GOOD[name]}
    async with site.guest() as guest:
        await guest.send({"type": "say", **wrong})
        refused = await guest.until(type="refused")
        alive = await guest.say("still here", "client-0009")

    assert refused["final"] is True
    assert refused["reason"]
    assert alive["type"] == "ack"


NO_FRAMES = [
    "",
    "hello",
    "[]",
    "null",
    "{}",
    '{"type":"hello"}',
    '{"type":"say"}',
    '{"type":"say","client_id":"client-0001","text":1}',
    '{"type":"say","client_id":"client-0001","extra":1}',
    '{"type":"say","client_id":"client-0001","text":"\\ud800"}',
    '{"type":"typing","active":"yes"}',
    '{"type":"older","cursor":""}',
    '{"type":"shown","ids":"o1","state":"read"}',
    "[" * 20_000,
    "я" * 40_000,
    '{"type":' * 5_000,
]


@pytest.mark.parametrize("text", NO_FRAMES)
async def test_what_is_no_frame_is_answered_and_harms_nothing(site: Site, text: str) -> None:
    async with site.guest() as guest:
        await guest.socket.send(text)
        fault = await guest.until(type="error")
        await guest.socket.send(b"\x00\xff")
        binary = await guest.until(type="error")
        alive = await guest.say("still here")

    assert fault["reason"]
    assert binary["reason"] == "Frames are text."
    assert alive["type"] == "ack"


async def test_a_page_may_not_claim_to_have_shown_what_is_not_ours(site: Site) -> None:
    async with site.guest() as guest:
        await guest.send({"type": "shown", "ids": ["vclient-0001"], "state": "read"})
        refused = await guest.until(type="refused")
        await guest.send({"type": "shown", "ids": [], "state": "read"})
        alive = await guest.say("still here")

    assert (refused["of"], refused["final"]) == ("shown", True)
    assert alive["type"] == "ack"


async def test_a_page_that_only_talks_nonsense_is_cut(site: Site) -> None:
    async with site.guest() as guest:
        for _ in range(20):
            await guest.socket.send("nonsense")
        with pytest.raises(ConnectionClosed) as cut:
            await guest.until(type="never")

    assert cut.value.rcvd is not None
    assert cut.value.rcvd.code == 1008


@pytest.mark.case("S73")
async def test_a_frame_beyond_the_size_limit_ends_the_connection(site: Site) -> None:
    async with site.guest() as guest:
        await guest.socket.send("x" * (64 * 1024 + 1))
        with pytest.raises(ConnectionClosed) as cut, anyio.fail_after(10):
            await guest.until(type="never")

    assert cut.value.rcvd is not None
    assert cut.value.rcvd.code == 1009


async def test_a_page_that_does_not_read_is_cut_and_holds_nobody_up(site: Site) -> None:
    cookie = await site.cookie()
    async with site.guest(cookie) as guest:
        await guest.say("Hi")
        chat = await site.chat_of(await site.told("Hi"))
    with small_window(site.port) as tap:
        async with site.socket(cookie, sock=tap) as deaf:
            await Guest(deaf).until(type="hello")
            deaf.transport.pause_reading()
            with anyio.fail_after(10):
                for number in range(200):
                    part = Part(text=token_hex(3_900))  # what no compression makes smaller
                    await site.provider.send(chat.native_id, part, f"key {number}")
            deaf.transport.resume_reading()
            with pytest.raises(ConnectionClosed), anyio.fail_after(15):
                await Guest(deaf).until(type="never")
    async with site.guest(cookie) as guest:
        answer = await guest.say("back again", "client-0002")

    assert answer["type"] == "ack"


@contextmanager
def small_window(port: int) -> Generator[socket]:
    """A connection that holds little of what its reader leaves lying."""
    with socket() as tap:
        tap.setsockopt(SOL_SOCKET, SO_RCVBUF, 4096)
        tap.connect(("127.0.0.1", port))
        tap.setblocking(False)  # noqa: FBT003 - a socket's own word
        yield tap


FOREIGN_ORIGINS = [
    "https://evil.example",
    "null",
    "http://localhost.evil.com",
    "http://127.0.0.1.nip.io",
    "file://",
    "http://127.0.0.1:1",
    "//127.0.0.1",
    "",
]


@pytest.mark.case("S02")
@pytest.mark.case("S73")
@pytest.mark.parametrize("origin", FOREIGN_ORIGINS)
async def test_a_foreign_page_cannot_open_the_socket(site: Site, origin: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with site.socket(await site.cookie(), Origin=origin):
            pytest.fail("it opened")

    assert refused.value.response.status_code == 403


@pytest.mark.case("S01")
@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.com:3000", "127.0.0.1:1"])
async def test_a_foreign_host_cannot_open_the_socket(site: Site, host: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with site.socket(await site.cookie(), Host=host):
            pytest.fail("it opened")

    assert refused.value.response.status_code in (400, 421)


@pytest.mark.case("S73")
async def test_the_socket_needs_the_cookie_and_takes_none_from_the_address(site: Site) -> None:
    cookie = await site.cookie()
    for name, given in (
        ("shop", ""),
        ("shop", "x" * 44),
        (f"shop/ws?visitor={cookie}&", ""),
        ("shop/ws?x=1&", cookie),
    ):
        with pytest.raises(InvalidStatus, match="403"):
            async with site.socket(given, name):
                pytest.fail("it opened")


async def test_our_own_page_and_programs_without_an_origin_may_open_it(site: Site) -> None:
    cookie = await site.cookie()
    async with site.socket(cookie) as program:
        await Guest(program).until(type="hello")
    async with site.socket(cookie, Origin=f"http://{site.host}") as page:
        hello = await Guest(page).until(type="hello")

    assert hello["messages"] == []


async def test_a_page_that_does_not_exist_has_no_socket(site: Site) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with site.socket(await site.cookie(), "nowhere"):
            pytest.fail("it opened")

    assert refused.value.response.status_code == 404


async def test_a_visitor_may_open_eight_pages_at_once(site: Site) -> None:
    cookie = await site.cookie()
    refused: Frame = {}
    async with anyio.create_task_group() as tasks:
        ready = [anyio.Event() for _ in range(8)]
        done = anyio.Event()

        async def stay(opened: anyio.Event) -> None:
            async with site.guest(cookie):
                opened.set()
                await done.wait()

        for opened in ready:
            tasks.start_soon(stay, opened)
        for opened in ready:
            await opened.wait()
        async with site.socket(cookie) as ninth:
            refused = await Guest(ninth).until(type="closed")
        done.set()
    async with site.guest(cookie) as guest:
        answer = await guest.say("room again")

    assert refused == {"type": "closed"}
    assert answer["type"] == "ack"


async def test_a_visitor_is_no_stranger_to_a_bot_account(site: Site) -> None:
    """Whoever wrote to a bot first may be answered without asking."""
    async with site.guest() as guest:
        await guest.say("Hi")
        await site.told("Hi")
        sent = await site.answer("Hello")

    assert isinstance(sent, SentMessage)
    assert sent.outcome == "accepted"
