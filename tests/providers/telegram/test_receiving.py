"""What arrives, from the fake's people into the store."""

from contextlib import suppress
from pathlib import Path

import pytest

from messengers.clock import SystemClock
from messengers.core.callers import OWNER
from messengers.errors import InvalidInput, PlatformRefused, Unsupported
from messengers.models import Attachment, Lifecycle, Message
from messengers.providers.base import MessageSeen
from messengers.providers.telegram import files
from messengers.providers.telegram.calls import Calls
from messengers.providers.telegram.pace import Pace
from messengers.providers.telegram.wire import Wire
from tests.fakes.telegram import FakeTelegram
from tests.fakes.telegram.faults import Answer, Fault
from tests.providers.telegram.conftest import AGENT, Connected, OpenCore, answering, connected_bot

MB = 1024 * 1024


async def content(shop: Connected, message: Message, index: int = 0) -> bytes:
    return (await shop.core.media.content(AGENT, message.id, index)).data


async def test_start_opens_a_chat_with_its_payload(shop: Connected) -> None:
    ada = shop.somebody(started=False)

    shop.telegram.start(ada, shop.bot, "from_the_poster")

    heard = await shop.heard(ada.id, "/start from_the_poster")
    chat = await shop.chat(ada.id)
    assert (chat.kind, chat.name, chat.id) == ("dm", "Ada", heard.chat)


@pytest.mark.parametrize(
    ("kind", "shown"),
    [
        ("photo", "image"),
        ("document", "document"),
        ("audio", "audio"),
        ("voice", "voice"),
        ("video", "video"),
        ("animation", "gif"),
        ("video_note", "video"),
        ("sticker", "sticker"),
    ],
)
async def test_a_file_of_each_kind_can_be_fetched(shop: Connected, kind: str, shown: str) -> None:
    ada = shop.somebody()
    shop.telegram.send(ada, shop.bot, kind)

    heard = await shop.message(ada.id, lambda message: message.attachments)
    again = await content(shop, heard), await content(shop, heard)

    assert heard.attachments[0].kind == shown
    assert again[0]
    assert again[0] == again[1]
    assert len(shop.telegram.asked("getFile")) == 1


async def test_an_album_is_joined_and_its_caption_stands_at_the_first(shop: Connected) -> None:
    ada = shop.somebody()
    shop.telegram.send_album(ada, shop.bot, ["photo", "video"], "two of them")

    last = await shop.message(ada.id, lambda message: "video" in message.attachments[0].kind)
    first = await shop.heard(ada.id, "two of them")

    assert first.album == last.album != ""


def attachment(size: int | None = None) -> Attachment:
    return Attachment(kind="document", native_ref="file", size_bytes=size)


async def test_what_telegram_gives_no_bot_is_said_without_asking(
    telegram: FakeTelegram,
) -> None:
    bot = telegram.add_bot("shop_bot")
    async with Wire(bot.token, telegram.url) as wire:
        calls = Calls(wire, Pace(SystemClock()), SystemClock())
        with pytest.raises(Unsupported, match="20 MB"):
            await files.fetched(calls, attachment(21 * MB), 100 * MB, own_server=False)
        assert telegram.asked("getFile") == []

        telegram.fail_next("getFile", 400, "Bad Request: file is too big")
        with pytest.raises(Unsupported, match="20 MB"):
            await files.fetched(calls, attachment(), 100 * MB, own_server=False)


async def test_more_bytes_than_are_kept_are_not_taken(shop: Connected) -> None:
    ada = shop.somebody()
    shop.telegram.send(ada, shop.bot, "document", b"%PDF-" + bytes(5_000))
    heard = await shop.message(ada.id, lambda message: message.attachments)

    with pytest.raises(InvalidInput):
        await shop.provider.download(heard.attachments[0], 1_000)


@pytest.mark.case("S38b")
async def test_a_path_that_the_server_names_stays_a_path_of_a_file() -> None:
    token = "123456789:AAFakeFakeFakeFakeFakeFakeFakeFakeF"
    paths = ["documents/a b?x=%2e#.pdf", "../../getMe", "/etc//passwd", "documents/.."]
    for path in paths:
        found = {"file_id": "f", "file_unique_id": "u", "file_path": path}
        async with answering([found, "bytes"]) as server, Wire(token, server.url) as wire:
            calls = Calls(wire, Pace(SystemClock()), SystemClock())
            with suppress(PlatformRefused):
                await files.fetched(calls, attachment(), MB, own_server=False)
            asked = [line for line in server.asked if "getFile" not in line]
            wanted = f"GET /file/bot{token}/documents/a%20b%3Fx%3D%252e%23.pdf HTTP/1.1"
            assert asked == ([wanted] if path is paths[0] else [])


async def test_a_file_that_is_gone_is_no_bad_token(telegram: FakeTelegram) -> None:
    bot = telegram.add_bot("shop_bot")
    found = {"file_id": "f", "file_unique_id": "u", "file_path": "documents/gone.pdf"}
    telegram.faults.add(Fault("getFile", answer=Answer(200, {"ok": True, "result": found})))

    async with Wire(bot.token, telegram.url) as wire:
        calls = Calls(wire, Pace(SystemClock()), SystemClock())
        with pytest.raises(PlatformRefused, match="no longer"):
            await files.fetched(calls, attachment(), MB, own_server=False)


async def test_a_server_of_ones_own_gives_its_files_from_the_disk(
    telegram: FakeTelegram, tmp_path: Path
) -> None:
    bot = telegram.add_bot("shop_bot")
    kept, link = tmp_path / "kept.bin", tmp_path / "link.bin"
    kept.write_bytes(b"12345")
    link.symlink_to(kept)

    async def fetched(path: Path, max_bytes: int = MB) -> bytes:
        body = {"file_id": "f", "file_unique_id": "u", "file_path": str(path)}
        telegram.faults.add(Fault("getFile", answer=Answer(200, {"ok": True, "result": body})))
        async with Wire(bot.token, telegram.url) as wire:
            calls = Calls(wire, Pace(SystemClock()), SystemClock())
            return await files.fetched(calls, attachment(90 * MB), max_bytes, own_server=True)

    assert await fetched(kept) == b"12345"
    for path in (link, tmp_path, tmp_path / "gone"):
        with pytest.raises(PlatformRefused):
            await fetched(path)
    with pytest.raises(InvalidInput):
        await fetched(kept, max_bytes=4)


async def test_an_edit_a_reaction_and_a_place_that_moves(shop: Connected) -> None:
    ada = shop.somebody()
    group = shop.telegram.add_supergroup("Bakers", ada, shop.bot)
    shop.telegram.promote(group, ada, shop.bot)
    written = shop.telegram.write(ada, group, "one")
    place = shop.telegram.send_location(ada, group, 1.0, 2.0, live_period=900)
    first = await shop.heard(group.id, "one")

    shop.telegram.edit(written, "two")
    shop.telegram.react(ada, written, "🔥")
    shop.telegram.move(place, 3.0, 4.0)

    await shop.heard(group.id, "Live location: 3.000000, 4.000000")
    edited = await shop.message(group.id, lambda message: message.reactions)
    assert (edited.id, edited.text, edited.status) == (first.id, "two", "edited")
    assert [(each.emoji, each.by) for each in edited.reactions] == [("🔥", (str(ada.id),))]


async def test_a_topic_has_a_chat_under_its_group_and_reactions_find_it(shop: Connected) -> None:
    ada = shop.somebody()
    forum = shop.telegram.add_supergroup("Bakers", ada, shop.bot, is_forum=True)
    shop.telegram.promote(forum, ada, shop.bot)
    shop.telegram.write(ada, forum, "to all")
    topic = shop.telegram.create_topic(forum, ada, "Ovens")
    written = shop.telegram.write(ada, forum, "hot?", topic=topic.id)
    heard = await shop.heard(f"{forum.id}:{topic.id}", "hot?")

    shop.telegram.react(ada, written, "👍")
    shop.telegram.rename_topic(forum, ada, topic, "Stoves")

    reacted = await shop.message(f"{forum.id}:{topic.id}", lambda message: message.reactions)
    group, thread = await shop.chat(forum.id), await shop.chat(f"{forum.id}:{topic.id}")
    assert reacted.id == heard.id
    assert (thread.kind, thread.parent) == ("thread", group.id)
    renamed = await shop.heard(f"{forum.id}:{topic.id}", "(the topic is called Stoves now)")
    assert (await shop.chat(f"{forum.id}:{topic.id}")).name == "Bakers · Stoves"
    assert renamed.marks == ("service",)


async def test_a_group_keeps_its_id_when_it_becomes_a_supergroup(shop: Connected) -> None:
    ada = shop.somebody()
    group = shop.telegram.add_group("Bakers", ada, shop.bot)
    shop.telegram.write(ada, group, "before")
    before = await shop.heard(group.id, "before")

    moved = shop.telegram.migrate(group)
    for number in range(5):  # their ids begin again at one
        shop.telegram.write(ada, moved, f"after {number}")

    after = await shop.heard(moved.id, "after 4")
    texts = [each.text for each in await shop.messages(moved.id)]
    assert after.chat == before.chat
    assert texts == [
        *("before", "(the group became a supergroup)", "(the group became a supergroup)"),
        *(f"after {number}" for number in range(5)),
    ]


async def test_joins_leaves_and_admins_are_lines_that_wait_for_no_answer(shop: Connected) -> None:
    ada, bob = shop.somebody("Ada"), shop.somebody("Bob")
    group = shop.telegram.add_supergroup("Bakers", ada)

    shop.telegram.invite(group, ada, shop.bot)
    shop.telegram.promote(group, ada, shop.bot)
    shop.telegram.join(group, bob)
    shop.telegram.leave(group, bob)
    await shop.heard(group.id, "(Bob left)")

    told = [each.text for each in await shop.messages(group.id)]
    assert told == [
        "(Ada added this bot)",
        "(this bot is now an admin, by Ada)",
        "(Bob joined)",
        "(Bob left)",
    ]
    assert (await shop.chat(group.id)).unread == 0


async def test_posts_of_a_channel_are_its_own(shop: Connected) -> None:
    eve = shop.somebody("Eve")
    news = shop.telegram.add_channel("News", eve, shop.bot)

    shop.telegram.write(eve, news, "fresh bread")

    heard = await shop.heard(news.id, "fresh bread")
    assert (await shop.chat(news.id)).kind == "channel"
    assert heard.sender.display_name == "News"


async def test_of_a_business_account_both_sides_are_kept_apart_from_the_bots_own_chat(
    shop: Connected,
) -> None:
    owner, ada = shop.somebody("Owner"), shop.somebody("Ada")
    connection = shop.telegram.connect_business(owner, shop.bot)
    question = shop.telegram.write_business(connection, ada, "open?")
    answer = shop.telegram.write_business(connection, ada, "until six", by_owner=True)
    chat = f"business:{connection.id}:{ada.id}"
    await shop.heard(chat, "until six")

    shop.telegram.edit_business(connection, question, "open today?")
    shop.telegram.delete_business(connection, answer)

    await shop.message(chat, lambda message: message.status == "deleted")
    kept = [(each.direction, each.status, each.text) for each in await shop.messages(chat)]
    assert kept == [("in", "edited", "open today?"), ("out", "deleted", "")]
    assert [each.text for each in await shop.messages(ada.id)] == ["/start"]


async def test_in_privacy_mode_a_group_tells_the_bot_what_is_meant_for_it(
    telegram: FakeTelegram, reopen: OpenCore
) -> None:
    bot = telegram.add_bot("quiet_bot", can_join_groups=True)
    async with connected_bot(telegram, reopen, bot=bot) as shop:
        ada = shop.somebody()
        group = telegram.add_supergroup("Bakers", ada, bot)
        telegram.write(ada, group, "nothing for bots")
        telegram.write(ada, group, "@quiet_bot hello")

        heard = await shop.heard(group.id, "@quiet_bot hello")

        assert heard.mentions_me
        assert [each.text for each in await shop.messages(group.id)] == ["@quiet_bot hello"]
        assert "Privacy mode is on" in shop.entry.health.reason


async def test_what_came_while_the_daemon_was_off_comes_in_its_order(
    telegram: FakeTelegram, reopen: OpenCore
) -> None:
    async with connected_bot(telegram, reopen) as shop:
        ada, bot = shop.somebody(), shop.bot
        await shop.heard(ada.id, "/start")
    for number in range(3):
        telegram.write(ada, bot, f"missed {number}")
    async with reopen() as core:
        shop = Connected(telegram, core, bot)
        await shop.heard(ada.id, "missed 2")

        texts = [each.text for each in await shop.messages(ada.id)]
        assert texts == ["/start", "missed 0", "missed 1", "missed 2"]
        await shop.reaches(Lifecycle.CONNECTED)


async def test_who_wrote_first_may_be_answered_and_a_group_needs_the_owner(
    telegram: FakeTelegram, reopen: OpenCore
) -> None:
    async with connected_bot(telegram, reopen) as shop:
        await shop.core.instances.set_policy(OWNER, shop.name, confirm="unknown_chats")
        ada = shop.somebody()
        group = telegram.add_supergroup("Bakers", ada, shop.bot)
        telegram.write(ada, group, "hi")
        await shop.heard(group.id, "hi")

        answered, held = await shop.send(ada, "hello"), await shop.send(group, "hello all")

    assert answered.outcome == "accepted"
    assert held.outcome == "needs_approval"


async def test_a_stored_update_means_the_same_each_time(shop: Connected) -> None:
    payload = (
        b'{"update_id":7,"message":{"message_id":1,"date":1780000000,"text":"hi",'
        b'"chat":{"id":5,"type":"private","first_name":"Ada"},'
        b'"from":{"id":5,"is_bot":false,"first_name":"Ada"}},'
        b'"messengers":{"at":1780000001.5,"me":7,"name":"shop_bot"}}'
    )

    first, second = (shop.provider.translate("message", payload) for _ in range(2))

    assert first == second
    assert [each.text for each in first if isinstance(each, MessageSeen)] == ["hi"]
