"""`/events`: what comes, from where on, for whom, and how it ends."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import httpx2
import pytest
from sqlalchemy import text

from messengers.core.callers import OWNER, Caller
from messengers.core.event_types import EVENT_TYPES
from messengers.models import IdKind, encode_id
from tests.process.conftest import INITIALIZE, StartDaemon
from tests.programs import ROOT
from tests.web.streams import Frame, Office, seqs, served


@pytest.fixture
async def office(home: Path) -> AsyncIterator[Office]:
    async with served(home) as opened:
        yield opened


async def upto(stream: AsyncIterator[Frame], kind: str) -> Frame:
    with anyio.fail_after(5):
        async for frame in stream:
            if frame.type == kind:
                return frame
    raise AssertionError(f"the stream ended without {kind}")


async def test_a_message_arrives_with_its_chat_and_its_text(office: Office) -> None:
    page = await office.instance()
    async with office.follow(types="message.*") as stream:
        opened = await anext(stream)
        await office.say(page, "see you at five?\nline two ё🔥")
        frame = await anext(stream)

    assert (opened.type, opened.data) == ("stream.open", {"cursor": opened.id})
    assert frame.type == frame.data["type"] == "message.received"
    assert frame.id == frame.data["id"]
    assert frame.data["timestamp"].endswith("Z")
    assert frame.data["instance"] == "page"
    assert frame.data["data"]["message"]["text"] == "see you at five?\nline two ё🔥"
    assert frame.data["data"]["chat"]["kind"] == "dm"
    assert frame.data["data"]["chat"]["id"] == frame.data["data"]["message"]["chat"]


async def test_an_answer_of_ours_and_the_health_of_an_account_are_events_too(
    office: Office,
) -> None:
    async with office.follow() as stream:
        await anext(stream)
        page = await office.instance()
        health = await upto(stream, "instance.health")
        await office.app.core.instances.disconnect(OWNER, page)
        stopped = await upto(stream, "instance.stopped")

    assert health.data["data"]["lifecycle"]
    assert stopped.data["instance"] == "page"


@pytest.mark.case("F23")
async def test_who_comes_back_after_a_cut_misses_and_repeats_nothing(office: Office) -> None:
    page = await office.instance()
    async with office.follow() as stream:
        start = (await anext(stream)).seq
        await office.say(page, "one", times=30)
        first = await seqs(stream, 20)
    await office.say(page, "meanwhile", times=150)
    async with office.follow(last_id(first)) as stream:
        rest = await seqs(stream, 10 + 150)
        await office.say(page, "live again", times=5)
        live = await seqs(stream, 5)

    assert [*first, *rest, *live] == list(range(start + 1, start + 1 + 185))


@pytest.mark.case("F23")
async def test_far_behind_and_while_more_comes_in_nothing_is_missed(office: Office) -> None:
    page = await office.instance()
    start = await office.app.core.events.position()
    await office.say(page, "old", times=700)
    found: list[int] = []
    async with office.follow(last_id([start])) as stream, anyio.create_task_group() as tasks:
        tasks.start_soon(office.say, page, "new", 2, 100)
        found += await seqs(stream, 800)

    assert found == list(range(start + 1, start + 801))


@pytest.mark.case("F23")
async def test_a_cursor_that_is_too_old_is_told_and_goes_on_with_what_is_kept(
    office: Office,
) -> None:
    page = await office.instance()
    cursor = last_id([await office.app.core.events.position()])
    await office.say(page, "lost", times=5)
    await office.say(page, "kept", times=5)
    kept = await office.app.core.events.position() - 4
    await office.app.core.store.write(
        lambda conn: conn.execute(text("DELETE FROM event WHERE seq < :kept"), {"kept": kept})
    )

    async with office.follow(cursor) as stream:
        gap = await upto(stream, "stream.gap")
        found = await seqs(stream, 5)

    assert gap.data["reason"] == "too_old"
    assert gap.seq == kept - 1
    assert found == list(range(kept, kept + 5))


@pytest.mark.case("F23")
async def test_a_cursor_of_another_database_is_told_and_goes_on_from_now(office: Office) -> None:
    async with office.follow("ezzzz") as stream:
        gap = await upto(stream, "stream.gap")

    assert gap.data == {"reason": "unknown", "cursor": gap.id}
    assert gap.seq == await office.app.core.events.position()


async def test_the_first_event_of_an_empty_log_is_not_missed(office: Office) -> None:
    async with office.follow() as stream:
        assert (await anext(stream)).id == "e0"
    page = await office.instance()
    async with office.follow("e0") as stream:
        await anext(stream)
        assert (await anext(stream)).seq == 1
    assert page


async def test_filters_pass_what_was_asked_for_and_nothing_else(office: Office) -> None:
    page, other = await office.instance(), await office.instance("other")
    start = last_id([await office.app.core.events.position()])
    await office.say(page, "mine")
    await office.say(page, "another chat", visitor=2)
    await office.say(other, "elsewhere")
    await office.app.core.instances.disconnect(OWNER, other)
    end = await office.app.core.events.position()
    async with office.follow(start, types="message.received", instance="page") as stream:
        opened, mine = await anext(stream), await anext(stream)
        assert [(await anext(stream)).data["data"]["message"]["text"]] == ["another chat"]
    chat = mine.data["data"]["chat"]["id"]
    async with office.follow(start, chat=chat) as stream:
        await anext(stream)
        assert (await anext(stream)).id == mine.id
        await office.say(page, "once more")
        assert (await anext(stream)).data["data"]["message"]["text"] == "once more"
    async with office.follow(start, chats="groups") as stream:
        await anext(stream)
        assert (await anext(stream)).type == "instance.stopped"
    async with office.follow(start, numbers="+49 170 1234567") as stream:
        await anext(stream)
        assert (await anext(stream)).type == "instance.stopped"

    assert opened.seq < mine.seq < end


@pytest.mark.parametrize(
    ("query", "cause"),
    [
        ({"types": "message.recieved"}, "There is no event type of that name."),
        ({"type": "message.*"}, "There is no such parameter."),
        ({"chats": "dm"}, "chats does not fit."),
        ({"numbers": "Anna"}, "One of the numbers is no phone number."),
        ({"after": "m3k9"}, "The cursor is no event id."),
    ],
)
async def test_what_would_silently_filter_nothing_is_refused(
    office: Office, query: dict[str, str], cause: str
) -> None:
    assert await office.refusal(**query) == (422, cause)


async def test_an_unknown_instance_or_chat_is_not_found(office: Office) -> None:
    assert (await office.refusal(instance="nobody"))[0] == 404
    assert (await office.refusal(chat="c999"))[0] == 404


async def test_a_parameter_that_is_given_twice_is_refused(office: Office) -> None:
    key = await office.key("twice")

    answer = await office.client.get("/events?types=chat.*&types=message.*", headers=key)

    assert answer.status_code == 422


async def test_a_key_bound_to_an_instance_hears_of_no_other(office: Office) -> None:
    page, other = await office.instance(), await office.instance("other")
    start = last_id([await office.app.core.events.position()])
    key = await office.key("bound", page)
    await office.say(other, "not for you", times=3)
    await office.say(page, "for you")
    async with office.follow(start, key) as stream:
        await anext(stream)
        first = await anext(stream)
        await office.say(other, "nor this")
        await office.say(page, "and this")
        second = await anext(stream)
    answer = await office.client.get("/events?instance=other", headers=key)

    assert [each.data["data"]["message"]["text"] for each in (first, second)] == [
        "for you",
        "and this",
    ]
    assert answer.status_code == 404
    assert "other" not in answer.text


async def test_waiting_for_messages_is_not_stuck_behind_what_a_key_may_not_see(
    office: Office,
) -> None:
    page, other = await office.instance(), await office.instance("other")
    bound = Caller("k1", instances=frozenset({page}))
    start = await office.app.core.history.wait(bound, timeout_s=0)
    await office.say(other, "not for you", times=250)
    await office.say(page, "for you")

    waited = await office.app.core.history.wait(bound, timeout_s=5, cursor=start.cursor)

    assert [message.text for each in waited.items for message in each.messages] == ["for you"]


async def test_a_key_without_the_scope_opens_no_stream(office: Office) -> None:
    scopes = ("messages:read", "instances:*")
    _, secret = await office.app.core.keys.create(OWNER, "reader", scopes=scopes)

    answer = await office.client.get("/events", headers={"Authorization": f"Bearer {secret}"})

    assert answer.status_code == 403
    assert answer.json()["error"]["cause"] == "This key lacks the scope events:read."


async def test_head_tells_the_type_and_opens_nothing(office: Office) -> None:
    answer = await office.client.head("/events", headers=await office.key("head"))

    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert len(office.app.core.feed) == 0


async def test_what_is_not_wanted_moves_the_cursor_by_the_sign_of_life(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("messengers.core.feed._BEAT_S", 0.05)
    async with served(home) as office, office.follow(types="approval.*") as stream:
        page = await office.instance()
        await anext(stream)
        await office.say(page, "not wanted")
        end = await office.app.core.events.position()
        with anyio.fail_after(5):
            while (frame := await anext(stream)).seq < end:
                pass

    assert (frame.type, frame.seq) == ("", end)


@pytest.mark.case("S61")
@pytest.mark.parametrize("path", ["/events", "/sse"])
async def test_revoking_a_key_ends_its_open_streams_within_a_second(
    office: Office, path: str
) -> None:
    key = await office.key("lost")
    async with office.client.stream("GET", path, headers=key) as answer:
        chunks = answer.aiter_bytes()
        await anext(chunks)
        with anyio.fail_after(1):
            await office.app.core.keys.revoke(OWNER, "lost")
            async for _ in chunks:
                pass
    again = await office.client.get(path, headers=key)

    assert again.status_code == 401
    assert len(office.app.core.feed) == 0


@pytest.mark.case("S61")
@pytest.mark.parametrize("ends", ["revoke", "regenerate"])
async def test_an_open_stream_of_mcp_ends_with_its_key(office: Office, ends: str) -> None:
    key = {**await office.key("lost"), "Accept": "application/json, text/event-stream"}
    first = await office.client.post("/mcp", json=INITIALIZE, headers=key)
    session = {**key, "Mcp-Session-Id": first.headers["mcp-session-id"]}
    async with office.client.stream("GET", "/mcp", headers=session) as answer:
        assert answer.status_code == 200
        with anyio.fail_after(1):
            keys = office.app.core.keys
            await {"revoke": keys.revoke, "regenerate": keys.regenerate}[ends](OWNER, "lost")
            async for _ in answer.aiter_bytes():
                pass

    assert (await office.client.post("/mcp", json=INITIALIZE, headers=key)).status_code == 401


@pytest.mark.case("F24")
async def test_a_graceful_stop_tells_when_to_come_back(start_daemon: StartDaemon) -> None:
    async with start_daemon() as daemon, httpx2.AsyncClient() as client:
        key = {"Authorization": f"Bearer {daemon.local_key}"}
        async with client.stream("GET", f"{daemon.url}/events", headers=key) as answer:
            chunks = answer.aiter_text()
            said = await anext(chunks)
            await daemon.ask("POST", "/stop")
            with anyio.fail_after(5):
                said += "".join([chunk async for chunk in chunks])

    assert said.startswith("retry: 3000\nid: ")
    assert re.search(
        r'retry: 3000\nid: e\w+\nevent: stream\.end\ndata: \{"reason":"stopping"', said
    )


def test_every_type_that_is_written_stands_in_the_table() -> None:
    written = re.compile(r'"((?:message|chat|approval|instance)\.[a-z_]+)"')
    sources = sorted((ROOT / "src" / "messengers" / "core").glob("*.py"))
    found = {kind for file in sources for kind in written.findall(file.read_text("utf-8"))}

    assert found <= EVENT_TYPES.keys() | {"instance.name", "instance.id"}


def last_id(found: list[int]) -> str:
    return encode_id(IdKind.EVENT, found[-1])
