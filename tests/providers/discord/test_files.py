"""Fetching the files of messages."""

from functools import partial
from pathlib import Path

import pytest

from messengers.core.core import open_core
from messengers.errors import BadCredentials, InvalidInput, PlatformRefused, Unreachable
from messengers.models import Attachment
from messengers.settings import Settings
from tests.fakes.discord import FakeDiscord, Guild
from tests.fakes.internet import Internet, serving
from tests.providers.discord.conftest import Connected, OpenCore, connected_bot
from tests.providers.discord.test_receiving import PNG


async def pictured(shop: Connected) -> Attachment:
    """A picture of Ada's, as it is stored."""
    shop.discord.write(shop.ada, shop.general, "look", files=[("a.png", PNG)])
    return (await shop.heard(shop.general, "look")).attachments[0]


async def test_a_file_that_is_larger_than_was_asked_for_is_not_read(shop: Connected) -> None:
    with pytest.raises(InvalidInput, match="larger than is kept"):
        await shop.provider.download(await pictured(shop), 10)


async def test_a_file_whose_message_is_gone_is_gone(shop: Connected) -> None:
    file = await pictured(shop)
    other = file.model_copy(update={"native_ref": f"{file.native_ref}0"})
    with pytest.raises(PlatformRefused, match="no longer part"):
        await shop.provider.download(other, 1000)

    shop.discord.delete(*shop.general.visible)

    with pytest.raises(PlatformRefused, match="That message is gone"):
        await shop.provider.download(file, 1000)


async def test_an_address_that_is_not_discords_is_not_asked(shop: Connected) -> None:
    file = await pictured(shop)
    shop.discord.library.base_url = "http://127.0.0.1:9"

    with pytest.raises(PlatformRefused, match="not its own"):
        await shop.provider.download(file, 1000)


async def test_a_file_s_address_is_reached_through_the_guard(
    discord: FakeDiscord, cellar: Guild, tmp_path: Path
) -> None:
    async with serving() as server:
        internet = Internet(server)
        internet.names = {"cdn.discordapp.com": ["10.0.0.5"]}
        guarded = partial(open_core, Settings(home=tmp_path / "home"), guard=internet.guard())
        async with connected_bot(discord, guarded, cellar) as shop:
            file = await pictured(shop)
            discord.library.base_url = "https://cdn.discordapp.com"
            with pytest.raises(Unreachable, match="at the moment"):
                await shop.provider.download(file, 1000)

    assert internet.lookups == ["cdn.discordapp.com"]
    assert internet.tried == []


@pytest.mark.case("S35")
async def test_a_proxy_of_the_environment_gets_nothing(
    discord: FakeDiscord, reopen: OpenCore, cellar: Guild, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")

    async with connected_bot(discord, reopen, cellar) as shop:
        found = await shop.provider.download(await pictured(shop), 1000)
        await shop.send(shop.general, "thanks")

    assert found == PNG
    assert [each.content for each in shop.bot.sent()] == ["thanks"]


async def test_an_address_that_has_ended_is_told(shop: Connected) -> None:
    file = await pictured(shop)
    shop.discord.library.files.clear()

    with pytest.raises(PlatformRefused, match="has that file no longer"):
        await shop.provider.download(file, 1000)


@pytest.mark.parametrize(
    ("status", "error"), [(401, BadCredentials), (503, Unreachable), (418, PlatformRefused)]
)
async def test_a_failure_is_told_as_what_it_is(
    shop: Connected, status: int, error: type[Exception]
) -> None:
    file = await pictured(shop)
    shop.discord.fail_next("get_message", status=status, times=None)

    with pytest.raises(error):
        await shop.provider.download(file, 1000)
