"""What each thing a provider saw changes, and that seeing it again changes nothing."""

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from messengers.core.callers import OWNER
from messengers.core.chats import ChatFilter
from messengers.core.happenings import Happenings
from messengers.models import (
    Attachment,
    Chat,
    Contact,
    IdKind,
    Message,
    Poll,
    Reaction,
    Sender,
    decode_id,
)
from messengers.providers.base import (
    ChatSeen,
    ContactSeen,
    Happening,
    HistorySeen,
    MessageDeleted,
    MessageEdited,
    MessageSeen,
    PollCounted,
    PollVoted,
    ReactionChanged,
    ReactionSeen,
    ReactionTurned,
    ReadElsewhere,
    ReceiptSeen,
)
from messengers.store import messages, passages, search
from messengers.store.rows import dump_json
from tests.core.conftest import AGENT, House

AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
ANN = ChatSeen("ann", "dm", "Ann")
THUMBS = (Reaction(emoji="👍", count=2),)


def message(native_id: str, text: str = "hello", reply_to: str = "") -> MessageSeen:
    return MessageSeen(
        chat=ANN,
        native_id=native_id,
        sender=Sender(native_id="ann", display_name="Ann"),
        sent_at=AT,
        direction="in",
        text=text,
        reply_to_native_id=reply_to,
    )


class Seen:
    """What an account sees, applied as the inbox applies it."""

    def __init__(self, house: House) -> None:
        self.core = house.core
        self.instance = house.core.instances.by_name("me").id
        self._happenings = Happenings(house.core.events, house.core.clock, house.core.access)

    async def see(self, *seen: Happening) -> list[str]:
        """Apply one by one; returns the kinds of the events about messages that this recorded."""
        before = await self.core.events.position()
        for each in seen:
            await self.core.events.write(
                lambda conn, each=each: self._happenings.apply(conn, self.instance, each, 0)
            )
        return await self._told(before)

    async def see_at_once(self, *seen: Happening) -> list[str]:
        """The same in one unit of work, as the inbox does with what came meanwhile."""
        before = await self.core.events.position()
        arrived = [(self.instance, each, 0) for each in seen]
        await self.core.events.write(lambda conn: self._happenings.apply_all(conn, arrived))
        return await self._told(before)

    async def _told(self, before: int) -> list[str]:
        kinds = [event.kind for _, event in await self.core.events.since(OWNER, before)]
        return [kind for kind in kinds if kind.startswith("message.")]

    async def chat(self, native_id: str = "ann") -> Chat:
        found = await self.core.chats.get_by_native(self.instance, native_id)
        assert found is not None
        return found

    async def messages(self, chat: str = "ann") -> list[Message]:
        return list((await self.core.history.read(OWNER, await self.chat(chat))).items)

    async def contact(self, name: str) -> Contact:
        (found,) = await self.core.contacts.find(OWNER, name)
        return found

    async def hits(self, query: str) -> int:
        return len((await self.core.search.messages(AGENT, query)).items)


@pytest.fixture
def seen(house: House) -> Seen:
    return Seen(house)


async def test_places_without_a_message_are_listed_last_and_what_holds_them_is_not(
    seen: Seen,
) -> None:
    await seen.see(
        ChatSeen("house", "group", "House", "platform"),
        ChatSeen("hall", "channel", "Hall", "platform", parent_native_id="house"),
        ChatSeen("crew", "group", "Crew", "platform"),
        ChatSeen("bob", "dm", "Bob"),
        message("m1"),
    )

    first = await seen.core.chats.list(AGENT, ChatFilter(), limit=2)
    rest = await seen.core.chats.list(AGENT, ChatFilter(), limit=2, cursor=first.cursor)
    channels = await seen.core.chats.list(AGENT, ChatFilter(kind="channel"))
    unread = await seen.core.chats.list(AGENT, ChatFilter(unread_only=True))

    assert [each.native_id for each in first.items] == ["ann", "crew"]
    assert [each.native_id for each in (*rest.items, *channels.items)] == ["hall", "hall"]
    assert [each.native_id for each in unread.items] == ["ann"]


async def test_a_chat_is_completed_and_what_is_known_stays(seen: Seen) -> None:
    await seen.see(ChatSeen("ann", "dm", "Ann"))
    await seen.see(ChatSeen("ann", "dm", username="@AnnP", phone="+37120000000"))
    await seen.see(ChatSeen("ann", "dm"))

    chat = await seen.chat()
    assert (chat.name, chat.username, chat.phone) == ("Ann", "annp", "+37120000000")


async def test_a_name_gives_way_only_to_one_from_a_source_as_good(seen: Seen) -> None:
    await seen.see(ChatSeen("ann", "dm", "Ann from work", "owner"))
    await seen.see(ChatSeen("ann", "dm", "Your bank", "stranger"))
    kept = await seen.chat()
    await seen.see(ChatSeen("ann", "dm", "Ann P.", "owner"))

    assert (kept.name, kept.name_source) == ("Ann from work", "owner")
    assert (await seen.chat()).name == "Ann P."


async def test_a_thread_belongs_to_its_group(seen: Seen) -> None:
    await seen.see(ChatSeen("team", "group", "Team"))
    await seen.see(ChatSeen("team/1", "thread", "Plans", parent_native_id="team"))
    await seen.see(ChatSeen("lost/1", "thread", "Lost", parent_native_id="lost"))

    assert (await seen.chat("team/1")).parent == (await seen.chat("team")).id
    assert (await seen.chat("lost/1")).parent == ""


async def test_a_contact_is_completed_by_whoever_knows_more(seen: Seen) -> None:
    await seen.see(message("1"))
    await seen.see(ContactSeen("ann", "Ann from work", "owner", phone="+37120000000"))
    await seen.see(ContactSeen("ann", "Your bank", "stranger", username="annp"))

    contact = await seen.contact("Ann from work")
    assert (contact.phone, contact.username) == ("+37120000000", "annp")
    assert contact.chat == (await seen.chat()).id


async def test_what_came_together_is_as_if_it_had_come_one_by_one(seen: Seen) -> None:
    bob = replace(message("1", "Bob here"), chat=ChatSeen("bob", "dm", "Bob"))
    mine = replace(message("5", "coming"), sender=Sender(native_id="me", is_me=True))
    mine = replace(mine, direction="out", origin="device", sent_at=AT + timedelta(seconds=1))
    edited = MessageEdited("ann", "2", "changed", AT + timedelta(seconds=2))
    early = MessageDeleted("ann", "4", AT + timedelta(seconds=2))
    kinds = await seen.see_at_once(
        early,
        *(message("1", "apple"), bob, message("2", "pear", reply_to="1"), message("1", "apple")),
        edited,
        *(message("3"), message("4", "plum")),
        *(mine, replace(mine, native_id="6", chat=bob.chat), message("7", "late")),
    )

    first, second, third, *_ = await seen.messages()
    assert (first.text, second.text, second.reply_to) == ("apple", "changed", first.id)
    assert [m.text for m in await seen.messages("bob")] == ["Bob here", "coming"]
    ann, bobs = await seen.chat(), await seen.chat("bob")
    assert (ann.unread, ann.last_text, ann.waiting_for_reply) == (1, "coming", False)
    assert (bobs.unread, bobs.last_text, bobs.name) == (0, "coming", "Bob")
    assert [await seen.hits(word) for word in ("apple", "pear", "plum", "late")] == [1, 0, 0, 1]
    received, sent = ["message.received"], ["message.sent"]
    assert kinds == [
        *received * 3,
        "message.edited",
        *received * 2,
        *sent * 2,
        *received,
        "message.deleted",
    ]
    assert third.text == "hello"


async def test_passages_of_what_came_in_numbers_are_added_later_as_they_read_then(
    seen: Seen,
) -> None:
    edited = MessageEdited("ann", "1", "the code is 77771111", AT + timedelta(seconds=2))
    deleted = MessageDeleted("ann", "2", AT + timedelta(seconds=2))
    codes = ("48516299", "77771111", "12345678", "87654321")

    async def found() -> list[str]:
        terms = {code: next(iter(passages.code_terms({code}))) for code in codes}
        asked = dump_json(list(terms.values()))
        rows = await seen.core.store.rows(passages.lookup, terms=asked, many=5)
        known = {row["term"] for row in rows if row["rowids"] != "[]"}
        return [code for code, term in terms.items() if term in known]

    await seen.see_at_once(
        *(message("1", f"the code is {codes[0]}"), message("2", f"or {codes[2]}")), edited, deleted
    )
    await seen.see_at_once(message("3", f"now {codes[3]}"))
    before = await found()
    while await seen.core.store.write(lambda conn: search.catch_up(conn, 1)):
        pass
    after = await found()
    await seen.see(MessageDeleted("ann", "3", AT + timedelta(seconds=3)))

    assert before == ["77771111"]
    assert after == ["77771111", "87654321"]
    assert await found() == ["77771111"]


async def test_a_quote_names_our_message_where_we_have_it(seen: Seen) -> None:
    await seen.see(message("1"), message("2", reply_to="1"), message("3", reply_to="gone"))

    first, second, third = await seen.messages()
    assert second.reply_to == first.id
    assert third.reply_to == "gone"


async def test_an_edit_is_the_message_everywhere(seen: Seen) -> None:
    await seen.see(message("1", "see you at five"))

    kinds = await seen.see(MessageEdited("ann", "1", "see you at six", AT))
    again = await seen.see(MessageEdited("ann", "1", "see you at six", AT))

    (edited,) = await seen.messages()
    assert (edited.text, edited.status) == ("see you at six", "edited")
    assert (await seen.chat()).last_text == "see you at six"
    assert (await seen.hits("five"), await seen.hits("six")) == (0, 1)
    assert (kinds, again) == (["message.edited"], [])


async def test_an_edit_gives_words_to_what_had_none(seen: Seen) -> None:
    await seen.see(message("1", ""))
    await seen.see(MessageEdited("ann", "1", "a caption", AT))
    await seen.see(MessageEdited("ann", "1", "", AT))
    await seen.see(MessageEdited("ann", "1", "another caption", AT))

    assert await seen.hits("caption") == 1
    assert [each.text for each in await seen.messages()] == ["another caption"]


async def test_what_is_deleted_is_gone_from_text_search_and_summary(seen: Seen) -> None:
    await seen.see(message("1", "my password is swordfish"))

    kinds = await seen.see(MessageDeleted("ann", "1", AT))
    again = await seen.see(MessageDeleted("ann", "1", AT), MessageEdited("ann", "1", "back", AT))

    (deleted,) = await seen.messages()
    assert (deleted.text, deleted.status) == ("", "deleted")
    assert (await seen.chat()).last_text == "(deleted)"
    assert await seen.hits("swordfish") == 0
    assert (kinds, again) == (["message.deleted"], [])


async def test_reactions_are_as_they_stand_now(seen: Seen) -> None:
    await seen.see(message("1"))

    kinds = await seen.see(ReactionSeen("ann", "1", THUMBS, AT))
    again = await seen.see(ReactionSeen("ann", "1", THUMBS, AT))
    stood = (await seen.messages())[0].reactions
    await seen.see(ReactionSeen("ann", "1", (), AT))

    assert stood == THUMBS
    assert (kinds, again) == (["message.reaction"], [])
    assert (await seen.messages())[0].reactions == ()


async def test_a_receipt_says_nothing_of_what_they_wrote(seen: Seen) -> None:
    await seen.see(message("1"))

    assert await seen.see(ReceiptSeen("ann", ("1", "none"), "read", AT)) == []
    assert (await seen.messages())[0].delivery is None


async def test_what_the_owner_reads_elsewhere_is_read(seen: Seen) -> None:
    await seen.see(message("1"), message("2"))
    unread = (await seen.chat()).unread
    await seen.see(ReadElsewhere("ann", AT))

    assert unread == 2
    assert (await seen.chat()).unread == 0


@pytest.mark.parametrize("chat", ["ann", "nobody"])
async def test_news_of_what_we_do_not_have_change_nothing(seen: Seen, chat: str) -> None:
    await seen.see(message("1"))

    kinds = await seen.see(
        MessageEdited(chat, "none", "text", AT),
        MessageDeleted(chat, "none", AT),
        ReactionSeen(chat, "none", THUMBS, AT),
        ReceiptSeen(chat, ("none",), "read", AT),
        ReadElsewhere("nobody", AT),
    )

    assert kinds == []
    assert [each.text for each in await seen.messages()] == ["hello"]
    assert (await seen.chat()).unread == 1


def undecrypted(native_id: str) -> MessageSeen:
    return replace(message(native_id, "Not readable yet."), marks=("undecrypted",))


async def test_what_could_not_be_read_gives_way_to_the_message_itself(seen: Seen) -> None:
    assert await seen.see(undecrypted("1")) == ["message.received"]
    assert await seen.see(undecrypted("1")) == []

    assert await seen.see(message("1", "see you at five")) == ["message.received"]
    assert await seen.see(message("1", "forged")) == []

    (found,) = await seen.messages()
    assert (found.text, found.marks) == ("see you at five", ())
    assert (await seen.chat()).last_text == "see you at five"
    assert (await seen.hits("readable"), await seen.hits("five")) == (0, 1)


async def test_what_the_app_says_between_messages_waits_for_no_answer(seen: Seen) -> None:
    joined = replace(message("2", "Bob joined"), marks=("service",))
    await seen.see(joined)
    assert (await seen.chat()).waiting_for_reply is False

    await seen.see(message("1"), replace(joined, native_id="3"))

    chat = await seen.chat()
    assert (chat.unread, chat.waiting_for_reply, chat.last_text) == (1, True, "Bob joined")


async def test_a_chat_and_a_person_go_on_under_a_better_id(seen: Seen) -> None:
    lid = replace(message("1"), chat=replace(ANN, native_id="7@lid"))
    await seen.see(replace(lid, sender=Sender(native_id="7@lid", display_name="Ann")))
    before = await seen.chat("7@lid")

    number = replace(ANN, native_id="371@s", alt_ids=("7@lid",), phone="+37120000001")
    sender = Sender(native_id="371@s", phone="+37120000001", alt_ids=("7@lid",))
    await seen.see(replace(message("2"), chat=number, sender=sender))

    after = await seen.chat("371@s")
    assert (after.id, after.phone, after.unread) == (before.id, "+37120000001", 2)
    assert await seen.core.chats.get_by_native(seen.instance, "7@lid") is None
    assert (await seen.contact("Ann")).native_id == "371@s"


async def test_history_wakes_nobody_and_is_listed_searched_and_counted_as_the_owners(
    seen: Seen,
) -> None:
    old = [
        replace(message(str(n), f"word{n}"), sent_at=AT - timedelta(days=n), origin="history")
        for n in range(3)
    ]
    mine = replace(
        old[1], native_id="9", direction="out", sender=Sender(native_id="me", is_me=True)
    )
    assert await seen.see(HistorySeen(ANN, [*old, mine])) == []
    assert await seen.see(HistorySeen(ANN, [*old, mine])) == []

    chat = await seen.chat()
    assert (chat.unread, chat.last_text, chat.waiting_for_reply) == (0, "word0", True)
    assert chat.owner_wrote_at == AT - timedelta(days=1)
    assert chat.peer_wrote_at == AT
    assert sorted(m.native_id for m in await seen.messages()) == ["0", "1", "2", "9"]
    assert await seen.hits("word2") == 1
    assert (await seen.contact("Ann")).native_id == "ann"


async def test_a_new_chat_is_as_unread_as_its_messenger_says_and_no_known_one(seen: Seen) -> None:
    old = replace(message("1"), origin="history")
    older = replace(message("0"), sent_at=AT - timedelta(days=1), origin="history")

    await seen.see(HistorySeen(ANN, [old], unread=1))
    first = (await seen.chat()).unread
    await seen.see(message("2"))
    await seen.see(HistorySeen(ANN, [older], unread=5))

    assert (first, (await seen.chat()).unread) == (1, 2)


def past(
    native_id: str, text: str = "hello", after_s: float = 0, reply_to: str = ""
) -> MessageSeen:
    sent_at = AT - timedelta(days=1) + timedelta(seconds=after_s)
    return replace(message(native_id, text, reply_to), sent_at=sent_at, origin="history")


async def test_history_handed_over_again_adds_what_is_new_in_it(seen: Seen) -> None:
    await seen.see(HistorySeen(ANN, [past("1", "one"), past("2", "two", 2)]))
    await seen.see(HistorySeen(ANN, [past("2", "forged", 2), past("3", "three", 3)]))
    await seen.see(HistorySeen(ANN, [past("2", "forged", 2)]))

    assert [each.text for each in await seen.messages()] == ["one", "two", "three"]
    assert [await seen.hits(word) for word in ("one", "two", "three", "forged")] == [1, 1, 1, 0]


async def test_a_message_that_comes_twice_in_one_history_is_the_earlier_one(seen: Seen) -> None:
    twice = [past("1", "later", 1), past("1", "earlier"), past("2", "after", 2)]
    await seen.see(HistorySeen(ANN, twice))

    assert [each.text for each in await seen.messages()] == ["earlier", "after"]
    assert [await seen.hits(word) for word in ("earlier", "later", "after")] == [1, 0, 1]
    assert (await seen.chat()).last_text == "after"


async def test_what_could_not_be_read_gives_way_within_one_history_too(seen: Seen) -> None:
    unread = replace(past("1", "Not readable yet."), marks=("undecrypted",))
    await seen.see(replace(unread, native_id="0", origin="realtime"))
    kinds = await seen.see(HistorySeen(ANN, [unread, past("1", "one", 1), past("0", "zero", 2)]))

    assert kinds == ["message.received"] * 2
    assert sorted(each.text for each in await seen.messages()) == ["one", "zero"]
    assert (await seen.hits("readable"), await seen.hits("one"), await seen.hits("zero")) == (
        0,
        1,
        1,
    )


async def test_history_of_one_moment_stands_after_what_is_there_in_its_own_order(
    seen: Seen,
) -> None:
    await seen.see(past("1", "word first"))
    await seen.see(
        HistorySeen(ANN, [past("2", "word second"), past("3", ""), past("4", "word last")])
    )
    await seen.see(HistorySeen(ANN, [past("5", "word late"), past("6", "word after", 1)]))

    found = await seen.core.search.messages(AGENT, "word")
    newest = ["word after", "word late", "word last", "word second", "word first"]
    assert [each.message.text for each in found.items] == newest
    assert [each.native_id for each in await seen.messages()] == ["1", "2", "3", "4", "5", "6"]


async def test_history_without_words_is_listed_and_nowhere_found(seen: Seen) -> None:
    photo = Attachment(kind="image", native_ref="ref")
    bare = [replace(past(f"{n}", "", n), attachments=(photo,)) for n in range(2)]
    await seen.see(HistorySeen(ANN, bare), HistorySeen(ANN, []))

    assert [each.attachments[0].kind for each in await seen.messages()] == ["image", "image"]
    assert (await seen.chat()).last_text == "[image]"


async def test_history_quotes_what_is_stored_before(seen: Seen) -> None:
    await seen.see(past("0", after_s=9))
    quotes = [
        past("1", reply_to="0"),
        past("2", after_s=2, reply_to="1"),
        past("3", after_s=3, reply_to="4"),
        past("4", after_s=4, reply_to="4"),
        past("5", after_s=5, reply_to="gone"),
    ]
    await seen.see(HistorySeen(ANN, quotes[::-1]))
    await seen.see(HistorySeen(ChatSeen("bob", "dm"), [past("6", reply_to="1")]))

    by_native = {each.native_id: each for each in await seen.messages()}
    assert by_native["1"].reply_to == by_native["0"].id
    assert by_native["2"].reply_to == by_native["1"].id
    assert [by_native[each].reply_to for each in "345"] == ["4", "4", "gone"]
    assert [m.reply_to for m in await seen.messages("bob")] == ["1"]


async def test_ids_that_others_chose_are_told_apart_in_history(seen: Seen) -> None:
    chosen = ["", "a\0b", "a", "a\0c", '"', "' OR 1", "\u2028", "%", "A"]
    seen_all = HistorySeen(ANN, [past(each, after_s=n) for n, each in enumerate(chosen)])
    await seen.see(seen_all, seen_all)

    assert [each.native_id for each in await seen.messages()] == chosen


async def test_a_key_is_never_used_again_when_history_follows_a_removal(seen: Seen) -> None:
    await seen.see(HistorySeen(ANN, [past("1"), past("2", after_s=1)]))
    gone = (await seen.messages())[-1]
    key = decode_id(IdKind.MESSAGE, gone.id)
    assert key is not None
    await seen.core.events.write(lambda conn: messages.remove(conn, key))
    await seen.see(HistorySeen(ANN, [past("3", after_s=2)]))
    await seen.see(past("4", after_s=3))

    keys = [decode_id(IdKind.MESSAGE, each.id) for each in await seen.messages()]
    assert keys == [key - 1, key + 1, key + 2]


async def test_each_sender_has_his_own_reactions(seen: Seen) -> None:
    def by(sender: str, *emojis: str, me: bool = False) -> ReactionChanged:
        return ReactionChanged("ann", "1", sender, emojis, AT, is_me=me)

    await seen.see(message("1"))
    assert (
        await seen.see(by("ann", "👍"), by("bob", "👍"), by("me", "👍", me=True))
        == ["message.reaction"] * 3
    )
    assert await seen.see(by("bob", "👍")) == []

    await seen.see(by("bob", "❤️"), by("me", me=True))

    (found,) = await seen.messages()
    assert [(r.emoji, r.count, r.by, r.by_me) for r in found.reactions] == [
        ("👍", 1, ("ann",), False),
        ("❤️", 1, ("bob",), False),
    ]


async def test_a_reaction_of_one_sender_comes_and_goes_beside_his_others(seen: Seen) -> None:
    def by(sender: str, emoji: str, *, given: bool = True, me: bool = False) -> ReactionTurned:
        return ReactionTurned("ann", "1", sender, emoji, given, AT, is_me=me)

    await seen.see(message("1"))
    await seen.see(by("ann", "👍"), by("ann", "🎉"), by("bob", "👍"), by("", "👍", me=True))
    assert await seen.see(by("ann", "👍"), by("eve", "👍", given=False)) == []

    await seen.see(by("ann", "👍", given=False))

    (found,) = await seen.messages()
    assert [(r.emoji, r.count, r.by, r.by_me) for r in found.reactions] == [
        ("👍", 2, ("bob",), True),
        ("🎉", 1, ("ann",), False),
    ]


async def test_a_changed_vote_replaces_the_one_before(seen: Seen) -> None:
    def vote(voter: str, *options: str) -> PollVoted:
        return PollVoted("ann", "1", voter, options, AT)

    poll = Poll(question="when", options=("five", "six"))
    await seen.see(replace(message("1"), poll=poll), message("2"))
    six = hashlib.sha256(b"six").hexdigest()
    assert (
        await seen.see(vote("ann", "five"), vote("bob", six), vote("bob", six))
        == ["message.voted"] * 2
    )
    await seen.see(vote("ann", "six", "seven"))

    votes = [m.poll.votes for m in await seen.messages() if m.poll]
    assert votes == [(0, 2)]
    assert await seen.see(vote("bob"), PollVoted("ann", "2", "bob", ("x",), AT)) == [
        "message.voted"
    ]


async def test_votes_that_are_only_counted_are_the_polls_own(seen: Seen) -> None:
    poll = Poll(question="Which?", options=("Rye", "Wheat"))
    await seen.see(replace(message("m1"), poll=poll))

    kinds = [
        await seen.see(PollCounted("ann", "m1", votes, AT))
        for votes in ((2, 1), (2, 1), (1, 2, 3), (3, 1))
    ]

    assert kinds == [["message.voted"], [], [], ["message.voted"]]
    (found,) = await seen.messages()
    assert found.poll == poll.model_copy(update={"votes": (3, 1)})


async def test_what_happens_in_a_thread_is_found_under_the_whole_chat(seen: Seen) -> None:
    group = ChatSeen("bakers", "group", "Bakers", "platform")
    topic = ChatSeen("bakers:7", "thread", "Ovens", "platform", parent_native_id="bakers")
    await seen.see(group, replace(message("m1"), chat=topic))

    kinds = await seen.see(
        ReactionChanged("bakers", "m1", "ann", ("👍",), AT), MessageDeleted("bakers", "other", AT)
    )

    assert kinds == ["message.reaction"]
    (found,) = (await seen.core.history.read(OWNER, await seen.chat("bakers:7"))).items
    assert [each.emoji for each in found.reactions] == ["👍"]


async def test_a_chat_that_was_opened_by_its_id_becomes_what_the_messenger_says(
    seen: Seen,
) -> None:
    await seen.see(ChatSeen("news", "dm"), ChatSeen("news", "channel", "News", "platform"))
    await seen.see(ChatSeen("news", "dm"))

    assert (await seen.chat("news")).kind == "channel"
