"""What a key may: its scopes and bounds, and that it gives no more than it has."""

from collections.abc import Mapping
from datetime import timedelta
from itertools import pairwise
from typing import Any

import anyio
import pytest

from messengers.core.callers import OWNER, Caller
from messengers.core.keys import Keys
from messengers.core.scopes import PRESET_SCOPES, PRESETS, covers, known_scopes
from messengers.core.tickets import Tickets
from messengers.errors import Conflict, Forbidden, InvalidInput, NotFound
from messengers.models import Preset
from messengers.store import Store
from tests.core.keyring import NOW, SetClock, clock, keys, loaded, store

__all__ = ["clock", "keys", "store"]


@pytest.mark.parametrize(
    ("given", "scope", "held"),
    [
        ({"*"}, "admin:write", True),
        ({"messages:*"}, "messages:send", True),
        ({"messages:*"}, "messages:*", True),
        ({"messages:read"}, "messages:read", True),
        ({"messages:read"}, "messages:send", False),
        ({"messages:read"}, "messages:*", False),
        ({"messages:*"}, "*", False),
        ({"messages:*"}, "events:read", False),
        (set[str](), "messages:read", False),
    ],
)
def test_a_scope_covers_its_own_and_its_nouns(given: set[str], scope: str, held: bool) -> None:
    assert covers(given, scope) is held


def test_each_preset_holds_what_the_one_before_holds() -> None:
    for less, more in pairwise(PRESETS):
        assert all(covers(PRESET_SCOPES[more], scope) for scope in PRESET_SCOPES[less])
        assert not all(covers(PRESET_SCOPES[less], scope) for scope in PRESET_SCOPES[more])


def test_a_scope_that_is_none_is_refused() -> None:
    assert known_scopes(["messages:send", "events:*", "events:*"]) == ("events:*", "messages:send")
    with pytest.raises(InvalidInput, match="messages:read"):
        known_scopes(["message:read"])


@pytest.mark.parametrize("preset", PRESETS)
async def test_a_key_has_the_scopes_of_its_preset_unless_others_were_named(
    keys: Keys, store: Store, clock: SetClock, preset: Preset
) -> None:
    _, plain = await keys.create(OWNER, "plain", preset)
    _, chosen = await keys.create(OWNER, "chosen", preset, scopes=["events:read"])

    for known in (keys, await loaded(store, clock)):
        usual, own = known.verify(plain), known.verify(chosen)
        assert usual is not None
        assert own is not None
        assert usual.granted == PRESET_SCOPES[preset]
        assert own.may("events:read")
        assert not own.may("messages:read")


async def test_a_rate_is_kept_with_its_key(keys: Keys, store: Store, clock: SetClock) -> None:
    _, secret = await keys.create(OWNER, "slow", rate_per_min=30)

    caller = (await loaded(store, clock)).verify(secret)

    assert caller is not None
    assert caller.rate_per_min == 30
    for rate in (0, -1, 100_001):
        with pytest.raises(InvalidInput):
            await keys.create(OWNER, "wrong", rate_per_min=rate)


MAKER = Caller(
    "k9",
    preset="setup",
    toolsets=frozenset({"rich"}),
    scopes=frozenset({"messages:*", "instances:read", "admin:*"}),
    instances=frozenset({"i-1", "i-2"}),
    rate_per_min=60,
    expires_at=NOW + timedelta(days=2),
)
WITHIN: Mapping[str, Any] = {
    "preset": "messenger",
    "expires_at": NOW + timedelta(days=1),
    "instances": ("i-1",),
    "toolsets": ("rich",),
    "scopes": ("messages:send", "instances:read"),
    "rate_per_min": 10,
}


@pytest.mark.case("S62")
@pytest.mark.parametrize(
    "beyond",
    [
        {"scopes": ("*",)},
        {"scopes": ("instances:*",)},
        {"scopes": ("instances:write",)},
        {"scopes": ("events:read",)},
        {"scopes": ()},
        {"instances": ()},
        {"instances": ("i-1", "i-3")},
        {"preset": "admin"},
        {"toolsets": ("rich", "groups")},
        {"expires_at": None},
        {"expires_at": NOW + timedelta(days=3)},
        {"rate_per_min": None},
        {"rate_per_min": 61},
    ],
    ids=str,
)
async def test_a_key_makes_none_that_opens_more_than_itself(
    keys: Keys, beyond: Mapping[str, Any]
) -> None:
    with pytest.raises(Forbidden, match="no more than it has"):
        await keys.create(MAKER, "more", **{**WITHIN, **beyond})
    assert keys.list(OWNER) == []

    made, _ = await keys.create(MAKER, "less", **WITHIN)

    assert made.scopes == ("instances:read", "messages:send")


@pytest.mark.case("S62", "S74")
@pytest.mark.parametrize("scopes", [{"messages:*"}, {"admin:read"}, set[str]()], ids=str)
async def test_only_a_key_for_administration_makes_and_ends_keys(
    keys: Keys, scopes: set[str]
) -> None:
    caller = Caller("k9", preset="admin", scopes=frozenset(scopes))
    key, _ = await keys.create(OWNER, "one", "reader")

    for act in (
        lambda: keys.create(caller, "more", "reader"),
        lambda: keys.regenerate(caller, key.id),
        lambda: keys.revoke(caller, key.id),
    ):
        with pytest.raises(Forbidden, match="admin:write"):
            await act()
    assert [each.revoked_at for each in keys.list(OWNER)] == [None]


@pytest.mark.case("S62", "S68")
async def test_a_key_that_opens_more_is_unknown_to_one_that_opens_less(keys: Keys) -> None:
    above, _ = await keys.create(OWNER, "above", "admin")
    elsewhere: Mapping[str, Any] = {**WITHIN, "instances": ("i-3",)}
    beside, _ = await keys.create(OWNER, "beside", **elsewhere)
    below, _ = await keys.create(OWNER, "below", **WITHIN)

    assert [key.id for key in keys.list(MAKER)] == [below.id]
    for ref in (above.id, "above", beside.id, "beside", "k999", "nobody"):
        for act in (keys.regenerate, keys.revoke):
            with pytest.raises(NotFound, match="There is no such key"):
                await act(MAKER, ref)
    with pytest.raises(Forbidden):
        keys.list(Caller("k9", preset="messenger"))


async def test_a_key_made_anew_keeps_all_but_its_secret(
    keys: Keys, store: Store, clock: SetClock
) -> None:
    key, before = await keys.create(OWNER, "app", **WITHIN)
    await keys.create(OWNER, "later")

    renewed, after = await keys.regenerate(OWNER, "app")

    assert renewed == key.model_copy(update={"prefix": after[:10]})
    for known in (keys, await loaded(store, clock)):
        caller = known.verify(after)
        assert known.verify(before) is None
        assert caller is not None
        assert caller.actor == key.id
        assert [each.name for each in known.list(OWNER)] == ["app", "later"]


async def test_what_is_open_under_a_key_ends_when_it_is_made_anew(keys: Keys) -> None:
    _, secret = await keys.create(OWNER, "app")
    before = keys.verify(secret)
    assert before is not None
    waiting, ended = anyio.Event(), anyio.Event()

    async def stream() -> None:
        with keys.held(before):
            waiting.set()
            await anyio.sleep_forever()
        ended.set()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(stream)
        await waiting.wait()
        await keys.regenerate(OWNER, "app")
        with anyio.fail_after(1):
            await ended.wait()
        with anyio.fail_after(1), keys.held(before):  # what was between two waits ends as well
            await anyio.sleep_forever()


async def test_a_key_that_has_ended_is_not_made_anew(keys: Keys, clock: SetClock) -> None:
    await keys.create(OWNER, "revoked")
    await keys.revoke(OWNER, "revoked")
    await keys.create(OWNER, "expired", expires_at=NOW + timedelta(hours=1))
    clock.time += timedelta(hours=1)

    for name in ("revoked", "expired"):
        with pytest.raises(Conflict):
            await keys.regenerate(OWNER, name)


async def test_every_act_on_a_key_is_written_down_with_who_did_it(keys: Keys, store: Store) -> None:
    key, _ = await keys.create(MAKER, "app", **WITHIN)
    await keys.regenerate(OWNER, "app")
    await keys.revoke(OWNER, "app")

    stored = await store.write(
        lambda conn: [
            tuple(row)
            for row in conn.exec_driver_sql("SELECT actor, action, detail FROM audit ORDER BY id")
        ]
    )

    assert stored == [
        ("k9", "create_key", key.id),
        ("owner", "regenerate_key", key.id),
        ("owner", "revoke_key", key.id),
    ]


async def test_a_ticket_opens_its_path_once_and_within_its_time(
    keys: Keys, clock: SetClock
) -> None:
    _, secret = await keys.create(OWNER, "page")
    caller = keys.verify(secret)
    assert caller is not None
    tickets = Tickets(clock, keys)
    used, elsewhere, late = (tickets.issue(caller, "/events") for _ in range(3))

    assert tickets.take(used.ticket, "/events") == caller
    assert tickets.take(used.ticket, "/events") is None
    assert tickets.take(elsewhere.ticket, "/mcp") is None
    assert tickets.take(elsewhere.ticket, "/events") is None
    assert (late.expires_at - NOW).total_seconds() <= 30
    clock.time = late.expires_at
    assert tickets.take(late.ticket, "/events") is None
    for wrong in ("", "mst_", secret, "\ud800"):
        assert tickets.take(wrong, "/events") is None


@pytest.mark.parametrize("ends", ["revoke", "regenerate", "expire"])
async def test_a_ticket_does_not_outlive_its_key(keys: Keys, clock: SetClock, ends: str) -> None:
    _, secret = await keys.create(OWNER, "page", expires_at=NOW + timedelta(seconds=10))
    caller = keys.verify(secret)
    assert caller is not None
    tickets = Tickets(clock, keys)
    ticket = tickets.issue(caller, "/events").ticket

    clock.time += timedelta(seconds=10 if ends == "expire" else 1)
    acts = {"revoke": keys.revoke, "regenerate": keys.regenerate}
    if ends in acts:
        await acts[ends](OWNER, "page")

    assert tickets.take(ticket, "/events") is None


async def test_a_key_keeps_few_tickets_and_takes_none_of_another(
    keys: Keys, clock: SetClock
) -> None:
    greedy, other = Caller("k1"), Caller("k2")
    tickets = Tickets(clock, keys)
    kept = tickets.issue(other, "/events").ticket
    first = tickets.issue(greedy, "/events").ticket
    last = [tickets.issue(greedy, "/events").ticket for _ in range(50)][-1]

    assert tickets.take(first, "/events") is None
    assert tickets.take(last, "/events") == greedy
    assert tickets.take(kept, "/events") == other
