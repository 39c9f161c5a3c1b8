"""Buttons, forms, polls, webhooks and invites of the fake Discord, and signed deliveries."""

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import discord as sdk
import httpx2
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from discord import HTTPException, NotFound
from discord.http import Route as SdkRoute
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.fakes.discord import Bot, Channel, FakeDiscord, Guild, Kind, Message, Permission, User
from tests.fakes.discord.clients import Listener
from tests.fakes.discord.messages import Flag
from tests.fakes.loopback import listening


@pytest.fixture
def general(cellar: Guild) -> Channel:
    return next(iter(cellar.channels.values()))


@pytest.fixture
def room(client: Listener, general: Channel) -> sdk.TextChannel:
    found = client.get_channel(general.id)
    assert isinstance(found, sdk.TextChannel)
    return found


@pytest.fixture
async def asked(shop: Bot, room: sdk.TextChannel) -> Message:
    """A question of the bot with a button and a select."""
    view = sdk.ui.View(timeout=None)
    view.add_item(sdk.ui.Button(label="Yes", custom_id="yes"))
    view.add_item(sdk.ui.Select(custom_id="pick", options=[sdk.SelectOption(label="One")]))
    await room.send("well?", view=view)
    return shop.sent()[0]


async def test_a_button_is_pressed_and_answered(
    discord: FakeDiscord, shop: Bot, ada: User, asked: Message, client: Listener
) -> None:
    pressed = discord.press(ada, asked, "yes")
    interaction = await client.until("interaction")
    await interaction.response.send_message("thanks", ephemeral=True)
    place = f"/interactions/{interaction.id}/{interaction.token}/callback"
    with pytest.raises(HTTPException) as twice:
        await client.http.request(SdkRoute("POST", place), json={"type": 1})
    followup = await interaction.followup.send("and more", wait=True)
    await interaction.edit_original_response(content="thank you")

    assert interaction.data["custom_id"] == "yes"
    assert (interaction.user.id, interaction.message.id) == (ada.id, asked.id)
    assert pressed.response
    assert (pressed.response.content, pressed.response.for_user) == ("thank you", ada)
    assert [each.id for each in pressed.followups] == [followup.id]
    assert twice.value.code == 40060
    assert [each.content for each in client.messages] == ["well?", "and more"]


async def test_a_choice_may_be_thought_about(
    discord: FakeDiscord, ada: User, asked: Message, client: Listener
) -> None:
    chosen = discord.choose(ada, asked, "pick", "One")
    interaction = await client.until("interaction")
    await interaction.response.defer(thinking=True)
    assert chosen.response
    was_loading = Flag.LOADING in chosen.response.flags
    await interaction.edit_original_response(content="here it is")

    assert interaction.data["values"] == ["One"]
    assert (was_loading, chosen.response.content) == (True, "here it is")


async def test_a_message_changes_when_its_button_is_pressed(
    discord: FakeDiscord, ada: User, asked: Message, client: Listener
) -> None:
    discord.press(ada, asked, "yes")
    interaction = await client.until("interaction")
    await interaction.response.edit_message(content="done", view=None)

    assert (asked.content, asked.components) == ("done", [])


async def test_a_form_is_filled_in(
    discord: FakeDiscord, ada: User, asked: Message, client: Listener
) -> None:
    form = sdk.ui.Modal(title="Name", custom_id="form")
    form.add_item(sdk.ui.TextInput(label="Who", custom_id="who"))
    pressed = discord.press(ada, asked, "yes")
    await (await client.until("interaction")).response.send_modal(form)
    discord.submit(pressed, who="Ada")
    filled = await client.until("interaction", 2)

    assert filled.type is sdk.InteractionType.modal_submit
    assert filled.data["components"][0]["components"][0]["value"] == "Ada"


async def test_late_answers_find_nobody(
    discord: FakeDiscord, ada: User, asked: Message, client: Listener
) -> None:
    discord.press(ada, asked, "yes")
    interaction = await client.until("interaction")
    discord.pass_time(4)

    with pytest.raises(NotFound) as late:
        await interaction.response.send_message("sorry")

    assert late.value.code == 10062


@asynccontextmanager
async def endpoint(bot: Bot, answer: dict[str, Any]) -> AsyncGenerator[tuple[str, list[object]]]:
    """A webhook that verifies; its address and what it took."""
    key, taken = Ed25519PublicKey.from_public_bytes(bytes.fromhex(bot.public_key)), list[object]()

    async def take(request: Request) -> Response:
        body, headers = await request.body(), request.headers
        stamp = headers.get("x-signature-timestamp", "").encode()
        try:
            key.verify(bytes.fromhex(headers["x-signature-ed25519"]), stamp + body)
        except (InvalidSignature, ValueError, KeyError):
            return Response(status_code=401)
        taken.append(json.loads(body))
        return JSONResponse({"type": 1} if json.loads(body)["type"] == 1 else answer)

    async with listening(Starlette(routes=[Route("/in", take, methods=["POST"])])) as server:
        yield f"{server.url}/in", taken


async def test_interactions_are_delivered_signed(
    discord: FakeDiscord, shop: Bot, ada: User, asked: Message
) -> None:
    answer = {"type": 4, "data": {"content": "by HTTP"}}
    async with endpoint(shop, answer) as (url, taken):
        assert await discord.register_url(shop, url)
        pressed = discord.press(ada, asked, "yes")
        await discord.until(lambda: pressed.response)
        forged = await discord.deliver(shop, discord.ping(shop), signed=b"another body")
        unsigned = {"X-Signature-Ed25519": "zz"}
        garbled = await discord.deliver(shop, discord.ping(shop), headers=unsigned)

    assert pressed.response
    assert (pressed.status, pressed.response.content) == (200, "by HTTP")
    assert [each["type"] for each in taken if isinstance(each, dict)] == [1, 3]
    assert (forged.status_code, garbled.status_code) == (401, 401)


async def test_an_address_that_does_not_verify_is_not_registered(
    discord: FakeDiscord, shop: Bot
) -> None:
    async def trusting(request: Request) -> Response:
        await request.body()
        return JSONResponse({"type": 1})

    routes = [Route("/in", trusting, methods=["POST"])]
    async with listening(Starlette(routes=routes)) as server:
        assert not await discord.register_url(shop, f"{server.url}/in")

    assert shop.interactions_url is None


async def test_polls_are_voted_in_and_end(
    discord: FakeDiscord, shop: Bot, ada: User, room: sdk.TextChannel, client: Listener
) -> None:
    poll = sdk.Poll(question="Tea?", duration=timedelta(hours=1))
    poll.add_answer(text="yes").add_answer(text="no")
    sent = await room.send(poll=poll)
    (message,) = shop.sent()
    discord.vote(ada, message, 1)
    discord.vote(ada, message, 2)
    vote = await client.until("raw_poll_vote_add", 2)
    taken = await client.until("raw_poll_vote_remove")
    assert sent.poll
    voters = [user.id async for user in sent.poll.answers[1].voters()]
    await sent.end_poll()

    assert (vote.user_id, vote.answer_id, taken.answer_id) == (ada.id, 2, 1)
    assert voters == [ada.id]
    assert message.poll
    assert message.poll.finished
    assert [each.kind.name for each in message.channel.visible] == ["DEFAULT", "POLL_RESULT"]


async def test_people_make_polls(
    discord: FakeDiscord, ada: User, general: Channel, client: Listener
) -> None:
    discord.ask(ada, general, "Tea?", "yes", "no")
    message = await client.until("message")

    assert message.poll.question == "Tea?"
    assert [each.text for each in message.poll.answers] == ["yes", "no"]


async def test_webhooks_write_under_any_name(
    discord: FakeDiscord, shop: Bot, cellar: Guild, general: Channel, room: sdk.TextChannel
) -> None:
    discord.allow(cellar, shop, Permission.MANAGE_WEBHOOKS)
    webhook = await room.create_webhook(name="relay")
    headers = {"User-Agent": "DiscordBot (https://example.org, 1.0)"}
    async with httpx2.AsyncClient(trust_env=False, headers=headers) as http:
        place = f"{discord.api_url}/webhooks/{webhook.id}/{webhook.token}"
        written = await http.post(f"{place}?wait=true", json={"content": "hi", "username": "Eve"})
        quiet = await http.post(place, json={"content": "hush"})
        wrong = await http.post(f"{place}x", json={"content": "hi"})
        edit = await http.patch(f"{place}/messages/{written.json()['id']}", json={"content": "ho"})

    assert [each.content for each in general.visible] == ["ho", "hush"]
    assert general.visible[0].author.username == "Eve"
    assert (written.status_code, quiet.status_code, edit.status_code) == (200, 204, 200)
    assert (wrong.status_code, wrong.json()["code"]) == (401, 50027)
    assert [each.id for each in await room.webhooks()] == [webhook.id]
    await webhook.delete()
    assert discord.webhooks == {}


async def test_invites_are_made_looked_up_and_revoked(
    discord: FakeDiscord, shop: Bot, cellar: Guild, client: Listener, room: sdk.TextChannel
) -> None:
    discord.allow(cellar, shop, Permission.MANAGE_CHANNELS | Permission.MANAGE_GUILD)
    made = await room.create_invite(max_age=60)
    found = await client.fetch_invite(made.code)
    listed = [each.code for each in await room.invites()]
    await found.delete()
    with pytest.raises(NotFound) as gone:
        await client.fetch_invite(made.code)

    assert found.guild
    assert (found.guild.id, listed, gone.value.code) == (cellar.id, [made.code], 10006)


async def test_channels_are_followed(
    discord: FakeDiscord, shop: Bot, cellar: Guild, general: Channel, client: Listener
) -> None:
    discord.allow(cellar, shop, Permission.MANAGE_WEBHOOKS)
    news = discord.create_channel(cellar, "news", Kind.ANNOUNCEMENT)
    source = await client.until("guild_channel_create")
    target = client.get_channel(general.id)

    await source.follow(destination=target)

    assert news.followers == [general]
