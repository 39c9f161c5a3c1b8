"""The fake Slack's sockets, requests and failures; slack_sdk's clients drive it."""

from contextlib import AsyncExitStack

import aiohttp
import anyio
import httpx2
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.signature import SignatureVerifier
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from tests.fakes.loopback import listening as serving
from tests.fakes.slack import App, Bot, Channel, FakeSlack, User, Workspace
from tests.fakes.slack.beside import beside
from tests.fakes.slack.clients import Client, Ear, client_of, listening
from tests.fakes.slack.specification import needs_specification


async def raw(slack: FakeSlack, bot: Bot, method: str, **params: str) -> httpx2.Response:
    """What any HTTP client gets."""
    headers = {"Authorization": f"Bearer {bot.token.value}"}
    async with httpx2.AsyncClient(trust_env=False) as client:
        return await client.post(f"{slack.base_url}{method}", data=params, headers=headers)


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


async def test_arguments_come_as_query_form_or_json(
    slack: FakeSlack, helper: Bot, team: Channel
) -> None:
    arguments = {"channel": team.id, "text": "hi"}
    headers = {"Authorization": f"Bearer {helper.token.value}"}
    url = f"{slack.base_url}chat.postMessage"
    async with httpx2.AsyncClient(trust_env=False, headers=headers) as client:
        answers = [
            await client.post(url, params=arguments),
            await client.post(url, data=arguments),
            await client.post(url, json=arguments),
            await client.post(url, content="<xml/>", headers={"Content-Type": "text/xml"}),
        ]

    assert [each.json()["ok"] for each in answers] == [True, True, True, False]
    assert answers[-1].json()["error"] == "invalid_post_type"


async def test_nothing_is_no_message(slack: FakeSlack, helper: Bot, team: Channel) -> None:
    answer = await raw(slack, helper, "chat.postMessage", channel=team.id, text=" ")

    assert answer.json() == {"ok": False, "error": "no_text"}


async def test_a_hello_comes_first_and_acknowledged_events_come_once(
    slack: FakeSlack, helper: Bot, grace: User, team: Channel, ear: Ear
) -> None:
    slack.ack_s, slack.retry_waits_s = 0.05, (0.0, 0.0, 0.0)
    slack.write(grace, team, "one")
    slack.write(grace, team, "two")
    deliveries = slack.line(helper).deliveries
    await slack.until(lambda: all(each.acked for each in deliveries))
    await anyio.sleep(0.15)

    hello = ear.frames[0]
    assert (hello["type"], hello["num_connections"]) == ("hello", 1)
    assert hello["connection_info"] == {"app_id": helper.app.id}
    assert ear.texts == ["one", "two"]
    first = ear.requests[0]
    assert (first["retry_attempt"], first["accepts_response_payload"]) == (0, False)
    assert first["payload"]["authorizations"][0]["user_id"] == helper.user.id


async def test_an_event_comes_again_until_it_is_acknowledged(
    slack: FakeSlack, helper: Bot, grace: User, team: Channel, ear: Ear
) -> None:
    slack.ack_s, slack.retry_waits_s = 0.05, (0.0, 0.0, 0.0)
    slack.ignore_acks(helper)
    slack.write(grace, team, "one")
    (delivery,) = slack.line(helper).deliveries
    await slack.until(lambda: delivery.lost)

    assert [each["retry_attempt"] for each in ear.requests] == [0, 1, 2, 3]
    assert ear.requests[1]["retry_reason"] == "timeout"
    assert len({each["envelope_id"] for each in ear.requests}) == 4
    assert len({each["payload"]["event_id"] for each in ear.requests}) == 1


async def test_connections_share_the_events(
    slack: FakeSlack, helper: Bot, grace: User, team: Channel, ear: Ear
) -> None:
    async with listening(slack, helper.app) as other:
        for number in range(4):
            slack.write(grace, team, str(number))
        await slack.until(lambda: len(ear.requests + other.requests) == 4)

    assert (len(ear.requests), len(other.requests)) == (2, 2)
    assert other.frames[0]["num_connections"] == 2


async def test_events_wait_a_little_for_a_connection(
    slack: FakeSlack, helper: Bot, grace: User, team: Channel
) -> None:
    slack.retry_waits_s = (0.2, 10)
    slack.write(grace, team, "while nobody listened")
    async with listening(slack, helper.app) as ear:
        await slack.until(lambda: ear.texts)

    assert ear.requests[0]["retry_reason"] == "connection_failed"


@pytest.mark.parametrize("close", [False, True])
async def test_a_client_told_to_leave_comes_back(
    slack: FakeSlack, helper: Bot, grace: User, team: Channel, ear: Ear, *, close: bool
) -> None:
    slack.disconnect(helper, "refresh_requested", close=close)
    await slack.until(lambda: len([each for each in ear.frames if each["type"] == "hello"]) == 2)
    slack.write(grace, team, "after")
    await slack.until(lambda: ear.texts)

    assert [each["reason"] for each in ear.frames if each["type"] == "disconnect"] == [
        "refresh_requested"
    ]
    assert ear.texts == ["after"]


async def test_a_broken_connection_is_replaced_and_nothing_is_lost(
    slack: FakeSlack, helper: Bot, grace: User, team: Channel, ear: Ear
) -> None:
    slack.retry_waits_s = (0.5, 0.5, 0.5)
    slack.drop_sockets(helper)
    slack.write(grace, team, "meanwhile")
    await slack.until(lambda: ear.texts)

    assert ear.texts == ["meanwhile"]


async def test_an_eleventh_connection_is_too_many(slack: FakeSlack, helper: Bot) -> None:
    line = slack.line(helper)
    async with AsyncExitStack() as stack:
        for _ in range(10):
            await stack.enter_async_context(listening(slack, helper.app))
        eleventh = await stack.enter_async_context(listening(slack, helper.app))

        assert len(line.connections) == 10
        assert eleventh.frames[0]["reason"] == "too_many_websockets"


async def test_a_ticket_is_good_for_one_connection(slack: FakeSlack, helper: Bot) -> None:
    async with client_of(slack, helper.app.token) as client:
        url = (await client.ask("apps.connections.open", app_token=helper.app.token.value))["url"]

    async with aiohttp.ClientSession() as session:
        async with session.ws_connect(url) as first:
            hello = await first.receive_json()
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await session.ws_connect(url)

    assert hello["type"] == "hello"


async def test_an_app_that_sends_anything_but_acknowledgements_fails_the_test(
    slack: FakeSlack, helper: Bot, grace: User, team: Channel, ear: Ear
) -> None:
    slack.write(grace, team, "one")
    await slack.until(lambda: ear.requests)
    known = {"envelope_id": ear.requests[0]["envelope_id"], "payload": {"text": "thanks"}}
    for frame in ({"envelope_id": "e404"}, known):
        await ear.client.send_socket_mode_response(frame)
    await slack.until(lambda: len(slack.mistakes) == 2)

    assert slack.mistakes[0].startswith("no acknowledgement of an envelope")
    assert slack.mistakes[1] == "an answer to an envelope that takes none"
    slack.mistakes.clear()


async def test_events_come_twice_in_another_order_or_not_at_all(
    slack: FakeSlack, helper: Bot, grace: User, team: Channel, ear: Ear
) -> None:
    slack.hold(helper)
    for text in ("one", "two", "three"):
        slack.write(grace, team, text)
    slack.release(helper, 2, 0, 1)
    slack.skip_events(helper)
    slack.write(grace, team, "lost")
    slack.repeat(helper, slack.line(helper).deliveries[0])
    await slack.until(lambda: len(ear.requests) == 4)

    assert ear.texts == ["three", "one", "two", "one"]
    ids = [each["payload"]["event_id"] for each in ear.requests]
    assert ids[1] == ids[3]


async def test_frames_may_be_anything(slack: FakeSlack, helper: Bot, ear: Ear) -> None:
    slack.send_raw(helper, "not even JSON")
    slack.send_raw(helper, {"type": "events_api", "envelope_id": "e1"})
    slack.inject(helper, {"type": "from_the_future", "event_ts": "1"})
    await slack.until(lambda: len(ear.frames) == 4)

    assert ear.frames[1] == {}
    assert ear.frames[3]["payload"]["event"] == {"type": "from_the_future", "event_ts": "1"}


async def test_two_workspaces_of_an_app_share_its_socket(
    slack: FakeSlack, acme: Workspace, helper: Bot, grace: User, team: Channel, ear: Ear
) -> None:
    globex = slack.add_workspace("Globex", "globex")
    hank = slack.add_user(globex, "hank")
    abroad = slack.install(helper.app, globex)
    slack.write(grace, team, "home")
    slack.write(hank, abroad, "away")
    await slack.until(lambda: len(ear.texts) == 2)

    spoken = [each["payload"] for each in ear.requests if "text" in each["payload"]["event"]]
    assert [each["team_id"] for each in spoken] == [acme.id, globex.id]
    assert abroad.token.value != helper.token.value


async def test_an_app_hears_only_where_its_bot_is_and_what_its_scopes_let_it(
    slack: FakeSlack, acme: Workspace, grace: User
) -> None:
    scopes = {"channels:history", "im:history", "chat:write"}
    narrow = slack.add_bot(acme, "Narrow", scopes)
    inside = slack.add_channel(acme, "inside", grace, narrow)
    outside = slack.add_channel(acme, "outside", grace)
    secret = slack.add_channel(acme, "secret", grace, narrow, private=True)

    async with listening(slack, narrow.app) as ear:
        for channel in (outside, secret, inside):
            slack.write(grace, channel, f"in {channel.name}")
        slack.react(grace, slack.write(grace, narrow, "to you"), "wave")
        await slack.until(lambda: len(ear.requests) == 2)

    assert ear.texts == ["in inside", "to you"]
    assert [each["channel_type"] for each in ear.events] == ["channel", "im"]


async def test_a_user_token_hears_what_its_owner_hears(
    slack: FakeSlack, acme: Workspace, grace: User
) -> None:
    hank = slack.add_user(acme, "hank")
    app = slack.add_app("Mirror", events=["message.im"])
    token = slack.authorize(app, grace)

    async with listening(slack, app) as ear, client_of(slack, token) as client:
        slack.write(hank, grace, "psst")
        await slack.until(lambda: ear.texts)
        me = await client.ask("auth.test")

    assert ear.requests[0]["payload"]["authorizations"][0]["is_bot"] is False
    assert (me["user_id"], "bot_id" in me) == (grace.id, False)


async def test_a_missing_scope_is_named(slack: FakeSlack, acme: Workspace, team: Channel) -> None:
    narrow = slack.add_bot(acme, "Narrow", {"channels:read"})
    answer = await raw(slack, narrow, "chat.postMessage", channel=team.id, text="hi")

    body = answer.json()
    assert (answer.status_code, body["error"]) == (200, "missing_scope")
    assert (body["needed"], body["provided"]) == ("chat:write", "channels:read")
    assert answer.headers["x-oauth-scopes"] == "channels:read"


@pytest.mark.parametrize("reason", ["token_revoked", "account_inactive", "invalid_auth"])
async def test_a_revoked_token_is_good_for_nothing(
    slack: FakeSlack, helper: Bot, web: Client, reason: str
) -> None:
    slack.revoke(helper, reason)  # pyright: ignore[reportArgumentType] — one of the words above

    assert await web.refused("auth.test") == reason


async def test_no_token_and_an_unknown_one_are_told_apart(slack: FakeSlack) -> None:
    async with httpx2.AsyncClient(trust_env=False) as client:
        none = await client.post(f"{slack.base_url}auth.test")
        wrong = await client.post(f"{slack.base_url}auth.test", data={"token": "xoxb-wrong"})

    assert [none.json()["error"], wrong.json()["error"]] == ["not_authed", "invalid_auth"]


async def test_an_uninstalled_app_hears_of_it(
    slack: FakeSlack, helper: Bot, web: Client, ear: Ear
) -> None:
    slack.uninstall(helper)
    await slack.until(lambda: len(ear.requests) == 2)

    assert [each["type"] for each in ear.events] == ["tokens_revoked", "app_uninstalled"]
    assert await web.refused("auth.test") == "account_inactive"


async def test_a_request_that_nobody_carries_out_gets_the_scripted_error(
    slack: FakeSlack, helper: Bot, team: Channel
) -> None:
    slack.flood(7, channel=team)
    slack.flood(None, method="chat.postMessage")
    slack.break_down("chat.postMessage", 502)
    slack.fail_next("chat.postMessage", "fatal_error")
    answers = [
        await raw(slack, helper, "chat.postMessage", channel=team.id, text="hi") for _ in range(4)
    ]

    assert [each.status_code for each in answers] == [429, 429, 502, 200]
    assert [each.headers.get("retry-after") for each in answers[:2]] == ["7", None]
    assert answers[2].text.startswith("<html>")
    assert answers[3].json() == {"ok": False, "error": "fatal_error"}
    assert helper.sent() == []


async def test_a_posted_message_may_stay_unanswered(
    slack: FakeSlack, helper: Bot, team: Channel
) -> None:
    slack.accept_then_hang("chat.postMessage")
    slack.cut("chat.postMessage")
    slack.accept_then_break("chat.postMessage")
    slack.cut("chat.postMessage", carried_out=False)
    async with client_of(slack, helper.token, timeout_s=0.3) as client:
        client.web.retry_handlers.clear()
        for text in ("hangs", "cut after", "broken after", "cut before"):
            with pytest.raises((SlackApiError, TimeoutError, aiohttp.ClientError)):
                await client.ask("chat.postMessage", channel=team.id, text=text)

    assert [each.text for each in helper.sent()] == ["hangs", "cut after", "broken after"]


async def test_rates_are_as_scripted(slack: FakeSlack, helper: Bot, team: Channel) -> None:
    slack.enforce_tiers()
    first = await raw(slack, helper, "chat.postMessage", channel=team.id, text="hi")
    second = await raw(slack, helper, "chat.postMessage", channel=team.id, text="hi")
    slack.pass_time(1)
    third = await raw(slack, helper, "chat.postMessage", channel=team.id, text="hi")

    assert [each.status_code for each in (first, second, third)] == [200, 429, 200]
    assert second.headers["retry-after"] == "1"


async def test_a_slow_answer_comes_late(slack: FakeSlack, web: Client) -> None:
    slack.slow("auth.test", 0.1)
    begun = anyio.current_time()
    await web.ask("auth.test")

    assert anyio.current_time() - begun >= 0.1


async def test_a_token_in_an_address_fails_the_test(slack: FakeSlack, helper: Bot) -> None:
    async with httpx2.AsyncClient(trust_env=False) as client:
        address = f"{slack.base_url}auth.test?token={helper.token.value}"
        answer = await client.get(address)

    assert answer.json()["ok"]
    with pytest.raises(AssertionError, match="a token stands in an address"):
        slack.check()
    slack.mistakes.clear()


async def test_a_method_the_fake_does_not_have_fails_the_test(
    slack: FakeSlack, helper: Bot
) -> None:
    await raw(slack, helper, "stars.add")

    with pytest.raises(NotImplementedError, match=r"stars\.add"):
        slack.check()
    slack.records.unhandled.clear()
    slack.mistakes.clear()


@pytest.mark.parametrize(
    ("params", "mistake"),
    [
        ({"text": "hi", "volume": "11"}, "unknown argument volume"),
        ({"text": "hi", "unfurl_links": "maybe"}, "unfurl_links is not boolean"),
        ({"text": "hi", "thread_ts": "1700000000.1"}, "thread_ts is no timestamp"),
        ({"text": "hi", "blocks": "[{"}, "blocks is no JSON"),
        ({"text": "hi", "channel": ""}, "channel is missing"),
    ],
)
async def test_what_the_specification_does_not_allow_fails_the_test(
    slack: FakeSlack, helper: Bot, team: Channel, params: dict[str, str], mistake: str
) -> None:
    needs_specification()
    await raw(slack, helper, "chat.postMessage", **{"channel": team.id, **params})

    with pytest.raises(AssertionError, match=mistake):
        slack.check()
    slack.mistakes.clear()


def test_the_fake_can_run_beside_a_test_that_blocks() -> None:
    with beside() as (slack, portal):
        acme = portal.call(slack.add_workspace)
        helper = slack.add_bot(acme)
        grace = portal.call(slack.add_user, acme, "grace")
        portal.call(slack.write, grace, helper, "hi")
        headers = {"Authorization": f"Bearer {helper.token.value}"}
        address = f"{slack.base_url}conversations.history"
        place = {"channel": slack.dm(helper, grace).id}
        answer = httpx2.post(address, params=place, headers=headers, trust_env=False)

    assert [each["text"] for each in answer.json()["messages"]] == ["hi"]


class Door:
    """An app's request URL."""

    def __init__(self, app: App) -> None:
        self.verifier = SignatureVerifier(app.signing_secret)
        self.statuses: list[int] = []
        """Given in turn; then 200."""
        self.requests: list[tuple[dict[str, str], bytes]] = []
        self.hung = anyio.Event()

    async def take(self, request: Request) -> Response:
        body = await request.body()
        headers = dict(request.headers)
        if not self.verifier.is_valid_request(body, headers):
            return Response(status_code=401)
        told = await request.json()
        if told["type"] == "url_verification":
            return PlainTextResponse(told["challenge"])
        self.requests.append((headers, body))
        status = self.statuses.pop(0) if self.statuses else 200
        if status == 408:
            await self.hung.wait()
        return Response(status_code=status)


async def test_events_go_as_signed_requests_until_they_are_taken(
    slack: FakeSlack, helper: Bot, grace: User, team: Channel
) -> None:
    door = Door(helper.app)
    slack.retry_waits_s, slack.ack_s = (0.0, 0.0, 0.0), 0.3
    async with serving(Starlette(routes=[Route("/in", door.take, methods=["POST"])])) as server:
        refused = await slack.set_request_url(helper.app, f"{server.url}/elsewhere")
        taken = await slack.set_request_url(helper.app, f"{server.url}/in")
        door.statuses = [500, 408, 200]
        slack.write(grace, team, "one")
        await slack.until(lambda: slack.line(helper).deliveries[0].acked)
        door.hung.set()

    assert (refused, taken) == (False, True)
    numbers = [headers.get("x-slack-retry-num") for headers, _ in door.requests]
    reasons = [headers.get("x-slack-retry-reason") for headers, _ in door.requests]
    assert numbers == [None, "1", "2"]
    assert reasons == [None, "http_error", "http_timeout"]


async def test_a_signature_of_long_ago_is_no_good(slack: FakeSlack, helper: Bot) -> None:
    verifier, body = SignatureVerifier(helper.app.signing_secret), b'{"a": 1}'
    fresh = slack.sign(helper.app, body)
    stale = slack.sign(helper.app, body, slack.now() - 301)
    other = slack.sign(slack.add_app(), body)

    verdicts = [verifier.is_valid_request(body, each) for each in (fresh, stale, other)]
    assert verdicts == [True, False, False]
    assert not verifier.is_valid_request(body + b" ", fresh)
