"""The provider over a worker that says what the test wants: no engine is needed."""

import json
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest
from anyio.abc import TaskGroup

from messengers.core.health import faults_in
from messengers.errors import (
    InvalidInput,
    MessengersError,
    NotConnected,
    NotFound,
    NotReady,
    PlatformRefused,
    Uncertain,
    Unreachable,
    Unsupported,
)
from messengers.models import Health, Lifecycle, UserAction
from messengers.providers.base import Part, ProviderContext
from messengers.providers.login import ShowCode, ShowQr, Wait
from messengers.providers.whatsapp_web import process
from messengers.providers.whatsapp_web.config import WhatsAppWebConfig
from messengers.providers.whatsapp_web.protocol import PROTOCOL
from messengers.providers.whatsapp_web.provider import WhatsAppWebProvider
from messengers.providers.whatsapp_web.session import FILE
from tests.providers.whatsapp_web.conftest import becomes
from tests.providers.whatsapp_web.databases import DEVICES, ONE_DEVICE, TABLE, write

WORKER = """
import json, sys
lines, answers, ends = json.loads(sys.argv[1])
for line in lines:
    print(json.dumps(line), flush=True)
if ends:
    sys.exit(ends)
for request in sys.stdin:
    asked = json.loads(request)
    answer = answers.get(asked["call"])
    if answer == "ends":
        sys.exit("goroutine 7\\npanic: it fell over https://user:secret@host/\\nmore")
    if answer is not None:
        print(json.dumps({"id": asked["id"], **answer}), flush=True)
"""
HELLO = {"event": "hello", "protocol": PROTOCOL, "engine": "scripted", "version": "1"}
NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
Json = Mapping[str, object]


def code(number: int, lasts_s: int) -> Json:
    return {"event": "qr", "text": f"code {number}", "number": number, "lasts_s": lasts_s}


class Still:
    """A clock that the test moves."""

    passed_s = 0.0

    def now(self) -> datetime:
        return NOW + timedelta(seconds=self.passed_s)

    def monotonic_s(self) -> float:
        return self.passed_s


Says = Callable[..., None]


@dataclass
class Account:
    """A provider that runs, and what it said."""

    provider: WhatsAppWebProvider
    clock: Still
    states: list[Health] = field(default_factory=list[Health])
    stored: list[tuple[str, str, str]] = field(default_factory=list[tuple[str, str, str]])
    signals: list[tuple[str, str, str]] = field(default_factory=list[tuple[str, str, str]])
    faults: list[BaseException] = field(default_factory=list[BaseException])
    over: bool = False

    async def ingest(self, event_key: str, chat_key: str, kind: str, payload: bytes) -> bool:
        del payload
        await anyio.lowlevel.checkpoint()
        self.stored.append((event_key, chat_key, kind))
        return True

    def signal(self, chat_key: str, kind: str, data: str) -> None:
        self.signals.append((chat_key, kind, data))

    def report(self, health: Health) -> None:
        self.states.append(health)

    async def run(self) -> None:
        try:
            await self.provider.run(self)
        except* MessengersError as faults:
            self.faults.extend(faults_in(faults))
        self.over = True

    @property
    def last(self) -> Health:
        return self.states[-1]


@pytest.fixture
def account(tmp_path: Path) -> Account:
    clock = Still()
    context = ProviderContext("i", "wa", WhatsAppWebConfig(), {}, tmp_path / "wa", clock)
    return Account(WhatsAppWebProvider(context), clock)


@pytest.fixture
async def tasks() -> AsyncIterator[TaskGroup]:
    async with anyio.create_task_group() as tasks:
        yield tasks
        tasks.cancel_scope.cancel()


@pytest.fixture
def says(monkeypatch: pytest.MonkeyPatch) -> Says:
    """What the next worker does: its lines, its answers by call, and how it ends."""

    def say(lines: Sequence[Json], answers: Json | None = None, ends: str = "") -> None:
        script = json.dumps([[HELLO, *lines], {"connect": {"ok": None}, **(answers or {})}, ends])
        monkeypatch.setattr(process, "COMMAND", (sys.executable, "-c", WORKER, script))

    return say


async def test_the_code_follows_the_engines_and_says_how_long_it_holds(
    account: Account, tasks: TaskGroup, says: Says
) -> None:
    says([code(1, 60)], {"probe": {"ok": {"connected": False, "logged_in": False}}})
    waiting = await account.provider.login_step()

    tasks.start_soon(account.run)
    await becomes(lambda: account.states)
    first = await account.provider.login_step()

    assert isinstance(waiting, Wait)
    assert isinstance(first, ShowQr)
    assert (first.text, first.transaction) == ("code 1", "1 of 6")
    assert first.expires_at == NOW + timedelta(seconds=60)
    assert (account.last.lifecycle, account.last.user_action) == (
        Lifecycle.AWAITING_LOGIN,
        UserAction.SCAN_QR,
    )


async def test_each_next_code_takes_the_place_of_the_one_before(
    account: Account, tasks: TaskGroup, says: Says
) -> None:
    says([code(1, 60), code(2, 20), code(3, 20)])

    tasks.start_soon(account.run)
    step = await account.provider.login_step()
    with anyio.fail_after(10):
        while not (isinstance(step, ShowQr) and step.text == "code 3"):
            await anyio.sleep(0.01)
            step = await account.provider.login_step()

    assert step.expires_at == NOW + timedelta(seconds=20)
    assert [each.lifecycle for each in account.states] == [Lifecycle.AWAITING_LOGIN]


@pytest.mark.case("F14")
async def test_a_login_that_nobody_finished_ends_with_its_remedy_and_asks_for_no_more_codes(
    account: Account, tasks: TaskGroup, says: Says
) -> None:
    says([code(6, 20), {"event": "login_over", "why": "timeout"}])

    tasks.start_soon(account.run)
    await becomes(lambda: account.over)

    assert account.faults == []
    assert (account.last.lifecycle, account.last.user_action) == (
        Lifecycle.LOGGED_OUT,
        UserAction.RELOGIN,
    )
    assert account.last.reason == (
        "All six codes ended without a scan. Connect the instance again for new codes."
    )


@pytest.mark.case("F14")
async def test_a_login_ends_in_time_also_when_the_engine_does_not_say_so(
    account: Account, tasks: TaskGroup, says: Says
) -> None:
    says([code(1, 60)])
    tasks.start_soon(account.run)
    await becomes(lambda: account.states)

    account.clock.passed_s = 200
    await becomes(lambda: account.over)

    assert account.faults == []
    assert account.last.lifecycle is Lifecycle.LOGGED_OUT


async def test_a_scan_ends_the_showing_of_codes(
    account: Account, tasks: TaskGroup, says: Says
) -> None:
    says([code(1, 60), {"event": "paired"}])

    tasks.start_soon(account.run)
    await becomes(lambda: account.states and account.last.lifecycle is Lifecycle.CONNECTING)

    assert isinstance(await account.provider.login_step(), Wait)
    account.clock.passed_s = 300
    await anyio.sleep(1.2)  # the watch looks once a second
    assert not account.over


async def test_a_pairing_code_is_asked_for_once_and_kept(
    account: Account, tasks: TaskGroup, says: Says
) -> None:
    says([code(1, 60)], {"pair": {"ok": {"code": "ABCD-EFGH"}}})
    tasks.start_soon(account.run)
    await becomes(lambda: account.states)

    first = await account.provider.login_step("+371 20 000-000")
    account.clock.passed_s = 30
    again = await account.provider.login_step("+37120000000")

    assert isinstance(first, ShowCode)
    assert (first.code, first.transaction) == ("ABCD-EFGH", "0000")
    assert again == first


@pytest.mark.parametrize("phone", ["20000000", "+0123456789", "me", "+1", "+3712000000000000"])
async def test_what_is_no_phone_number_is_said_at_once(
    account: Account, tasks: TaskGroup, says: Says, phone: str
) -> None:
    says([code(1, 60)])
    tasks.start_soon(account.run)
    await becomes(lambda: account.states)

    with pytest.raises(InvalidInput, match="no phone number"):
        await account.provider.login_step(phone)


@pytest.mark.parametrize(
    ("event", "lifecycle", "action", "told"),
    [
        ({"event": "logged_out"}, "logged_out", "relogin", "unlinked this device"),
        ({"event": "login_over", "why": "err-x"}, "logged_out", "relogin", "failed (err-x)"),
        ({"event": "outdated"}, "engine_outdated", "upgrade", "-m pip install --upgrade"),
        (
            {"event": "banned", "seconds": 5400, "why": "it wrote to too many people"},
            "banned",
            "open_phone",
            "banned the account for 1.5 hours: it wrote to too many people.",
        ),
        ({"event": "banned"}, "banned", "open_phone", "banned the account. Open WhatsApp"),
    ],
)
async def test_what_only_the_owner_can_end_ends_the_run_with_its_remedy(
    account: Account,
    tasks: TaskGroup,
    says: Says,
    event: Json,
    lifecycle: str,
    action: str,
    told: str,
) -> None:
    says([event])

    tasks.start_soon(account.run)
    await becomes(lambda: account.over)

    assert account.faults == []
    assert (account.last.lifecycle, account.last.user_action) == (lifecycle, action)
    assert told in account.last.reason


async def test_a_session_that_another_program_took_stays_calm(
    account: Account, tasks: TaskGroup, says: Says
) -> None:
    says([{"event": "replaced"}])

    tasks.start_soon(account.run)
    await becomes(lambda: account.states)

    assert account.last.lifecycle is Lifecycle.CONFLICT
    assert account.last.user_action is UserAction.RELOGIN
    assert not account.over
    with pytest.raises(NotConnected):
        await account.provider.probe()


async def test_states_of_the_connection_are_told(
    account: Account, tasks: TaskGroup, says: Says
) -> None:
    events = ("connected", "silent", "restored", "disconnected")
    says([{"event": each} for each in events])

    tasks.start_soon(account.run)
    await becomes(lambda: len(account.states) == 4)

    assert [each.lifecycle for each in account.states] == [
        Lifecycle.CONNECTED,
        Lifecycle.DEGRADED,
        Lifecycle.CONNECTED,
        Lifecycle.CONNECTING,
    ]


async def test_a_connection_that_does_not_come_back_is_made_anew(
    account: Account, tasks: TaskGroup, says: Says
) -> None:
    says([{"event": "connected"}, {"event": "disconnected"}])
    tasks.start_soon(account.run)
    await becomes(lambda: len(account.states) == 2)

    account.clock.passed_s = 91
    await becomes(lambda: account.over)

    assert [type(each) for each in account.faults] == [Unreachable]


@pytest.mark.parametrize(
    ("lines", "kind", "told"),
    [
        ([{"event": "failed", "why": "dial https://u:p@host"}], Unreachable, "dial …"),
        ([{"event": "refused", "reason": "SERVICE", "why": ""}], Unreachable, "(SERVICE)"),
        ([{"event": "unusable", "why": "ImportError: x"}], NotReady, "ImportError: x"),
        ([{**HELLO, "protocol": 99}], NotReady, "another version"),
    ],
)
async def test_what_the_worker_cannot_do_is_a_fault_of_the_run(
    account: Account,
    tasks: TaskGroup,
    says: Says,
    lines: Sequence[Json],
    kind: type[MessengersError],
    told: str,
) -> None:
    says(lines)

    tasks.start_soon(account.run)
    await becomes(lambda: account.over)

    assert [type(each) for each in account.faults] == [kind]
    assert told in str(account.faults[0])
    assert "u:p" not in str(account.faults[0])


async def test_a_worker_that_falls_over_says_its_last_words_without_secrets(
    account: Account, tasks: TaskGroup, says: Says
) -> None:
    says([{"event": "connected"}], {"probe": "ends"})
    tasks.start_soon(account.run)
    await becomes(lambda: account.states)

    with pytest.raises(Uncertain):
        await account.provider.probe()
    await becomes(lambda: account.over)

    assert [type(each) for each in account.faults] == [Unreachable]
    assert "panic: it fell over" in str(account.faults[0])
    assert "secret" not in str(account.faults[0])


@pytest.mark.parametrize(
    ("devices", "key", "error", "native_id"),
    [
        ([ONE_DEVICE], "another", Unreachable, None),
        ([ONE_DEVICE], "k", Uncertain, "3EB0ID"),
        ([], "another", Uncertain, ""),
    ],
    ids=["never begun", "begun", "unlinked meanwhile"],
)
async def test_when_the_worker_ends_its_session_tells_whether_a_send_began(
    account: Account,
    tasks: TaskGroup,
    says: Says,
    tmp_path: Path,
    devices: Sequence[str],
    key: str,
    error: type[Unreachable],
    native_id: str | None,
) -> None:
    says([{"event": "connected"}], {"send": "ends"})
    tasks.start_soon(account.run)
    await becomes(lambda: account.states)
    write(tmp_path / "wa" / FILE, TABLE, DEVICES, *devices, key=key)

    with pytest.raises(Unreachable) as raised:
        await account.provider.send("1@s.whatsapp.net", Part(text="x"), "k")

    assert type(raised.value) is error
    assert getattr(raised.value, "native_id", None) == native_id


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("refused", PlatformRefused),
        ("unreachable", Unreachable),
        ("uncertain", Uncertain),
        ("not_ready", NotConnected),
        ("unsupported", Unsupported),
        ("gone", NotFound),
    ],
)
async def test_each_kind_of_refusal_has_its_error(
    account: Account, tasks: TaskGroup, says: Says, kind: str, error: type[MessengersError]
) -> None:
    says([{"event": "connected"}], {"send": {"error": kind, "why": "because"}})
    tasks.start_soon(account.run)
    await becomes(lambda: account.states)

    with pytest.raises(error, match="because"):
        await account.provider.send("1@s.whatsapp.net", Part(text="x"), "k")


async def test_what_arrives_is_stored_in_the_lane_of_its_chat(
    account: Account, tasks: TaskGroup, says: Says
) -> None:
    chat = {"id": "1@s.whatsapp.net", "kind": "dm"}
    message = {"id": "A", "chat": chat, "sender": chat, "at": 1, "text": "x"}
    waiting = {**message, "marks": ["undecrypted"]}
    says(
        [
            {"event": "message", "message": waiting},
            {"event": "message", "message": message},
            {"event": "typing", "chat": chat, "active": True},
            {"event": "raw", "code": 7, "data": "", "why": "KeyError"},
            {"event": "progress", "percent": 5},
            {"event": "connected"},
        ]
    )

    tasks.start_soon(account.run)
    await becomes(lambda: account.states)

    assert account.signals == [("1@s.whatsapp.net", "typing", "on")]
    assert sorted(
        (key.partition(":raw")[0][:40], lane, kind) for key, lane, kind in account.stored
    )[:2] == [
        ("message:1@s.whatsapp.net:A", "1@s.whatsapp.net", "message"),
        ("message:1@s.whatsapp.net:A:undecrypted", "1@s.whatsapp.net", "message"),
    ]
    assert sorted(kind for _, _, kind in account.stored) == ["message", "message", "raw"]


async def test_a_worker_that_cannot_be_started_is_said(
    account: Account, tasks: TaskGroup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "COMMAND", ("/nowhere/python",))

    tasks.start_soon(account.run)
    await becomes(lambda: account.over)

    assert [type(each) for each in account.faults] == [NotReady]


@pytest.mark.parametrize(
    ("text", "native_id"),
    [
        ("+37120000000", "37120000000@s.whatsapp.net"),
        (" +371 (20) 000-000 ", "37120000000@s.whatsapp.net"),
        ("37120000000@s.whatsapp.net", "37120000000@s.whatsapp.net"),
        ("37120000000@c.us", "37120000000@s.whatsapp.net"),
        ("123456789012345@lid", "123456789012345@lid"),
        ("12036304-1600000000@g.us", "12036304-1600000000@g.us"),
        ("20000000", None),
        ("Anna", None),
        ("@anna", None),
        ("", None),
    ],
)
def test_a_number_or_an_id_names_a_recipient(
    account: Account, text: str, native_id: str | None
) -> None:
    assert account.provider.parse_target(text) == native_id


@pytest.mark.parametrize("text", ["tg:123", "slack:C0", "v0123456789abcdef01234567"])
def test_ids_of_other_messengers_are_refused_with_a_hint(account: Account, text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        account.provider.parse_target(text)

    assert "+37120000000" in str(refused.value)
