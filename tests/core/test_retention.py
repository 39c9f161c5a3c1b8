"""What is older than an instance keeps it goes, to the last byte; nobody is forgotten with it."""

import threading
from collections.abc import Generator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest
from sqlalchemy import Connection

from messengers.core.callers import OWNER
from messengers.errors import Forbidden, NotFound, StorageUnavailable
from messengers.models import Attachment, Draft, Outcome
from messengers.providers.capabilities import MediaLimit
from tests.core.conftest import AGENT, House, OpenHouse
from tests.core.test_pacing import HandClock
from tests.core.test_purge import left

DAY = 24 * 60
OLD = -40 * DAY


async def old_and_new(house: House) -> tuple[str, str]:
    """A chat with both, one with old messages only."""
    side = house.personal
    await side.say("Zanzibar of old", "ann", "n1", minute=OLD)
    await side.say("hi ann of old", "ann", minute=OLD + 1, **{"from": "me"})
    await side.say("still new", "ann", minute=-1)
    await side.say("only Quokka of old", "bob", "n2", minute=OLD)
    await side.say("me of old", "bob", minute=OLD + 1, **{"from": "me"})
    ann = (await house.told("still new")).chat
    return ann, (await house.told("me of old")).chat


async def texts(house: House, chat: str) -> list[str]:
    place = await house.core.chats.get(OWNER, chat)
    return [m.text for m in (await house.core.history.read(OWNER, place)).items]


async def keep(house: House, days: int) -> None:
    """The owner chooses, and the daemon looks."""
    await house.core.instances.set_policy(OWNER, "me", retention_days=days)
    house.core.retention.hurry()
    await house.core.retention.sweep()


async def test_older_messages_go_with_their_words_files_and_place_in_the_list(
    open_house: OpenHouse, tmp_path: Path
) -> None:
    async with open_house(HandClock()) as house:
        ann, bob = await old_and_new(house)
        await house.bot.say("Zanzibar of another account", "eve", "n3", minute=OLD)
        kept = await house.told("Zanzibar of another account", "bot")

        await keep(house, 30)

        assert await texts(house, ann) == ["still new"]
        assert await texts(house, bob) == []
        place = await house.core.chats.get(OWNER, bob)
        assert (place.last_text, place.waiting_for_reply, place.unread) == ("", False, 0)
        found = await house.core.search.messages(OWNER, "zanzibar")
        assert [hit.message.id for hit in found.items] == [kept.id]
        assert (await house.core.search.messages(OWNER, "quokka")).items == ()
        assert left(tmp_path / "home") == {"messengers.db": [b"zanzibar"]}
        instance = house.core.instances.by_name("me")
        assert instance.history_since == HandClock().at - timedelta(minutes=1)


async def test_whom_the_owner_knows_he_still_knows(open_house: OpenHouse) -> None:
    async with open_house(HandClock()) as house:
        _, bob = await old_and_new(house)

        await keep(house, 30)

        assert (await house.send(bob, "long time")).outcome is Outcome.ACCEPTED


async def test_a_file_goes_with_its_last_message(open_house: OpenHouse, tmp_path: Path) -> None:
    clock = HandClock()
    async with open_house(clock) as house:
        chat = await _taking_files(house)
        media = await _attach(house, chat, b"marmalade " * 200)
        clock.at += timedelta(days=20)
        again = await _attach(house, chat, b"marmalade " * 200)
        only = await _attach(house, chat, b"periwinkle " * 200)
        assert (media, again) == (media, media) != (only, only)

        clock.at += timedelta(days=25)
        await keep(house, 30)
        assert (tmp_path / "home" / "media").exists()
        assert b"marmalade" in b"".join(_stored(tmp_path))
        clock.at += timedelta(days=20)
        await keep(house, 30)

        assert _stored(tmp_path) == []
        with pytest.raises(NotFound):
            await house.core.media.load(media)


async def test_a_file_that_cannot_be_removed_is_taken_at_the_next_look(
    open_house: OpenHouse, tmp_path: Path
) -> None:
    clock = HandClock()
    async with open_house(clock) as house:
        chat = await _taking_files(house)
        await _attach(house, chat, b"marmalade " * 200)
        clock.at += timedelta(days=40)

        with stuck(tmp_path), pytest.raises(StorageUnavailable):
            await keep(house, 30)
        await keep(house, 30)

        assert _stored(tmp_path) == []


async def test_a_file_that_is_stored_again_while_it_is_removed_is_there(
    open_house: OpenHouse, tmp_path: Path
) -> None:
    clock, door = HandClock(), threading.Event()
    async with open_house(clock) as house:
        chat, me = await _taking_files(house), house.core.instances.by_name("me").id
        await _attach(house, chat, b"marmalade " * 200)
        (path,) = (tmp_path / "home" / "media").glob("??/*")
        await keep(house, 30)
        clock.at += timedelta(days=40)
        house.core.retention.hurry()
        again: list[Attachment] = []

        def held(_: Connection) -> None:
            door.wait(10)

        async def store() -> None:
            kept = await house.core.media.store(me, chat, b"marmalade " * 200, "a.txt")
            again.append(kept)

        async with anyio.create_task_group() as tasks:
            # What the writer is asked for meanwhile waits in its order: to remove, then to store.
            tasks.start_soon(house.core.store.write, held)
            await anyio.wait_all_tasks_blocked()
            tasks.start_soon(house.core.retention.sweep)
            await anyio.wait_all_tasks_blocked()
            tasks.start_soon(store)
            while path.stat().st_mtime < clock.at.timestamp():
                await anyio.lowlevel.checkpoint()
            door.set()

        assert (await house.core.media.load(again[0].media)).data == b"marmalade " * 200


@contextmanager
def stuck(tmp_path: Path) -> Generator[None]:
    """In the place of the one file stands what no file can be removed as, for a while."""
    (path,) = (tmp_path / "home" / "media").glob("??/*")
    aside = path.rename(tmp_path / "aside")
    path.mkdir()
    yield
    path.rmdir()
    aside.rename(path)


async def _taking_files(house: House) -> str:
    """A chat of an account whose messenger takes files."""
    takes = {"document": MediaLimit(max_bytes=9_000, mimes=("text/plain",), max_caption=100)}
    able = house.personal.capabilities.model_copy(update={"media": takes})
    house.personal.capabilities = able
    await house.personal.say("hi", "ann", minute=OLD, **{"from": "me"})
    return (await house.told("hi")).chat


async def _attach(house: House, chat: str, data: bytes) -> str:
    """A sent message with a file; the file's id."""
    instance = house.core.instances.by_name("me").id
    kept = await house.core.media.store(instance, chat, data, "a.txt")
    draft = Draft(text="see", attachments=(kept.media,))
    act = await house.core.sending.prepare(AGENT, chat, draft)
    await house.core.approvals.perform(act)
    return kept.media


def _stored(tmp_path: Path) -> list[bytes]:
    files = (tmp_path / "home" / "media").rglob("*")
    return [file.read_bytes() for file in files if file.is_file()]


async def test_what_waits_to_leave_is_not_taken_away(open_house: OpenHouse) -> None:
    clock = HandClock()
    async with open_house(clock) as house:
        await house.personal.say("hi", "ann", minute=-1, **{"from": "me"})
        chat = (await house.told("hi")).chat
        later = Draft(text="in spring", send_at=timedelta(days=120))
        act = await house.core.sending.prepare(AGENT, chat, later)
        await house.core.approvals.perform(act, 0)
        clock.at += timedelta(days=90)

        await keep(house, 30)

        (waits,) = await house.core.batches.list(OWNER, scheduled=True)
        assert waits.counts == {"waiting": 1}
        assert await texts(house, chat) == []


async def test_it_is_the_owners_choice_survives_restarts_and_stands_beside_the_pace(
    open_house: OpenHouse,
) -> None:
    async with open_house(HandClock()) as house:
        ann, _ = await old_and_new(house)
        with pytest.raises(Forbidden):
            await house.core.instances.set_policy(AGENT, "me", retention_days=1)
        await house.core.instances.set_policy(OWNER, "me", retention_days=30)
        await house.core.instances.set_policy(OWNER, "me", pacing="normal")

    async with open_house(HandClock()) as house:
        instance = house.core.instances.by_name("me")
        assert (instance.retention_days, instance.pacing) == (30, "normal")
        await house.core.retention.sweep()
        assert await texts(house, ann) == ["still new"]
        await house.personal.say("late arrival", "ann", minute=OLD)
        await house.told("late arrival")
        await house.core.retention.sweep()
        assert "late arrival" in await texts(house, ann), "it looks once an hour"
        await keep(house, 0)
        assert "late arrival" in await texts(house, ann)
