"""What an account goes through: restarts, cut lines, unlinking, refusals, another program."""

import os
import signal
from datetime import UTC, datetime
from pathlib import Path

import anyio
import pytest

from messengers.core.callers import OWNER
from messengers.core.core import Core
from messengers.models import Lifecycle, Outcome, SentMessage, UserAction
from messengers.providers.login import LoginFailed, ShowCode, ShowQr
from messengers.store import outbox
from tests.fakes.whatsapp_web import FakeWhatsApp
from tests.fakes.whatsapp_web.devices import Account, Peer
from tests.providers.whatsapp_web.conftest import (
    Linked,
    OpenCore,
    becomes,
    create,
    link,
    next_of,
    reaches,
    scan,
    until,
    workers,
)

pytestmark = pytest.mark.timeout(60)


@pytest.fixture
def me(wa: FakeWhatsApp) -> Account:
    return wa.add_account("15550001111", "Me Myself")


@pytest.fixture
def bob(wa: FakeWhatsApp) -> Peer:
    return wa.add_contact("15550002222", "Bob")


async def states(core: Core, name: str = "wa") -> list[object]:
    """Every state of an instance that was an event."""
    instance = core.instances.by_name(name).id
    found = await core.events.since(OWNER, 0, kind="instance.health", instance_id=instance)
    return [each.data["lifecycle"] for _, each in found]


async def write_ten(account: Linked, sender: Peer) -> list[str]:
    texts = [f"number {number}" for number in range(10)]
    for text in texts:
        await account.wa.send_text(sender, account.companion, text)
    return texts


async def texts_of(account: Linked, chat: str, count: int) -> list[str]:
    """The texts of a chat, oldest first, once there are so many."""

    async def found() -> list[str] | None:
        texts = [each.text for each in await account.messages(chat)]
        return texts if len(texts) >= count else None

    return await until(found)


async def delivered(core: Core, sent: SentMessage, wanted: str) -> None:
    """Wait until a message of ours is known to be in a state."""

    async def found() -> bool | None:
        detail = await core.history.get(OWNER, sent.message)
        return detail.message.delivery == wanted or None

    await until(found)


async def test_a_restart_needs_no_scan_and_brings_what_came_meanwhile_in_order(
    wa: FakeWhatsApp, me: Account, bob: Peer, reopen: OpenCore
) -> None:
    async with reopen() as core:
        before = await link(core, wa, me)
    await wa.until(lambda: not before.companion.online)
    written = await write_ten(before, bob)

    async with reopen() as core:
        await reaches(core, Lifecycle.CONNECTED)
        account = Linked(wa, core, me, before.companion)
        arrived = await texts_of(account, bob.pn, len(written))
        told = await states(core)

    assert arrived == written
    assert told.count("awaiting_login") == 1
    assert wa.records.counts["registrations"] == 1


async def test_a_cut_line_comes_back_and_brings_what_came_meanwhile_in_order(
    wa: FakeWhatsApp, me: Account, bob: Peer, reopen: OpenCore, folder: Path
) -> None:
    async with reopen() as core:
        account = await link(core, wa, me)
        worker = workers(folder)
        wa.drop_connection(account.companion)
        await wa.until(lambda: not account.companion.online)
        written = await write_ten(account, bob)

        arrived = await texts_of(account, bob.pn, len(written))
        await reaches(core, Lifecycle.CONNECTED)

        assert arrived == written
        assert workers(folder) == worker


@pytest.mark.case("F14")
async def test_an_account_that_its_phone_unlinks_says_so_and_keeps_what_waits(
    wa: FakeWhatsApp, me: Account, bob: Peer, reopen: OpenCore
) -> None:
    async with reopen() as core:
        account = await link(core, wa, me)
        other = await link(core, wa, wa.add_account("15550003333", "Other"), "other")
        wa.slow(20)
        under_way = await account.send(bob, "under way", wait_s=0)
        behind = await account.send(bob, "behind it", wait_s=0)
        await next_of(bob)
        wa.slow(0)

        await wa.unlink(account.companion)
        with anyio.fail_after(10):
            await reaches(core, Lifecycle.LOGGED_OUT)
        told = (await states(core))[-1]
        await delivered(core, under_way, "unknown")
        await delivered(core, behind, "pending")
        unaffected = await other.send(bob, "from the other")

        assert told == "logged_out"
        assert account.entry.health.user_action is UserAction.RELOGIN
        assert wa.records.counts["registrations"] == 2
        assert unaffected.outcome is Outcome.ACCEPTED
        assert (await next_of(bob)).text == "from the other"

        await core.instances.connect(OWNER, "wa", wait_s=0)
        await scan(core, wa, me)
        assert (await next_of(bob)).text == "behind it"


async def test_a_refused_version_is_said_and_tried_again_by_its_owner_only(
    wa: FakeWhatsApp, me: Account, reopen: OpenCore, folder: Path
) -> None:
    wa.outdated()
    async with reopen() as core:
        await create(core, wa)
        await reaches(core, Lifecycle.ENGINE_OUTDATED)
        step = await core.login.step(OWNER, "wa", wait_s=0)
        await becomes(lambda: not workers(folder))

        wa.outdated(outdated=False)
        await core.instances.connect(OWNER, "wa", wait_s=0)
        await scan(core, wa, me)

    assert isinstance(step, LoginFailed)
    assert "-m pip install --upgrade" in step.reason


async def test_an_account_whose_version_is_refused_later_keeps_its_session(
    wa: FakeWhatsApp, me: Account, reopen: OpenCore
) -> None:
    async with reopen() as core:
        account = await link(core, wa, me)
        wa.outdated()
        wa.drop_connection(account.companion)
        await reaches(core, Lifecycle.ENGINE_OUTDATED)

        wa.outdated(outdated=False)
        await core.instances.connect(OWNER, "wa", wait_s=0)
        await reaches(core, Lifecycle.CONNECTED)

    assert wa.records.counts["registrations"] == 1


async def test_a_ban_is_said_with_its_time_and_nothing_tries_on(
    wa: FakeWhatsApp, me: Account, reopen: OpenCore, folder: Path
) -> None:
    async with reopen() as core:
        account = await link(core, wa, me)
        await wa.ban(me, 7200)
        await reaches(core, Lifecycle.BANNED)
        await becomes(lambda: not workers(folder))

        assert account.entry.health.user_action is UserAction.OPEN_PHONE
        assert "for 2.0 hours: it wrote to too many people" in account.entry.health.reason


async def test_a_session_in_use_elsewhere_rests_until_its_owner_connects_it(
    wa: FakeWhatsApp, me: Account, reopen: OpenCore, folder: Path
) -> None:
    async with reopen() as core:
        account = await link(core, wa, me)
        logins = wa.records.counts["logins"]
        await wa.replace(account.companion)
        await reaches(core, Lifecycle.CONFLICT)
        await becomes(lambda: not workers(folder))
        step = await core.login.step(OWNER, "wa", wait_s=0)

        assert isinstance(step, LoginFailed)
        assert "Another program uses the same session." in step.reason
        assert wa.records.counts["logins"] == logins
        await core.instances.connect(OWNER, "wa", wait_s=0)
        await reaches(core, Lifecycle.CONNECTED)
        assert wa.records.counts["registrations"] == 1


async def test_a_logout_unlinks_the_device_and_leaves_nothing_of_its_session(
    wa: FakeWhatsApp, me: Account, reopen: OpenCore, folder: Path
) -> None:
    async with reopen() as core:
        account = await link(core, wa, me)
        directory = folder / "home" / "instances" / account.entry.instance.id
        kept = directory.exists()

        await core.instances.log_out(OWNER, "wa")

        assert kept
        assert not directory.exists()
        assert me.companions == {}
        assert workers(folder) == []
        await core.instances.connect(OWNER, "wa", wait_s=0)
        assert isinstance(await core.login.step(OWNER, "wa"), ShowQr)


async def test_a_code_for_the_phones_number_links_it_too(
    wa: FakeWhatsApp, me: Account, reopen: OpenCore
) -> None:
    async with reopen() as core:
        await create(core, wa)
        step = await core.login.step(OWNER, "wa", phone=f"+{me.phone}")
        assert isinstance(step, ShowCode)

        companion = await wa.enter_code(step.code, me)
        await reaches(core, Lifecycle.CONNECTED)

    assert list(me.companions.values()) == [companion]


async def test_nobody_sees_the_account_online_or_that_its_messages_were_read(
    wa: FakeWhatsApp, me: Account, bob: Peer, reopen: OpenCore
) -> None:
    async with reopen() as core:
        account = await link(core, wa, me)
        id = await wa.send_text(bob, account.companion, "are you there?")
        message = await account.message(id, bob)
        chat = await account.chat(bob.pn)
        await core.history.read(OWNER, chat, 20)
        await core.history.get(OWNER, message.id)
        await core.history.recent(OWNER, datetime.min.replace(tzinfo=UTC))
        await wa.until(lambda: account.companion.presences)
        unread = [each.kind for each in wa.receipts if each.ids == (id,)]

        await core.receipts.up_to(OWNER, chat)

        assert set(account.companion.presences) == {"unavailable"}
        assert set(unread) <= {"delivered", "inactive"}
        await wa.until(lambda: "read" in [each.kind for each in wa.receipts if each.ids == (id,)])


async def test_a_worker_that_dies_before_it_sends_is_replaced_and_sends_once(
    wa: FakeWhatsApp, me: Account, bob: Peer, reopen: OpenCore, folder: Path
) -> None:
    async with reopen() as core:
        account = await link(core, wa, me)
        (worker,) = workers(folder)
        await account.message(await wa.send_text(bob, account.companion, "hello"), bob)
        os.kill(worker, signal.SIGSTOP)
        sent = await account.send(bob, "once", wait_s=0)
        await until(lambda: claimed(core))
        os.kill(worker, signal.SIGKILL)

        arrived = await next_of(bob)
        await delivered(core, sent, "sent")

        assert arrived.text == "once"
        assert len(bob.received) == 1
        assert workers(folder) != [worker]


async def claimed(core: Core) -> bool | None:
    """Whether a send is under way."""
    return bool(await core.store.rows(outbox.claimed)) or None


async def test_a_worker_that_dies_after_it_sent_leaves_the_truth_open_until_a_receipt_tells(
    wa: FakeWhatsApp, me: Account, bob: Peer, reopen: OpenCore, folder: Path
) -> None:
    async with reopen() as core:
        account = await link(core, wa, me)
        (worker,) = workers(folder)
        wa.lose_acks(1)
        sent = await account.send(bob, "once", wait_s=0)
        arrived = await next_of(bob)
        os.kill(worker, signal.SIGKILL)

        await delivered(core, sent, "unknown")
        await reaches(core, Lifecycle.CONNECTED)
        after = await account.send(bob, "after it")
        await next_of(bob)
        await wa.receipt(bob, account.companion, arrived.id, "delivered")
        await delivered(core, sent, "delivered")

        assert after.outcome is Outcome.ACCEPTED
        assert [each.text for each in bob.received] == ["once", "after it"]
        assert workers(folder) != [worker]
