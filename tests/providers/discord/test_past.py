"""What a channel held before the bot came, fetched as far as somebody reads."""

from messengers.core.callers import OWNER
from tests.fakes.discord import Bot, FakeDiscord, Guild, User
from tests.providers.discord.conftest import OpenCore, connected_bot


async def test_older_messages_are_fetched_page_by_page_and_once(
    discord: FakeDiscord, reopen: OpenCore, bot: Bot, ada: User, cellar: Guild
) -> None:
    (general,) = cellar.channels.values()
    for number in range(130):
        discord.write(ada, general, f"number {number}")
        discord.pass_time(1)
    async with connected_bot(discord, reopen, cellar) as shop:
        chat = await shop.chat(general)
        pages, cursor = list[str](), ""
        while True:
            page = await shop.core.history.read(OWNER, chat, 50, cursor=cursor)
            pages = [*(each.text for each in page.items), *pages]
            cursor = page.cursor
            if not cursor:
                break
        asked = len(discord.asked("list_messages"))
        again = await shop.core.history.read(OWNER, chat, 200)
        received = await shop.core.events.since(OWNER, 0, kind="message.received")

        assert pages == [f"number {number}" for number in range(130)]
        assert [each.text for each in again.items] == pages
        assert 0 < asked == len(discord.asked("list_messages"))
        assert list(received) == []
        assert (await shop.chat(general)).unread == 0
