"""The approvals page over HTTP: who gets in, what is shown, and that a decision is taken once."""

import re
from base64 import b64encode
from html import unescape
from io import BytesIO

import pytest
from PIL import Image

from messengers.core.acts import InstanceAnswer
from messengers.core.callers import OWNER
from messengers.models import Draft, Outcome, SentMessage
from tests.web.approvals.conftest import AGENT, Desk, proof

PLACES = ("/approvals", "/approvals/a1", "/approvals/a1/files/f1", "/approvals/open/guessed")


def picture() -> str:
    """A `data:` URI."""
    out = BytesIO()
    Image.new("RGB", (120, 80), "teal").save(out, "PNG")
    return "data:image/png;base64," + b64encode(out.getvalue()).decode()


@pytest.mark.case("S04", "S84")
async def test_without_the_owners_login_every_place_is_closed_alike(desk: Desk) -> None:
    await desk.hold("held")
    async with desk.browser() as client:
        shown = [await client.get(place) for place in PLACES]
        guessed = {"Cookie": f"owner-{desk.port}=guessed"}
        shown += [await client.get(place, headers=guessed) for place in PLACES]
        sent = [
            await client.post("/approvals/a1", data={"decision": "once"}, headers=desk.own),
            await client.post("/approvals/logout", headers=desk.own),
        ]

    assert {answer.status_code for answer in (*shown, *sent)} == {401}
    assert all("messengers approve --page" in answer.text for answer in shown)
    assert not any("held" in answer.text for answer in shown)
    assert len(await desk.core.approvals.waiting()) == 1


async def test_a_new_account_is_shown_with_its_name(desk: Desk) -> None:
    act = await desk.core.instances.prepare_create(AGENT, "webchat", "front-desk")
    await desk.core.approvals.perform(act)
    async with desk.browser() as client:
        await desk.login(client)
        page = (await client.get("/approvals")).text

    assert "Set up Web chat “front-desk”" in unescape(page)


@pytest.mark.case("S84")
async def test_a_link_lets_the_first_browser_in_and_nobody_else(desk: Desk) -> None:
    link = await desk.core.owner_sessions.link()
    async with desk.browser() as first, desk.browser() as second:
        ahead = [
            await second.head(link),
            await second.get(link, headers={"Sec-Purpose": "prefetch"}),
            await second.get(link, headers={"X-Forwarded-For": "203.0.113.5"}),
            await second.get(link, headers={"Host": "chat.example"}),
        ]
        opened = await first.get(link)
        inside = await first.get("/approvals")
        late = await second.get(link)
        elsewhere = await first.get("/approvals", headers={"X-Forwarded-For": "203.0.113.5"})

    assert {answer.status_code for answer in ahead} <= {401, 421}
    assert opened.status_code == 303
    cookie = opened.headers["set-cookie"]
    assert {"HttpOnly", "SameSite=strict", "Path=/approvals", "Max-Age=28800"} <= set(
        cookie.split("; ")
    )
    assert (inside.status_code, late.status_code, elsewhere.status_code) == (200, 401, 401)


async def test_a_login_ends_by_its_button_by_the_terminal_and_with_the_daemon(desk: Desk) -> None:
    async with desk.browser() as first, desk.browser() as second:
        await desk.login(first)
        await desk.login(second)
        page = (await first.get("/approvals")).text
        leave = {"proof": re.findall(r'logout.*?value="(\w+)"', page, re.DOTALL)[0]}
        foreign = await first.post("/approvals/logout", data=leave)
        left = await first.post("/approvals/logout", data=leave, headers=desk.own)
        ended = await desk.core.owner_sessions.end_all()
        after = [await first.get("/approvals"), await second.get("/approvals")]

    assert (foreign.status_code, left.status_code, ended) == (401, 200, 1)
    assert {answer.status_code for answer in after} == {401}


@pytest.mark.case("S21")
async def test_everything_that_would_leave_is_shown_and_approving_sends_it_once(desk: Desk) -> None:
    text = "Line <b>one</b>\n" + "word " * 200 + "the end"
    held = await desk.hold(text, "eve", picture())
    async with desk.browser() as client:
        await desk.login(client)
        page = unescape((await client.get("/approvals")).text)
        image = await client.get(re.findall(r'<img class="preview" src="([^"]+)"', page)[0])
        answered = await desk.answer(client, held, "once")
        said = await client.get(answered.headers["location"])
        gone = await client.get(str(image.url))

    assert text in page
    assert "Eve · eve · dm" in page
    assert "The owner has not written to this chat yet." in page
    assert "a client on this machine" in page
    assert (image.status_code, image.headers["content-type"]) == (200, "image/png")
    assert "sandbox" in image.headers["content-security-policy"]
    assert (answered.status_code, answered.headers["location"]) == (
        303,
        f"/approvals?decided={held}",
    )
    assert "Approved once: Send a message" in said.text
    assert "Sent." in said.text
    assert "".join(text for _, text, _ in desk.side.accepted).startswith("Line <b>one</b>")
    assert gone.status_code == 404
    assert [await desk.core.approvals.waiting()] == [[]]


@pytest.mark.case("S22")
async def test_the_owner_reads_here_too_what_of_it_stands_in_another_chat(desk: Desk) -> None:
    secret = "The spare key lies under the third flower pot left of the garden door."
    await desk.side.say(secret, chat="ann")
    await desk.hold(f"As I heard: {secret}")
    async with desk.browser() as client:
        await desk.login(client)
        page = unescape((await client.get("/approvals")).text)

    assert "It repeats what stands in another chat" in page
    assert "characters of it stand in" in page
    assert "dm c1 · scripted_personal “me”" in page


async def test_what_was_decided_elsewhere_at_the_same_moment_says_so(desk: Desk) -> None:
    held = await desk.hold("raced")
    async with desk.browser() as client:
        await desk.login(client)
        page = (await client.get("/approvals")).text
        await desk.core.approvals.decide(held, "reject", OWNER.actor)
        body = {"proof": proof(page), "decision": "once"}
        late = await client.post(f"/approvals/{held}", data=body, headers=desk.own)
        one = await client.get(f"/approvals/{held}")

    assert late.status_code == 409
    assert "It was decided elsewhere before. Rejected: Send a message" in late.text
    assert "Not sent." in late.text
    assert "does not wait any more" in one.text
    assert desk.side.accepted == []


@pytest.mark.case("S83")
async def test_always_and_never_are_offered_where_a_terminal_offers_them(desk: Desk) -> None:
    chat = await desk.chat("eve")
    first = await desk.hold("may I?")
    async with desk.browser() as client:
        await desk.login(client)
        await desk.answer(client, first, "always")
        assert (await desk.core.chats.get(OWNER, chat)).decision == "always"
        act = await desk.core.instances.prepare_disconnect(AGENT, "me")
        asked = await desk.core.approvals.perform(act)
        assert isinstance(asked, InstanceAnswer)
        page = (await client.get(f"/approvals/{asked.approval}")).text
        standing = await desk.answer(client, asked.approval, "always")
        rejected = await desk.answer(client, asked.approval, "reject")

    assert 'value="always"' not in page
    assert 'value="never"' not in page
    assert "agreed to one by one" in standing.text
    assert (standing.status_code, rejected.status_code) == (422, 303)
    assert asked.outcome == "needs_approval"


@pytest.mark.case("S71", "S21")
@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
)
async def test_another_site_decides_nothing(desk: Desk, headers: dict[str, str]) -> None:
    held = await desk.hold("no")
    async with desk.browser() as client:
        await desk.login(client)
        answer = await desk.answer(client, held, "once", **headers)

    assert answer.status_code == 403
    assert len(await desk.core.approvals.waiting()) == 1


@pytest.mark.case("S71", "S21")
async def test_a_form_counts_in_its_own_browser_and_for_its_own_act_only(desk: Desk) -> None:
    held, other = await desk.hold("mine"), await desk.hold("other", "mallory")
    async with desk.browser() as client, desk.browser() as second:
        await desk.login(client)
        await desk.login(second)
        forms = {
            "none": "",
            "another act": proof((await client.get(f"/approvals/{other}")).text),
            "another browser": proof((await second.get(f"/approvals/{held}")).text),
            "no ASCII": "й",
        }
        answers = [
            await client.post(
                f"/approvals/{held}", data={"proof": each, "decision": "once"}, headers=desk.own
            )
            for each in forms.values()
        ]
        wrong = await desk.answer(client, held, "perhaps")

    assert {answer.status_code for answer in answers} == {403}
    assert wrong.status_code == 422
    assert len(await desk.core.approvals.waiting()) == 2


@pytest.mark.case("S19")
async def test_what_nobody_can_see_is_written_out_and_counted(desk: Desk) -> None:
    held = await desk.hold("pay \u202enoitacilppa\u202c to\u200b <script>alert(1)</script>")
    async with desk.browser() as client:
        await desk.login(client)
        page = (await client.get(f"/approvals/{held}")).text

    assert "pay \\u{202e}noitacilppa\\u{202c} to\\u{200b} &lt;script&gt;alert(1)" in page
    assert "It holds 3 characters that nobody can see" in page


async def test_what_is_over_stands_below_with_what_became_of_it(desk: Desk) -> None:
    sent, refused = await desk.hold("one"), await desk.hold("two", "mallory")
    await desk.core.approvals.decide(sent, "once", OWNER.actor)
    await desk.core.approvals.lapse(refused)
    async with desk.browser() as client:
        await desk.login(client)
        page = (await client.get("/approvals")).text

    past = page.partition("Decided lately")[2]
    assert past.index("Ended: nobody decided in time") < past.index("Approved once")
    assert "Sent." in past
    assert "Not sent." in past


async def test_whoever_must_ask_hears_of_the_page_too(desk: Desk) -> None:
    held = await desk.hold("please")
    chat = await desk.chat("eve")
    act = await desk.core.sending.prepare(AGENT, chat, Draft(text="please"))
    answer = await desk.core.approvals.perform(act)

    assert isinstance(answer, SentMessage)
    assert answer.outcome is Outcome.NEEDS_APPROVAL
    assert f"`messengers approve {held}` in a terminal" in answer.notes[0]
    assert f"{desk.base}/approvals/{held}" in answer.notes[0]


@pytest.mark.case("S72")
async def test_the_page_runs_nothing_inline_and_is_kept_and_framed_nowhere(desk: Desk) -> None:
    await desk.hold("held")
    async with desk.browser() as client:
        closed = await client.get("/approvals")
        await desk.login(client)
        page = await client.get("/approvals")

    for answer in (closed, page):
        policy = answer.headers["content-security-policy"]
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["cache-control"] == "no-store"
        assert not re.search(
            r"<script(?! type=\"module\" src=\"/static/)|\son\w+=|\sstyle=", answer.text
        )
