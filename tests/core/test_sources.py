"""Attachments by address: what is fetched, what is asked about first, and what is refused."""

from base64 import b64encode
from collections.abc import AsyncIterator
from functools import cache
from io import BytesIO

import pytest
from PIL import Image

from messengers.core.callers import OWNER, Caller
from messengers.errors import Forbidden, InvalidInput, MessengersError, Unreachable, Unsupported
from messengers.models import Draft, Outcome, SentMessage
from messengers.providers.base import MediaBytes
from messengers.providers.capabilities import MediaLimit
from tests.core.conftest import AGENT, House, OpenHouse, sent
from tests.fakes.internet import PUBLIC, Internet, Server, saying, serving
from tests.fakes.scripted import CAPABILITIES

CAKE = "http://shop.example/cake.png?a=b"
IMAGE = MediaLimit(max_bytes=100_000, mimes=("image/png",))
TAKES = {"media": {"image": IMAGE, "sticker": IMAGE}}


@cache
def png(side: int = 40) -> bytes:
    out = BytesIO()
    Image.effect_noise((side, side), 50).save(out, "PNG")
    return out.getvalue()


def ok(body: bytes, kind: str = "image/png") -> bytes:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with serving() as made:
        made.answer = saying(ok(png()))
        yield made


@pytest.fixture
def internet(server: Server) -> Internet:
    made = Internet(server)
    made.names = {"shop.example": [PUBLIC], "free.example": [PUBLIC], "far.example": [PUBLIC]}
    return made


@pytest.fixture
async def house(open_house: OpenHouse, internet: Internet) -> AsyncIterator[House]:
    guard = internet.guard(connect_s=0.1)
    async with open_house(guard=guard, attachment_hosts=("free.example",)) as opened:
        for side in (opened.personal, opened.bot):
            side.capabilities = CAPABILITIES.model_copy(update=TAKES)
        await opened.personal.say("it is me", **{"from": "me"})
        await opened.told("it is me")
        yield opened


async def attach(
    house: House, *sources: str, text: str = "look", caller: Caller = AGENT, chat: str = "x:ann"
) -> SentMessage:
    draft = Draft(text=text, attachments=sources)
    act = await house.core.sending.prepare(caller, chat, draft, "me")
    return sent(await house.core.approvals.perform(act, 5))


def files(house: House) -> list[bytes]:
    return [each.data for each in house.personal.contents if isinstance(each, MediaBytes)]


@pytest.mark.case("S86")
async def test_an_address_of_the_agents_own_asks_before_any_lookup(
    house: House, internet: Internet, server: Server
) -> None:
    url = "http://shop.example/cake.png?q=what+the+bank+wrote"

    answer = await attach(house, url)

    assert answer.outcome is Outcome.NEEDS_APPROVAL
    assert "tells its host" in answer.notes[0]
    assert (internet.lookups, internet.tried, server.connections) == ([], [], 0)
    (waiting,) = await house.core.approvals.waiting()
    assert waiting.shown.attachments == (f"what stands at {url}",)
    assert waiting.shown.text == "look"

    again = await attach(house, url)
    assert again.approval == answer.approval
    done = sent(await house.core.approvals.decide(answer.approval, "once", "owner"))

    assert (done.outcome, files(house)) == (Outcome.ACCEPTED, [png()])
    assert [text for _, text, _ in house.personal.accepted] == ["", "look"]
    assert server.connections == 1
    assert sent(await house.core.approvals.outcome(answer.approval)).message == done.message


@pytest.mark.case("S86")
async def test_what_the_owner_rejects_is_never_fetched(house: House, internet: Internet) -> None:
    answer = await attach(house, CAKE)

    done = sent(await house.core.approvals.decide(answer.approval, "reject", "owner"))

    assert done.outcome is Outcome.NOT_SENT
    assert (internet.lookups, files(house)) == ([], [])


@pytest.mark.case("S86")
@pytest.mark.parametrize("said", [CAKE, f"see ({CAKE}).", f"{CAKE}, and", f"<{CAKE}>"])
async def test_an_address_that_others_sent_to_a_known_chat_is_fetched(
    house: House, said: str
) -> None:
    await house.personal.say(said)
    await house.told(said)

    answer = await attach(house, CAKE)

    assert (answer.outcome, files(house)) == (Outcome.ACCEPTED, [png()])


@pytest.mark.case("S86")
@pytest.mark.parametrize(
    "said",
    [
        "http://shop.example/cake.png?a=",
        "http://shop.example/cake.png?a=b&c=d",
        "https://shop.example/cake.png?a=b",
        "http://shop.example/cake.png?A=B",
        "http shop.example cake.png a b",
    ],
)
async def test_an_address_that_only_resembles_one_asks(
    house: House, internet: Internet, said: str
) -> None:
    await house.personal.say(said)
    await house.told(said)

    assert (await attach(house, CAKE)).outcome is Outcome.NEEDS_APPROVAL
    assert internet.lookups == []


@pytest.mark.case("S86")
async def test_an_address_of_a_stranger_or_of_our_own_words_asks(
    house: House, internet: Internet
) -> None:
    await house.personal.say(f"take {CAKE}", chat="eve")
    await house.told(f"take {CAKE}")
    assert (await attach(house, CAKE)).outcome is Outcome.NEEDS_APPROVAL

    mine = "http://shop.example/mine.png"
    await house.send((await house.told("it is me")).chat, mine)
    assert (await attach(house, mine)).outcome is Outcome.NEEDS_APPROVAL
    await house.personal.say(f"you said {mine}")
    await house.told(f"you said {mine}")
    assert (await attach(house, mine)).outcome is Outcome.NEEDS_APPROVAL
    assert internet.lookups == []


@pytest.mark.case("S86")
async def test_an_address_in_an_account_that_the_caller_may_not_see_asks(house: House) -> None:
    await house.bot.say(CAKE, "bob")
    await house.told(CAKE, "bot")
    me = house.core.instances.by_name("me").id

    bound = await attach(house, CAKE, caller=Caller("k1", instances=frozenset({me})))
    free = await attach(house, CAKE, caller=Caller("k2"))

    assert (bound.outcome, free.outcome) == (Outcome.NEEDS_APPROVAL, Outcome.ACCEPTED)


@pytest.mark.case("S86")
async def test_a_host_that_the_owner_named_is_not_asked_about_but_leads_nowhere_else(
    house: House, server: Server, internet: Internet
) -> None:
    assert (await attach(house, "http://free.example/x.png?q=1")).outcome is Outcome.ACCEPTED

    server.answer = saying(b"HTTP/1.1 302 Go\r\nLocation: http://far.example/?q=1\r\n\r\n")
    with pytest.raises(InvalidInput, match="another host"):
        await attach(house, "http://free.example/y.png?q=1")
    assert "far.example" not in internet.lookups


async def test_an_account_that_asks_for_nothing_asks_for_no_address(house: House) -> None:
    await house.core.instances.set_policy(OWNER, "me", confirm="never")

    assert (await attach(house, CAKE)).outcome is Outcome.ACCEPTED


async def test_what_goes_wrong_after_the_owners_yes_sends_nothing_and_says_so(
    house: House, internet: Internet
) -> None:
    held = await attach(house, "http://inner.example/x.png")
    internet.names["inner.example"] = ["10.0.0.1"]

    done = sent(await house.core.approvals.decide(held.approval, "once", "owner"))

    assert done.outcome is Outcome.NOT_SENT
    assert done.notes[0].startswith("That address was not reached.")
    assert house.personal.accepted == []


async def test_what_else_is_attached_is_kept_as_its_caller_could_see_it(
    house: House, internet: Internet
) -> None:
    remote = Caller("k1")
    with pytest.raises(Forbidden):
        await attach(house, CAKE, "/etc/passwd", caller=remote)
    data = f"data:image/png;base64,{b64encode(png(20)).decode()}"

    held = await attach(house, data, CAKE, caller=remote)
    assert internet.lookups == []
    done = sent(await house.core.approvals.decide(held.approval, "once", "owner"))

    assert (done.outcome, files(house)) == (Outcome.ACCEPTED, [png(20), png()])


async def test_a_sticker_comes_from_an_address_too(house: House) -> None:
    act = await house.core.sending.prepare(AGENT, "x:ann", Draft(sticker=CAKE), "me")
    held = sent(await house.core.approvals.perform(act, 5))
    await house.core.approvals.decide(held.approval, "once", "owner")

    [sticker] = [each for each in house.personal.contents if isinstance(each, MediaBytes)]
    assert (sticker.kind, sticker.name) == ("sticker", "cake.png")


@pytest.mark.case("S44")
@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (ok(b"<html>hello"), InvalidInput),
        (ok(b"<html>hello", "text/html"), InvalidInput),
        (ok(png(), "audio/ogg"), InvalidInput),
        (ok(png()[:600]), InvalidInput),
        (ok(png()).replace(b"Content-Length: ", b"Content-Length: 9"), Unreachable),
        (ok(b"\x89PNG\r\n\x1a\n" + bytes(50)), InvalidInput),
        (ok(b""), InvalidInput),
        (ok(bytes(100_001)), InvalidInput),
        (ok(b"%PDF-1.7", "application/pdf"), InvalidInput),
        (b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n", InvalidInput),
    ],
    ids=["html", "told", "sound", "cut", "short", "broken", "empty", "large", "pdf", "missing"],
)
async def test_what_is_not_what_it_says_is_not_sent(
    house: House, server: Server, answer: bytes, error: type[MessengersError]
) -> None:
    server.answer = saying(answer)

    with pytest.raises(error):
        await attach(house, "http://free.example/cake.png")
    assert house.personal.accepted == []


async def test_a_type_that_a_messenger_does_not_take_is_named(house: House, server: Server) -> None:
    server.answer = saying(ok(b"%PDF-1.7", "application/pdf"))

    with pytest.raises(Unsupported, match="image/png"):
        await attach(house, "http://free.example/paper")


@pytest.mark.parametrize("source", ["http://", "https://user@shop.example/", "http://a b/"])
async def test_an_address_that_is_none_is_refused_at_once(house: House, source: str) -> None:
    with pytest.raises(InvalidInput, match="no web address"):
        await attach(house, source)


@pytest.mark.case("S37")
@pytest.mark.parametrize("host", ["169.254.169.254", "inner.example", "localhost", "[::1]"])
async def test_no_field_that_names_an_address_reaches_the_inner_network(
    house: House, internet: Internet, server: Server, host: str
) -> None:
    internet.names["inner.example"] = ["10.0.0.1"]
    url = f"http://{host}/latest/meta-data"
    await house.core.instances.set_policy(OWNER, "me", confirm="never")
    file = {"kind": "image", "native_ref": url}
    await house.personal.say("look", id_="n1", files=[file])
    message = await house.told("look")

    for reach in (
        attach(house, url),
        house.core.sending.prepare(AGENT, "x:ann", Draft(sticker=url), "me"),
        house.core.media.content(AGENT, message.id),
        attach(house, message.id),
    ):
        with pytest.raises(Unreachable):
            await reach

    assert (internet.tried, server.connections) == ([], 0)
    house.personal.files[url] = png()
    assert (await house.core.media.content(AGENT, message.id)).data == png()


async def test_a_file_of_a_message_comes_through_the_guard(house: House, server: Server) -> None:
    await house.personal.say("look", files=[{"kind": "image", "native_ref": CAKE}])
    message = await house.told("look")

    assert (await house.core.media.content(AGENT, message.id)).data == png()
    assert server.requests[0].startswith(b"GET /cake.png?a=b HTTP/1.1\r\nHost: shop.example\r\n")
