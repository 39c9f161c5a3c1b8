"""Statements within a unit of work: defaults, conflicts, what comes back."""

import pytest
from sqlalchemy import bindparam, insert, select, update

from messengers.store import Store
from messengers.store.rows import all_rows, first_row, one_row, run
from messengers.store.sqlite import upsert
from messengers.store.tables import EventRow, SettingRow, table

EVENTS = table(EventRow)
SETTINGS = table(SettingRow)
ADD = insert(EVENTS)
ADD_SETTING = upsert(SETTINGS).on_conflict_do_nothing()
CHANGE = update(EVENTS).where(EVENTS.c.seq == bindparam("event"))
SEEN = (
    update(EVENTS)
    .where(EVENTS.c.kind.in_(bindparam("kinds", expanding=True)))
    .values(data="seen")
    .returning(EVENTS.c.seq)
)
GET = select(EVENTS).where(EVENTS.c.seq == bindparam("event"))


async def test_an_insert_fills_in_what_its_table_has_for_columns_left_out(store: Store) -> None:
    row = await store.write(
        lambda conn: one_row(conn, GET, event=run(conn, ADD, {"at": 5, "kind": "made"}).lastrowid)
    )

    assert row == {
        "seq": 1,
        "at": 5,
        "kind": "made",
        "instance_id": "",
        "chat_id": None,
        "message_id": None,
        "data": "",
    }


async def test_a_change_sets_just_the_columns_it_is_given(store: Store) -> None:
    await store.write(lambda conn: run(conn, ADD, {"at": 5, "kind": "made"}))
    await store.write(lambda conn: run(conn, CHANGE, {"event": 1, "kind": "new", "data": "x"}))
    await store.write(lambda conn: run(conn, CHANGE, {"event": 1, "data": "y"}))

    row = await store.row(GET, event=1)
    assert row is not None
    assert (row["at"], row["kind"], row["data"]) == (5, "new", "y")


async def test_a_change_gives_back_the_rows_it_changed(store: Store) -> None:
    for kind in "abc":
        await store.write(lambda conn, kind=kind: run(conn, ADD, {"at": 5, "kind": kind}))

    changed = await store.write(lambda conn: all_rows(conn, SEEN, kinds=["a", "c", "z"]))

    assert changed == [{"seq": 1}, {"seq": 3}]


async def test_a_conflict_is_told_by_the_count(store: Store) -> None:
    values = {"name": "once", "value": "1"}

    counts = [
        await store.write(lambda conn: run(conn, ADD_SETTING, values).rowcount) for _ in range(2)
    ]

    assert counts == [1, 0]


async def test_a_row_that_must_be_there_and_is_not_is_a_fault(store: Store) -> None:
    assert await store.write(lambda conn: first_row(conn, GET, event=9)) is None
    with pytest.raises(LookupError):
        await store.write(lambda conn: one_row(conn, GET, event=9))


async def test_a_forgotten_value_is_a_fault_of_the_program(store: Store) -> None:
    with pytest.raises(KeyError):
        await store.write(lambda conn: first_row(conn, GET))
