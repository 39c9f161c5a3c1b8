"""Deliveries to a real receiver: signed, filtered, in order, until they get through or are over."""

import base64
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import anyio
import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from messengers.core.callers import OWNER
from messengers.core.retries import ATTEMPTS, pause_s, retry_after_s
from messengers.errors import Conflict, InvalidInput, MessengersError, NotFound, Unreachable
from messengers.guarded import AllowedHosts, Guard
from messengers.urls import SafeUrl
from tests.core.webhooks import HandClock, Mail, Receiver, open_mail, receiving

SCHEDULE_S = (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
A_MOMENT_S = 0.15
"""Real time in which a delivery that is due would have come."""


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as made:
        yield made


@pytest.fixture
async def mail(tmp_path: Path, receiver: Receiver) -> AsyncIterator[Mail]:
    async with open_mail(tmp_path / "home", receiver) as made:
        yield made


@pytest.mark.case("S56")
async def test_what_is_delivered_verifies_with_the_stock_verifier(mail: Mail) -> None:
    page, secret = await mail.page(), await mail.add()
    await mail.say(page, "see you at five? ё🔥")
    await mail.receiver.until(1)
    got = mail.receiver.got[0]
    await mail.settled("delivered")

    told = Webhook(secret).verify(got.body, dict(got.headers))

    assert told["type"] == "message.received"
    assert told["instance"] == "page"
    assert told["data"]["message"]["text"] == "see you at five? ё🔥"
    assert got.headers["content-type"] == "application/json"
    assert base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(got.body.replace(b"five", b"four"), dict(got.headers))


@pytest.mark.case("S56")
async def test_while_a_secret_rotates_both_sign_and_then_the_new_one_alone(mail: Mail) -> None:
    page, old = await mail.page(), await mail.add()
    new = await mail.core.webhooks.rotate("crm")
    await mail.say(page, "both")
    await mail.receiver.until(1)
    during = mail.receiver.got[0]
    mail.forward(hours=25)
    await mail.say(page, "one")
    await mail.receiver.until(2)
    after = mail.receiver.got[1]

    assert len(during.headers["webhook-signature"].split(" ")) == 2
    for secret in (old, new):
        Webhook(secret).verify(during.body, dict(during.headers))
    assert len(after.headers["webhook-signature"].split(" ")) == 1
    back = {**after.headers, "webhook-timestamp": str(int(datetime.now(UTC).timestamp()))}
    signature = Webhook(new).sign(after.id, mail.clock.now(), after.body.decode())
    assert back["webhook-signature"] == signature


async def test_filters_pass_what_was_asked_for(mail: Mail) -> None:
    page, other = await mail.page(), await mail.page("other")
    await mail.add("crm", instance="page")
    await mail.add("groups", chats="groups", types=["message.*"])
    await mail.add("anna", numbers=["+49 170 1234567"])
    await mail.say(other, "elsewhere")
    await mail.say(page, "here")
    await mail.settled("delivered")

    assert mail.receiver.texts == ["here"]
    assert await mail.log("groups") == await mail.log("anna") == []


@pytest.mark.case("S57")
async def test_the_schedule_is_followed_with_the_same_id_and_fresh_signatures(mail: Mail) -> None:
    page, secret = await mail.page(), await mail.add()
    mail.receiver.status = 500
    await mail.say(page, "hello")
    for attempt, pause in enumerate(SCHEDULE_S, 1):
        await mail.settled("queued", attempts=attempt)
        mail.forward(seconds=pause - 1)
        await anyio.sleep(A_MOMENT_S)
        assert len(mail.receiver.got) == attempt, "too early"
        mail.forward(seconds=1 + pause / 10)
        await mail.receiver.until(attempt + 1)
    await mail.settled("failed", attempts=ATTEMPTS)

    assert len(mail.receiver.got) == ATTEMPTS == 10
    assert len({each.id for each in mail.receiver.got}) == 1
    assert len({each.headers["webhook-signature"] for each in mail.receiver.got}) == ATTEMPTS
    assert secret not in repr(mail.receiver.got)


@pytest.mark.case("S57")
def test_pauses_are_those_of_the_standard_with_a_jitter_that_only_adds() -> None:
    assert tuple(pause_s(n, 0.0) for n in range(1, 10)) == SCHEDULE_S
    for attempts, pause in enumerate(SCHEDULE_S, 1):
        assert pause < (pause_s(attempts, 1.0) or 0) <= pause * 1.1 + 1e-6
    assert pause_s(10, 0.5) is None
    assert timedelta(days=3) < timedelta(seconds=sum(SCHEDULE_S)) < timedelta(days=4)


@pytest.mark.case("S57")
@pytest.mark.parametrize("status", [301, 302, 307, 400, 404, 500])
async def test_whatever_is_no_success_is_tried_again_and_no_redirect_followed(
    mail: Mail, status: int
) -> None:
    page = await mail.page()
    await mail.add()
    mail.receiver.status = status
    mail.receiver.more = f"Location: http://127.0.0.1:{mail.receiver.port}/elsewhere\r\n"
    await mail.say(page, "hello")
    await mail.settled("queued", attempts=1)
    mail.receiver.status, mail.receiver.more = 204, ""
    mail.forward(seconds=6)
    await mail.settled("delivered", attempts=2)

    assert len(mail.receiver.got) == 2


@pytest.mark.case("S57")
@pytest.mark.parametrize("status", [429, 503])
async def test_who_asks_to_be_spared_is_spared_with_every_chat(mail: Mail, status: int) -> None:
    page = await mail.page()
    await mail.add()
    mail.receiver.status, mail.receiver.more = status, "Retry-After: 600\r\n"
    await mail.say(page, "first")
    await mail.settled("queued", attempts=1)
    await mail.say(page, "second", visitor=2)
    await mail.receiver.until(2)
    await mail.settled("queued", "queued", attempts=2)
    mail.receiver.status, mail.receiver.more = 200, ""
    mail.forward(seconds=595)
    await anyio.sleep(A_MOMENT_S)
    early = len(mail.receiver.got)
    mail.forward(seconds=10)
    await mail.settled("delivered", "delivered")

    assert early == 2
    assert len(mail.receiver.got) == 4


@pytest.mark.case("F20")
@pytest.mark.parametrize("hours", [-5, 5])
async def test_a_clock_that_is_set_moves_no_attempt(mail: Mail, hours: int) -> None:
    page = await mail.page()
    await mail.add()
    mail.receiver.status, mail.receiver.more = 503, "Retry-After: 600\r\n"
    await mail.say(page, "hello")
    await mail.settled("queued", attempts=1)
    mail.receiver.status, mail.receiver.more = 200, ""

    mail.set(hours=hours)
    mail.forward(seconds=590)
    await anyio.sleep(A_MOMENT_S)
    early = len(mail.receiver.got)
    mail.forward(seconds=20)
    await mail.settled("delivered", attempts=2)

    assert early == 1


@pytest.mark.case("S57")
def test_what_a_receiver_asks_for_is_understood_and_has_an_end() -> None:
    now = datetime(2026, 11, 20, 12, tzinfo=UTC)

    assert retry_after_s("120", now) == 120
    assert retry_after_s(format_datetime(now + timedelta(minutes=5), usegmt=True), now) == 300
    assert retry_after_s("Fri, 20 Nov 2026 12:01:00", now) == 60
    assert retry_after_s(format_datetime(now - timedelta(days=1)), now) == 0
    assert retry_after_s("1000000000000", now) == retry_after_s("999999", now) == 86_400
    assert [retry_after_s(text, now) for text in ("", "soon", "-5", "٣")] == [0, 0, 0, 0]


@pytest.mark.case("S57")
async def test_a_receiver_that_is_gone_is_told_nothing_more_until_it_is_enabled(
    mail: Mail,
) -> None:
    page = await mail.page()
    await mail.add()
    before = await mail.core.events.position()
    mail.receiver.status = 410
    await mail.say(page, "first")
    await mail.settled("failed")
    await mail.say(page, "meanwhile")
    await anyio.sleep(A_MOMENT_S)
    view = await mail.core.webhooks.get("crm")
    told = await mail.core.events.since(OWNER, before, kind="webhook.disabled")
    calls = len(mail.receiver.got)
    mail.receiver.status = 200
    await mail.core.webhooks.enable("crm")
    await mail.settled("failed", "delivered")

    assert (calls, view.state, view.why) == (
        1,
        "disabled",
        "The receiver answered that it is gone.",
    )
    assert told[0][1].data == {"webhook": view.id, "reason": view.why}
    assert mail.receiver.texts == ["first", "meanwhile"]


@pytest.mark.case("F31", "S57")
async def test_a_target_that_is_down_for_three_days_is_disabled_and_everything_comes_later(
    mail: Mail, tmp_path: Path
) -> None:
    page = await mail.page()
    await mail.add()
    mail.receiver.status = 503
    await mail.say(page, "one")
    for attempt, pause in enumerate(SCHEDULE_S, 1):
        await mail.settled("queued", attempts=attempt)
        mail.forward(seconds=pause * 1.1)
    await mail.settled("failed", attempts=10)
    view = await mail.core.webhooks.get("crm")
    await mail.say(page, "two")
    await mail.say(page, "three")
    mail.receiver.status = 200
    mail.receiver.got.clear()

    assert (view.state, view.failed, view.why) == ("disabled", 1, "It took nothing for three days.")
    await mail.core.webhooks.enable("crm")
    await mail.settled("failed", "delivered", "delivered")
    assert await mail.core.webhooks.replay("crm") == 1
    await mail.settled("delivered", "delivered", "delivered")
    assert mail.receiver.texts == ["two", "three", "one"]
    assert (await mail.core.webhooks.get("crm")).failed == 0


async def test_one_event_nobody_takes_does_not_disable_who_takes_the_others(mail: Mail) -> None:
    page = await mail.page()
    await mail.add()
    mail.receiver.refused["poison"] = 400
    await mail.say(page, "poison")
    await mail.settled("queued", attempts=1)
    mail.forward(seconds=6)
    await mail.settled("queued", attempts=2)
    await mail.say(page, "fine", visitor=2)
    for attempt, pause in enumerate(SCHEDULE_S[1:], 3):
        await mail.settled("queued", "delivered", attempts=attempt)
        mail.forward(seconds=pause * 1.1)
    await mail.settled("failed", "delivered", attempts=11)

    assert (await mail.core.webhooks.get("crm")).state == "enabled"


async def test_a_chat_stays_in_order_and_holds_up_no_other(mail: Mail) -> None:
    page = await mail.page()
    await mail.add()
    mail.receiver.refused["a1"] = 500
    await mail.say(page, "a1", visitor=1)
    await mail.settled("queued", attempts=1)
    for text, visitor in (("a2", 1), ("b1", 2), ("a3", 1), ("b2", 2)):
        await mail.say(page, text, visitor)
    await mail.settled("queued", "queued", "delivered", "queued", "delivered")
    mail.receiver.refused.clear()
    mail.forward(seconds=6)
    await mail.settled(*["delivered"] * 5)

    assert mail.receiver.texts == ["a1", "b1", "b2", "a1", "a2", "a3"]


async def test_what_was_not_delivered_survives_a_restart_and_comes_once(
    tmp_path: Path, receiver: Receiver
) -> None:
    clock = HandClock()
    async with open_mail(tmp_path / "home", receiver, clock) as mail:
        page, secret = await mail.page(), await mail.add()
        await mail.say(page, "before")
        await mail.settled("delivered")
        receiver.status = 500
        await mail.say(page, "during")
        await mail.settled("delivered", "queued", attempts=2)
        said = mail.said
    receiver.status = 200
    clock.at += timedelta(minutes=1)
    async with open_mail(tmp_path / "home", receiver, clock) as mail:
        mail.said = said
        await mail.settled("delivered", "delivered")
        await mail.say(page, "after")
        await mail.settled("delivered", "delivered", "delivered")
        signature = Webhook(secret).sign(
            receiver.got[-1].id, clock.now(), receiver.got[-1].body.decode()
        )

    assert receiver.texts == ["before", "during", "during", "after"]
    assert receiver.got[1].id == receiver.got[2].id
    assert receiver.got[-1].headers["webhook-signature"] == signature


async def test_a_call_under_way_ends_before_messengers_does(
    tmp_path: Path, receiver: Receiver
) -> None:
    receiver.hold = anyio.Event()
    async with (
        anyio.create_task_group() as tasks,
        open_mail(tmp_path / "home", receiver) as mail,
    ):
        page = await mail.page()
        await mail.add()
        await mail.say(page, "hello")
        await receiver.until(1)
        tasks.start_soon(released, receiver.hold)
    receiver.hold = None
    async with open_mail(tmp_path / "home", receiver) as mail:
        await mail.settled("delivered")

    assert receiver.texts == ["hello"]


async def released(hold: anyio.Event) -> None:
    await anyio.sleep(A_MOMENT_S)
    hold.set()


async def test_everything_since_a_time_is_delivered_again_in_order(mail: Mail) -> None:
    page = await mail.page()
    await mail.add()
    await mail.say(page, "long ago")
    await mail.settled("delivered")
    mail.forward(hours=3)
    since = mail.clock.now()
    await mail.say(page, "one")
    await mail.say(page, "two")
    await mail.settled(*["delivered"] * 3)
    mail.receiver.got.clear()

    count = await mail.core.webhooks.replay("crm", since=since)
    await mail.settled(*["delivered"] * 5)

    assert count == 2
    assert mail.receiver.texts == ["one", "two"]
    assert await mail.core.webhooks.replay("crm", since=mail.clock.now() + timedelta(1)) == 0


async def test_one_delivery_is_replayed_by_its_id(mail: Mail) -> None:
    page = await mail.page()
    await mail.add()
    await mail.say(page, "one")
    await mail.say(page, "two")
    await mail.settled("delivered", "delivered")
    first = (await mail.log())[-1].id

    assert await mail.core.webhooks.replay("crm", delivery=first) == 1
    await mail.receiver.until(3)

    assert mail.receiver.texts == ["one", "two", "one"]
    assert mail.receiver.got[2].id == mail.receiver.got[0].id
    for wrong in ("d999", "x1"):
        with pytest.raises((NotFound, InvalidInput)):
            await mail.core.webhooks.replay("crm", delivery=wrong)


async def test_a_test_event_says_what_came_back(mail: Mail) -> None:
    secret = await mail.add()
    taken = await mail.core.webhooks.test("crm")
    mail.receiver.status = 401
    refused = await mail.core.webhooks.test("crm")
    got = mail.receiver.got[0]

    assert Webhook(secret).verify(got.body, dict(got.headers))["type"] == "webhook.test"
    assert (taken.taken, taken.status) == (True, 200)
    assert (refused.taken, refused.error) == (False, "It answered with status 401.")
    assert await mail.log() == []


@pytest.mark.case("S58")
@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/hook",
        "https://169.254.169.254/latest",
        "https://[::ffff:127.0.0.1]/x",
        "https://nowhere.invalid/",
        "http://example.com/hook",
        "https://127.0.0.1:9/hook",
    ],
)
async def test_a_target_that_may_not_be_reached_is_not_saved(tmp_path: Path, url: str) -> None:
    async with receiving() as receiver, open_mail(tmp_path / "home", receiver) as mail:
        mail.core.webhooks._guard = Guard(AllowedHosts(), connect_s=0.2)  # pyright: ignore[reportPrivateUsage] - a shorter wait
        with pytest.raises((InvalidInput, Unreachable)):
            await mail.core.webhooks.add("evil", SafeUrl.parse(url))

        assert await mail.core.webhooks.list() == []
        assert receiver.got == []


@pytest.mark.case("S58")
async def test_a_target_is_judged_at_each_delivery(tmp_path: Path, receiver: Receiver) -> None:
    clock = HandClock()
    async with open_mail(tmp_path / "home", receiver, clock) as mail:
        page = await mail.page()
        await mail.add()
        # The owner takes the permission back; what was saved is still there.
        mail.core.dispatch._guard = Guard(AllowedHosts(), connect_s=0.2)  # pyright: ignore[reportPrivateUsage] - as after a restart with other settings
        await mail.say(page, "hello")
        await mail.settled("queued", attempts=1)
        [delivery] = await mail.log()

    assert receiver.got == []
    assert delivery.error.startswith("Only ports 80 and 443")


async def test_a_receiver_that_never_answers_costs_its_deadline_only(
    mail: Mail, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("messengers.core.dispatch._DEADLINE_S", 0.2)
    page = await mail.page()
    await mail.add()
    mail.receiver.hold = anyio.Event()
    await mail.say(page, "hello")
    await mail.settled("queued", attempts=1)
    mail.receiver.hold.set()

    assert (await mail.log())[0].error == "The address did not answer in time."


async def test_an_event_that_was_purged_meanwhile_is_told_as_gone(mail: Mail) -> None:
    page = await mail.page()
    await mail.add()
    mail.receiver.status = 500
    await mail.say(page, "hello")
    await mail.settled("queued", attempts=1)
    await mail.core.instances.delete(OWNER, page, purge=True)
    mail.forward(seconds=6)
    await mail.settled("failed")

    assert (await mail.log())[0].error == "The event is gone."


async def test_names_and_filters_that_do_not_fit_are_refused(mail: Mail) -> None:
    await mail.add()
    faults: list[type[MessengersError]] = []
    for name, filters in (
        ("crm", {}),
        ("Bad Name", {}),
        ("a", {"types": ["message.recieved"]}),
        ("b", {"numbers": ["Anna"]}),
        ("c", {"instance": "nobody"}),
    ):
        with pytest.raises(MessengersError) as caught:
            await mail.add(name, **filters)
        faults.append(caught.type)

    assert faults == [Conflict, InvalidInput, InvalidInput, InvalidInput, NotFound]
    assert len(await mail.core.webhooks.list()) == 1


async def test_disabling_enabling_and_removing(mail: Mail) -> None:
    page = await mail.page()
    await mail.add()
    await mail.core.webhooks.disable("crm")
    await mail.say(page, "skipped")
    await mail.core.webhooks.enable("w1", skip=True)
    await mail.say(page, "told")
    await mail.settled("delivered")
    removed = await mail.core.webhooks.remove("crm")

    assert mail.receiver.texts == ["told"]
    assert removed.delivered_at
    assert await mail.core.webhooks.list() == []
    with pytest.raises(NotFound):
        await mail.core.webhooks.log("crm")


async def test_the_log_is_kept_for_a_month(mail: Mail) -> None:
    page = await mail.page()
    await mail.add()
    await mail.say(page, "old")
    await mail.settled("delivered")
    mail.forward(days=31)
    await mail.say(page, "new")
    await mail.settled("delivered", "delivered")
    await mail.core.webhooks.expire()

    assert len(await mail.log()) == 1
    with pytest.raises(InvalidInput):
        await mail.core.webhooks.log("crm", limit=0)


@pytest.mark.case("S63")
async def test_neither_secret_nor_address_stands_in_the_database(
    tmp_path: Path, receiver: Receiver
) -> None:
    async with open_mail(tmp_path / "home", receiver) as mail:
        secrets = [await mail.add(), await mail.core.webhooks.rotate("crm")]
    with closing(sqlite3.connect(tmp_path / "home" / "messengers.db")) as connection:
        dump = "\n".join(connection.iterdump())
        stored = connection.execute("SELECT secret, old_secret, url FROM webhook_endpoint")
        [row] = stored.fetchall()

    shown = dump + repr(row)
    assert not [part for part in (*secrets, "tricky", "/hook") if part in shown]
