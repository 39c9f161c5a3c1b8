"""The tool set `rich` through a real client: what leaves, what the owner reads, what is refused."""

import base64
import json
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any

import pytest
from mcp import Client
from PIL import Image

from messengers.core.callers import OWNER
from messengers.errors import Uncertain, Unsupported
from messengers.models import Button, Card, Location, Poll
from messengers.providers.arrangement import Arrangement
from messengers.providers.base import MediaBytes
from messengers.providers.capabilities import MediaLimit
from tests.core.conftest import House
from tests.mcp_server.conftest import ERAS, Connect, Owner, text_of

OFFICE = {"latitude_deg": 56.949612, "longitude_deg": 24.1052, "title": "Office"}
LUNCH = {"question": "Lunch?", "options": ["Pizza", " Sushi "], "multiple": True}
ANNA = {"name": "Anna  Petrova", "phone": "+371 2000-0001"}
SENT = [
    (
        "send_location",
        OFFICE,
        Location(latitude_deg=56.949612, longitude_deg=24.1052, title="Office"),
        "Location 56.949612, 24.1052 (Office)",
    ),
    (
        "send_contact",
        ANNA,
        Card(name="Anna Petrova", phone="+37120000001"),
        "Contact Anna Petrova, +37120000001",
    ),
    (
        "send_poll",
        LUNCH,
        Poll(question="Lunch?", options=("Pizza", "Sushi"), multiple=True),
        "Poll: Lunch? (several may be chosen)\n- Pizza\n- Sushi",
    ),
]
DETAIL = {"send_location": "location", "send_contact": "contact", "send_poll": "poll"}


@pytest.fixture(params=ERAS)
def era(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def done(client: Client, tool: str, **arguments: object) -> dict[str, Any]:
    """The structured answer of a call that is no error."""
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, text_of(result)
    assert result.structured_content
    return result.structured_content


async def refused(client: Client, tool: str, **arguments: object) -> str:
    result = await client.call_tool(tool, arguments)
    assert result.is_error, text_of(result)
    return text_of(result)


async def known(house: House) -> str:
    """A chat in which the owner wrote."""
    await house.personal.say("hi ann", **{"from": "me"})
    return (await house.told("hi ann")).chat


async def unknown(house: House) -> str:
    """A chat that a stranger opened."""
    await house.personal.say("hello", "eve")
    return (await house.told("hello")).chat


async def webchat(house: House) -> str:
    """A chat on an account whose messenger has none of this."""
    await house.core.instances.create(OWNER, "webchat", "page")
    return "v0123456789abcdef01234567"


def picture(format_: str) -> str:
    out = BytesIO()
    Image.new("RGB", (8, 8), "red").save(out, format_)
    return f"data:image/{format_.lower()};base64,{base64.b64encode(out.getvalue()).decode()}"


def takes_stickers(house: House) -> None:
    """Only until the test ends: every house has platforms of its own."""
    stickers = MediaLimit(max_bytes=100_000, mimes=("image/webp",))
    images = MediaLimit(max_bytes=100_000, mimes=("image/png", "image/webp"))
    house.personal.capabilities = house.personal.capabilities.model_copy(
        update={"media": {"sticker": stickers, "image": images}}
    )


@pytest.mark.parametrize(("tool", "arguments", "content", "words"), SENT)
async def test_it_leaves_as_what_it_is_and_the_transcript_has_it_in_words(
    house: House,
    connect: Connect,
    tool: str,
    arguments: dict[str, object],
    content: object,
    words: str,
) -> None:
    chat = await known(house)

    async with connect("messenger", toolsets=["rich"]) as client:
        answer = await done(client, tool, chat=chat, **arguments)
        shown = text_of(await client.call_tool("read_messages", {"chat": chat}))
        plain = await client.call_tool("read_messages", {"chat": chat, "format": "json"})

    message = (await house.core.history.get(OWNER, answer["message"])).message
    last = json.loads(text_of(plain))["untrusted"]["messages"][-1]
    assert answer["outcome"] == "accepted"
    assert house.personal.contents == [content]
    assert [text for _, text, _ in house.personal.accepted] == [""]
    assert message.text == words
    assert getattr(message, DETAIL[tool]) == content
    assert last[DETAIL[tool]]
    assert words.replace("\n", "\n  | ") in shown


@pytest.mark.parametrize(("tool", "arguments", "content", "words"), SENT)
async def test_the_owner_reads_in_words_what_would_leave_for_a_stranger(
    house: House,
    connect: Connect,
    tool: str,
    arguments: dict[str, object],
    content: object,
    words: str,
) -> None:
    chat = await unknown(house)
    owner = Owner.chooses("once")

    async with connect("messenger", toolsets=["rich"]) as client:
        held = await done(client, tool, chat=chat, **arguments)
    before = list(house.personal.contents)
    await house.core.approvals.decide(held["approval"], "reject", "terminal")
    async with connect("messenger", owner, toolsets=["rich"]) as client:
        answer = await done(client, tool, chat=chat, **arguments)

    assert held["outcome"] == "needs_approval"
    assert before == []
    assert answer["outcome"] == "accepted"
    assert house.personal.contents == [content]
    assert "  | " + words.replace("\n", "\n  | ") in owner.questions[0]


async def test_a_held_poll_is_sent_as_a_poll_once_the_owner_agreed(
    house: House, connect: Connect
) -> None:
    chat = await unknown(house)

    async with connect("messenger", toolsets=["rich"]) as client:
        held = await done(client, "send_poll", chat=chat, **LUNCH)
        same = await done(client, "send_poll", chat=chat, **LUNCH)
        other = await done(client, "send_poll", chat=chat, **{**LUNCH, "multiple": False})
    answer = await house.core.approvals.decide(held["approval"], "once", "terminal")

    assert held["approval"] == same["approval"] != other["approval"]
    assert answer.outcome == "accepted"
    assert house.personal.contents == [SENT[2][2]]


CHOICE = {"text": "**Bread?**", "buttons": ["Yes", "Our menu https://bread.example/m?x=1"]}
CHOICES = (Button(text="Yes"), Button(text="Our menu", url="https://bread.example/m?x=1"))


async def test_a_text_with_buttons_leaves_as_one_message(house: House, connect: Connect) -> None:
    chat = await known(house)

    async with connect("messenger", toolsets=["rich"]) as client:
        answer = await done(client, "send_buttons", chat=chat, **CHOICE)

    message = (await house.core.history.get(OWNER, answer["message"])).message
    assert house.personal.contents == [CHOICES]
    assert message.text == "**Bread?**"
    assert message.buttons == ("Yes", "Our menu")


async def test_the_owner_reads_what_buttons_say_and_open(house: House, connect: Connect) -> None:
    chat = await unknown(house)
    owner = Owner.chooses("once")

    async with connect("messenger", owner, toolsets=["rich"]) as client:
        answer = await done(client, "send_buttons", chat=chat, **CHOICE)

    assert answer["outcome"] == "accepted"
    assert "  | [Yes]\n  | [Our menu] https://bread.example/m?x=1" in owner.questions[0]


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ({"text": ""}, "There is nothing to send."),
        ({"buttons": ["a", "a"]}, "Two buttons are the same."),
        ({"buttons": ["a", "b", "c", "d"]}, "At most 3 buttons."),
        ({"buttons": ["x" * 65]}, "Each button must have 1 to 64 characters."),
        ({"buttons": ["evil tg://user?id=1"]}, "A button opens http and https addresses only."),
        ({"keyboard": True}, "A keyboard's buttons open no pages."),
        ({"buttons": []}, "There is nothing to press."),
    ],
)
async def test_buttons_that_do_not_fit_are_refused(
    house: House, connect: Connect, arguments: dict[str, object], why: str
) -> None:
    chat = await known(house)

    async with connect("messenger", toolsets=["rich"]) as client:
        answer = await refused(client, "send_buttons", chat=chat, **{**CHOICE, **arguments})

    assert answer.startswith(why)
    assert answer.endswith("Nothing was sent.")
    assert house.personal.contents == []


async def test_a_messenger_without_buttons_says_so(house: House, connect: Connect) -> None:
    chat = await webchat(house)

    async with connect("messenger", toolsets=["rich"]) as client:
        answer = await refused(client, "send_buttons", chat=chat, instance="page", **CHOICE)

    assert "webchat has no buttons." in answer


async def test_a_message_is_pinned_and_unpinned(house: House, connect: Connect) -> None:
    await known(house)
    message = (await house.told("hi ann")).id

    async with connect("messenger", toolsets=["rich"]) as client:
        await done(client, "pin_message", message=message)
        pinned = list(house.personal.pinned)
        await done(client, "pin_message", message=message, pinned=False)

    assert pinned == [("ann", "nhi ann")]
    assert house.personal.pinned == []


async def test_pinning_for_a_stranger_asks_and_where_there_are_no_pins_that_is_said(
    house: House, connect: Connect
) -> None:
    await unknown(house)
    message = (await house.told("hello")).id
    page = await webchat(house)
    await house.core.instances.set_policy(OWNER, "page", confirm="never")

    async with connect("messenger", toolsets=["rich"]) as client:
        held = await done(client, "pin_message", message=message)
        sent = await done(client, "send_message", chat=page, text="hi", instance="page")
        answer = await refused(client, "pin_message", message=sent["message"])

    assert held["outcome"] == "needs_approval"
    assert house.personal.pinned == []
    assert "webchat cannot pin messages." in answer


async def test_a_client_key_never_sends_a_place_twice(house: House, connect: Connect) -> None:
    chat = await known(house)
    near = {**OFFICE, "latitude_deg": 56.94961201}

    async with connect("messenger", toolsets=["rich"]) as client:
        first = await done(client, "send_location", chat=chat, client_ref="k", **OFFICE)
        again = await done(client, "send_location", chat=chat, client_ref="k", **OFFICE)
        other = await refused(client, "send_location", chat=chat, client_ref="k", **near)

    assert first["message"] == again["message"]
    assert other.startswith("This client_ref named something else before.")
    assert len(house.personal.contents) == 1


async def test_a_sticker_leaves_as_one_and_only_in_the_messengers_format(
    house: House, connect: Connect
) -> None:
    chat = await known(house)
    takes_stickers(house)

    async with connect("messenger", toolsets=["rich"]) as client:
        answer = await done(client, "send_sticker", chat=chat, sticker=picture("WEBP"))
        again = await done(client, "send_sticker", chat=chat, sticker=answer["message"])
        wrong = await refused(client, "send_sticker", chat=chat, sticker=picture("PNG"))
        shown = text_of(await client.call_tool("read_messages", {"chat": chat}))

    kinds = [each.kind for each in house.personal.contents if isinstance(each, MediaBytes)]
    assert answer["outcome"] == again["outcome"] == "accepted"
    assert kinds == ["sticker", "sticker"]
    assert "📎 sticker" in shown
    assert wrong == (
        "This messenger does not take that type of file. It takes image/webp. Nothing was sent."
    )


async def test_the_owner_sees_which_sticker_would_leave(house: House, connect: Connect) -> None:
    chat = await unknown(house)
    takes_stickers(house)
    owner = Owner.chooses("no")

    async with connect("messenger", owner, toolsets=["rich"]) as client:
        call = {"chat": chat, "sticker": picture("WEBP")}
        await client.call_tool("send_sticker", call)

    assert "Attachment: sticker file.webp (" in owner.questions[0]


TWO = ["a", "b"]
BAD: list[tuple[str, dict[str, object], str]] = [
    ("send_location", {**OFFICE, "latitude_deg": 90.1}, "latitude_deg must be from -90 to 90."),
    ("send_location", {**OFFICE, "longitude_deg": -181}, "longitude_deg must be from -180 to 180."),
    ("send_location", {**OFFICE, "latitude_deg": "nan"}, "latitude_deg must be from -90 to 90."),
    ("send_location", {**OFFICE, "latitude_deg": "north"}, "latitude_deg must be a number."),
    ("send_location", {**OFFICE, "latitude_deg": None}, "latitude_deg must be a number."),
    ("send_location", {"latitude_deg": 1}, "longitude_deg is missing."),
    ("send_location", {**OFFICE, "title": "t" * 101}, "title must have 0 to 100"),
    ("send_contact", {"name": " ", "phone": "+37120000001"}, "name must have 1 to 100"),
    ("send_contact", {"name": "Anna", "phone": "20000001"}, "phone is no phone number."),
    ("send_contact", {"name": "Anna", "phone": ""}, "phone is no phone number."),
    ("send_poll", {"question": "", "options": TWO}, "question must have 1 to 255"),
    ("send_poll", {"question": "q" * 256, "options": TWO}, "question must have 1 to 255"),
    ("send_poll", {"question": "q", "options": ["a"]}, "A poll has at least 2 options."),
    ("send_poll", {"question": "q", "options": []}, "A poll has at least 2 options."),
    ("send_poll", {"question": "q", "options": ["a", " A"]}, "Two options are the same."),
    ("send_poll", {"question": "q", "options": ["a", " "]}, "Each option must have 1 to 100"),
    ("send_poll", {"question": "q", "options": [*"abcdefghijklm"]}, "A poll has at most 12 opt"),
    ("send_poll", {"question": "q", "options": "ab"}, "options must be a list."),
    ("send_sticker", {"sticker": ""}, "There is nothing to send."),
    ("send_sticker", {"sticker": "ftp://x.example/a.webp"}, "That is nothing to attach"),
    ("send_sticker", {"sticker": "m9zz"}, "No such message."),
]


@pytest.mark.parametrize(("tool", "arguments", "words"), BAD)
async def test_what_does_not_fit_is_refused_and_nothing_is_sent(
    house: House, connect: Connect, tool: str, arguments: dict[str, object], words: str
) -> None:
    chat = await known(house)
    takes_stickers(house)

    async with connect("messenger", toolsets=["rich"]) as client:
        answer = await refused(client, tool, chat=chat, **arguments)

    assert answer.startswith(words)
    assert answer.endswith("Nothing was sent.")
    assert house.personal.accepted == []


@pytest.mark.parametrize(
    ("tool", "arguments", "verb"),
    [
        ("send_location", OFFICE, "send locations"),
        ("send_contact", ANNA, "send contacts"),
        ("send_poll", LUNCH, "send polls"),
        ("send_sticker", {"sticker": "m1"}, "send stickers"),
    ],
)
async def test_a_messenger_without_it_refuses_before_anything_is_stored(
    house: House, connect: Connect, tool: str, arguments: dict[str, object], verb: str
) -> None:
    takes_stickers(house)
    visitor = await webchat(house)

    async with connect("messenger", toolsets=["rich"]) as client:
        one = await refused(client, tool, chat=visitor, instance="page", **arguments)
        for name in ("me", "bot"):
            await house.core.instances.delete(OWNER, name)
        every = await refused(client, tool, chat=visitor, instance="page", **arguments)

    place = await house.core.chats.find(OWNER, visitor, "page", write=True)
    assert one == f"webchat cannot {verb}. Say it with send_message. Nothing was sent."
    assert every == f"None of the accounts can {verb}. Nothing was sent."
    assert (await house.core.history.read(OWNER, place)).items == ()
    assert await house.core.approvals.waiting() == []


async def test_what_each_account_can_send_is_listed(house: House, connect: Connect) -> None:
    async with connect("reader") as client:
        listed = text_of(await client.call_tool("list_instances", {}))

    assert "groups, arrange, send location, send contact, send poll" in listed


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        ({"archived": "yes"}, Arrangement(archived=True)),
        ({"archived": "no", "pinned": "yes"}, Arrangement(archived=False, pinned=True)),
        ({"mute": "always"}, Arrangement(muted=True)),
        ({"mute": "Off"}, Arrangement(muted=False)),
        (
            {"mute": "2099-01-31T12:00+00:00"},
            Arrangement(muted=True, muted_until=datetime(2099, 1, 31, 12, tzinfo=UTC)),
        ),
    ],
)
async def test_a_chat_is_arranged_without_asking_also_a_strangers(
    house: House, connect: Connect, arguments: dict[str, object], wanted: Arrangement
) -> None:
    chat = await unknown(house)

    async with connect("messenger", toolsets=["rich"]) as client:
        answer = await done(client, "arrange_chat", chat=chat, **arguments)

    assert answer["outcome"] == "accepted"
    assert house.personal.arranged == [("eve", wanted)]


async def test_a_relative_mute_ends_that_much_later(house: House, connect: Connect) -> None:
    chat = await unknown(house)
    now = house.core.clock.now()

    async with connect("messenger", toolsets=["rich"]) as client:
        await done(client, "arrange_chat", chat=chat, mute="8h")

    until = house.personal.arranged[0][1].muted_until
    assert until is not None
    assert timedelta(hours=8) <= until - now < timedelta(hours=8, minutes=1)


async def test_the_policy_always_asks_for_the_order_of_chats_too(
    house: House, connect: Connect
) -> None:
    await house.core.instances.set_policy(OWNER, "me", confirm="always")
    chat = await known(house)
    call = {"chat": chat, "archived": "yes", "pinned": "no", "mute": "2099-01-31"}

    async with connect("messenger", toolsets=["rich"]) as client:
        held = await done(client, "arrange_chat", **call)
    waiting = await house.core.approvals.get(held["approval"])
    before = list(house.personal.arranged)
    answer = await house.core.approvals.decide(held["approval"], "once", "terminal")

    assert held["outcome"] == "needs_approval"
    assert waiting.shown.text.startswith("Into the archive\nNot pinned any more\nMuted until 2099-")
    assert before == []
    assert answer.outcome == "accepted"
    assert len(house.personal.arranged) == 1


async def test_who_is_blocked_is_asked_for_and_listed(house: House, connect: Connect) -> None:
    chat = await known(house)

    async with connect("messenger", toolsets=["rich"]) as client:
        held = await done(client, "arrange_chat", chat=chat, blocked="yes")
        waiting = await house.core.approvals.get(held["approval"])
        before = list(house.personal.blocked)
        await house.core.approvals.decide(held["approval"], "once", "terminal")
        listed = await house.core.arrangements.blocked(OWNER, "me")
        await house.core.instances.set_policy(OWNER, "me", confirm="never")
        freed = await done(client, "arrange_chat", chat=chat, blocked="no")

    assert held["outcome"] == "needs_approval"
    assert waiting.shown.title == "Block a person"
    assert waiting.shown.text == "Blocked: cannot write here"
    assert waiting.shown.why == "It changes whether somebody can write to this account."
    assert before == []
    assert [(each.chat, each.native_id) for each in listed] == [(chat, "ann")]
    assert freed["outcome"] == "accepted"
    assert house.personal.blocked == []


async def test_a_group_and_another_messengers_person_are_not_blocked(
    house: House, connect: Connect
) -> None:
    await house.personal.say("hi all", "team", **{"from": "me", "group": "yes"})
    group = (await house.told("hi all")).chat
    visitor = await webchat(house)
    page = await house.core.chats.find(OWNER, visitor, "page", write=True)

    async with connect("messenger", toolsets=["rich"]) as client:
        whole = await refused(client, "arrange_chat", chat=group, blocked="yes")
        other = await refused(client, "arrange_chat", chat=page.id, blocked="yes")

    assert whole.startswith("Only a person can be blocked.")
    assert other.startswith("webchat cannot block people.")
    with pytest.raises(Unsupported):
        await house.core.arrangements.blocked(OWNER, "page")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({}, "Nothing is to be changed."),
        ({"mute": "yesterday"}, "mute is no time that can be read."),
        ({"mute": "2020-01-01"}, "mute is past."),
        ({"mute": "99999999w"}, "mute is no time that can be read."),
        ({"blocked": "yes", "pinned": "no"}, "A chat is blocked or arranged, one at a time."),
        ({"archived": "maybe"}, "archived must be one of"),
        ({"archived": "yes", "chat": "nobody"}, "No such chat."),
    ],
)
async def test_an_arrangement_that_does_not_fit_changes_nothing(
    house: House, connect: Connect, arguments: dict[str, object], words: str
) -> None:
    chat = await known(house)

    async with connect("messenger", toolsets=["rich"]) as client:
        answer = await refused(client, "arrange_chat", **{"chat": chat, **arguments})

    assert answer.startswith(words)
    assert answer.endswith("Nothing was changed.")
    assert house.personal.arranged == []


async def test_read_only_and_other_messengers_arrange_nothing(
    house: House, connect: Connect
) -> None:
    chat, visitor = await known(house), await webchat(house)
    page = await house.core.chats.find(OWNER, visitor, "page", write=True)

    async with connect("messenger", toolsets=["rich"]) as client:
        other = await refused(client, "arrange_chat", chat=page.id, archived="yes")
        house.personal.answers = [lambda: Uncertain("No answer.")]
        doubt = await refused(client, "arrange_chat", chat=chat, archived="yes")
        await house.core.instances.set_policy(OWNER, "me", read_only=True)
        locked = await refused(client, "arrange_chat", chat=chat, archived="yes")

    assert other == "webchat cannot archive, pin or mute chats. Nothing was changed."
    assert doubt.startswith("No answer. UNCERTAIN: it may have been done")
    assert locked.startswith("This instance is read-only.")
    assert house.personal.arranged == []
