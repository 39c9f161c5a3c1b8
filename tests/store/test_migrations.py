"""Migrations: the revisions make the tables, whole or not at all, and never backwards."""

import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.config import Config
from alembic.script import ScriptDirectory

from messengers.clock import SystemClock
from messengers.errors import StorageUnavailable
from messengers.store import Store, access_tables, batch_tables, sqlite
from messengers.store.migrations import REVISIONS, SCRIPTS, migrate, stored_revision, upgrade
from messengers.store.tables import metadata
from tests.spec.schema import migrated_schema, schema_of
from tests.store.conftest import INSTANCE, add_chat

NEXT = "9001"
# Adds, fills and rebuilds: the three ways in which a schema changes.
HEADER = f"""\
import sqlalchemy as sa
from alembic import op

revision = "{NEXT}"
down_revision = "{REVISIONS[-1]}"
"""
NEXT_REVISION = """

def upgrade() -> None:
    op.create_table("novelty", sa.Column("id", sa.Integer(), primary_key=True))
    op.execute("INSERT INTO novelty SELECT seq FROM event")
    with op.batch_alter_table("event") as batch:
        batch.add_column(sa.Column("weight", sa.Integer(), nullable=False, server_default="3"))
        batch.alter_column("kind", new_column_name="sort")
    with op.batch_alter_table("instance") as batch:
        batch.alter_column("wanted", nullable=True)
"""
ORPHANS = """

def upgrade() -> None:
    op.execute("UPDATE chat SET instance_id = 'nobody'")
"""


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "home" / "messengers.db"
    path.parent.mkdir()
    sqlite.make_file(path)
    return path


@pytest.fixture
def scripts(tmp_path: Path) -> Path:
    """The product's revisions, to which a test adds its own."""
    copy = tmp_path / "migrations"
    shutil.copytree(SCRIPTS, copy, ignore=shutil.ignore_patterns("__pycache__"))
    return copy


def add_revision(scripts: Path, text: str = NEXT_REVISION) -> tuple[str, ...]:
    (scripts / "versions" / f"{NEXT}_next.py").write_text(HEADER + text)
    return (*REVISIONS, NEXT)


def ask(database: Path, sql: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(database)) as connection:
        found = connection.execute(sql).fetchall()
        connection.commit()
    return found


def contents(database: Path) -> bytes:
    return database.read_bytes()


def schema(rows: list[tuple[str, str]]) -> dict[str, list[str]]:
    """The statements by name, what they list in any order: constraints have none.

    A column that was added later stands on the line of the one before it.
    """
    return {
        name: sorted(filter(None, (each.strip() for each in re.split(r"[,\n]", sql))))
        for name, sql in rows
    }


def fill(database: Path) -> None:
    ask(database, "INSERT INTO event VALUES (7, 1, 'k', '', NULL, NULL, '')")
    engine = sqlite.engine(database)
    with engine.begin() as conn:
        add_chat(conn)
    engine.dispose()


SCHEMA = (
    "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'"
    " AND name NOT LIKE 'message_search%' AND name NOT LIKE 'passage%'"
    " AND name <> 'alembic_version'"
)

INDEXES = "SELECT sql FROM sqlite_master WHERE name IN ('message_search', 'passage') ORDER BY name"


def test_a_new_database_is_what_the_revisions_make(database: Path, tmp_path: Path) -> None:
    migrated = migrated_schema(tmp_path)
    migrate(database)

    assert schema_of(database) == migrated, "python tests/spec/schema.py writes schema.sql anew"
    assert stored_revision(tmp_path / database.name) == stored_revision(database)


def test_the_revisions_make_exactly_the_tables(database: Path) -> None:
    upgrade(database, REVISIONS[-1])
    engine = sa.create_engine("sqlite://", poolclass=sa.StaticPool)
    with engine.begin() as conn:
        metadata.create_all(conn)
        declared = [(str(name), str(sql)) for name, sql in conn.exec_driver_sql(SCHEMA)]
        conn.exec_driver_sql(sqlite.SEARCH_DDL)
        conn.exec_driver_sql(sqlite.PASSAGE_DDL)
        indexes = conn.exec_driver_sql(INDEXES).all()
        columns = {
            name: [tuple(row) for row in conn.exec_driver_sql(f"PRAGMA table_info({name})")]
            for name in metadata.tables
        }
    assert metadata.tables.keys() > {batch_tables.BatchRow.__tablename__}
    assert metadata.tables.keys() > {access_tables.PairingRow.__tablename__}

    made = [(str(name), str(sql)) for name, sql in ask(database, SCHEMA)]
    assert schema(made) == schema(declared)
    assert {n: ask(database, f"PRAGMA table_info({n})") for n in metadata.tables} == columns
    assert ask(database, INDEXES) == [tuple(row) for row in indexes]


def test_the_list_of_revisions_is_the_chain_of_the_scripts() -> None:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    config.set_main_option("path_separator", "os")
    chain = [each.revision for each in ScriptDirectory.from_config(config).walk_revisions()]

    assert tuple(reversed(chain)) == REVISIONS


def test_a_new_database_needs_no_backup(database: Path) -> None:
    migrate(database)

    assert stored_revision(database) == REVISIONS[-1]
    assert not (database.parent / "backups").exists()


def test_an_older_database_is_copied_and_brought_up_to_date(database: Path, scripts: Path) -> None:
    migrate(database)
    fill(database)
    migrate(database, revisions=add_revision(scripts), scripts=scripts)
    copy = database.parent / "backups" / f"pre-{NEXT}.db"

    assert stored_revision(database) == NEXT
    assert ask(database, "SELECT id FROM novelty") == [(7,)]
    assert ask(database, "SELECT seq, sort, weight FROM event") == [(7, "k", 3)]
    assert ask(database, "SELECT instance_id FROM chat") == [(INSTANCE,)]
    assert stored_revision(copy) == REVISIONS[-1]
    assert ask(copy, "SELECT kind FROM event") == [("k",)]
    assert copy.stat().st_mode & 0o777 == 0o600
    assert copy.parent.stat().st_mode & 0o777 == 0o700


def test_of_the_copies_the_newest_three_are_kept(database: Path, scripts: Path) -> None:
    migrate(database)
    folder = database.parent / "backups"
    folder.mkdir()
    for age_s, name in enumerate(["pre-d.db", "pre-c.db", "pre-b.db", "pre-a.db", "mine.db"]):
        (folder / name).touch()
        stamp = 1_000_000 - age_s
        os.utime(folder / name, (stamp, stamp))

    migrate(database, revisions=add_revision(scripts), scripts=scripts)

    left = sorted(each.name for each in folder.iterdir())
    assert left == ["mine.db", f"pre-{NEXT}.db", "pre-c.db", "pre-d.db"]


def test_a_migration_that_would_break_references_is_undone(database: Path, scripts: Path) -> None:
    migrate(database)
    fill(database)

    with pytest.raises(StorageUnavailable, match="rows refer to missing ones"):
        migrate(database, revisions=add_revision(scripts, ORPHANS), scripts=scripts)

    assert stored_revision(database) == REVISIONS[-1]
    assert ask(database, "SELECT instance_id FROM chat") == [(INSTANCE,)]


def test_without_a_backup_nothing_is_migrated(database: Path, scripts: Path) -> None:
    migrate(database)
    (database.parent / "backups").touch()

    with pytest.raises(StorageUnavailable, match="backup could not be written"):
        migrate(database, revisions=add_revision(scripts), scripts=scripts)

    assert stored_revision(database) == REVISIONS[-1]


@pytest.mark.case("F28")
async def test_a_newer_database_is_refused_in_one_sentence_and_left_alone(
    database: Path, scripts: Path
) -> None:
    upgrade(database, add_revision(scripts)[-1], scripts)
    before = contents(database)

    with pytest.raises(StorageUnavailable) as caught:
        await Store.open(database.parent, SystemClock())

    assert caught.value.cause == "The database was written by a newer version of Messengers."
    assert contents(database) == before
    assert sorted(each.name for each in database.parent.rglob("*")) == ["messengers.db"]


def test_a_database_of_another_program_is_left_alone(database: Path) -> None:
    ask(database, "CREATE TABLE recipes(name TEXT)")

    with pytest.raises(StorageUnavailable, match="no database of Messengers"):
        migrate(database)

    assert ask(database, "SELECT name FROM sqlite_master") == [("recipes",)]


def test_a_damaged_file_is_left_alone(database: Path) -> None:
    database.write_bytes(b"This is no database. " * 500)

    with pytest.raises(StorageUnavailable, match="damaged"):
        migrate(database)

    assert database.read_bytes() == b"This is no database. " * 500


@pytest.mark.case("F28")
@pytest.mark.soak
@pytest.mark.timeout(120)
@pytest.mark.parametrize("start", ["new", "older"])
def test_a_migration_killed_at_any_statement_starts_over_whole(
    database: Path, scripts: Path, start: str, scaled: Callable[[int, int], int]
) -> None:
    revisions = REVISIONS
    before: str | None = None
    if start == "older":
        migrate(database)
        fill(database)
        revisions, before = add_revision(scripts), REVISIONS[-1]
    program = Path(__file__).with_name("killed_migration.py")

    done = subprocess.run(
        [sys.executable, program, database, scripts, str(scaled(8, 1_000)), *revisions],
        capture_output=True,
        text=True,
        check=True,
    )
    lines = [json.loads(line) for line in done.stdout.splitlines()]

    assert len(lines) > 10
    assert {(line["killed"], line["found"]) for line in lines} == {(True, before)}
    assert {(line["then"], line["integrity"]) for line in lines} == {(revisions[-1], "ok")}
    # The copy that a kill cut short was made anew, and none is left over.
    names = {each.name for each in database.parent.rglob("*.part")}
    assert names == set()


def test_alembic_is_imported_for_an_older_database_only(database: Path) -> None:
    code = (
        "import sys, pathlib; from messengers.store.migrations import migrate; "
        "path = pathlib.Path(sys.argv[1]); migrate(path); migrate(path); "
        "print('alembic' in sys.modules)"
    )

    done = subprocess.run(
        [sys.executable, "-c", code, str(database)], capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "False"
