"""Groups as a bot sees and runs them."""

import base64
import io

import pytest
from PIL import Image

from messengers.core.callers import OWNER, Caller
from messengers.core.groups import Group
from messengers.errors import InvalidInput, MessengersError, PlatformRefused, Uncertain, Unsupported
from messengers.models import Outcome, SentMessage
from messengers.providers.groups import GroupUpdate, MemberChange
from tests.fakes.telegram import Chat, FakeTelegram, User
from tests.providers.telegram.conftest import Connected, OpenCore, connected_bot

AGENT = Caller("stdio", local=True, preset="admin", toolsets=frozenset({"groups"}))


def picture() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (200, 200), (200, 30, 30)).save(out, "JPEG")
    return out.getvalue()


async def room(shop: Connected, owner: User, *others: User, admin: bool = True) -> Chat:
    """A supergroup that the bot has heard of, as an admin of it."""
    group = shop.telegram.add_supergroup("Bakers", owner, *others, shop.bot)
    if admin:
        shop.telegram.promote(group, owner, shop.bot)
    shop.telegram.write(owner, group, "hello")
    await shop.heard(group.id, "hello")
    return group


async def seen(shop: Connected, group: Chat) -> Group:
    return await shop.core.groups.get(AGENT, (await shop.chat(group.id)).id)


async def change(
    shop: Connected, group: Chat, what: MemberChange, *members: User | str
) -> SentMessage:
    names = [each if isinstance(each, str) else str(each.id) for each in members]
    chat = (await shop.chat(group.id)).id
    act = await shop.core.group_changes.prepare_members(AGENT, chat, what, names)
    answer = await shop.core.approvals.perform(act, 10)
    assert isinstance(answer, SentMessage)
    return answer


async def test_the_groups_it_heard_of_are_listed_and_those_it_left_are_not(
    telegram: FakeTelegram, reopen: OpenCore
) -> None:
    async with connected_bot(telegram, reopen) as shop:
        ada = shop.somebody()
        first = await room(shop, ada)
        second = telegram.add_group("Millers", ada, shop.bot)
        telegram.write(ada, second, "hi")
        await shop.heard(second.id, "hi")
        telegram.rename(second, ada, "Old millers")
        await shop.heard(second.id, "(the chat is called Old millers now)")
    async with reopen() as core:
        again = Connected(telegram, core, shop.bot)
        await again.core.instances.connect(OWNER, "shop")
        before = (await again.core.groups.list(AGENT)).items
        telegram.kick(first, ada, shop.bot)
        await again.heard(first.id, "(Ada banned this bot)")
        after = (await again.core.groups.list(AGENT)).items

    assert {each.seen.name for each in before} == {"Bakers", "Old millers"}
    assert [each.seen.name for each in after] == ["Old millers"]


async def test_a_group_shows_its_admins_and_how_many_are_in_it(shop: Connected) -> None:
    ada, bob = shop.somebody("Ada"), shop.somebody("Bob")
    group = await room(shop, ada, bob)
    group.description = "All about bread"

    found = (await seen(shop, group)).seen

    assert (found.name, found.description, found.size) == ("Bakers", "All about bread", 3)
    assert found.i_am_admin
    assert found.owner_native_id == str(ada.id)
    roles = {each.native_id: each.role for each in found.members}
    assert roles[str(ada.id)] == "owner"
    assert roles[str(shop.bot.id)] == "admin"


async def test_who_wrote_in_a_group_is_known_there_and_can_be_named(shop: Connected) -> None:
    ada, bob = shop.somebody("Ada"), shop.somebody("Bob")
    group = await room(shop, ada, bob)
    shop.telegram.write(bob, group, "me too")
    await shop.heard(group.id, "me too")

    found = (await seen(shop, group)).seen
    answer = await change(shop, group, "ban", bob)

    assert found.partial
    assert {each.native_id: each.display_name for each in found.members}[str(bob.id)] == "Bob"
    assert answer.notes[0].endswith(": banned")
    assert group.member(bob).status == "kicked"


async def test_a_bot_makes_no_groups_and_adds_nobody(shop: Connected) -> None:
    ada = shop.somebody()
    group = await room(shop, ada)

    added = await change(shop, group, "add", shop.somebody("Bob"))

    assert added.outcome is Outcome.FAILED
    assert "send them the invite link" in added.notes[0]
    with pytest.raises(Unsupported):
        await shop.provider.create_group("New", [])


async def test_who_is_removed_may_come_back(shop: Connected) -> None:
    ada, bob = shop.somebody("Ada"), shop.somebody("Bob")
    group = await room(shop, ada, bob)

    answer = await change(shop, group, "remove", bob)

    assert answer.outcome is Outcome.ACCEPTED
    assert group.member(bob).status == "left"


async def test_an_admin_is_made_with_the_rights_the_bot_has_and_unmade(shop: Connected) -> None:
    ada, bob = shop.somebody("Ada"), shop.somebody("Bob")
    group = await room(shop, ada, bob)

    await change(shop, group, "promote", bob)
    made = group.member(bob)
    await change(shop, group, "demote", bob)

    assert made.status == "administrator"
    assert "can_promote_members" not in made.rights
    assert group.member(bob).status == "member"


async def test_what_telegram_refuses_for_one_is_told_of_that_one(shop: Connected) -> None:
    ada, bob = shop.somebody("Ada"), shop.somebody("Bob")
    group = await room(shop, ada, bob)

    answer = await change(shop, group, "remove", ada, bob)

    assert answer.outcome is Outcome.ACCEPTED
    assert "removed" in answer.notes[1]
    assert "removed" not in answer.notes[0]


async def test_a_group_is_renamed_described_pictured_and_silenced(shop: Connected) -> None:
    ada, bob = shop.somebody("Ada"), shop.somebody("Bob")
    group = await room(shop, ada, bob)
    chat = (await shop.chat(group.id)).id
    uri = f"data:image/jpeg;base64,{base64.b64encode(picture()).decode()}"

    act = await shop.core.group_changes.prepare_update(
        AGENT, chat, name="Millers", description="Flour", picture=uri, announcements=True
    )
    await shop.core.approvals.perform(act, 10)

    assert (group.title, group.description) == ("Millers", "Flour")
    assert group.photo
    assert (await seen(shop, group)).seen.announcements
    await shop.provider.update_group(str(group.id), GroupUpdate(announcements=False))
    assert not (await seen(shop, group)).seen.announcements


async def test_a_description_that_is_too_long_changes_nothing(shop: Connected) -> None:
    group = await room(shop, shop.somebody())

    with pytest.raises(InvalidInput):
        await shop.provider.update_group(
            str(group.id), GroupUpdate(name="New", description="x" * 256)
        )

    assert group.title == "Bakers"


async def test_what_was_changed_before_a_refusal_is_said(shop: Connected) -> None:
    group = await room(shop, shop.somebody())
    shop.telegram.fail_next("setChatDescription", 400, "Bad Request: not enough rights to change")

    with pytest.raises(Uncertain, match=r"Changed: name\. Not changed: description"):
        await shop.provider.update_group(
            str(group.id), GroupUpdate(name="New", description="Flour")
        )
    shop.telegram.fail_next("setChatTitle", 400, "Bad Request: not enough rights to change")
    with pytest.raises(PlatformRefused, match="no right"):
        await shop.provider.update_group(str(group.id), GroupUpdate(name="Newer"))


async def test_the_invite_link_stays_until_it_is_renewed(shop: Connected) -> None:
    group = await room(shop, shop.somebody())
    native = str(group.id)

    first = await shop.provider.invite_link(native)
    same = await shop.provider.invite_link(native)
    renewed = await shop.provider.invite_link(native, renew=True)

    assert first.startswith("https://t.me/")
    assert first == same != renewed


async def test_a_group_is_left(shop: Connected) -> None:
    group = await room(shop, shop.somebody())
    chat = (await shop.chat(group.id)).id

    act = await shop.core.group_changes.prepare_leave(AGENT, chat)
    await shop.core.approvals.perform(act, 10)

    assert group.member(shop.bot).status == "left"
    assert await shop.provider.groups() == []


async def test_without_rights_a_group_says_who_can_give_them(shop: Connected) -> None:
    group = await room(shop, shop.somebody(), admin=False)

    with pytest.raises(MessengersError, match=r"no (right|admin)"):
        await shop.provider.update_group(str(group.id), GroupUpdate(name="New"))
