"""Channels as an account sees and runs them."""

import pytest

from messengers.core.callers import Caller
from messengers.errors import (
    InvalidInput,
    MessengersError,
    NotFound,
    PlatformRefused,
    Uncertain,
    Unsupported,
)
from messengers.models import Outcome
from messengers.providers.groups import GroupUpdate
from tests.fakes.slack import FakeSlack, User
from tests.providers.slack.conftest import Connected

AGENT = Caller("stdio", local=True, preset="admin", toolsets=frozenset({"groups"}))
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def alan(work: Connected) -> User:
    return work.slack.add_user(work.acme, "alan", "Alan Turing")


async def test_the_channels_it_is_in_are_listed_without_asking_for_everybody(
    work: Connected,
) -> None:
    secret = work.slack.add_channel(work.acme, "secret", work.grace, work.bot, private=True)
    work.slack.add_channel(work.acme, "elsewhere", work.grace)

    page = await work.core.groups.list(AGENT, "work")

    names = {group.chat.name: group.seen.native_id for group in page.items}
    assert names == {"#team": work.team.id, "#secret": secret.id}
    assert work.slack.asked("users.list") == []


async def test_a_channel_is_shown_with_its_members(work: Connected, alan: User) -> None:
    work.slack.join(work.team, alan)
    work.slack.set_purpose(work.team, work.grace, "Bread & more")
    await work.core.groups.list(AGENT, "work")

    found = await work.core.groups.get(AGENT, (await work.chat(work.team.id)).id)
    page = await work.core.groups.members(found)

    assert (found.seen.description, found.seen.size) == ("Bread & more", 3)
    assert found.seen.owner_native_id == work.grace.id
    told = [(each.name, each.seen.role) for each in page.items]
    assert told[0] == ("Grace Hopper", "owner")
    assert {name for name, _ in told} == {"Grace Hopper", "Helper", "Alan Turing"}


async def test_a_private_channel_is_made_with_those_who_may_come(
    work: Connected, alan: User
) -> None:
    gone = work.slack.add_user(work.acme, "gone")
    work.slack.change_user(gone, deleted=True)

    made = await work.provider.create_group("New Ideas!", [alan.id, gone.id])

    channel = work.acme.channels[made.native_id]
    assert (made.name, channel.kind) == ("#new-ideas", "private_channel")
    assert [each.native_id for each in made.members] == [work.bot.user.id, alan.id]
    assert set(channel.members) == {work.bot.user.id, alan.id}
    with pytest.raises(InvalidInput):
        await work.provider.create_group(" #!? ", [])
    with pytest.raises(PlatformRefused, match="of that name"):
        await work.provider.create_group("team", [])


async def test_members_come_and_go_one_by_one(work: Connected, alan: User) -> None:
    change = work.provider.change_members

    added = await change(work.team.id, "add", [alan.id, "U0NOBODY00", "C0NOBODY00"])
    inside = alan.id in work.team.members
    removed = await change(work.team.id, "remove", [alan.id])
    others = [await change(work.team.id, what, [alan.id]) for what in ("ban", "promote", "demote")]

    assert [each.done for each in added] == [True, False, False]
    assert inside
    assert [each.done for each in removed] == [True]
    assert alan.id not in work.team.members
    assert not any(outcome.done for (outcome,) in others)
    assert all(outcome.why for (outcome,) in others)


async def test_an_answer_that_fails_leaves_the_rest_in_doubt(work: Connected, alan: User) -> None:
    work.slack.break_down("conversations.invite")

    with pytest.raises(Uncertain):
        await work.provider.change_members(work.team.id, "add", [alan.id])


async def test_name_and_description_are_changed_and_what_cannot_be_says_so(
    slack: FakeSlack, work: Connected
) -> None:
    made = await work.provider.create_group("ideas", [])
    update = work.provider.update_group

    await update(made.native_id, GroupUpdate(name="Better ideas", description="Write here"))

    channel = work.acme.channels[made.native_id]
    assert (channel.name, channel.purpose["value"]) == ("better-ideas", "Write here")
    for wrong in (GroupUpdate(picture=PNG), GroupUpdate(announcements=True)):
        with pytest.raises(Unsupported):
            await update(made.native_id, wrong)
    with pytest.raises(InvalidInput):
        await update(made.native_id, GroupUpdate(description="x" * 251))
    with pytest.raises(PlatformRefused):
        await update(work.team.id, GroupUpdate(name="mine"))
    slack.fail_next("conversations.setPurpose", "too_long")
    with pytest.raises(Uncertain, match="Not changed: description"):
        await update(made.native_id, GroupUpdate(name="ideas", description="y"))


async def test_a_public_channel_has_an_address_and_a_private_one_none(work: Connected) -> None:
    private = await work.provider.create_group("ideas", [])
    link = work.provider.invite_link

    assert await link(work.team.id) == f"{work.acme.url}archives/{work.team.id}"
    for chat, renew in ((work.team.id, True), (private.native_id, False)):
        with pytest.raises(Unsupported):
            await link(chat, renew)


async def test_it_leaves_and_comes_into_a_public_channel_to_write_there(work: Connected) -> None:
    await work.provider.leave_group(work.team.id)
    left = work.bot.user.id not in work.team.members

    answer = await work.send(work.team, "back again")

    assert left
    assert answer.outcome is Outcome.ACCEPTED
    assert "Joined the channel first." in answer.notes
    assert [each.text for each in work.bot.sent()] == ["back again"]


async def test_it_comes_into_no_private_channel_by_itself(work: Connected) -> None:
    secret = work.slack.create_channel(work.acme, work.grace, "secret", private=True)
    with pytest.raises(NotFound):
        await work.send(secret.id, "hello?")
    work.slack.join(secret, work.bot, inviter=work.grace)
    await work.chat(secret.id)
    await work.provider.leave_group(secret.id)

    answer = await work.send(secret.id, "hello?")

    assert answer.outcome is Outcome.FAILED
    assert "/invite" in " ".join(answer.notes)
    assert work.bot.sent(secret) == []


async def test_without_slack_nothing_is_known_of_groups(work: Connected) -> None:
    work.slack.fail_next("users.conversations", "missing_scope", times=None)

    with pytest.raises(MessengersError):
        await work.provider.groups()
