"""A running service signs how far the record has come, tells it to the log, and prunes what is not to be kept."""

from __future__ import annotations

import json
import os
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from audit_trail.checkpoints import checkpoints_of, from_line, signer_at
from audit_trail.store import Store
from audit_trail.verification import verify
from cds_service.operator_log import OperatorLog
from cds_service.settings import Settings
from cds_service.store_keeping import StoreKeeping
from tests.audit_trail.stores import NOON, a_decision, address, fill, frames, store

__all__ = ["address", "store"]


class Keeping:
    """What a worker asks every few seconds, at moments that the tests choose."""

    def __init__(self, folder: Path, store: Store, **settings: int) -> None:
        self.settings = Settings(state_dir=folder / "state", **settings)  # type: ignore[arg-type]
        self.now = NOON
        self.keeping = StoreKeeping(self.settings, OperatorLog("info"), self._clock)
        self._store = store

    def _clock(self) -> datetime:
        return self.now

    def round(self) -> None:
        self.keeping.round(self._store)

    def grow_older(self, seconds: float) -> None:
        """As if the files had been written that long ago."""
        for path in (self.settings.audit_checkpoints, self.settings.state_folder / "audit-keeping"):
            if path.exists():
                then = path.stat().st_mtime - seconds
                os.utime(path, (then, then))

    @property
    def outside(self):
        return checkpoints_of(self.settings.audit_checkpoints)


def test_a_checkpoint_is_made_when_it_is_due_and_kept_outside_the_store_and_in_the_log(
    store: Store, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    keeper = Keeping(tmp_path, store)
    fill(store)
    keeper.round()
    keeper.round()
    assert len(keeper.outside) == 1
    fill(store, first=13)
    keeper.grow_older(3599)
    keeper.round()
    assert len(keeper.outside) == 1
    keeper.grow_older(2)
    keeper.round()
    assert len(keeper.outside) == 2
    lines = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    assert [line["event"] for line in lines] == ["audit-checkpoint"] * 2
    assert tuple(from_line(line["said"]) for line in lines) == keeper.outside
    key = signer_at(keeper.settings.audit_key)
    assert verify(store, {key.fingerprint: key.public_key}, keeper.outside).checkpoints == 2


def test_where_nothing_was_recorded_there_is_nothing_to_sign(store: Store, tmp_path: Path) -> None:
    keeper = Keeping(tmp_path, store)
    fill(store)
    for _ in range(3):
        keeper.round()
        keeper.grow_older(4000)
    assert len(keeper.outside) == 1


def test_the_first_record_of_a_new_store_is_signed_soon(store: Store, tmp_path: Path) -> None:
    keeper = Keeping(tmp_path, store)
    keeper.round()
    assert not keeper.settings.audit_checkpoints.exists()
    fill(store)
    keeper.round()
    assert len(keeper.outside) == 1


def test_no_checkpoint_is_made_where_the_operator_makes_them(store: Store, tmp_path: Path) -> None:
    keeper = Keeping(tmp_path, store, audit_checkpoint_minutes=0)
    fill(store)
    keeper.round()
    assert not keeper.settings.audit_checkpoints.exists()


def test_what_is_older_than_the_retention_is_pruned_once_a_day(store: Store, tmp_path: Path) -> None:
    keeper = Keeping(tmp_path, store, audit_keep_days=30)
    fill(store)
    keeper.round()
    assert verify_pruned(store, keeper) == 0
    keeper.now = NOON + timedelta(days=31)
    keeper.round()
    assert verify_pruned(store, keeper) == 0  # it did so today
    keeper.grow_older(86_500)
    keeper.round()
    assert verify_pruned(store, keeper) == 12
    store.append("worker-2", frames([a_decision(1)]))
    keeper.grow_older(86_500)
    keeper.round()
    assert verify_pruned(store, keeper) == 13


def test_nothing_is_pruned_unless_it_is_asked_for(store: Store, tmp_path: Path) -> None:
    keeper = Keeping(tmp_path, store)
    fill(store)
    keeper.now = NOON + timedelta(days=99_999)
    keeper.round()
    assert verify_pruned(store, keeper) == 0


def verify_pruned(store: Store, keeper: Keeping) -> int:
    key = signer_at(keeper.settings.audit_key)
    found = verify(store, {key.fingerprint: key.public_key})
    assert found.sound
    return found.pruned


def test_a_key_that_cannot_be_used_is_told_and_stops_nothing(
    store: Store, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    keeper = Keeping(tmp_path, store)
    keeper.settings.state_folder.mkdir()
    keeper.settings.audit_key.write_text("no key", encoding="ascii")
    fill(store)
    keeper.round()
    keeper.round()
    lines = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    assert [(line["level"], line["event"]) for line in lines] == [("error", "audit-checkpoint")]  # not every time


def test_workers_of_one_machine_make_one_checkpoint(store: Store, tmp_path: Path) -> None:
    fill(store)
    keepers = [Keeping(tmp_path, store) for _ in range(3)]
    for keeper in keepers:
        keeper.round()
    assert len(keepers[0].outside) == 1
    assert msgspec.structs.asdict(keepers[0].outside[0])["at"] == NOON
