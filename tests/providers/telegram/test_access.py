"""Access rules, policies and pairing at a bot: who is heard, and what really leaves."""

import pytest

from messengers.core.callers import OWNER
from messengers.core.rulebook import NewRule
from messengers.core.rules import Rule
from messengers.errors import Forbidden, NotFound
from tests.fakes.telegram import FakeTelegram
from tests.providers.telegram.conftest import (
    AGENT,
    Connected,
    OpenCore,
    becomes,
    connected_bot,
    until,
)


async def rule(shop: Connected, new: NewRule) -> Rule:
    book = shop.core.rulebook
    made = await book.add(OWNER, await book.read(OWNER, new))
    return next(each for each in shop.core.access.rules.all if each.id == made.id)


async def seen(shop: Connected, words: str) -> list[str]:
    """What an agent finds of some words."""
    return [hit.message.text for hit in (await shop.core.search.messages(AGENT, words)).items]


@pytest.mark.case("S29")
async def test_a_username_is_kept_out_everywhere_also_after_a_restart(
    telegram: FakeTelegram, reopen: OpenCore
) -> None:
    async with connected_bot(telegram, reopen) as shop:
        ada = shop.somebody()
        eve = telegram.add_user("Eve", username="Eve_Spam")
        group = telegram.add_supergroup("Bakers", ada, eve, shop.bot)
        made = await rule(shop, NewRule("deny", "@eve_spam"))
        telegram.start(eve, shop.bot)
        telegram.write(eve, group, "buy words")
        telegram.write(ada, group, "fresh words")
        await shop.heard(group.id, "fresh words")

        assert await seen(shop, "words") == ["fresh words"]
        place = await shop.chat(group.id)
        page = await shop.core.history.read(AGENT, place)
        assert page.left_out == 1
        with pytest.raises(NotFound):
            await shop.core.chats.get(AGENT, (await shop.chat(eve.id)).id)
        before = len(telegram.asked("sendMessage"))
        with pytest.raises(Forbidden, match=made.id):
            await shop.send(eve, "hello")
        assert len(telegram.asked("sendMessage")) == before
    async with reopen() as core:
        again = Connected(telegram, core, shop.bot)
        telegram.write(eve, group, "more words")
        telegram.write(ada, group, "last words")
        await again.heard(group.id, "last words")
        assert await seen(again, "words") == ["last words", "fresh words"]


async def test_a_stranger_gets_his_code_from_the_bot_and_comes_in_by_it(shop: Connected) -> None:
    core, telegram = shop.core, shop.telegram
    await core.rulebook.set_policy(OWNER, "shop", "pairing", None)
    eve = telegram.add_user("Eve")
    telegram.start(eve, shop.bot)
    await becomes(lambda: len(telegram.asked("sendMessage")) == 1)

    async def asks() -> str | None:
        found = await core.pairings.waiting(OWNER)
        return found[0].code if found else None

    code = await until(asks)
    (told,) = telegram.asked("sendMessage")
    assert code in str(told["text"])
    assert await seen(shop, "start") == []
    await core.pairings.approve(OWNER, code)
    assert await seen(shop, "start") == ["/start"]
