"""The schema of every earlier version is brought up to date with what is in it; what is not ours is left alone."""

from __future__ import annotations

import hashlib

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, insert, select, text
from sqlalchemy import inspect as inspected

from audit_trail import columns, schema
from audit_trail.chain import Link, beginning, hash_of, hash_of_content
from audit_trail.database import connect_to, reading, writing
from audit_trail.draining import StoreDown
from audit_trail.record import encode
from audit_trail.schema import REVISIONS, MigrationNeeded, State, migrate, prepare, require_current, state_of, upgrade
from audit_trail.store import Store, open_store
from audit_trail.tables import DECISION, DERIVED, METADATA, RECORD, WRITER, microseconds
from audit_trail.verification import verify
from tests.audit_trail.stores import a_decision, a_store, fill, tampered


def state(store: Store) -> State:
    with reading(store.for_migration) as connection:
        return state_of(connection)


def at_revision(address: URL, revision: str, records: int) -> None:
    """A store as an earlier version left it: that revision, and records behind a chain."""
    engine = connect_to(address)
    before = beginning("worker-1")
    rows = []
    for number in range(1, records + 1):
        record = a_decision(number)
        content = encode(record)
        digest = hash_of_content(content)
        before = hash_of(Link("worker-1", number, "decision", microseconds(record.at), digest), before)
        place = {"writer": "worker-1", "number": number, "kind": "decision", "at": record.at, "size": len(content)}
        rows.append({**place, "content": content, "content_hash": digest, "hash": before})
    with writing(engine) as connection:
        upgrade(connection, revision)
        connection.execute(insert(RECORD), rows)
        connection.execute(insert(WRITER), {"writer": "worker-1", "number": records, "hash": before})
    engine.dispose()


@pytest.mark.parametrize("revision", REVISIONS)
def test_from_every_earlier_revision_every_record_is_there_with_its_columns(address: URL, revision: str) -> None:
    at_revision(address, revision, 7)
    store = open_store(address)
    assert state(store) is State.OLDER
    with pytest.raises(MigrationNeeded, match="audit migrate"):
        store.last_number("worker-1")
    done = migrate(store.for_migration)
    assert (done.before, done.after, done.derived_again) == (revision, REVISIONS[-1], 7)
    assert state(store) is State.CURRENT
    assert verify(store, {}).records == 7
    assert verify(store, {}).sound
    fill(store, "worker-1", 2, first=8)
    assert verify(store, {}).sound
    store.close()


def test_the_revisions_are_those_that_alembic_finds() -> None:
    config = Config()
    config.set_main_option("script_location", "audit_trail:migrations")
    found = [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()]
    assert tuple(reversed(found)) == REVISIONS


def test_the_revisions_make_what_the_tables_say(store: Store) -> None:
    with reading(store.engine) as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, METADATA) == []


def test_a_new_store_is_made_and_a_current_one_left_alone(address: URL) -> None:
    store = open_store(address)
    assert state(store) is State.EMPTY
    with pytest.raises(MigrationNeeded):
        require_current(store.for_migration)
    made = prepare(store.for_migration)
    assert made is not None
    assert made.before == ""
    assert prepare(store.for_migration) is None
    done = migrate(store.for_migration)
    assert (done.before, done.after, done.derived_again) == (made.after, made.after, 0)
    store.close()


def test_at_a_start_a_small_file_is_brought_up_to_date_and_a_shared_database_is_not(address: URL) -> None:
    at_revision(address, "0001", 3)
    store = open_store(address)
    if address.get_backend_name() == "sqlite":
        store.prepare()
        assert verify(store, {}).records == 3
    else:  # other machines may be storing records the old way
        with pytest.raises(MigrationNeeded, match="audit migrate"):
            store.prepare()
        assert state(store) is State.OLDER
    store.close()


def test_a_large_file_is_left_for_an_operator(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema, "FEW_RECORDS", 2)
    address = connect_to(URL.create("sqlite+pysqlite", database=str(tmp_path / "audit.sqlite3"))).url
    at_revision(address, "0001", 3)
    store = open_store(address)
    with pytest.raises(MigrationNeeded, match="audit migrate"):
        store.prepare()
    store.close()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE alembic_version SET version_num = '9999'",
        "UPDATE store_fact SET value = '9999' WHERE name = 'way of derived tables'",
        "DROP TABLE alembic_version",
    ],
    ids=["later-revision", "later-columns", "not-ours"],
)
def test_a_store_of_a_later_version_is_neither_used_nor_changed(address: URL, statement: str) -> None:
    with a_store(address) as store:
        fill(store)
        tampered(store, statement)
    store = open_store(address)
    assert state(store) is State.OTHER
    for use in (store.prepare, lambda: migrate(store.for_migration), lambda: store.last_number("worker-1")):
        with pytest.raises(MigrationNeeded, match="later version"):
            use()
    store.close()


def test_columns_that_are_made_in_another_way_are_made_again(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(store, count=5)
    tampered(store, "UPDATE decision SET patient_id = 'made the old way'", "CREATE TABLE outdated (x INTEGER)")
    tampered(store, "UPDATE store_fact SET value = '0' WHERE name = 'way of derived tables'")
    tampered(store, "UPDATE store_fact SET value = value || ' outdated' WHERE name = 'derived tables'")
    assert state(store) is State.OLDER
    assert migrate(store.for_migration).derived_again == 5
    assert verify(store, {}).sound
    with reading(store.engine) as connection:
        assert not inspected(connection).has_table("outdated")
        assert "patient-1" in connection.scalars(select(DECISION.c.patient_id)).all()


def test_a_migration_that_fails_changes_nothing(address: URL) -> None:
    at_revision(address, "0001", 3)
    store = open_store(address)
    with store.for_migration.begin() as connection:
        connection.execute(text("CREATE TABLE card (in_the_way INTEGER)"))  # the columns of a card cannot be stored
    with pytest.raises(StoreDown):
        migrate(store.for_migration)
    with reading(store.for_migration) as connection:
        assert not inspected(connection).has_table("used_token")
    assert state(store) is State.OLDER
    with store.for_migration.begin() as connection:
        connection.execute(text("DROP TABLE card"))
    migrate(store.for_migration)
    assert verify(store, {}).sound
    store.close()


def test_a_running_process_notices_that_the_schema_was_changed(store: Store) -> None:
    fill(store)
    tampered(store, "UPDATE alembic_version SET version_num = '9999'", "ALTER TABLE card RENAME TO cards")
    with pytest.raises(StoreDown):
        fill(store, first=13)
    with pytest.raises(MigrationNeeded, match="later version"):
        fill(store, first=13)
    tampered(store, f"UPDATE alembic_version SET version_num = '{REVISIONS[-1]}'", "ALTER TABLE cards RENAME TO card")
    fill(store, first=13)
    assert verify(store, {}).sound


# What the derived tables and their rows are made by. Where this fails: raise WAY, so that stores make them again, and
# then put the new digest here.
MADE_BY = {"5": "41546535c6df70e2"}


def test_columns_do_not_change_without_a_new_way() -> None:
    names = [f"{table.name}.{column.name} {column.type!r}" for table in DERIVED for column in table.columns]
    names += [f"{index.name} {index.columns.keys()}" for table in DERIVED for index in sorted(table.indexes, key=str)]
    rows = columns.rows_of("w", 1, a_decision(1))
    sample = [
        (table.name, [[str(row[column.name]) for column in table.columns] for row in rows[table]]) for table in rows
    ]
    digest = hashlib.sha256(repr((names, sample)).encode()).hexdigest()[:16]
    assert {columns.WAY: digest} == MADE_BY
