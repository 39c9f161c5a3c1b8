"""The fake Slack's sockets and texts; slack_sdk's clients drive it."""

from tests.fakes.slack import Bot, Channel, FakeSlack, User
from tests.fakes.slack.clients import Client, Ear


async def test_a_token_tells_whose_it_is(helper: Bot, web: Client) -> None:
    answer = await web.ask("auth.test")

    assert answer["team_id"] == helper.workspace.id
    assert (answer["user_id"], answer["bot_id"]) == (helper.user.id, helper.id)


async def test_texts_go_both_ways(
    slack: FakeSlack, helper: Bot, grace: User, team: Channel, web: Client, ear: Ear
) -> None:
    slack.write(grace, team, "hi *there* https://a.example")
    answer = await web.ask("chat.postMessage", channel=team.id, text="hello & <bye>")
    await slack.until(lambda: len(ear.requests) == 2)

    assert ear.texts == ["hi *there* <https://a.example>", "hello &amp; &lt;bye&gt;"]
    (message,) = helper.sent(team)
    assert (message.ts, message.shown) == (answer["ts"], "hello & <bye>")
