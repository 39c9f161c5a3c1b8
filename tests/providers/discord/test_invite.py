"""The link that invites the bot: what it asks for is enough for all that is offered, but one."""

import re
from datetime import UTC, datetime

import pytest

from messengers.errors import PlatformRefused
from messengers.models import Button, Outcome, Poll
from messengers.providers.groups import GroupUpdate
from tests.fakes.discord import Bot, FakeDiscord, Guild, Kind, Permission, User
from tests.providers.discord.conftest import Connected, OpenCore, connected_bot, native
from tests.providers.discord.test_outgoing import data, ref
from tests.providers.discord.test_receiving import PNG


@pytest.fixture
def strict(discord: FakeDiscord, bot: Bot, ada: User) -> Guild:
    """A server in which nobody may do anything that his roles do not allow."""
    guild = discord.add_guild("Cellar", discord.add_user("bob", "Bob"), ada, bot)
    guild.everyone.permissions = Permission(0)
    discord.allow(guild, bot, Permission.VIEW_CHANNEL)
    return guild


def asked_for(shop: Connected) -> Permission:
    """What the link in the instance's status asks for."""
    (number,) = re.findall(r"permissions=(\d+)", shop.entry.health.reason)
    return Permission(int(number))


async def test_the_invitation_is_enough(
    discord: FakeDiscord, reopen: OpenCore, strict: Guild, bot: Bot, ada: User
) -> None:
    eve = discord.add_user("eve")
    discord.seat(strict, eve)
    async with connected_bot(discord, reopen, strict) as shop:
        discord.change_role(strict, strict.members[bot.id].roles[0], asked_for(shop))
        discord.post(shop.general, ada, "question")
        await shop.provider.history(str(shop.general.id), datetime.now(UTC), 5)
        forum = discord.create_channel(strict, "ideas", Kind.FORUM)
        thread = discord.start_thread(strict.owner, shop.general, "plans")
        poll = Poll(question="Which?", options=("a", "b"))
        sent = [
            await shop.send(shop.general, "hello"),
            await shop.send(shop.general, "files", attachments=[data(PNG, "image/png")]),
            await shop.send(shop.general, poll=poll),
            await shop.send(shop.general, "Bread?", buttons=[Button(text="Rye")]),
            await shop.send(thread, "in the thread"),
            await shop.send(forum, "A post"),
        ]
        about, place = await ref(shop, shop.general, "hello"), str(shop.general.id)
        await shop.provider.react(place, about, "👍")
        await shop.provider.pin(place, about, pinned=True)
        await shop.provider.typing(place, active=True)
        await shop.provider.edit(place, about, "hello again")
        await shop.provider.delete(place, about)
        link = await shop.provider.invite_link(native(strict))
        (banned,) = await shop.provider.change_members(native(strict), "ban", [native(eve)])
        with pytest.raises(PlatformRefused, match="it needs Manage Server"):
            await shop.provider.update_group(native(strict), GroupUpdate(name="Bakery"))

    assert [each.outcome for each in sent] == [Outcome.ACCEPTED] * 6
    assert link.startswith("https://discord.gg/")
    assert banned.done, banned.why
