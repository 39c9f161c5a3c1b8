"""Conversations and people of the fake Slack, as apps and people bring them about."""

import pytest

from tests.fakes.slack import Bot, Channel, FakeSlack, User, Workspace
from tests.fakes.slack.clients import Client, Ear, client_of, listening


async def test_conversations_are_listed_by_kind_and_page(
    slack: FakeSlack, acme: Workspace, helper: Bot, grace: User, team: Channel, web: Client
) -> None:
    hank = slack.add_user(acme, "hank")
    inner = slack.add_channel(acme, "inner", grace, helper, private=True)
    slack.add_channel(acme, "secret", grace, private=True)
    three, two = slack.dm(grace, hank, helper), slack.dm(grace, helper)
    slack.dm(grace, hank)
    everything = "public_channel,private_channel,mpim,im"

    first = await web.ask("conversations.list", types=everything, limit=3)
    cursor = first["response_metadata"]["next_cursor"]
    rest = await web.ask("conversations.list", types=everything, limit=3, cursor=cursor)
    mine = await web.ask("users.conversations", types="public_channel")

    assert [each.get("name") for each in first["channels"]] == ["general", "team", "inner"]
    assert [each["id"] for each in rest["channels"]] == [three.id, two.id]
    assert rest["response_metadata"]["next_cursor"] == ""
    assert (rest["channels"][1]["is_im"], rest["channels"][1]["user"]) == (True, grace.id)
    assert [each["is_member"] for each in first["channels"]] == [False, True, True]
    assert [each["id"] for each in mine["channels"]] == [team.id]
    assert first["channels"][2]["id"] == inner.id


async def test_each_kind_needs_its_scope(slack: FakeSlack, acme: Workspace) -> None:
    narrow = slack.add_bot(acme, "Narrow", {"channels:read"})
    async with client_of(slack, narrow.token) as client:
        assert await client.refused("conversations.list", types="im") == "missing_scope"
        assert await client.refused("conversations.list", types="cave") == "invalid_types"
        assert await client.refused("conversations.list", limit=0) == "invalid_limit"
        assert await client.refused("conversations.list", cursor="!") == "invalid_cursor"


async def test_a_direct_message_is_opened_once(
    slack: FakeSlack, acme: Workspace, helper: Bot, grace: User, web: Client
) -> None:
    hank = slack.add_user(acme, "hank")
    first = await web.ask("conversations.open", users=[grace.id])
    again = await web.ask("conversations.open", users=grace.id, return_im=True)
    group = await web.ask("conversations.open", users=[grace.id, hank.id], return_im=True)
    members = await web.ask("conversations.members", channel=group["channel"]["id"])

    assert first["channel"] == {"id": slack.dm(helper, grace).id}
    assert (again["already_open"], again["channel"]["user"]) == (True, grace.id)
    assert (group["channel"]["is_mpim"], group["channel"]["is_private"]) == (True, True)
    assert set(members["members"]) == {grace.id, hank.id, helper.user.id}
    assert await web.refused("conversations.open", users="U404") == "user_not_found"


async def test_bots_make_channels_and_bring_people_in_and_out(
    slack: FakeSlack, helper: Bot, grace: User, web: Client, ear: Ear
) -> None:
    made = await web.ask("conversations.create", name="plans", is_private=True)
    channel = slack.workspaces[helper.workspace.id].channels[made["channel"]["id"]]
    place = {"channel": channel.id}
    await web.ask("conversations.invite", **place, users=[grace.id])
    await web.ask("conversations.setTopic", **place, topic="all of them")
    await web.ask("conversations.setPurpose", **place, purpose="to plan")
    await web.ask("conversations.rename", **place, name="big-plans")
    await web.ask("conversations.kick", **place, user=grace.id)
    await web.ask("conversations.archive", **place)
    await slack.until(lambda: ear.of_type("group_archive"))

    assert (channel.name, channel.kind, channel.is_archived) == (
        "big-plans",
        "private_channel",
        True,
    )
    assert (channel.topic["value"], channel.purpose["value"]) == ("all of them", "to plan")
    assert list(channel.members) == [helper.user.id]
    assert [each.get("subtype", each["type"]) for each in ear.events] == [
        "group_join",
        "member_joined_channel",
        "group_topic",
        "group_purpose",
        "group_name",
        "group_rename",
        "group_leave",
        "member_left_channel",
        "group_archive",
        "group_archive",
    ]
    assert await web.refused("conversations.archive", **place) == "already_archived"


async def test_a_deleted_channel_is_not_found(
    slack: FakeSlack, grace: User, team: Channel, web: Client, ear: Ear
) -> None:
    slack.delete_channel(team, grace)
    await slack.until(lambda: ear.of_type("channel_deleted"))

    assert await web.refused("conversations.info", channel=team.id) == "channel_not_found"


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("", "invalid_name_required"),
        ("x" * 81, "invalid_name_maxlength"),
        ("Big Plans", "invalid_name_specials"),
        ("team", "name_taken"),
    ],
)
async def test_a_name_that_no_channel_may_have_is_refused(
    team: Channel, web: Client, name: str, error: str
) -> None:
    assert await web.refused("conversations.create", name=name) == error


async def test_bots_join_and_leave_public_channels_by_themselves(
    slack: FakeSlack, acme: Workspace, helper: Bot, grace: User, web: Client
) -> None:
    open_one = slack.add_channel(acme, "open", grace)
    joined = await web.ask("conversations.join", channel=open_one.id)
    again = await web.ask("conversations.join", channel=open_one.id)
    await web.ask("conversations.leave", channel=open_one.id)
    gone = await web.ask("conversations.leave", channel=open_one.id)
    direct = slack.dm(helper, grace)

    assert joined["channel"]["is_member"]
    assert (again["warning"], gone["not_in_channel"]) == ("already_in_channel", True)
    assert [each.subtype for each in open_one.visible] == ["channel_join", "channel_leave"]
    wrong = "method_not_supported_for_channel_type"
    assert await web.refused("conversations.join", channel=direct.id) == wrong


async def test_a_bot_hears_that_it_was_brought_in_and_removed(
    slack: FakeSlack, acme: Workspace, helper: Bot, grace: User, ear: Ear
) -> None:
    channel = slack.create_channel(acme, grace, "plans")
    slack.join(channel, helper, inviter=grace)
    slack.rename(channel, grace, "schemes")
    slack.kick(channel, helper, by=grace)
    slack.archive(channel, grace)
    await slack.until(lambda: ear.of_type("channel_archive"))

    assert [each["type"] for each in ear.events if each["type"] != "message"] == [
        "channel_created",
        "member_joined_channel",
        "channel_rename",
        "channel_left",
        "channel_archive",
    ]
    (joined,) = ear.of_type("member_joined_channel")
    assert (joined["user"], joined["inviter"]) == (helper.user.id, grace.id)
    assert ear.of_type("channel_rename")[0]["channel"]["name"] == "schemes"


async def test_people_are_listed_with_what_the_scopes_show(
    slack: FakeSlack, acme: Workspace, helper: Bot, grace: User, web: Client
) -> None:
    listed = await web.ask("users.list", limit=2)
    shown = await web.ask("users.info", user=grace.id)
    profile = await web.ask("users.profile.get", user=grace.id)
    bot = await web.ask("users.info", user=helper.user.id)
    found = await web.ask("users.lookupByEmail", email="grace@acme.example")
    shy = slack.add_bot(acme, "Shy", {"users:read"})
    async with client_of(slack, shy.token) as client:
        unseen = await client.ask("users.info", user=grace.id)

    assert [each["name"] for each in listed["members"]] == ["slackbot", "grace"]
    assert listed["response_metadata"]["next_cursor"]
    assert (shown["user"]["real_name"], shown["user"]["is_bot"]) == ("Grace Hopper", False)
    assert profile["profile"]["email"] == "grace@acme.example"
    assert (bot["user"]["is_bot"], bot["user"]["profile"]["bot_id"]) == (True, helper.id)
    assert found["user"]["id"] == grace.id
    assert "email" not in unseen["user"]["profile"]


async def test_what_changes_about_people_is_told(
    slack: FakeSlack, acme: Workspace, grace: User, ear: Ear, web: Client
) -> None:
    slack.add_user(acme, "hank")
    slack.change_user(grace, display_name="Amazing Grace", presence="away")
    presence = await web.ask("users.getPresence", user=grace.id)
    await slack.until(lambda: len(ear.requests) == 2)

    joined, changed = ear.events
    assert (joined["type"], joined["user"]["name"]) == ("team_join", "hank")
    assert changed["user"]["profile"]["display_name"] == "Amazing Grace"
    assert presence["presence"] == "away"


async def test_the_workspace_its_bots_groups_and_emoji_are_known(
    slack: FakeSlack, acme: Workspace, helper: Bot, grace: User, web: Client
) -> None:
    group = slack.add_usergroup(acme, "crew", grace)
    slack.add_emoji(acme, "party", "https://emoji.example/party.png")
    team_info = await web.ask("team.info")
    bot = await web.ask("bots.info", bot=helper.id)
    groups = await web.ask("usergroups.list", include_users=True)
    users = await web.ask("usergroups.users.list", usergroup=group["id"])
    emoji = await web.ask("emoji.list")

    assert (team_info["team"]["name"], team_info["team"]["domain"]) == ("Acme", "acme")
    assert (bot["bot"]["name"], bot["bot"]["user_id"]) == ("Helper", helper.user.id)
    assert (groups["usergroups"][0]["users"], users["users"]) == ([grace.id], [grace.id])
    assert emoji["emoji"] == {"party": "https://emoji.example/party.png"}
    assert await web.refused("bots.info", bot="B404") == "bot_not_found"


async def test_what_is_read_is_marked(
    slack: FakeSlack, helper: Bot, grace: User, team: Channel, web: Client
) -> None:
    message = slack.write(grace, team, "read me")
    await web.ask("conversations.mark", channel=team.id, ts=message.ts)
    info = await web.ask("conversations.info", channel=team.id, include_num_members=True)

    assert (info["channel"]["last_read"], info["channel"]["num_members"]) == (message.ts, 2)
    wrong = {"channel": team.id, "ts": "1700000000.000001"}
    assert await web.refused("conversations.mark", **wrong) == "invalid_timestamp"


async def test_reactions_go_both_ways(
    slack: FakeSlack, helper: Bot, grace: User, team: Channel, web: Client, ear: Ear
) -> None:
    message = slack.write(grace, team, "good?")
    slack.react(grace, message, "thumbsup")
    item = {"channel": team.id, "timestamp": message.ts}
    await web.ask("reactions.add", **item, name="thumbsup")
    told = await web.ask("reactions.get", **item)
    await web.ask("reactions.remove", **item, name="thumbsup")
    slack.unreact(grace, message, "thumbsup")
    await slack.until(lambda: len(ear.of_type("reaction_removed")) == 2)

    users = [grace.id, helper.user.id]
    assert told["message"]["reactions"] == [{"name": "thumbsup", "users": users, "count": 2}]
    added = ear.of_type("reaction_added")
    assert [each["user"] for each in added] == users
    assert (added[0]["item"]["ts"], added[0]["item_user"]) == (message.ts, grace.id)
    assert message.reactions == {}


async def test_a_reaction_that_cannot_be_is_refused(
    slack: FakeSlack, grace: User, team: Channel, web: Client
) -> None:
    item = {"channel": team.id, "timestamp": slack.write(grace, team, "good?").ts}
    await web.ask("reactions.add", **item, name="wave")

    assert await web.refused("reactions.add", **item, name="wave") == "already_reacted"
    assert await web.refused("reactions.add", **item, name=":wave:") == "invalid_name"
    assert await web.refused("reactions.remove", **item, name="eyes") == "no_reaction"
    gone = {"channel": team.id, "timestamp": "1700000000.000001"}
    assert await web.refused("reactions.add", **gone, name="wave") == "message_not_found"


async def test_messages_are_pinned_and_channels_have_bookmarks(
    slack: FakeSlack, grace: User, team: Channel, web: Client, ear: Ear
) -> None:
    message = slack.write(grace, team, "keep")
    item = {"channel": team.id, "timestamp": message.ts}
    await web.ask("pins.add", **item)
    pins = await web.ask("pins.list", channel=team.id)
    refused = await web.refused("pins.add", **item)
    slack.unpin(message, grace)
    link = {"channel_id": team.id, "title": "docs", "type": "link", "link": "https://a.example"}
    await web.ask("bookmarks.add", **link)
    bookmarks = await web.ask("bookmarks.list", channel_id=team.id)
    await slack.until(lambda: ear.of_type("pin_removed"))

    assert [each["message"]["text"] for each in pins["items"]] == ["keep"]
    assert refused == "already_pinned"
    assert len(ear.of_type("pin_added")) == 1
    assert [each["title"] for each in bookmarks["bookmarks"]] == ["docs"]


async def test_a_user_token_acts_as_its_owner(
    slack: FakeSlack, acme: Workspace, helper: Bot, grace: User, team: Channel
) -> None:
    token = slack.authorize(helper.app, grace)
    async with client_of(slack, token) as client, listening(slack, helper.app) as ear:
        answer = await client.ask("chat.postMessage", channel=team.id, text="me, by hand")
        await slack.until(lambda: ear.texts)

    assert answer["message"]["user"] == grace.id
    assert "bot_id" not in answer["message"]
    assert [each.text for each in team.visible] == ["me, by hand"]
    assert helper.sent() == []
