"""`lumbar-cds audit verify, checkpoint, prune, backup, restore, migrate`, as an operator types them."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import URL

from audit_trail.checkpoints import from_line
from audit_trail.journal import Frame
from audit_trail.queries import Queries
from audit_trail.record import encode
from audit_trail.schema import upgrade
from audit_trail.store import Store, open_store
from cds_service.cli import main
from tests.audit_trail.stores import (
    NOON,
    a_decision,
    a_report,
    a_store,
    address,
    fill,
    frames,
    new_address,
    tampered,
)

__all__ = ["address"]


class Operator:
    """Somebody at the command line of a machine with that store."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, state: Path, address: URL) -> None:
        self._monkeypatch = monkeypatch
        self.state = state
        self.uses(address)
        monkeypatch.setenv("LUMBAR_CDS_STATE_DIR", str(state))

    def uses(self, address: URL) -> None:
        plain = address.set(drivername=address.get_backend_name())
        self._monkeypatch.setenv("LUMBAR_CDS_AUDIT_STORE", plain.render_as_string(hide_password=False))

    def types(self, *words: str | Path) -> Result:
        return CliRunner().invoke(main, ["audit", *map(str, words)], catch_exceptions=False)


@pytest.fixture
def store(address: URL) -> Iterator[Store]:
    with a_store(address) as made:
        fill(made)
        yield made


@pytest.fixture
def operator(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, address: URL) -> Operator:
    return Operator(monkeypatch, tmp_path / "state", address)


def actions(store: Store) -> list[str]:
    accesses = Queries(store).accesses(NOON, datetime.now(UTC) + timedelta(days=1))
    return [each.record.action for each in reversed(accesses)]


def test_a_whole_record_is_called_whole(operator: Operator, store: Store) -> None:
    assert operator.types("checkpoint").exit_code == 0
    said = operator.types("verify")
    assert said.exit_code == 0
    assert "14 records in 2 chains" in said.output
    assert "checkpoints that hold: 1" in said.output
    assert said.output.endswith("every chain is whole\n")


def test_the_first_broken_link_is_named(operator: Operator, store: Store) -> None:
    tampered(store, "UPDATE record SET at = at + 1 WHERE number = 7")
    said = operator.types("verify")
    assert said.exit_code == 1
    assert "first broken link: worker-1-7: not linked" in said.stderr
    assert "whole" not in said.output


def test_a_tail_that_was_cut_off_is_missed_by_the_checkpoint_outside_the_store(
    operator: Operator, store: Store, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "printed"
    elsewhere.write_text(operator.types("checkpoint").stdout, encoding="ascii")
    (operator.state / "audit-checkpoints.jsonl").unlink()
    tables = ("record", "writer", "decision", "judged_order", "card", "noted", "page", "access")
    tampered(store, *(f"DELETE FROM {table}" for table in tables))
    assert operator.types("verify").exit_code == 0  # nothing here tells
    said = operator.types("verify", "--checkpoints", elsewhere)
    assert said.exit_code == 1
    assert "first broken link: worker-1-1: the chain was cut off: it went on to record 12" in said.stderr


def test_a_checkpoint_is_one_line_and_kept_in_the_state_folder(operator: Operator, store: Store) -> None:
    line = operator.types("checkpoint").stdout
    assert line.count("\n") == 1
    file = operator.state / "audit-checkpoints.jsonl"
    assert file.read_text(encoding="ascii") == line
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    again = operator.types("checkpoint")
    assert from_line(again.stdout) == from_line(line)
    assert "nothing was recorded since" in again.stderr


def test_another_machines_checkpoints_need_its_public_key(
    operator: Operator, store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, address: URL
) -> None:
    operator.types("checkpoint")
    public = tmp_path / "first.pem"
    public.write_text(operator.types("checkpoint", "--public-key").stdout, encoding="ascii")
    other = Operator(monkeypatch, tmp_path / "another-machine", address)
    unknown = other.types("verify")
    assert unknown.exit_code == 1
    assert "not among those given" in unknown.stderr
    assert other.types("verify", "--public-key", public).exit_code == 0
    assert other.types("verify", "--public-key", store_file(tmp_path)).exit_code == 2


def store_file(folder: Path) -> Path:
    file = folder / "no-key"
    file.write_text("x", encoding="ascii")
    return file


def test_pruning_asks_first_and_says_what_it_did(operator: Operator, store: Store) -> None:
    recent = a_decision(99, at=datetime.now(UTC))
    store.append("worker-2", [Frame(1, encode(recent))])
    old = a_decision(98, at=datetime.now(UTC) - timedelta(days=400))
    store.append("worker-2", [Frame(2, encode(old))])
    asked = CliRunner().invoke(main, ["audit", "prune", "--days", "365"], input="n\n")
    assert asked.exit_code == 1
    said = operator.types("prune", "--days", "365", "--yes", "--because", "the law of the land")
    assert said.exit_code == 0
    assert "pruned 1 record under 1 tombstone" in said.output
    assert Queries(store).decision("decision-99") is not None
    assert Queries(store).decision("decision-98") is None
    assert operator.types("verify").exit_code == 0


def test_without_a_retention_nothing_is_pruned(
    operator: Operator, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert operator.types("prune", "--yes").exit_code == 2
    monkeypatch.setenv("LUMBAR_CDS_AUDIT_KEEP_DAYS", "36500")
    assert "pruned 0 records" in operator.types("prune", "--yes").output


def test_one_patients_calls_are_pruned_for_a_reason(operator: Operator, store: Store) -> None:
    store.append("worker-2", frames([a_report(1)]))
    theirs = ("--patient", "Patient/patient-1", "--client", "st-anna", "--because", "asked for")
    for words in (theirs[:2], theirs[:4], (*theirs[:2], *theirs[4:]), (*theirs, "--days", "3")):
        assert operator.types("prune", "--yes", *words).exit_code == 2
    said = operator.types("prune", "--yes", *theirs)
    assert "pruned 4 records" in said.output
    left = Queries(store)
    assert left.decision("decision-1") is None
    assert left.decision("decision-2") is not None
    assert operator.types("verify").exit_code == 0
    held = b"".join(each.filter.encode() for each in (one.record for one in left.accesses(NOON, datetime.now(UTC))))
    assert b"patient-1" not in held  # that somebody was forgotten is on record, and not who


def test_a_backup_is_restored_and_holds_against_the_checkpoints(
    operator: Operator, store: Store, tmp_path: Path
) -> None:
    operator.types("checkpoint")
    backup = tmp_path / "backup"
    assert operator.types("backup", backup).exit_code == 0
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    assert operator.types("backup", backup).exit_code == 2  # never over another one
    assert [each.name for each in tmp_path.glob("backup*")] == ["backup"]
    operator.uses(new_address("sqlite", tmp_path))
    said = operator.types("restore", backup)
    assert (said.exit_code, "14 records restored" in said.output) == (0, True)
    assert operator.types("verify").exit_code == 0
    assert operator.types("restore", backup).exit_code == 2  # into an empty one only


def test_a_damaged_backup_is_one_line(operator: Operator, store: Store, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged"
    damaged.write_bytes(b"x" * 500)
    operator.uses(new_address("sqlite", tmp_path))
    said = operator.types("restore", damaged)
    assert (said.exit_code, said.stderr) == (2, "lumbar-cds: not a backup of the audit store\n")


def test_an_earlier_schema_is_brought_up_to_date(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, address: URL) -> None:
    operator = Operator(monkeypatch, tmp_path / "state", address)
    earlier = open_store(address)
    with earlier.for_migration.begin() as connection:
        upgrade(connection, "0001")
    earlier.close()
    refused = operator.types("verify")
    assert (refused.exit_code, "lumbar-cds audit migrate" in refused.stderr) == (2, True)
    assert "0001 to 0002" in operator.types("migrate").output
    assert "up to date: revision 0002" in operator.types("migrate").output
    assert operator.types("verify").exit_code == 0


def test_every_command_that_looks_or_changes_is_itself_on_record(
    operator: Operator, store: Store, tmp_path: Path
) -> None:
    operator.types("verify")
    operator.types("backup", tmp_path / "backup")
    operator.types("prune", "--days", "1", "--yes")
    operator.types("migrate")
    assert actions(store) == ["verify", "backup", "prune", "migrate"]
    who = Queries(store).accesses(NOON, datetime.now(UTC) + timedelta(days=1))[0].record
    assert (who.role, who.through) == ("operator", "command line")
    assert who.who


def test_what_cannot_be_recorded_is_not_done(operator: Operator, store: Store, tmp_path: Path) -> None:
    tampered(store, "ALTER TABLE access RENAME TO accesses")
    said = operator.types("backup", tmp_path / "backup")
    assert said.exit_code == 2
    assert "could not be recorded" in said.stderr
    assert not list(tmp_path.glob("backup*"))


@pytest.mark.parametrize(
    "words", [["verify"], ["checkpoint"], ["backup", "file"], ["migrate"], ["prune", "--days", "1", "--yes"]]
)
def test_without_a_store_the_command_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, words: list[str]) -> None:
    monkeypatch.setenv("LUMBAR_CDS_STATE_DIR", str(tmp_path))
    for setting in ("off", "sqlite:////proc/none/audit.sqlite3", "postgresql://u:secret@/d?host=/nowhere", "mysql://x"):
        monkeypatch.setenv("LUMBAR_CDS_AUDIT_STORE", setting)
        said = CliRunner().invoke(main, ["audit", *words], catch_exceptions=False)
        assert said.exit_code == 2
        assert said.stderr.startswith("lumbar-cds: ")
        assert "secret" not in said.output


def test_a_file_that_cannot_be_written_is_named(operator: Operator, store: Store, tmp_path: Path) -> None:
    said = operator.types("backup", tmp_path / "no such folder" / "backup")
    assert said.exit_code == 2
    assert "No such file or directory" in said.stderr
