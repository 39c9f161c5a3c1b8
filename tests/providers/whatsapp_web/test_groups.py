"""Groups, as WhatsApp and the other members see them."""

import io

import pytest
from PIL import Image

from messengers.errors import NotFound
from messengers.providers.groups import GroupUpdate
from tests.fakes.whatsapp_web.membership import Group
from tests.providers.whatsapp_web.conftest import Linked, next_of, until

pytestmark = pytest.mark.timeout(60)
STRANGER = "19995550199@s.whatsapp.net"


@pytest.fixture
def team(linked: Linked) -> Group:
    """A group of Bob's in which the account is an admin."""
    bob = linked.somebody("Bob")
    group = linked.wa.add_group("Team", bob, [linked.me, linked.somebody("Carol")])
    group.members[linked.me] = "admin"
    return group


async def test_groups_are_listed_with_their_members_by_number(linked: Linked, team: Group) -> None:
    found = {each.native_id: each for each in await linked.provider.groups()}

    shown = found[team.jid]
    assert (shown.name, shown.size, shown.i_am_admin) == ("Team", 3, True)
    assert shown.owner_native_id == team.owner.pn
    assert {member.native_id: member.role for member in shown.members} == {
        team.owner.pn: "owner",
        linked.me.pn: "admin",
        list(team.members)[2].pn: "member",
    }
    assert [each.phone for each in shown.members if "@lid" in each.native_id] == []


async def test_a_group_that_the_account_is_not_in_is_not_found(linked: Linked) -> None:
    bob = linked.somebody("Bob")
    theirs = linked.wa.add_group("Theirs", bob, [linked.somebody("Carol")])

    with pytest.raises(NotFound):
        await linked.provider.group(theirs.jid)
    with pytest.raises(NotFound):
        await linked.provider.group("120363000000000000@g.us")


async def test_a_new_group_has_who_was_put_into_it(linked: Linked) -> None:
    bob, carol = linked.somebody("Bob"), linked.somebody("Carol")

    made = await linked.provider.create_group("Picnic", [bob.pn, carol.pn])

    group = linked.wa.groups[made.native_id]
    assert group.subject == made.name == "Picnic"
    assert set(group.members) == {linked.me, bob, carol}
    assert {member.native_id for member in made.members} == {linked.me.pn, bob.pn, carol.pn}


async def test_members_come_go_and_change_their_part(linked: Linked, team: Group) -> None:
    dave, carol = linked.somebody("Dave"), list(team.members)[2]
    change = linked.provider.change_members

    added = await change(team.jid, "add", [dave.pn, carol.pn, STRANGER])
    promoted = await change(team.jid, "promote", [dave.pn])
    demoted = await change(team.jid, "demote", [dave.pn])
    removed = await change(team.jid, "remove", [carol.pn])

    assert [(each.native_id, each.done) for each in added] == [
        (dave.pn, True),
        (carol.pn, False),
        (STRANGER, False),
    ]
    assert added[1].why == "They are in the group already."
    assert added[2].why
    assert [each.done for each in (*promoted, *demoted, *removed)] == [True, True, True]
    assert team.members[dave] == ""
    assert carol not in team.members


async def test_each_member_of_a_change_has_his_own_outcome(linked: Linked) -> None:
    bob, carol = linked.somebody("Bob"), linked.somebody("Carol")
    group = linked.wa.add_group("Team", linked.me, [linked.me, bob])

    results = await linked.provider.change_members(group.jid, "remove", [bob.pn, carol.pn])

    assert [(each.native_id, each.done) for each in results] == [(bob.pn, True), (carol.pn, False)]
    assert results[1].why == "They are not in the group, or not on WhatsApp."
    assert set(group.members) == {linked.me}


async def test_a_group_gets_another_name_description_picture_and_rule(
    linked: Linked, team: Group
) -> None:
    png = io.BytesIO()
    Image.new("RGBA", (900, 300), "red").save(png, "PNG")
    update = GroupUpdate(
        name="Crew", description="Who rows", picture=png.getvalue(), announcements=True
    )

    await linked.provider.update_group(team.jid, update)

    shown = await linked.provider.group(team.jid)
    assert (shown.name, shown.description, shown.announcements) == ("Crew", "Who rows", True)
    assert team.picture
    with Image.open(io.BytesIO(team.picture)) as seen:
        assert (seen.format, seen.size) == ("JPEG", (300, 300))
    assert await linked.provider.portrait(team.jid, 1_000_000) == team.picture


async def test_an_invite_link_can_be_made_anew(linked: Linked, team: Group) -> None:
    first = await linked.provider.invite_link(team.jid)
    again = await linked.provider.invite_link(team.jid)
    renewed = await linked.provider.invite_link(team.jid, renew=True)

    assert first == again
    assert first.startswith("https://chat.whatsapp.com/")
    assert renewed != first


async def test_a_group_is_left(linked: Linked, team: Group) -> None:
    await linked.provider.leave_group(team.jid)

    assert linked.me not in team.members


async def test_a_message_to_a_group_reaches_its_members(linked: Linked, team: Group) -> None:
    carol = list(team.members)[2]
    await linked.wa.send_text(team.owner, linked.companion, "who rows?", group=team)
    chat = await linked.chat(team.jid)

    sent = await linked.send(chat.id, "I do")

    received = await next_of(carol)
    assert sent.outcome == "accepted"
    assert (received.text, received.chat) == ("I do", team.jid)


async def test_what_others_change_in_a_group_is_a_line_between_its_messages(
    linked: Linked, team: Group
) -> None:
    owner, carol, wa = team.owner, list(team.members)[2], linked.wa
    dave = linked.somebody("Dave")
    await wa.send_text(owner, linked.companion, "hi", group=team)
    await linked.chat(team.jid)

    await wa.add_by_other(team, owner, [dave])
    await wa.promote_by_other(team, owner, [dave])
    await wa.demote_by_other(team, owner, [dave])
    await wa.remove_by_other(team, owner, [dave, carol])
    await wa.rename_by_other(team, owner, "Crew")
    await wa.describe_by_other(team, owner, "Who rows")
    await wa.switch_by_other(team, owner, "announcement")
    await wa.switch_by_other(team, owner, "ephemeral", expiration=86_400)

    async def lines() -> list[str] | None:
        found = [each.text for each in await linked.messages(team.jid)][1:]
        return found if len(found) == 8 else None

    told = await until(lines)
    assert [line.partition(" ")[2] for line in told[:3]] == [
        "joined)",
        "became admin)",
        "is no admin any more)",
    ]
    assert told[3].endswith(" left)")
    assert told[4:] == [
        "(the group is called Crew now)",
        "(the description is now: Who rows)",
        "(only admins write now)",
        "(messages disappear after 1 days)",
    ]
    await becomes_named(linked, team.jid, "Crew")


async def becomes_named(linked: Linked, jid: str, name: str) -> None:
    async def named() -> bool | None:
        return (await linked.chat(jid)).name == name or None

    await until(named)
