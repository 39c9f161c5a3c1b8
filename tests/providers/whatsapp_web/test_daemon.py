"""Daemons and their workers as processes: what the death of one does to the other."""

import os
import signal
from pathlib import Path

import anyio
import pytest

from tests.fakes.whatsapp_web import FakeWhatsApp
from tests.fakes.whatsapp_web.devices import Account, Peer
from tests.providers.whatsapp_web.conftest import becomes, next_of, workers
from tests.providers.whatsapp_web.daemons import House, act

pytestmark = pytest.mark.timeout(90)


@pytest.fixture
def house(folder: Path, wa: FakeWhatsApp) -> House:
    return House(folder, wa)


@pytest.fixture
def me(wa: FakeWhatsApp) -> Account:
    return wa.add_account("15550001111", "Me Myself")


@pytest.fixture
def bob(wa: FakeWhatsApp) -> Peer:
    return wa.add_contact("15550002222", "Bob")


@pytest.mark.case("F25")
async def test_a_daemon_that_is_killed_leaves_no_worker_behind(house: House, me: Account) -> None:
    """Neither one that is connected nor one that waits for its phone."""
    async with house.daemon() as daemon:
        await house.link(me)
        async with house.client() as client:
            await act(client, "create_instance", provider="whatsapp_web", name="second")
            await act(client, "get_qr", instance="second")
        living = workers(house.folder)
        daemon.kill()

        assert len(living) == 2
        with anyio.fail_after(5):
            await becomes(lambda: not workers(house.folder))


@pytest.mark.case("F25")
async def test_a_daemon_that_is_stopped_leaves_no_worker_behind(house: House, me: Account) -> None:
    async with house.daemon() as daemon:
        await house.link(me)
        living = workers(house.folder)
        daemon.terminate()
        with anyio.fail_after(10):
            await daemon.wait()

        assert len(living) == 1
        assert workers(house.folder) == []


async def test_a_message_that_left_before_the_daemon_was_killed_is_unknown_and_never_sent_again(
    house: House, me: Account, bob: Peer
) -> None:
    house.wa.lose_acks(1)
    async with house.daemon() as daemon:
        companion = await house.link(me)
        async with house.client() as client:
            await act(
                client, "send_message", chat=f"+{bob.phone}", text="once", instance="wa", wait_s=0
            )
            arrived = await next_of(bob)
        daemon.kill()
        await becomes(lambda: not workers(house.folder))
    async with house.daemon(), house.client() as client:
        await house.wa.until(lambda: companion.online)
        after = await act(
            client, "send_message", chat=f"+{bob.phone}", text="after it", instance="wa"
        )
        await next_of(bob)

        assert [each.text for each in bob.received] == ["once", "after it"]
        assert after.structured_content
        assert after.structured_content["outcome"] == "accepted"
        assert house.stored("SELECT text, native_id, delivery FROM message")[0] == (
            "once",
            arrived.id,
            "unknown",
        )


async def test_a_message_that_had_not_left_when_the_daemon_was_killed_is_sent_once(
    house: House, me: Account, bob: Peer
) -> None:
    async with house.daemon() as daemon:
        companion = await house.link(me)
        async with house.client() as client:
            await act(client, "send_message", chat=f"+{bob.phone}", text="first", instance="wa")
            await next_of(bob)
            (worker,) = workers(house.folder)
            os.kill(worker, signal.SIGSTOP)
            await act(
                client, "send_message", chat=f"+{bob.phone}", text="once", instance="wa", wait_s=0
            )
            await becomes(lambda: house.stored("SELECT id FROM outbox WHERE state = 'claimed'"))
        daemon.kill()
        os.kill(worker, signal.SIGKILL)
        await becomes(lambda: not workers(house.folder))
    async with house.daemon():
        await house.wa.until(lambda: companion.online)
        arrived = await next_of(bob)
        await becomes(
            lambda: house.stored("SELECT 1 FROM message WHERE delivery = 'sent' AND text = 'once'")
        )

    assert arrived.text == "once"
    assert len(bob.received) == 2
