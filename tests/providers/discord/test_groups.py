"""Servers as groups: who is there, what they are called, who is put out."""

import pytest

from messengers.errors import PlatformRefused, Unsupported
from messengers.providers.groups import GroupUpdate
from tests.fakes.discord import Bot, FakeDiscord, Guild, Intent, Permission
from tests.providers.discord.conftest import Connected, OpenCore, connected_bot, native
from tests.providers.discord.test_receiving import PNG


async def test_a_server_is_shown_with_its_members_and_who_runs_it(shop: Connected) -> None:
    shop.discord.create_role(shop.guild, "mods", Permission.ADMINISTRATOR, shop.ada)
    shop.discord.rename_member(shop.guild, shop.ada, "Countess")

    (listed,) = await shop.provider.groups()
    seen = await shop.provider.group(listed.native_id)

    bob = shop.guild.owner
    assert (seen.name, seen.size, seen.partial, seen.i_am_admin) == ("Cellar", 3, False, False)
    assert seen.owner_native_id == f"user:{bob.id}"
    assert {(each.native_id, each.display_name, each.role) for each in seen.members} == {
        (f"user:{bob.id}", "Bob", "owner"),
        (f"user:{shop.ada.id}", "Countess", "admin"),
        (f"user:{shop.bot.id}", "shop", "member"),
    }


async def test_without_the_intent_only_some_members_are_named(
    discord: FakeDiscord, reopen: OpenCore, cellar: Guild, bot: Bot
) -> None:
    bot.enabled = Intent.MESSAGE_CONTENT
    async with connected_bot(discord, reopen, cellar) as shop:
        seen = await shop.provider.group(native(cellar))

    assert seen.partial
    assert {each.role for each in seen.members} == {"owner", "member"}


async def test_members_are_put_out_and_banned(shop: Connected) -> None:
    eve, mallory = shop.discord.add_user("eve"), shop.discord.add_user("mallory")
    for user in (eve, mallory):
        shop.discord.join(shop.guild, user)
    role = shop.discord.add_role(shop.guild, "high", Permission.KICK_MEMBERS, shop.bot)
    shop.discord.allow(shop.guild, shop.bot, Permission.KICK_MEMBERS | Permission.BAN_MEMBERS)
    place, change = native(shop.guild), shop.provider.change_members

    (kicked,) = await change(place, "remove", [native(eve)])
    (banned,) = await change(place, "ban", [native(mallory)])
    (owner, nobody) = await change(place, "remove", [native(shop.guild.owner), "12"])
    (promoted,) = await change(place, "promote", [native(shop.ada)])
    (added,) = await change(place, "add", [native(eve)])

    assert role.position > 0
    assert (kicked.done, banned.done, owner.done, nobody.done) == (True, True, False, False)
    assert eve.id not in shop.guild.members
    assert [*shop.guild.bans] == [mallory.id]
    assert "roles instead of admins" in promoted.why
    assert "invite link" in added.why
    assert (await shop.provider.group(place)).i_am_admin


async def test_a_server_is_renamed_and_gets_a_picture(shop: Connected) -> None:
    place, update = native(shop.guild), shop.provider.update_group
    with pytest.raises(PlatformRefused, match="permission"):
        await update(place, GroupUpdate(name="Attic"))
    shop.discord.allow(shop.guild, shop.bot, Permission.MANAGE_GUILD)

    await update(place, GroupUpdate(name="Attic", description="Up there", picture=PNG))

    asked = shop.discord.asked("update_guild")[-1]
    assert shop.guild.name == "Attic"
    assert (asked["description"], asked["icon"][:22]) == ("Up there", "data:image/png;base64,")
    with pytest.raises(Unsupported):
        await update(place, GroupUpdate(announcements=True))


async def test_an_invite_lets_people_in_and_a_new_one_ends_the_old(shop: Connected) -> None:
    shop.discord.allow(shop.guild, shop.bot, Permission.MANAGE_GUILD | Permission.MANAGE_CHANNELS)
    place, invite = native(shop.guild), shop.provider.invite_link

    first = await invite(place)
    second = await invite(place, renew=True)

    assert first != second
    assert [f"https://discord.gg/{code}" for code in shop.discord.invites] == [second]


async def test_a_bot_makes_no_servers_and_leaves_them(shop: Connected) -> None:
    with pytest.raises(Unsupported):
        await shop.provider.create_group("Attic", [])
    await shop.provider.leave_group(native(shop.guild))

    assert shop.bot.id not in shop.guild.members
