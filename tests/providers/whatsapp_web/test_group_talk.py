"""What is said and done in groups, by others and by the account."""

import pytest

from messengers.core.callers import OWNER
from messengers.models import Chat, Message
from tests.fakes.whatsapp_web import Reference
from tests.fakes.whatsapp_web.devices import Peer
from tests.fakes.whatsapp_web.membership import Group
from tests.providers.whatsapp_web.conftest import Linked, next_of

pytestmark = pytest.mark.timeout(60)
NAMED_BY = pytest.mark.parametrize("lids", [True, False], ids=["lids", "numbers"])


async def group_with(linked: Linked, *people: Peer, lids: bool = True) -> tuple[Group, Chat]:
    """A group that the account owns, and its chat."""
    wa = linked.wa
    group = wa.add_group("Team", linked.me, [linked.me, *people], lid_addressing=lids)
    id = await wa.send_text(people[0], linked.companion, "hello all", group=group)
    await linked.message(id, group.jid)
    return group, await linked.chat(group.jid)


@NAMED_BY
async def test_what_is_said_in_a_group_goes_both_ways(linked: Linked, lids: bool) -> None:
    bob, carol = linked.somebody("Bob"), linked.somebody("Carol")
    group, chat = await group_with(linked, bob, carol, lids=lids)
    asked = await linked.wa.send_text(carol, linked.companion, "who comes?", group=group)
    question = await linked.message(asked, group.jid)

    await linked.send(chat.id, "me", reply_to=question.id)

    heard = [(await next_of(each)).message.extendedTextMessage for each in (bob, carol)]
    assert question.sender.native_id == carol.pn
    assert question.sender.phone == f"+{carol.phone}"
    assert [each.text for each in heard] == ["me", "me"]
    assert heard[0].contextInfo.stanzaId == asked
    assert heard[0].contextInfo.participant == group.jid_of(carol)


@NAMED_BY
async def test_reactions_and_read_receipts_name_people_as_the_group_does(
    linked: Linked, lids: bool
) -> None:
    bob = linked.somebody("Bob")
    group, chat = await group_with(linked, bob, lids=lids)
    id = await linked.wa.send_text(bob, linked.companion, "news", group=group)
    message = await linked.message(id, group.jid)

    await linked.core.approvals.perform(
        await linked.core.changes.prepare_react(OWNER, message.id, "👍")
    )
    key = (await next_of(bob)).message.reactionMessage.key
    await linked.core.receipts.up_to(OWNER, chat)
    read = [each for each in linked.wa.receipts if each.chat == group.jid and each.kind == "read"]

    assert (key.id, key.fromMe, key.participant) == (id, False, group.jid_of(bob))
    assert [each.participant for each in read] == [group.jid_of(bob)]
    assert [id in each.ids for each in read] == [True]


async def test_members_react_edit_and_delete_and_an_admin_deletes_what_others_wrote(
    linked: Linked,
) -> None:
    bob, carol = linked.somebody("Bob"), linked.somebody("Carol")
    group, _ = await group_with(linked, bob, carol)
    wa, companion = linked.wa, linked.companion
    ids = [await wa.send_text(bob, companion, f"text {n}", group=group) for n in range(3)]
    to = Reference(ids[0], group.jid, group.jid_of(bob))

    for person in (bob, carol):
        await wa.send_reaction(person, companion, to, "👍", group=group)
    await wa.send_edit(bob, companion, ids[1], "other text", group=group)
    await wa.send_revoke(carol, companion, ids[2], author=bob, group=group)

    liked = await linked.message(ids[0], group.jid, liked_by_two)
    edited = await linked.message(ids[1], group.jid, lambda each: each.status == "edited")
    deleted = await linked.message(ids[2], group.jid, lambda each: each.status == "deleted")
    assert [each.by_me for each in liked.reactions] == [False]
    assert (edited.text, deleted.text) == ("other text", "")


def liked_by_two(message: Message) -> bool:
    return [(each.emoji, each.count) for each in message.reactions] == [("👍", 2)]


async def test_a_group_that_the_account_is_put_into_is_a_chat(linked: Linked) -> None:
    bob = linked.somebody("Bob")

    group = await linked.wa.create_by_other("New", bob, [linked.me])

    chat = await linked.chat(group.jid)
    assert (chat.name, chat.kind) == ("New", "group")


async def test_a_message_for_a_group_is_sent_again_to_who_could_not_read_it(
    linked: Linked,
) -> None:
    bob = linked.somebody("Bob")
    group, chat = await group_with(linked, bob)
    await linked.send(chat.id, "again please")
    first = await next_of(bob)

    await linked.wa.retry_receipt(bob, linked.companion, first.id, group=group)

    again = await next_of(bob)
    assert (again.id, again.text, again.is_resend) == (first.id, "again please", True)
