"""Recipients as people write them, and whom Discord knows under them."""

import pytest

from messengers.errors import InvalidInput, PlatformRefused
from messengers.providers.discord.places import guild_of, parse_target
from tests.fakes.discord import Kind
from tests.providers.discord.conftest import Connected, native

NUMBER = "100000000000000001"


@pytest.mark.parametrize(
    ("text", "native_id"),
    [
        (NUMBER, NUMBER),
        (f"user:{NUMBER}", f"user:{NUMBER}"),
        (f"guild:{NUMBER}", f"guild:{NUMBER}"),
        (f"<#{NUMBER}>", NUMBER),
        (f"<@!{NUMBER}>", f"user:{NUMBER}"),
        (f"https://canary.discord.com/channels/@me/{NUMBER}", NUMBER),
        (f"https://discord.com/channels/{NUMBER}/{NUMBER}/{NUMBER}", NUMBER),
        (f"https://discord.com/users/{NUMBER}", f"user:{NUMBER}"),
        ("@Ada.L", "@ada.l"),
        ("general", None),
        ("123", None),
        (f"https://evil.example/channels/@me/{NUMBER}", None),
    ],
)
def test_a_recipient_is_understood(text: str, native_id: str | None) -> None:
    assert parse_target(text) == native_id


@pytest.mark.parametrize("text", ["+37120000000", "slack:C1", "t.me/bread", "1@c.us"])
def test_what_is_another_messengers_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        parse_target(text)


@pytest.mark.parametrize("native_id", [NUMBER, f"user:{NUMBER}", "guild:x"])
def test_what_is_no_server_is_none(native_id: str) -> None:
    with pytest.raises(PlatformRefused):
        guild_of(native_id)


async def test_numbers_are_asked_for(shop: Connected) -> None:
    resolve = shop.provider.resolve
    dm = shop.discord.dm(shop.bot, shop.ada)
    board = shop.discord.add_channel(shop.guild, "board")  # nobody was told of it
    hidden = shop.discord.add_channel(shop.guild, "hidden")
    shop.discord.hide(hidden)
    post = shop.discord.start_thread(shop.ada, board, "Old")
    shop.discord.archive(post)
    stage = shop.discord.add_channel(shop.guild, "loud", Kind.VOICE)

    assert [*await resolve(str(dm.id))] == [native(shop.ada)]
    assert [*await resolve(str(board.id))] == [native(board)]
    assert [*await resolve(str(post.id))] == [native(post)]
    assert [*await resolve(str(stage.id))] == [native(stage)]
    assert [*await resolve(str(hidden.id))] == []
    assert [*await resolve(native(shop.guild))] == [native(shop.guild)]
    assert [*await resolve(f"guild:{NUMBER}")] == []
    assert [*await resolve("@ada")] == [native(shop.ada)]
    assert [*await resolve("@ad")] == []
    assert shop.provider.calls().rooms.rooms[str(board.id)].name == "board"
