"""The real engine against the fake WhatsApp: each side judges the other."""

import base64
from collections.abc import AsyncGenerator, Generator
from pathlib import Path

import anyio
import pytest

from tests.fakes.whatsapp_web import Conversation, FakeWhatsApp, Past, Reference, messages
from tests.fakes.whatsapp_web.engine import (
    Engine,
    Json,
    quick_folder,
    require_engine,
    running,
    start,
)
from tests.fakes.whatsapp_web.nodes import Node, decode, encode

IMAGE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
COMPOSING = {"enum": "ChatPresence.CHAT_PRESENCE_COMPOSING"}
TEXT = {"enum": "ChatPresenceMedia.CHAT_PRESENCE_MEDIA_TEXT"}


@pytest.fixture
def folder() -> Generator[Path]:
    with quick_folder() as folder:
        yield folder


@pytest.fixture
async def whatsapp(folder: Path) -> AsyncGenerator[FakeWhatsApp]:
    require_engine()
    async with FakeWhatsApp(folder / "tls") as whatsapp:
        yield whatsapp
        whatsapp.check()


@pytest.fixture
async def engine(whatsapp: FakeWhatsApp, folder: Path) -> AsyncGenerator[Engine]:
    async with running(whatsapp, folder / "engine.db") as engine:
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
    for text in ("hi all", "and again"):
        await whatsapp.send_text(carol, companion, text, group=group)
    said = [await engine.message() for _ in range(2)]
    await whatsapp.rename_by_other(group, bob, "The team")
    renamed = await engine.event("GroupInfoEvent")

    assert made["GroupName"]["Name"] == "Team"
    assert heard == ["hello team", "hello team"]
    assert [each["Message"]["conversation"] for each in said] == ["hi all", "and again"]
    assert said[0]["Info"]["MessageSource"]["IsGroup"]
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
    whatsapp: FakeWhatsApp, folder: Path
) -> None:
    me = whatsapp.add_account("15550001111", "Me Myself")
    bob = whatsapp.add_contact("15550002222", "Bob")
    async with running(whatsapp, folder / "engine.db") as engine:
        companion = await engine.pair(whatsapp, me)
        await engine.call("send_message", number(bob.phone), "bye")

    await whatsapp.until(lambda: not companion.online)
    await whatsapp.send_text(bob, companion, "while you were away")
    async with running(whatsapp, folder / "engine.db") as engine:
        message = await engine.message()

    assert message["Message"]["conversation"] == "while you were away"
    assert whatsapp.records.counts["registrations"] == 1


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

    assert await engine.logged("Client outdated (405)")
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


async def test_what_an_engine_did_not_confirm_comes_again(
    whatsapp: FakeWhatsApp, folder: Path
) -> None:
    me = whatsapp.add_account("15550001111", "Me Myself")
    bob = whatsapp.add_contact("15550002222", "Bob")
    async with running(whatsapp, folder / "engine.db") as engine:
        companion = await engine.pair(whatsapp, me)
        engine.freeze()
        await whatsapp.send_text(bob, companion, "are you there?")

    async with running(whatsapp, folder / "engine.db") as engine:
        message = await engine.message()

    assert message["Message"]["conversation"] == "are you there?"


async def test_refusals_reach_the_caller_and_a_lost_confirmation_does_not(
    whatsapp: FakeWhatsApp, engine: Engine
) -> None:
    me = whatsapp.add_account("15550001111", "Me Myself")
    bob = whatsapp.add_contact("15550002222", "Bob")
    await engine.pair(whatsapp, me)
    picture = {"base64": base64.b64encode(IMAGE).decode()}

    whatsapp.refuse_messages(463)
    with pytest.raises(RuntimeError, match="463"):
        await engine.call("send_message", number(bob.phone), "no")
    whatsapp.refuse_messages(None)
    whatsapp.fail_upload()
    with pytest.raises(RuntimeError, match="500"):
        await engine.call("send_image", number(bob.phone), picture)
    refused = list(bob.received)
    whatsapp.lose_acks(1)
    with pytest.raises(TimeoutError):
        await engine.call("send_message", number(bob.phone), "lost", timeout_s=0.5)

    assert refused == []
    assert [message.text for message in bob.received] == ["lost"]


async def test_a_lost_connection_comes_back_until_the_account_is_banned(
    whatsapp: FakeWhatsApp, engine: Engine
) -> None:
    me = whatsapp.add_account("15550001111", "Me Myself")
    companion = await engine.pair(whatsapp, me)

    whatsapp.drop_connection(companion)
    await engine.event("Disconnected")
    await engine.event("Connected")
    await whatsapp.restart_server(companion)
    await engine.event("Connected")
    await whatsapp.ban(me, 60)
    ban = await engine.event("TemporaryBan")

    assert whatsapp.records.counts["logins"] == 3
    assert 0 < int(ban["Expire"]) <= 60
    assert not companion.online


async def test_a_refused_login_logs_the_engine_out(whatsapp: FakeWhatsApp, engine: Engine) -> None:
    me = whatsapp.add_account("15550001111", "Me Myself")
    companion = await engine.pair(whatsapp, me)
    whatsapp.refuse_login(403)

    whatsapp.drop_connection(companion)
    out = await engine.event("LoggedOut")

    assert out["OnConnect"]


async def test_an_engine_that_logs_in_elsewhere_ends_the_older_connection(
    whatsapp: FakeWhatsApp, engine: Engine
) -> None:
    me = whatsapp.add_account("15550001111", "Me Myself")
    companion = await engine.pair(whatsapp, me)

    await whatsapp.replace(companion)
    await engine.event("StreamReplaced")

    await whatsapp.until(lambda: not companion.online)
    assert whatsapp.records.counts["logins"] == 1


async def test_the_owner_and_people_of_the_older_form_are_heard(
    whatsapp: FakeWhatsApp, engine: Engine
) -> None:
    me = whatsapp.add_account("15550001111", "Me Myself")
    bob = whatsapp.add_contact("15550002222", "Bob")
    old = whatsapp.add_contact("15550005555", "Old", lid_addressing=False)
    companion = await engine.pair(whatsapp, me)
    group = whatsapp.add_group("Old group", old, [me, bob], lid_addressing=False)

    await whatsapp.send_text(me, companion, "from my phone", chat=bob)
    own = await engine.message()
    await whatsapp.send_text(old, companion, "from a number")
    direct = await engine.message()
    await whatsapp.send_text(old, companion, "to all", group=group)
    grouped = await engine.message()
    await engine.call("send_message", {"jid": group.jid}, "hello group")
    heard = [(await peer.inbox.get()).text for peer in (old, bob)]
    await whatsapp.read_on_phone(me, bob, ["A", "B"])
    read = await engine.event("Receipt")

    assert own["Info"]["MessageSource"]["IsFromMe"]
    assert own["Info"]["MessageSource"]["Chat"]["User"] == bob.lid.split("@")[0]
    assert direct["Info"]["MessageSource"]["Chat"]["User"] == old.phone
    assert grouped["Info"]["MessageSource"]["Sender"]["User"] == old.phone
    assert heard == ["hello group", "hello group"]
    assert (read["Type"], read["MessageIDs"]) == ("READ_SELF", ["A", "B"])


async def test_names_pictures_and_presence_come_from_the_phone(
    whatsapp: FakeWhatsApp, engine: Engine
) -> None:
    me = whatsapp.add_account("15550001111", "Me Myself")
    bob = whatsapp.add_contact("15550002222", "Bob")
    companion = await engine.pair(whatsapp, me)

    await whatsapp.rename_contact(me, bob, "Robert Builder")
    await engine.eventually(
        lambda contact: contact["FullName"] == "Robert Builder",
        "contact.get_contact",
        number(bob.phone),
    )
    await whatsapp.set_picture(bob, IMAGE)
    await engine.event("Picture")
    picture = await engine.call("get_profile_picture", number(bob.phone))
    await whatsapp.presence(bob, companion, available=False, last_seen=1_700_000_000)
    presence = await engine.event("Presence")
    await engine.call("send_presence", {"enum": "Presence.AVAILABLE"})
    await engine.call("set_profile_name", "New name")
    found = await engine.call("is_on_whatsapp", bob.phone, "15559999999")

    assert whatsapp.cdn.blobs[picture["DirectPath"].split("?")[0]] == IMAGE
    assert (presence["Unavailable"], presence["LastSeen"]) == (True, "1700000000")
    assert companion.presence == "available"
    assert [each.value.pushNameSetting.name for each in whatsapp.app_state_writes] == ["New name"]
    assert [each["IsIn"] for each in found] == [True, False]


async def test_two_accounts_and_two_devices_of_one_hear_each_other(
    whatsapp: FakeWhatsApp, engine: Engine, folder: Path
) -> None:
    me = whatsapp.add_account("15550001111", "Me Myself")
    you = whatsapp.add_account("15550007777", "You")
    async with (
        running(whatsapp, folder / "second.db") as second,
        running(whatsapp, folder / "yours.db") as yours,
    ):
        for device, account in ((engine, me), (second, me), (yours, you)):
            await device.pair(whatsapp, account)

        await engine.call("send_message", number(you.phone), "to you")
        heard = [await device.message() for device in (yours, second)]
        await yours.call("send_message", number(me.phone), "to me")
        answered = [await device.message() for device in (engine, second)]

    assert [each["Message"]["extendedTextMessage"]["text"] for each in heard] == ["to you"] * 2
    assert [each["Info"]["MessageSource"]["IsFromMe"] for each in heard] == [False, True]
    assert [each["Message"]["extendedTextMessage"]["text"] for each in answered] == ["to me"] * 2


async def test_a_vote_can_be_read_by_who_asked_only(whatsapp: FakeWhatsApp, engine: Engine) -> None:
    me = whatsapp.add_account("15550001111", "Me Myself")
    bob = whatsapp.add_contact("15550002222", "Bob")
    companion = await engine.pair(whatsapp, me)
    id = await whatsapp.send_poll(bob, companion, "Tea?", ["yes", "no"])
    poll = await engine.message()

    vote = await engine.call("build_poll_vote", {"info": poll}, ["yes"])
    await engine.call("send_message", {"jid": bob.lid}, {"message": vote})
    received = await bob.inbox.get()
    chosen = messages.votes(
        received.message,
        ["yes", "no"],
        poll=Reference(id, bob.lid),
        secret=bytes(whatsapp.sent[id].message.messageContextInfo.messageSecret),
        author=bob.lid,
        voter=me.lid,
    )

    assert chosen == ["yes"]


async def test_other_hosts_are_out_of_reach(whatsapp: FakeWhatsApp) -> None:
    port = int(whatsapp.proxy_url.rpartition(":")[2])

    async with await anyio.connect_tcp("127.0.0.1", port) as stream:
        await stream.send(b"CONNECT example.org:443 HTTP/1.1\r\n\r\n")
        answer = await stream.receive()

    assert answer.startswith(b"HTTP/1.1 502 ")


def test_it_ends_with_an_engine_at_work_and_begins_again_in_another_loop(folder: Path) -> None:
    require_engine()

    async def once(name: str) -> bool:
        async with FakeWhatsApp(folder / name) as whatsapp:
            process = await start(whatsapp, folder / f"{name}.db")
            await whatsapp.until(lambda: whatsapp.refs)
        alive = process.returncode is None
        process.kill()
        await process.aclose()
        return alive

    assert [anyio.run(once, name) for name in ("first", "second")] == [True, True]


async def test_its_own_faults_fail_the_test(tmp_path: Path) -> None:
    whatsapp = FakeWhatsApp(tmp_path)
    await whatsapp.__aenter__()
    whatsapp.errors.append(ValueError("a fault"))

    with pytest.raises(ExceptionGroup, match="the fake WhatsApp failed"):
        await whatsapp.__aexit__(None, None, None)


@pytest.mark.parametrize(
    "node",
    [
        Node("message", {"from": "15550001111:3@s.whatsapp.net", "notify": "cafe", "t": 1}),
        Node("iq", {"to": "@s.whatsapp.net", "id": "12-3"}, [Node("list", None, [])]),
        Node("enc", {"jid": "123@lid", "group": "12036304@g.us"}, bytes(70_000)),
        Node("enc", None, bytes(1 << 20)),
        Node("list", None, [Node("item", {"n": each}) for each in range(300)]),
    ],
    ids=lambda node: node.tag,
)
def test_nodes_survive_the_wire(node: Node) -> None:
    assert decode(encode(node)) == node
