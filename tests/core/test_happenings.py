"""What each thing a provider saw changes, and that seeing it again changes nothing."""

from datetime import UTC, datetime

import pytest

from messengers.core.callers import OWNER
from messengers.core.happenings import Happenings
from messengers.models import Chat, Contact, Message, Reaction, Sender
from messengers.providers.base import (
    ChatSeen,
    ContactSeen,
    Happening,
    MessageDeleted,
    MessageEdited,
    MessageSeen,
    ReactionSeen,
    ReadElsewhere,
    ReceiptSeen,
)
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
        self._happenings = Happenings(house.core.events, house.core.clock)

    async def see(self, *seen: Happening) -> list[str]:
        """Apply; returns the kinds of the events about messages that this recorded."""
        before = await self.core.events.position()
        for each in seen:
            await self.core.events.write(
                lambda conn, each=each: self._happenings.apply(conn, self.instance, each, 0)
            )
        kinds = [event.kind for _, event in await self.core.events.since(OWNER, before)]
        return [kind for kind in kinds if kind.startswith("message.")]

    async def chat(self, native_id: str = "ann") -> Chat:
        found = await self.core.chats.get_by_native(self.instance, native_id)
        assert found is not None
        return found

    async def messages(self) -> list[Message]:
        return list((await self.core.history.read(OWNER, await self.chat())).items)

    async def contact(self, name: str) -> Contact:
        (found,) = await self.core.contacts.find(OWNER, name)
        return found

    async def hits(self, query: str) -> int:
        return len((await self.core.search.messages(AGENT, query)).items)


@pytest.fixture
def seen(house: House) -> Seen:
    return Seen(house)


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
