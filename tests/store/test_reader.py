"""The reader: rows by name, and no way to write."""

from contextlib import closing
from pathlib import Path

import anyio
import pytest
from sqlalchemy import Select, bindparam, func, insert, select, union_all

from messengers.errors import StorageUnavailable
from messengers.store import Store, sqlite
from messengers.store.reader import Reader
from messengers.store.tables import EventRow, SettingRow, table

EVENTS = table(EventRow)
SETTINGS = table(SettingRow)
SINCE = (
    select(EVENTS.c.seq, EVENTS.c.kind)
    .where(EVENTS.c.seq > bindparam("seq"), EVENTS.c.instance_id == "")
    .order_by(EVENTS.c.seq)
    .limit(bindparam("limit"))
)
SOME = select(EVENTS.c.seq).where(EVENTS.c.seq.in_(bindparam("keys", expanding=True)))


@pytest.fixture
async def filled(store: Store) -> Store:
    values = [{"at": n, "kind": f"k{n}", "instance_id": "", "data": ""} for n in range(5)]
    await store.write(lambda conn: conn.execute(insert(EVENTS), values))
    return store


async def test_rows_are_read_by_the_names_of_their_columns(filled: Store) -> None:
    rows = await filled.rows(SINCE, seq=1, limit=2)

    assert rows == [{"seq": 2, "kind": "k1"}, {"seq": 3, "kind": "k2"}]


async def test_a_statement_serves_other_values_the_next_time(filled: Store) -> None:
    assert [row["seq"] for row in await filled.rows(SINCE, seq=3, limit=9)] == [4, 5]
    assert [row["seq"] for row in await filled.rows(SINCE, limit=9, seq=4)] == [5]


async def test_a_list_of_values_may_have_any_length(filled: Store) -> None:
    assert await filled.rows(SOME, keys=[]) == []
    assert len(await filled.rows(SOME, keys=[1, 3, 99])) == 2
    assert len(await filled.rows(SOME, keys=list(range(900)))) == 5


async def test_the_first_row_or_none(filled: Store) -> None:
    newest = select(func.max(EVENTS.c.seq).label("seq"))

    assert await filled.row(newest) == {"seq": 5}
    assert await filled.row(SINCE, seq=99, limit=1) is None


async def test_columns_of_one_name_stay_apart(filled: Store) -> None:
    other = EVENTS.alias()
    stmt = select(EVENTS.c.seq, other.c.seq).join_from(EVENTS, other, EVENTS.c.seq == other.c.at)

    row = await filled.row(stmt.order_by(EVENTS.c.seq))

    assert row is not None
    assert list(row.values()) == [1, 2]


async def test_a_union_is_read_like_any_other(filled: Store) -> None:
    stmt = union_all(select(EVENTS.c.seq), select(EVENTS.c.at)).order_by("seq").limit(2)

    assert await filled.rows(stmt) == [{"seq": 0}, {"seq": 1}]


@pytest.mark.parametrize(("stmt", "given"), [(SINCE, {"seq": 1}), (SOME, {})])
async def test_a_forgotten_value_is_a_fault_of_the_program(
    filled: Store, stmt: Select[int], given: dict[str, object]
) -> None:
    with pytest.raises(KeyError):
        await filled.rows(stmt, **given)


async def test_a_read_sees_what_was_committed_before_it(store: Store) -> None:
    async def write_then_read(name: str) -> None:
        values = {"name": name, "value": "1"}
        await store.write(lambda conn: conn.execute(insert(SETTINGS), values))
        stmt = select(SETTINGS).where(SETTINGS.c.name == bindparam("name"))
        assert await store.row(stmt, name=name) == values

    async with anyio.create_task_group() as group:
        for n in range(50):
            group.start_soon(write_then_read, str(n))


async def test_what_a_reader_opens_cannot_be_written(store: Store) -> None:
    with (
        closing(sqlite.open_reader(store.home / sqlite.DATABASE)) as connection,
        pytest.raises(StorageUnavailable, match="written"),
        sqlite.storage_errors(),
    ):
        connection.execute("INSERT INTO setting VALUES ('a', 'b')")


async def test_a_closed_reader_says_so(filled: Store) -> None:
    reader = await Reader.open(filled.home / sqlite.DATABASE)
    await reader.aclose()

    with pytest.raises(StorageUnavailable, match="closed"):
        await reader.rows(SINCE, {"seq": 0, "limit": 1})


async def test_a_reader_of_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StorageUnavailable, match="opened"):
        await Reader.open(tmp_path / "missing.db")
