"""Groups, supergroups with topics and channels of the fake Telegram, and what bots do there."""

import pytest
from aiogram.exceptions import (
    TelegramBadRequest,
    TelegramForbiddenError,
    TelegramMigrateToChat,
)
from aiogram.types import BufferedInputFile, ChatMemberUpdated, ChatPermissions, Update

from tests.fakes.telegram import Bot, FakeTelegram, User
from tests.fakes.telegram.clients import Client, heard
from tests.fakes.telegram.files import PICTURE


def kinds(updates: list[Update]) -> list[str]:
    """Of each update, or of the message in it."""
    return [each.message.content_type if each.message else each.event_type for each in updates]


def parts(update: Update) -> tuple[str, str]:
    """Of a change of membership: what somebody was, and is."""
    change = update.event
    assert isinstance(change, ChatMemberUpdated)
    return change.old_chat_member.status, change.new_chat_member.status


async def test_a_bot_is_brought_into_a_group_promoted_and_put_out(
    telegram: FakeTelegram, shop: Bot, ada: User, client: Client
) -> None:
    group = telegram.add_group("Team", ada)
    telegram.invite(group, ada, shop)
    telegram.promote(group, ada, shop)
    telegram.demote(group, ada, shop)
    telegram.kick(group, ada, shop)

    updates = await heard(client)

    assert kinds(updates) == [
        "my_chat_member",
        "new_chat_members",
        "my_chat_member",
        "my_chat_member",
        "left_chat_member",
        "my_chat_member",
    ]
    assert [parts(each) for each in updates if each.my_chat_member] == [
        ("left", "member"),
        ("member", "administrator"),
        ("administrator", "member"),
        ("member", "kicked"),
    ]
    with pytest.raises(TelegramForbiddenError, match="bot was kicked from the group chat"):
        await client.send_message(group.id, "hello?")


async def test_people_come_and_go(
    telegram: FakeTelegram, shop: Bot, ada: User, client: Client
) -> None:
    group = telegram.add_supergroup("Team", ada, shop)
    bob, eve = telegram.add_user("Bob"), telegram.add_user("Eve")
    telegram.join(group, bob)
    telegram.promote(group, ada, shop, ["can_invite_users"])
    telegram.invite(group, ada, eve)
    telegram.ask_to_join(group, telegram.add_user("Mallory"))
    telegram.restrict(group, ada, eve)
    telegram.leave(group, bob)
    telegram.kick(group, ada, eve)

    assert kinds(await heard(client)) == [
        "new_chat_members",
        "my_chat_member",
        "chat_member",
        "new_chat_members",
        "chat_join_request",
        "chat_member",
        "left_chat_member",
        "chat_member",
        "left_chat_member",
        "chat_member",
    ]


async def test_a_chat_changes_its_looks(
    telegram: FakeTelegram, shop: Bot, ada: User, client: Client
) -> None:
    group = telegram.create_group("Team", ada, shop)
    telegram.rename(group, ada, "The team")
    telegram.change_photo(group, ada)
    telegram.delete_photo(group, ada)
    telegram.pin(telegram.write(ada, group, "rules"), ada)
    telegram.post_service(group, ada, {"video_chat_started": {}})

    updates = await heard(client)

    assert kinds(updates) == [
        "my_chat_member",
        "group_chat_created",
        "new_chat_title",
        "new_chat_photo",
        "delete_chat_photo",
        "text",
        "pinned_message",
        "video_chat_started",
    ]


async def test_a_group_moves_to_a_supergroup(
    telegram: FakeTelegram, shop: Bot, ada: User, client: Client
) -> None:
    group = telegram.add_group("Team", ada, shop)
    upgraded = telegram.migrate(group)

    left, arrived = await heard(client)
    with pytest.raises(TelegramMigrateToChat) as moved:
        await client.send_message(group.id, "hello")
    await client.send_message(upgraded.id, "hello")

    assert left.message
    assert (left.message.chat.id, left.message.migrate_to_chat_id) == (group.id, upgraded.id)
    assert arrived.message
    assert (arrived.message.chat.id, arrived.message.migrate_from_chat_id) == (
        upgraded.id,
        group.id,
    )
    assert moved.value.migrate_to_chat_id == upgraded.id


async def test_topics_are_opened_written_in_and_closed(
    telegram: FakeTelegram, shop: Bot, ada: User, client: Client
) -> None:
    forum = telegram.add_supergroup("Forum", ada, shop, is_forum=True)
    topic = telegram.create_topic(forum, ada, "Tea")
    telegram.write(ada, forum, "Earl Grey", topic=topic.id)
    telegram.write(ada, forum, "in General")
    telegram.rename_topic(forum, ada, topic, "Teas")
    telegram.close_topic(forum, ada, topic)
    telegram.reopen_topic(forum, ada, topic)
    telegram.hide_general_topic(forum, ada)

    messages = [each.message for each in await heard(client) if each.message]

    assert [each.content_type for each in messages] == [
        "forum_topic_created",
        "text",
        "text",
        "forum_topic_edited",
        "forum_topic_closed",
        "forum_topic_reopened",
        "general_forum_topic_hidden",
    ]
    assert [each.message_thread_id for each in messages[:3]] == [topic.id, topic.id, None]
    assert [each.is_topic_message for each in messages[:3]] == [True, True, None]


async def test_a_bot_writes_in_topics_that_are_there(
    telegram: FakeTelegram, shop: Bot, ada: User, client: Client
) -> None:
    forum = telegram.add_supergroup("Forum", ada, shop, is_forum=True)
    telegram.promote(forum, ada, shop)
    made = await client.create_forum_topic(forum.id, "News")

    sent = await client.send_message(forum.id, "hello", message_thread_id=made.message_thread_id)
    await client.edit_forum_topic(forum.id, made.message_thread_id, name="Old news")
    await client.close_forum_topic(forum.id, made.message_thread_id)

    assert sent.message_thread_id == made.message_thread_id
    assert forum.topics[made.message_thread_id].closed
    for number in (1, 999):
        with pytest.raises(TelegramBadRequest, match="message thread not found"):
            await client.send_message(forum.id, "hello", message_thread_id=number)


async def test_replies_in_a_plain_supergroup_have_a_thread_and_no_topic(
    telegram: FakeTelegram, shop: Bot, ada: User, client: Client
) -> None:
    group = telegram.add_supergroup("Team", ada, shop)
    first = telegram.write(ada, group, "question")

    answer = await client.send_message(group.id, "answer", reply_to_message_id=None)
    telegram.write(ada, group, "reply", reply_to=first)
    _, reply = await heard(client)

    assert answer.message_thread_id is None
    assert reply.message
    assert (reply.message.message_thread_id, reply.message.is_topic_message) == (first.id, None)


async def test_who_may_not_write_is_told_why(
    telegram: FakeTelegram, shop: Bot, ada: User, client: Client
) -> None:
    away = telegram.add_supergroup("Away", ada, username="away")
    mute = telegram.add_supergroup("Mute", ada, shop)
    mute.permissions = frozenset({"can_send_messages"})
    telegram.restrict(telegram.add_supergroup("Strict", ada, shop), ada, shop)
    strict = next(chat for chat in telegram.chats.values() if chat.title == "Strict")
    news = telegram.add_channel("News", ada)
    telegram.promote(news, ada, shop, [])

    async def refusal(chat_id: int) -> str:
        with pytest.raises((TelegramBadRequest, TelegramForbiddenError)) as refused:
            await client.send_message(chat_id, "hi")
        return refused.value.message

    assert await refusal(away.id) == "Forbidden: bot is not a member of the supergroup chat"
    assert await refusal(strict.id) == (
        "Bad Request: not enough rights to send text messages to the chat"
    )
    assert await refusal(news.id) == "Bad Request: need administrator rights in the channel chat"
    assert await refusal(-1009999999999) == "Bad Request: chat not found"
    with pytest.raises(TelegramBadRequest, match="not enough rights to send photos to the chat"):
        await client.send_photo(mute.id, BufferedInputFile(PICTURE, "a.jpg"))


async def test_a_bot_runs_a_supergroup(
    telegram: FakeTelegram, shop: Bot, ada: User, client: Client
) -> None:
    bob = telegram.add_user("Bob")
    group = telegram.add_supergroup("Team", ada, shop, bob)
    telegram.promote(group, ada, shop)

    await client.set_chat_title(group.id, "The team")
    await client.set_chat_description(group.id, "All of us")
    await client.set_chat_photo(group.id, BufferedInputFile(PICTURE, "team.jpg"))
    await client.promote_chat_member(group.id, bob.id, can_pin_messages=True)
    await client.set_chat_administrator_custom_title(group.id, bob.id, "Chief")
    administrators = await client.get_chat_administrators(group.id)
    await client.promote_chat_member(group.id, bob.id)
    await client.restrict_chat_member(group.id, bob.id, ChatPermissions(can_send_messages=False))
    restricted = await client.get_chat_member(group.id, bob.id)
    await client.ban_chat_member(group.id, bob.id)
    await client.unban_chat_member(group.id, bob.id, only_if_banned=True)
    chat = await client.get_chat(group.id)

    assert {each.user.id for each in administrators} == {ada.id, shop.id, bob.id}
    assert restricted.status == "restricted"
    assert (await client.get_chat_member(group.id, bob.id)).status == "left"
    assert await client.get_chat_member_count(group.id) == 2
    assert (chat.title, chat.description) == ("The team", "All of us")
    assert chat.photo
    photo = await client.download(chat.photo.big_file_id)
    assert photo
    assert photo.read() == PICTURE
    await client.delete_chat_photo(group.id)
    await client.leave_chat(group.id)
    assert not group.member(shop).present


async def test_invitations_are_made_and_taken_back(
    telegram: FakeTelegram, shop: Bot, ada: User, client: Client
) -> None:
    group = telegram.add_supergroup("Team", ada, shop)
    with pytest.raises(TelegramBadRequest, match="not enough rights to manage chat invite link"):
        await client.create_chat_invite_link(group.id)
    telegram.promote(group, ada, shop)

    primary = await client.export_chat_invite_link(group.id)
    made = await client.create_chat_invite_link(group.id, name="door", member_limit=3)
    revoked = await client.revoke_chat_invite_link(group.id, made.invite_link)

    assert (await client.get_chat(group.id)).invite_link == primary
    assert (made.name, made.member_limit, made.is_revoked) == ("door", 3, False)
    assert revoked.is_revoked


async def test_what_a_bot_does_to_a_chat_comes_back_to_it(
    telegram: FakeTelegram, shop: Bot, ada: User, client: Client
) -> None:
    group = telegram.add_supergroup("Team", ada, shop)
    telegram.promote(group, ada, shop)
    await heard(client)
    message = await client.send_message(group.id, "rules")

    await client.pin_chat_message(group.id, message.message_id)
    await client.set_chat_title(group.id, "The team")
    pinned = (await client.get_chat(group.id)).pinned_message
    await client.unpin_chat_message(group.id, message_id=message.message_id)

    assert kinds(await heard(client)) == ["pinned_message", "new_chat_title"]
    assert pinned
    assert pinned.message_id == message.message_id
    assert group.pinned == []


async def test_a_bot_posts_in_a_channel(
    telegram: FakeTelegram, shop: Bot, ada: User, client: Client
) -> None:
    news = telegram.add_channel("News", ada, shop, username="news")

    post = await client.send_message("@news", "extra")
    await client.edit_message_text("extra!", chat_id=news.id, message_id=post.message_id)

    assert (post.from_user, post.sender_chat and post.sender_chat.id) == (None, news.id)
    assert [message.text for message in shop.sent(news)] == ["extra!"]
    assert await heard(client) == []


async def test_a_bot_lets_people_in(
    telegram: FakeTelegram, shop: Bot, ada: User, client: Client
) -> None:
    bob, eve = telegram.add_user("Bob"), telegram.add_user("Eve")
    group = telegram.add_supergroup("Team", ada, shop)
    telegram.promote(group, ada, shop)
    for user in (bob, eve):
        telegram.ask_to_join(group, user)

    await client.approve_chat_join_request(group.id, bob.id)
    await client.decline_chat_join_request(group.id, eve.id)

    assert group.member(bob).present
    assert not group.member(eve).present
    with pytest.raises(TelegramBadRequest, match="HIDE_REQUESTER_MISSING"):
        await client.approve_chat_join_request(group.id, eve.id)


async def test_the_general_topic_is_renamed_and_closed(
    telegram: FakeTelegram, shop: Bot, ada: User, client: Client
) -> None:
    forum = telegram.add_supergroup("Forum", ada, shop, is_forum=True)
    telegram.promote(forum, ada, shop)
    await heard(client)

    await client.edit_general_forum_topic(forum.id, "Lobby")
    await client.close_general_forum_topic(forum.id)
    await client.reopen_general_forum_topic(forum.id)

    assert (forum.topics[1].name, forum.topics[1].closed) == ("Lobby", False)
    assert kinds(await heard(client)) == [
        "forum_topic_edited",
        "forum_topic_closed",
        "forum_topic_reopened",
    ]
