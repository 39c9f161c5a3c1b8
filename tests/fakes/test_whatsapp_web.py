"""The real engine against the fake WhatsApp: each side judges the other."""

import base64
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from tests.fakes.whatsapp_web import Conversation, FakeWhatsApp, Past, messages
from tests.fakes.whatsapp_web.engine import Engine, Json, require_engine, running

IMAGE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
COMPOSING = {"enum": "ChatPresence.CHAT_PRESENCE_COMPOSING"}
TEXT = {"enum": "ChatPresenceMedia.CHAT_PRESENCE_MEDIA_TEXT"}


@pytest.fixture
async def whatsapp(tmp_path: Path) -> AsyncGenerator[FakeWhatsApp]:
    require_engine()
    async with FakeWhatsApp(tmp_path / "tls") as whatsapp:
        yield whatsapp
        whatsapp.check()


@pytest.fixture
async def engine(whatsapp: FakeWhatsApp, tmp_path: Path) -> AsyncGenerator[Engine]:
    async with running(whatsapp, tmp_path / "engine.db") as engine:
        yield engine


def number(phone: str) -> Json:
    return {"jid": phone}


async def test_an_engine_pairs_by_qr_and_texts_go_both_ways(
    whatsapp: FakeWhatsApp, engine: Engine
) -> None:
    me = whatsapp.add_account("15550001111", "Me Myself")
    bob = whatsapp.add_contact("15550002222", "Bob")
    companion = await engine.pair(whatsapp, me)

    sent = await engine.call("send_message", number(bob.phone), "hello bob")
    received, copy = await bob.inbox.get(), await me.inbox.get()
    id = await whatsapp.send_text(bob, companion, "hi from cafe")
    message = await engine.message()

    assert (received.id, received.text) == (sent["ID"], "hello bob")
    assert copy.message.deviceSentMessage.message.extendedTextMessage.text == "hello bob"
    assert message["Message"] == {"conversation": "hi from cafe"}
    assert (message["Info"]["ID"], message["Info"]["Pushname"]) == (id, "Bob")
    assert companion.online


async def test_an_engine_pairs_by_a_code_typed_on_the_phone(
    whatsapp: FakeWhatsApp, engine: Engine
) -> None:
    me = whatsapp.add_account("15550001111", "Me Myself")
    await engine.event("Qr")

    code = await engine.call("PairPhone", me.phone, True)  # noqa: FBT003 — the engine's order
    await whatsapp.enter_code(code, me)
    await engine.event("Connected")

    assert list(me.companions) == [1]


async def test_a_wrong_code_links_nothing(whatsapp: FakeWhatsApp, engine: Engine) -> None:
    me = whatsapp.add_account("15550001111", "Me Myself")
    await engine.event("Qr")
    code = await engine.call("PairPhone", me.phone, True)  # noqa: FBT003 — the engine's order
    wrong = code[:-1] + ("1" if code[-1] == "2" else "2")

    with pytest.raises(ValueError, match="code"):
        await whatsapp.enter_code(wrong, me)

    assert me.companions == {}


async def test_pictures_go_both_ways_through_the_cdn(
    whatsapp: FakeWhatsApp, engine: Engine
) -> None:
    me = whatsapp.add_account("15550001111", "Me Myself")
    bob = whatsapp.add_contact("15550002222", "Bob")
    companion = await engine.pair(whatsapp, me)
    picture = {"base64": base64.b64encode(IMAGE).decode()}

    await engine.call("send_image", number(bob.phone), picture, caption="a pixel")
    received = await bob.inbox.get()
    await whatsapp.send_image(bob, companion, IMAGE, caption="back")
    message = await engine.message()
    downloaded = await engine.call("download_any", {"message": message["Message"]})

    assert received.message.imageMessage.caption == "a pixel"
    assert whatsapp.cdn.open("Image", received.message.imageMessage) == IMAGE
    assert message["Message"]["imageMessage"]["caption"] == "back"
    assert base64.b64decode(downloaded) == IMAGE


async def test_groups_are_made_and_talked_in(whatsapp: FakeWhatsApp, engine: Engine) -> None:
    me = whatsapp.add_account("15550001111", "Me Myself")
    bob = whatsapp.add_contact("15550002222", "Bob")
    carol = whatsapp.add_contact("15550003333", "Carol")
    companion = await engine.pair(whatsapp, me)

    made = await engine.call("create_group", "Team", [number(bob.phone), number(carol.phone)])
    (group,) = whatsapp.groups.values()
    to = {"jid": group.jid}
    await engine.call("send_message", to, "hello team")
    heard = [(await peer.inbox.get()).text for peer in (bob, carol)]
    await whatsapp.send_text(carol, companion, "hi all", group=group)
    message = await engine.message()
    await whatsapp.rename_by_other(group, bob, "The team")
    renamed = await engine.event("GroupInfoEvent")

    assert made["GroupName"]["Name"] == "Team"
    assert heard == ["hello team", "hello team"]
    assert message["Message"]["conversation"] == "hi all"
    assert message["Info"]["MessageSource"]["IsGroup"]
    assert renamed["Name"]["Name"] == "The team"


async def test_receipts_and_typing_reach_the_engine_and_come_from_it(
    whatsapp: FakeWhatsApp, engine: Engine
) -> None:
    me = whatsapp.add_account("15550001111", "Me Myself")
    bob = whatsapp.add_contact("15550002222", "Bob")
    companion = await engine.pair(whatsapp, me)
    id = await whatsapp.send_text(bob, companion, "read this")
    message = await engine.message()
    sent = await engine.call("send_message", number(bob.phone), "and this")

    await whatsapp.receipt(bob, companion, sent["ID"], "delivered")
    await whatsapp.receipt(bob, companion, sent["ID"], "read")
    kinds = [(await engine.event("Receipt"))["Type"] for _ in range(2)]
    await whatsapp.type(bob, companion, "recording")
    typing = await engine.event("ChatPresence")
    chat = {"jid": bob.lid}
    await engine.call("mark_read", id, chat=chat, sender=chat, receipt={"enum": "ReceiptType.READ"})
    await engine.call("send_chat_presence", chat, COMPOSING, TEXT)
    await engine.call("get_blocklist")

    assert message["Info"]["ID"] == id
    assert kinds == ["DELIVERED", "READ"]
    assert typing["Media"] == "AUDIO"
    assert [(each.ids, each.chat) for each in whatsapp.receipts if each.kind == "read"] == [
        ((id,), bob.lid)
    ]
    assert [each.state for each in whatsapp.typing] == ["composing"]


async def test_the_past_comes_by_files_and_in_the_message(
    whatsapp: FakeWhatsApp, engine: Engine
) -> None:
    me = whatsapp.add_account("15550001111", "Me Myself")
    bob = whatsapp.add_contact("15550002222", "Bob")
    past = [Past(f"OLD{at}", f"text {at}", 1_700_000_000 + at, bob.lid) for at in range(25)]
    whatsapp.give_history(me, [Conversation(bob.lid, past, "Bob")], chunk_messages=10)
    companion = await engine.pair(whatsapp, me)

    chunks = [await engine.event("HistorySync") for _ in range(3)]
    names = {bob.lid: "Bobby"}
    await whatsapp.push_history(companion, kind="PUSH_NAME", names=names, inline=True)
    inline = await engine.event("HistorySync")

    assert [chunk["messages"] for chunk in chunks] == [10, 10, 5]
    assert [chunk["first"] for chunk in chunks] == ["text 0", "text 10", "text 20"]
    assert chunks[-1]["progress"] == 100
    assert inline["names"] == {bob.lid: "Bobby"}


async def test_an_engine_resumes_and_gets_what_came_while_it_was_away(
    whatsapp: FakeWhatsApp, tmp_path: Path
) -> None:
    me = whatsapp.add_account("15550001111", "Me Myself")
    bob = whatsapp.add_contact("15550002222", "Bob")
    async with running(whatsapp, tmp_path / "engine.db") as engine:
        companion = await engine.pair(whatsapp, me)
        await engine.call("send_message", number(bob.phone), "bye")

    await whatsapp.until(lambda: not companion.online)
    await whatsapp.send_text(bob, companion, "while you were away")
    async with running(whatsapp, tmp_path / "engine.db") as engine:
        message = await engine.message()

    assert message["Message"]["conversation"] == "while you were away"
    assert whatsapp.records.counts["registrations"] == 1


async def test_a_lost_connection_comes_back(whatsapp: FakeWhatsApp, engine: Engine) -> None:
    me = whatsapp.add_account("15550001111", "Me Myself")
    companion = await engine.pair(whatsapp, me)

    whatsapp.drop_connection(companion)
    await engine.event("Disconnected")
    await engine.event("Connected")

    assert whatsapp.records.counts["logins"] == 2


async def test_unlinking_on_the_phone_logs_the_engine_out(
    whatsapp: FakeWhatsApp, engine: Engine
) -> None:
    me = whatsapp.add_account("15550001111", "Me Myself")
    companion = await engine.pair(whatsapp, me)

    await whatsapp.unlink(companion)
    out = await engine.event("LoggedOut")

    assert not out["OnConnect"]
    assert me.companions == {}


async def test_an_outdated_engine_is_refused(whatsapp: FakeWhatsApp, engine: Engine) -> None:
    whatsapp.outdated()

    await whatsapp.until(lambda: whatsapp.records.counts["refusals"])

    assert "Client outdated (405)" in await engine.logged("outdated")
    assert whatsapp.records.counts["registrations"] == 0


async def test_what_could_not_be_read_is_sent_again_in_both_directions(
    whatsapp: FakeWhatsApp, engine: Engine
) -> None:
    me = whatsapp.add_account("15550001111", "Me Myself")
    bob = whatsapp.add_contact("15550002222", "Bob")
    companion = await engine.pair(whatsapp, me)

    sent = await engine.call("send_message", number(bob.phone), "again please")
    await bob.inbox.get()
    await whatsapp.retry_receipt(bob, companion, sent["ID"])
    again = await bob.inbox.get()
    await whatsapp.send_undecryptable(bob, companion, messages.text("at last"))
    message = await engine.message()

    assert (again.id, again.text, again.is_resend) == (sent["ID"], "again please", True)
    assert message["Message"]["conversation"] == "at last"
    assert [each.kind for each in whatsapp.receipts].count("retry") == 1
