"""What arrives, from the fake's people into the store."""

import pytest

from messengers.core.callers import OWNER
from tests.fakes.slack import FakeSlack
from tests.providers.slack.conftest import Connected


async def test_a_direct_message_is_a_chat_with_the_person(work: Connected) -> None:
    work.slack.write(work.grace, work.bot, "hello &amp; <https://a.example|good day>")

    heard = await work.heard(work.grace.id, "hello & [good day](https://a.example)")
    chat = await work.chat(work.grace.id)
    assert (chat.kind, chat.name, chat.username) == ("dm", "Grace Hopper", "grace")
    assert (heard.sender.native_id, heard.direction, heard.mentions_me) == (
        work.grace.id,
        "in",
        False,
    )


async def test_a_channel_is_a_chat_with_its_name_and_a_mention_is_one_message(
    work: Connected,
) -> None:
    work.slack.write(work.grace, work.team, f"<@{work.bot.user.id}> look in <#{work.team.id}>")
    work.slack.write(work.grace, work.team, "last")

    await work.heard(work.team.id, "last")
    first, _ = await work.messages(work.team.id)
    chat = await work.chat(work.team.id)
    assert (chat.kind, chat.name) == ("group", "#team")
    assert (first.text, first.mentions_me) == ("@Helper look in #team", True)


async def test_people_are_asked_for_once_and_never_all_at_once(work: Connected) -> None:
    for number in range(3):
        work.slack.write(work.grace, work.team, f"number {number}")

    await work.heard(work.team.id, "number 2")

    assert len(work.slack.asked("users.info")) == 1
    assert work.slack.asked("users.list") == []
    assert work.slack.asked("conversations.list") == []


async def test_a_thread_s_answers_name_their_thread(work: Connected) -> None:
    first = work.slack.write(work.grace, work.team, "who comes?")
    await work.heard(work.team.id, "who comes?")
    work.slack.write(work.grace, work.team, "I do", thread=first)

    answer = await work.heard(work.team.id, "I do")
    question = await work.heard(work.team.id, "who comes?")
    assert (answer.thread, answer.reply_to) == (first.ts, question.id)


async def test_an_edit_a_deletion_and_a_preview(work: Connected) -> None:
    message = work.slack.write(work.grace, work.team, "at five <https://a.example>")
    other = work.slack.write(work.grace, work.team, "nonsense")
    await work.heard(work.team.id, "nonsense")

    work.slack.unfurl(message, {"title": "A page", "from_url": "https://a.example"})
    work.slack.edit(message, "at *six* <https://a.example>")
    work.slack.delete(other)

    edited = await work.heard(work.team.id, "at **six** https://a.example")
    gone = await work.message(work.team.id, lambda each: each.status == "deleted")
    assert edited.status == "edited"
    assert gone.native_id == other.ts
    kinds = [each.kind for _, each in await work.core.events.since(OWNER, 0)]
    assert kinds.count("message.edited") == 1


async def test_a_message_with_answers_is_deleted_too(work: Connected) -> None:
    first = work.slack.write(work.grace, work.team, "who comes?")
    work.slack.write(work.grace, work.team, "I do", thread=first)
    await work.heard(work.team.id, "I do")

    work.slack.delete(first)

    gone = await work.message(work.team.id, lambda each: each.status == "deleted")
    assert gone.native_id == first.ts


async def test_what_the_app_shows_between_messages_counts_as_nobody_s_word(
    work: Connected,
) -> None:
    alan = work.slack.add_user(work.acme, "alan", "Alan Turing")

    work.slack.join(work.team, alan)

    joined = await work.message(work.team.id, lambda each: "service" in each.marks)
    assert joined.text == "@Alan Turing has joined the channel"
    assert (await work.chat(work.team.id)).unread == 0


async def test_another_name_is_taken_over(work: Connected) -> None:
    work.slack.write(work.grace, work.team, "hello")
    await work.heard(work.team.id, "hello")

    work.slack.rename(work.team, work.grace, "crew")
    work.slack.change_user(work.grace, display_name="Amazing Grace")
    work.slack.write(work.grace, work.team, "again")

    again = await work.heard(work.team.id, "again")
    assert again.sender.display_name == "Amazing Grace"
    assert (await work.chat(work.team.id)).name == "#crew"


async def test_a_conversation_of_several_is_named_by_the_others(work: Connected) -> None:
    alan = work.slack.add_user(work.acme, "alan", "Alan Turing")
    several = work.slack.dm(work.grace, alan, work.bot)

    work.slack.write(work.grace, several, "hello you two")

    await work.heard(several.id, "hello you two")
    chat = await work.chat(several.id)
    assert chat.kind == "group"
    assert sorted(chat.name.split(", ")) == ["alan", "grace"]


@pytest.mark.case("S49")
async def test_an_event_that_comes_again_is_one_message(work: Connected) -> None:
    work.slack.write(work.grace, work.team, "once")
    await work.heard(work.team.id, "once")
    delivery = work.slack.line(work.bot).deliveries[-1]

    work.slack.repeat(work.bot.app, delivery)
    work.slack.write(work.grace, work.team, "last")

    await work.heard(work.team.id, "last")
    assert [each.text for each in await work.messages(work.team.id)] == ["once", "last"]


async def test_every_event_is_acknowledged(slack: FakeSlack, work: Connected) -> None:
    work.slack.write(work.grace, work.team, "hello")
    slack.inject(work.bot, {"type": "brand_new_thing", "weather": ["sun"]})
    slack.inject(work.bot, {"type": "message", "channel": 7, "ts": None})

    await slack.until(lambda: all(each.acked for each in slack.line(work.bot).deliveries))
    await work.heard(work.team.id, "hello")
