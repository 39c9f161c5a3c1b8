"""Files of the fake Slack, and what people do with an app: buttons, forms, commands."""

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from urllib.parse import parse_qs

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.fakes.loopback import listening as serving
from tests.fakes.slack import Bot, Channel, FakeSlack, Token, User, Workspace
from tests.fakes.slack.clients import Client, Ear, client_of
from tests.fakes.slack.gatherings import Upload
from tests.fakes.slack.people import Json

YES = {"type": "button", "action_id": "yes", "text": {"type": "plain_text", "text": "Yes"}}
SMALL = {"text": {"type": "plain_text", "text": "Small"}, "value": "s"}
SIZE = {"type": "static_select", "action_id": "size", "options": [SMALL]}
ROW = {"type": "actions", "block_id": "row", "elements": [YES, SIZE]}
MODAL: Json = {
    "type": "modal",
    "callback_id": "order",
    "title": {"type": "plain_text", "text": "Order"},
    "blocks": [],
}


async def fetched(url: str, token: Token | None) -> httpx2.Response:
    headers = {"Authorization": f"Bearer {token.value}"} if token else {}
    async with httpx2.AsyncClient(trust_env=False, follow_redirects=True) as client:
        return await client.get(url, headers=headers)


async def test_an_uploaded_file_is_shared_a_little_later(
    slack: FakeSlack, helper: Bot, grace: User, team: Channel, web: Client, ear: Ear
) -> None:
    root = slack.write(grace, team, "send it")
    answer = await web.ask(
        "files.upload.v2",
        channel=team.id,
        filename="a.txt",
        content="hello",
        title="Greeting",
        initial_comment="here",
        thread_ts=root.ts,
    )
    file_id = answer["file"]["id"]
    await slack.until(lambda: helper.sent(team))
    told = (await web.ask("files.info", file=file_id))["file"]
    await slack.until(lambda: ear.of_type("file_share"))

    (message,) = helper.sent()
    assert (message.text, message.thread_ts, message.files[0].data) == ("here", root.ts, b"hello")
    assert "shares" not in answer["file"]
    assert told["shares"]["public"][team.id][0]["ts"] == message.ts
    assert (told["title"], told["size"], told["mimetype"]) == ("Greeting", 5, "text/plain")
    assert [each["type"] for each in ear.events[1:]] == ["file_created", "file_shared", "message"]
    assert ear.of_type("file_share")[0]["files"][0]["id"] == file_id


async def test_a_completed_upload_may_never_be_shared(
    slack: FakeSlack, helper: Bot, team: Channel, web: Client
) -> None:
    slack.loses_shares = True
    answer = await web.ask("files.upload.v2", channel=team.id, filename="a.txt", content="hello")
    told = await web.ask("files.info", file=answer["file"]["id"])

    assert (told["file"]["shares"], helper.sent()) == ({}, [])


async def test_an_upload_that_cannot_be_is_refused(
    slack: FakeSlack, acme: Workspace, grace: User, team: Channel, web: Client
) -> None:
    started = await web.ask("files.getUploadURLExternal", filename="a.txt", length=5)
    files = [{"id": started["file_id"], "title": "a"}]
    done = {"files": files, "channel_id": team.id}
    elsewhere = slack.add_channel(acme, "elsewhere", grace)
    async with httpx2.AsyncClient(trust_env=False) as client:
        short = await client.post(started["upload_url"], content=b"hi")

    assert await web.refused("files.completeUploadExternal", **done) == "file_not_found"
    assert short.status_code == 400
    huge = {"filename": "a", "length": 2 << 30}
    assert await web.refused("files.getUploadURLExternal", **huge) == "file_upload_size_restricted"
    async with httpx2.AsyncClient(trust_env=False) as client:
        whole = await client.post(started["upload_url"], content=b"hello")
    assert whole.text == "OK - 5"
    there = {"files": files, "channel_id": elsewhere.id}
    assert await web.refused("files.completeUploadExternal", **there) == "not_in_channel"
    assert "2 bytes where 5 were announced" in slack.mistakes[0]
    slack.mistakes.clear()


async def test_a_file_is_downloaded_with_a_token_and_is_a_login_page_without(
    slack: FakeSlack, acme: Workspace, helper: Bot, grace: User, ear: Ear
) -> None:
    blind = slack.add_bot(acme, "Blind", {"files:read"})
    message = slack.upload(grace, helper, Upload("cat.png", b"\x89PNG", title="Cat"), text="look")
    await slack.until(lambda: ear.of_type("file_share"))
    url = ear.of_type("file_share")[0]["files"][0]["url_private"]

    good = await fetched(url, helper.token)
    pages = [await fetched(url, token) for token in (None, blind.token, helper.app.token)]
    slack.break_file(message.files[0], 503)
    broken = await fetched(url, helper.token)

    assert (good.content, good.headers["content-type"]) == (b"\x89PNG", "image/png")
    assert [each.status_code for each in pages] == [200, 200, 200]
    assert all(each.headers["content-type"].startswith("text/html") for each in pages)
    assert broken.status_code == 503


async def test_a_deleted_file_leaves_its_place(
    slack: FakeSlack, grace: User, team: Channel, web: Client, ear: Ear
) -> None:
    message = slack.upload(grace, team, Upload("a.txt", b"a"), Upload("b.txt", b"b"))
    slack.delete_file(message.files[0])
    history = await web.ask("conversations.history", channel=team.id)
    await slack.until(lambda: ear.of_type("file_deleted"))

    modes = [each["mode"] for each in history["messages"][0]["files"]]
    assert modes == ["tombstone", "hosted"]
    file = {"file": message.files[0].id}
    assert await web.refused("files.info", **file) == "file_deleted"


async def test_a_pressed_button_is_told_and_answered(
    slack: FakeSlack, helper: Bot, grace: User, team: Channel, web: Client, ear: Ear
) -> None:
    await web.ask("chat.postMessage", channel=team.id, text="Sure?", blocks=[ROW])
    (message,) = helper.sent()
    pressed = slack.press(grace, message, "Yes")
    chosen = slack.choose(grace, message, "size", "s")
    await slack.until(lambda: pressed.acked and chosen.acked)
    url = pressed.payload["response_url"]
    async with httpx2.AsyncClient(trust_env=False) as client:
        answers = [await client.post(url, json={"text": "ok"}) for _ in range(6)]

    told, choice = [each["payload"] for each in ear.requests if each["type"] == "interactive"]
    assert (told["type"], told["user"]["id"]) == ("block_actions", grace.id)
    assert told["actions"][0]["action_id"] == "yes"
    assert (told["message"]["ts"], told["container"]["channel_id"]) == (message.ts, team.id)
    assert choice["actions"][0]["selected_option"]["value"] == "s"
    assert [each.status_code for each in answers] == [200] * 5 + [404]
    assert [each.ephemeral_to for each in helper.sent()[1:]] == [grace] * 5


async def test_an_answer_replaces_or_removes_what_was_pressed(
    slack: FakeSlack, helper: Bot, grace: User, team: Channel, web: Client
) -> None:
    await web.ask("chat.postMessage", channel=team.id, text="Sure?", blocks=[ROW])
    (message,) = helper.sent()
    url = slack.press(grace, message, "yes").payload["response_url"]
    async with httpx2.AsyncClient(trust_env=False) as client:
        wrong = await client.post(url, content=b"Done")
        await client.post(url, json={"replace_original": True, "text": "Done"})
        replaced = (message.text, message.buttons)
        await client.post(url, json={"delete_original": True})

    assert (wrong.status_code, slack.mistakes) == (
        400,
        ["an answer to a response_url is no JSON"],
    )
    assert replaced == ("Done", [])
    assert helper.sent() == []
    slack.mistakes.clear()


async def test_a_command_is_answered_with_its_acknowledgement(
    slack: FakeSlack, helper: Bot, grace: User, team: Channel, ear: Ear
) -> None:
    ear.answer = {"text": "deployed", "response_type": "in_channel"}
    typed = slack.command(grace, helper, team, "/deploy", "now")
    await slack.until(helper.sent)

    told = ear.requests[0]
    assert (told["type"], told["accepts_response_payload"]) == ("slash_commands", True)
    assert (told["payload"]["command"], told["payload"]["text"]) == ("/deploy", "now")
    assert [each.text for each in helper.sent(team)] == ["deployed"]
    assert typed.answer == ear.answer


async def test_a_form_is_opened_once_by_a_press_and_submitted(
    slack: FakeSlack, helper: Bot, grace: User, web: Client, ear: Ear
) -> None:
    started = slack.shortcut(grace, helper, "order")
    trigger = {"trigger_id": started.payload["trigger_id"], "view": MODAL}
    view = (await web.ask("views.open", **trigger))["view"]
    ear.answer = {"response_action": "clear"}
    values = {"b": {"a": {"type": "plain_text_input", "value": "tea"}}}
    sent = slack.submit(grace, helper, view["id"], values)
    closed = slack.close_view(grace, helper, view["id"])
    await slack.until(lambda: sent.acked and closed.acked)

    assert sent.payload["view"]["state"]["values"] == values
    assert sent.answer == {"response_action": "clear"}
    assert closed.payload["type"] == "view_closed"
    assert await web.refused("views.open", **trigger) == "exchanged_trigger_id"
    late = slack.shortcut(grace, helper, "order").payload["trigger_id"]
    slack.pass_time(4)
    refused = await web.refused("views.open", trigger_id=late, view=MODAL)
    assert refused == "expired_trigger_id"


async def test_views_are_changed_and_homes_published(
    slack: FakeSlack, helper: Bot, grace: User, web: Client
) -> None:
    started = slack.shortcut(grace, helper, "order").payload["trigger_id"]
    view = (await web.ask("views.open", trigger_id=started, view=MODAL))["view"]
    other = {**MODAL, "title": {"type": "plain_text", "text": "Other"}}
    changed = await web.ask("views.update", view_id=view["id"], hash=view["hash"], view=other)
    await web.ask("views.publish", user_id=grace.id, view={"type": "home", "blocks": []})

    assert changed["view"]["title"]["text"] == "Other"
    assert slack.homes[helper.app.id, grace.id]["type"] == "home"
    stale = {"view_id": view["id"], "hash": view["hash"], "view": other}
    assert await web.refused("views.update", **stale) == "hash_conflict"


async def test_a_message_has_shortcuts_and_a_home_is_opened(
    slack: FakeSlack, helper: Bot, grace: User, team: Channel, ear: Ear
) -> None:
    message = slack.write(grace, team, "remember this")
    slack.message_shortcut(grace, helper, message, "remember")
    slack.open_home(grace, helper)
    await slack.until(lambda: len(ear.requests) == 3)

    told = ear.requests[1]["payload"]
    assert (told["type"], told["message"]["text"]) == ("message_action", "remember this")
    assert ear.of_type("app_home_opened")[0]["user"] == grace.id


async def test_people_see_that_an_app_is_at_work(
    slack: FakeSlack, grace: User, team: Channel, web: Client
) -> None:
    root = slack.write(grace, team, "think")
    place = {"channel_id": team.id, "thread_ts": root.ts}
    await web.ask("assistant.threads.setStatus", **place, status="is thinking…")

    assert slack.records.statuses == [(team, root.ts, "is thinking…")]


@asynccontextmanager
async def answering(body: dict[str, str], got: list[bytes]) -> AsyncGenerator[str]:
    """An app's address that answers everything with this."""

    async def take(request: Request) -> Response:
        got.append(await request.body())
        return JSONResponse(body)

    async with serving(Starlette(routes=[Route("/", take, methods=["POST"])])) as server:
        yield f"{server.url}/"


async def test_buttons_and_commands_come_as_forms_while_socket_mode_is_off(
    slack: FakeSlack, helper: Bot, grace: User, team: Channel, web: Client
) -> None:
    await web.ask("chat.postMessage", channel=team.id, text="Sure?", blocks=[ROW])
    got: list[bytes] = []
    async with answering({"text": "as you wish"}, got) as url:
        helper.app.request_url = url
        slack.press(grace, helper.sent()[0], "Yes")
        slack.command(grace, helper, team, "/deploy", "now")
        await slack.until(lambda: len(helper.sent()) == 2)

    forms = [parse_qs(each.decode()) for each in got if not each.startswith(b"{")]
    pressed, typed = sorted(forms, key=len)
    assert json.loads(pressed["payload"][0])["type"] == "block_actions"
    assert typed["command"] == ["/deploy"]
    assert (helper.sent()[1].text, helper.sent()[1].ephemeral_to) == ("as you wish", grace)


@pytest.mark.parametrize("kind", ["bot", "user"])
async def test_a_file_of_others_is_not_there(
    slack: FakeSlack, acme: Workspace, helper: Bot, grace: User, kind: str
) -> None:
    hank = slack.add_user(acme, "hank")
    secret = slack.add_channel(acme, "secret", hank, private=True)
    file = slack.upload(hank, secret, Upload("x", b"x"))
    token = helper.token if kind == "bot" else slack.authorize(helper.app, grace)

    async with client_of(slack, token) as client:
        assert await client.refused("files.info", file=file.files[0].id) == "file_not_found"
