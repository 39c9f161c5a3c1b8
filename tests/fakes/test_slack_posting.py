"""What apps post to the fake Slack, change and read again."""

import pytest

from tests.fakes.slack import Bot, Channel, FakeSlack, User, Workspace
from tests.fakes.slack.clients import Client, Ear, client_of
from tests.fakes.slack.specification import needs_specification

BUTTON = {"type": "button", "action_id": "yes", "text": {"type": "plain_text", "text": "Yes"}}
ROW = {"type": "actions", "block_id": "row", "elements": [BUTTON]}


async def test_mentions_call_people_and_escaped_ones_do_not(
    slack: FakeSlack, helper: Bot, grace: User, team: Channel, web: Client
) -> None:
    await web.ask(
        "chat.postMessage", channel=team.id, text=f"<@{grace.id}> <!here> in <#{team.id}>"
    )
    await web.ask("chat.postMessage", channel=team.id, text="&lt;!channel&gt; @here")

    loud, quiet = helper.sent(team)
    assert (loud.shown, loud.called) == ("@Grace Hopper @here in #team", {grace.id, "here"})
    assert (quiet.shown, quiet.called) == ("<!channel> @here", set())


async def test_a_message_keeps_how_it_was_asked_for(
    helper: Bot, team: Channel, web: Client
) -> None:
    metadata = {"event_type": "sent", "event_payload": {"key": "k1"}}
    answer = await web.ask(
        "chat.postMessage",
        channel=team.id,
        text="hi",
        blocks=[ROW],
        unfurl_links=False,
        metadata=metadata,
    )

    (message,) = helper.sent()
    assert message.options == {"unfurl_links": False}
    assert [each["text"]["text"] for each in message.buttons] == ["Yes"]
    assert (message.metadata, answer["message"]["blocks"]) == (metadata, [ROW])


async def test_an_apps_own_data_comes_back_when_asked_for(team: Channel, web: Client) -> None:
    metadata = {"event_type": "sent", "event_payload": {"key": "k1"}}
    await web.ask("chat.postMessage", channel=team.id, text="hi", metadata=metadata)

    plain = await web.ask("conversations.history", channel=team.id)
    whole = await web.ask("conversations.history", channel=team.id, include_all_metadata=True)

    assert plain["messages"][0]["metadata"] == {"event_type": "sent"}
    assert whole["messages"][0]["metadata"] == metadata


async def test_a_bot_writes_to_a_person_under_another_name(
    slack: FakeSlack, helper: Bot, grace: User, web: Client
) -> None:
    answer = await web.ask(
        "chat.postMessage", channel=grace.id, text="hi", username="Santa", icon_emoji=":santa:"
    )

    assert answer["channel"] == slack.dm(helper, grace).id
    told = answer["message"]
    assert (told["subtype"], told["username"]) == ("bot_message", "Santa")


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"text": "x" * 40_001}, "msg_too_long"),
        ({"markdown_text": "x" * 12_001}, "msg_too_long"),
        ({"markdown_text": "x", "text": "y"}, "markdown_text_conflict"),
        ({"channel": "C404", "text": "x"}, "channel_not_found"),
        ({"text": "x", "thread_ts": "1700000000.000001"}, "thread_not_found"),
        ({"text": "x", "blocks": [{"type": "telepathy"}]}, "invalid_blocks"),
        ({"text": "x", "attachments": [{"fallback": "x"}] * 101}, "too_many_attachments"),
        ({"text": "x", "metadata": {"event_type": "x"}}, "invalid_metadata_schema"),
    ],
)
async def test_what_cannot_be_posted_is_refused(
    helper: Bot, team: Channel, web: Client, arguments: dict[str, object], error: str
) -> None:
    refused = await web.refused("chat.postMessage", **{"channel": team.id, **arguments})

    assert refused == error
    assert helper.sent() == []


async def test_where_a_bot_may_not_post_it_is_refused(
    slack: FakeSlack, acme: Workspace, helper: Bot, grace: User, team: Channel, web: Client
) -> None:
    open_one = slack.add_channel(acme, "open", grace)
    secret = slack.add_channel(acme, "secret", grace, private=True)
    errors = [
        await web.refused("chat.postMessage", channel=each.id, text="x")
        for each in (open_one, secret, slack.dm(grace, slack.add_user(acme, "hank")))
    ]
    team.posting = "admins"
    errors.append(await web.refused("chat.postMessage", channel=team.id, text="x"))
    team.posting = "threads"
    errors.append(await web.refused("chat.postMessage", channel=team.id, text="x"))
    slack.archive(team, grace)
    errors.append(await web.refused("chat.postMessage", channel=team.id, text="x"))

    assert errors == [
        "not_in_channel",
        "channel_not_found",
        "channel_not_found",
        "restricted_action",
        "restricted_action_thread_only_channel",
        "is_archived",
    ]


async def test_a_thread_grows_and_a_broadcast_stands_in_the_channel(
    slack: FakeSlack, helper: Bot, grace: User, team: Channel, web: Client, ear: Ear
) -> None:
    root = slack.write(grace, team, "who comes?")
    reply = slack.write(grace, team, "me", thread=root)
    answer = await web.ask(
        "chat.postMessage", channel=team.id, text="all", thread_ts=reply.ts, reply_broadcast=True
    )
    history = await web.ask("conversations.history", channel=team.id)
    thread = await web.ask("conversations.replies", channel=team.id, ts=root.ts)
    await slack.until(lambda: len(ear.texts) == 3)

    assert [each["text"] for each in history["messages"]] == ["all", "who comes?"]
    assert history["messages"][1]["reply_count"] == 2
    assert [each["text"] for each in thread["messages"]] == ["who comes?", "me", "all"]
    assert answer["message"]["thread_ts"] == root.ts
    assert answer["message"]["subtype"] == "thread_broadcast"
    assert (ear.events[1]["thread_ts"], ear.events[1]["parent_user_id"]) == (root.ts, grace.id)


async def test_apps_change_and_delete_their_own_messages(
    slack: FakeSlack, helper: Bot, grace: User, team: Channel, web: Client, ear: Ear
) -> None:
    sent = await web.ask("chat.postMessage", channel=team.id, text="teh", blocks=[ROW])
    changed = await web.ask("chat.update", channel=team.id, ts=sent["ts"], text="the")
    theirs = slack.write(grace, team, "mine")
    await web.ask("chat.delete", channel=team.id, ts=sent["ts"])
    await slack.until(lambda: ear.of_type("message_deleted"))

    assert (changed["text"], changed["message"]["edited"]["user"]) == ("the", helper.user.id)
    assert helper.sent() == []
    (edit,), (gone,) = ear.of_type("message_changed"), ear.of_type("message_deleted")
    assert (edit["previous_message"]["text"], edit["message"]["text"]) == ("teh", "the")
    assert (edit["message"]["ts"], edit["hidden"]) == (sent["ts"], True)
    assert gone["deleted_ts"] == sent["ts"]
    place = {"channel": team.id, "ts": theirs.ts}
    assert await web.refused("chat.update", **place, text="x") == "cant_update_message"
    assert await web.refused("chat.delete", **place) == "cant_delete_message"
    assert await web.refused("chat.delete", channel=team.id, ts=sent["ts"]) == "message_not_found"


async def test_a_changed_text_is_shorter_and_has_its_time(
    slack: FakeSlack, team: Channel, web: Client
) -> None:
    sent = await web.ask("chat.postMessage", channel=team.id, text="x" * 5000)
    place = {"channel": team.id, "ts": sent["ts"]}
    slack.edit_window_s = 60

    assert await web.refused("chat.update", **place, text="x" * 4001) == "msg_too_long"
    slack.pass_time(61)
    assert await web.refused("chat.update", **place, text="x") == "edit_window_closed"


async def test_people_edit_delete_and_get_previews(
    slack: FakeSlack, grace: User, team: Channel, ear: Ear
) -> None:
    message = slack.write(grace, team, "https://a.example teh")
    slack.unfurl(message, {"title": "A", "from_url": "https://a.example"})
    slack.edit(message, "the")
    slack.delete(message)
    await slack.until(lambda: len(ear.requests) == 4)

    preview, edit = ear.of_type("message_changed")
    assert "edited" not in preview["message"]
    assert preview["message"]["attachments"][0]["title"] == "A"
    assert edit["message"]["edited"]["user"] == grace.id
    assert ear.of_type("message_deleted")[0]["previous_message"]["text"] == "the"


async def test_a_deleted_message_with_replies_leaves_a_tombstone(
    slack: FakeSlack, grace: User, team: Channel, web: Client, ear: Ear
) -> None:
    root = slack.write(grace, team, "root")
    slack.write(grace, team, "reply", thread=root)
    slack.delete(root)
    history = await web.ask("conversations.history", channel=team.id)
    await slack.until(lambda: ear.of_type("message_changed"))

    assert [each["subtype"] for each in history["messages"]] == ["tombstone"]
    assert ear.of_type("message_changed")[0]["message"]["subtype"] == "tombstone"


async def test_a_mention_comes_as_an_event_of_its_own(
    slack: FakeSlack, helper: Bot, grace: User, team: Channel, ear: Ear
) -> None:
    message = slack.write(grace, team, f"<@{helper.user.id}> help")
    slack.write(grace, helper, f"<@{helper.user.id}> help here")
    await slack.until(lambda: len(ear.requests) == 3)

    assert [each["type"] for each in ear.events] == ["message", "app_mention", "message"]
    assert {each["ts"] for each in ear.events[:2]} == {message.ts}
    assert len({each["payload"]["event_id"] for each in ear.requests}) == 3


async def test_history_comes_in_pages_newest_first(
    slack: FakeSlack, grace: User, team: Channel, web: Client
) -> None:
    messages = [slack.write(grace, team, str(number)) for number in range(5)]
    slack.page_max = 2
    pages = [await web.ask("conversations.history", channel=team.id, limit=4)]
    while cursor := pages[-1].get("response_metadata", {}).get("next_cursor"):
        pages.append(await web.ask("conversations.history", channel=team.id, cursor=cursor))

    texts = [each["text"] for page in pages for each in page["messages"]]
    assert texts == ["4", "3", "2", "1", "0"]
    assert [each["has_more"] for each in pages] == [True, True, False]
    bounds = {"oldest": messages[1].ts, "latest": messages[3].ts}
    inner = await web.ask("conversations.history", channel=team.id, **bounds)
    outer = await web.ask(
        "conversations.history", channel=team.id, **bounds, inclusive=True, limit=2
    )
    assert [each["text"] for each in inner["messages"]] == ["2"]
    assert [each["text"] for each in outer["messages"]] == ["3", "2"]


async def test_a_bound_that_was_a_float_fails_the_test(
    slack: FakeSlack, team: Channel, web: Client
) -> None:
    needs_specification()
    await web.ask("conversations.history", channel=team.id, oldest=str(float("1700000000.000010")))

    with pytest.raises(AssertionError, match="oldest is no timestamp"):
        slack.check()
    slack.mistakes.clear()


async def test_history_is_for_those_who_may_read_it(
    slack: FakeSlack, acme: Workspace, grace: User, team: Channel, web: Client
) -> None:
    elsewhere = slack.add_channel(acme, "elsewhere", grace)
    secret = slack.add_channel(acme, "secret", grace, private=True)

    assert await web.refused("conversations.history", channel=elsewhere.id) == "not_in_channel"
    assert await web.refused("conversations.history", channel=secret.id) == "channel_not_found"
    assert (
        await web.refused("conversations.replies", channel=team.id, ts="1700000000.000001")
        == "thread_not_found"
    )


async def test_an_ephemeral_message_is_seen_by_one_and_stands_nowhere(
    slack: FakeSlack, acme: Workspace, helper: Bot, grace: User, team: Channel, web: Client
) -> None:
    hank = slack.add_user(acme, "hank")
    await web.ask("chat.postEphemeral", channel=team.id, user=grace.id, text="only you")
    history = await web.ask("conversations.history", channel=team.id)

    (message,) = helper.sent()
    assert (message.ephemeral_to, history["messages"]) == (grace, [])
    place = {"channel": team.id, "text": "x", "user": hank.id}
    assert await web.refused("chat.postEphemeral", **place) == "user_not_in_channel"


async def test_a_scheduled_message_comes_when_its_time_has_come(
    slack: FakeSlack, helper: Bot, team: Channel, web: Client
) -> None:
    soon = slack.now() + 60
    first = await web.ask("chat.scheduleMessage", channel=team.id, text="later", post_at=soon)
    second = await web.ask("chat.scheduleMessage", channel=team.id, text="never", post_at=soon)
    await web.ask(
        "chat.deleteScheduledMessage",
        channel=team.id,
        scheduled_message_id=second["scheduled_message_id"],
    )
    listed = await web.ask("chat.scheduledMessages.list")
    slack.pass_time(60)
    await slack.until(helper.sent)

    assert [each["id"] for each in listed["scheduled_messages"]] == [first["scheduled_message_id"]]
    assert [each.text for each in helper.sent()] == ["later"]
    past = {"channel": team.id, "text": "x", "post_at": 1}
    assert await web.refused("chat.scheduleMessage", **past) == "time_in_past"


async def test_a_permalink_leads_to_a_message(
    slack: FakeSlack, grace: User, team: Channel, web: Client
) -> None:
    message = slack.write(grace, team, "here")
    answer = await web.ask("chat.getPermalink", channel=team.id, message_ts=message.ts)

    number = message.ts.replace(".", "")
    assert answer["permalink"] == f"https://acme.slack.com/archives/{team.id}/p{number}"


async def test_only_people_search_and_only_where_they_may_look(
    slack: FakeSlack, acme: Workspace, helper: Bot, grace: User, team: Channel, web: Client
) -> None:
    hank = slack.add_user(acme, "hank")
    slack.write(grace, team, "the red fox")
    slack.write(hank, slack.add_channel(acme, "secret", hank, private=True), "a red secret")
    slack.write(grace, helper, "a red hen")
    token = slack.authorize(helper.app, grace)
    async with client_of(slack, token) as client:
        red = await client.ask("search.messages", query="red", count=1)
        fox = await client.ask("search.messages", query='"red fox" in:#team from:@grace')

    assert red["messages"]["total"] == 2
    assert [each["text"] for each in red["messages"]["matches"]] == ["a red hen"]
    assert [each["channel"]["name"] for each in fox["messages"]["matches"]] == ["team"]
    assert await web.refused("search.messages", query="red") == "not_allowed_token_type"
