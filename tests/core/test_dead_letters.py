"""Dead letters: found, read whole, tried again in their place."""

import anyio
import pytest

from messengers.core.callers import OWNER, Caller
from messengers.errors import InvalidInput, NotFound
from tests.core.conftest import House


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("messengers.core.inbox._PAUSES_S", (0.01, 0.01, 0.01))


async def dead(house: House, count: int) -> list[str]:
    """The ids of the letters, newest first, once there are so many."""

    async def ready() -> list[str] | None:
        page = await house.core.dead_letters.list(OWNER)
        return [each.id for each in page.items] if len(page.items) >= count else None

    found = await house.core.events.wait(ready, 15)
    assert found is not None
    return found


async def riddle(house: House, number: int, chat: str = "zed") -> None:
    text = f"riddle {number}"
    await house.personal.deliver("riddle", chat=chat, key=text, id=text, text=text, name="Zed")


async def test_a_letter_is_listed_and_read_as_it_came(house: House) -> None:
    await house.personal.deliver("nonsense", chat="zed", key="bad", words="as they came")

    letter = await house.core.dead_letters.get(OWNER, (await dead(house, 1))[0])

    assert (letter.instance, letter.chat, letter.kind, letter.attempts) == (
        *("me", "zed", "nonsense"),
        4,
    )
    assert letter.error == "ValueError: no such kind nonsense"
    assert letter.payload == '{"chat":"zed","words":"as they came"}'
    assert letter.size_bytes == len(letter.payload)
    assert await house.core.dead_letters.count() == 1


async def test_a_letter_tried_again_stands_before_what_came_after_it(house: House) -> None:
    await riddle(house, 1)
    (letter,) = await dead(house, 1)
    house.personal.learned = True
    again = await house.core.dead_letters.replay(OWNER, letter)
    await house.personal.say("after it", chat="zed")

    chat = await house.chat_of(await house.told("after it"))

    assert (again.understood, again.dead) == (1, ())
    assert [m.text for m in (await house.core.history.read(OWNER, chat)).items] == [
        *("riddle 1", "after it")
    ]
    with pytest.raises(NotFound):
        await house.core.dead_letters.replay(OWNER, letter)


async def test_what_fails_again_is_dead_again_and_says_why(house: House) -> None:
    await riddle(house, 1)
    (letter,) = await dead(house, 1)

    again = await house.core.dead_letters.replay(OWNER, letter)

    assert (again.understood, again.waiting, again.dead) == (0, 0, (letter,))
    assert again.error == "ValueError: no such kind riddle"


async def test_all_are_tried_again_at_once(house: House) -> None:
    async with anyio.create_task_group() as tasks:
        for number in range(5):
            tasks.start_soon(riddle, house, number, f"friend{number % 2}")
    await dead(house, 5)
    house.personal.learned = True

    again = await house.core.dead_letters.replay(OWNER, "all")

    assert (again.understood, again.waiting, again.dead) == (5, 0, ())
    assert (await house.core.dead_letters.replay(OWNER, "all")).understood == 0
    assert (await house.told("riddle 4")).direction == "in"


async def test_lists_go_on_and_show_each_his_own(house: House) -> None:
    for number in range(3):
        await riddle(house, number, f"friend{number}")
    letters = await dead(house, 3)
    bot = house.core.instances.by_name("bot").id

    first = await house.core.dead_letters.list(OWNER, "me", limit=2)
    rest = await house.core.dead_letters.list(OWNER, "me", limit=2, cursor=first.cursor)

    assert [each.id for page in (first, rest) for each in page.items] == letters
    assert rest.cursor == ""
    other = Caller("other", preset="admin", instances=frozenset({bot}))
    assert (await house.core.dead_letters.list(other)).items == ()
    assert (await house.core.dead_letters.list(OWNER, "bot")).items == ()
    with pytest.raises(NotFound):
        await house.core.dead_letters.get(other, letters[0])
    with pytest.raises(NotFound):
        await house.core.dead_letters.get(OWNER, "m1")
    with pytest.raises(InvalidInput):
        await house.core.dead_letters.list(OWNER, limit=0)


async def test_dying_is_an_event(house: House) -> None:
    start = await house.core.events.position()
    await riddle(house, 1)
    (letter,) = await dead(house, 1)

    found = await house.core.events.since(OWNER, start, kind="inbound.dead")

    assert [event.data for _, event in found] == [{"letter": letter, "kind": "riddle"}]
