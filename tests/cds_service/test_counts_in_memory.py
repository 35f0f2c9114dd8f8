"""A full disk costs records and not workers: what workers map into memory is not on the disk."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import requests

from cds_service.counts_in_memory import IN_MEMORY, folder_for_counts
from tests.cds_service.real_service import RealService
from tests.cds_service.service_under_test import a_call


def test_the_folder_is_this_services_own_and_closed_to_others(tmp_path: Path) -> None:
    memory, one, other = tmp_path / "memory", tmp_path / "one", tmp_path / "other"
    for each in (memory, one, other):
        each.mkdir()
    folder = folder_for_counts(one, memory)
    assert folder.parent == memory
    assert folder.stat().st_mode & 0o777 == 0o700
    assert folder_for_counts(one, memory) == folder
    assert folder_for_counts(other, memory) != folder


@pytest.mark.parametrize("taken_by", ["nobody: there is no memory", "a file", "a link", "everybody"])
def test_where_that_name_is_not_ours_the_state_folder_is_used(tmp_path: Path, taken_by: str) -> None:
    memory, state, elsewhere = tmp_path / "memory", tmp_path / "state", tmp_path / "elsewhere"
    for each in (state, elsewhere):
        each.mkdir()
    if not taken_by.startswith("nobody"):
        memory.mkdir()
        folder = folder_for_counts(state, memory)
        folder.rmdir()
        if taken_by == "a file":
            folder.write_text("in the way")
        elif taken_by == "a link":
            folder.symlink_to(elsewhere)
        else:
            folder.mkdir()
            folder.chmod(0o777)
    assert folder_for_counts(state, memory) == state / "metrics"


def test_memory_without_room_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = os.statvfs_result((4096, 4096, 256, 256, 256, 9, 9, 9, 0, 255))
    monkeypatch.setattr(os, "statvfs", lambda _: small)
    assert folder_for_counts(tmp_path, tmp_path) == tmp_path / "metrics"


@pytest.mark.skipif(not IN_MEMORY.is_dir(), reason="this system has no such memory")
def test_a_running_service_maps_nothing_of_its_state_folder_but_databases(tmp_path: Path) -> None:
    service = RealService(tmp_path).start()
    try:
        assert service.post(a_call()).json()["cards"]
        assert "lumbar_cds_calls_total" in requests.get(service.url("/metrics"), timeout=10).text
        state = service.state / "state"
        for worker in service.workers():
            mapped = {line.split()[-1] for line in Path(f"/proc/{worker}/maps").read_text().splitlines() if "/" in line}
            assert all(each.endswith("-shm") for each in mapped if each.startswith(f"{state}/"))
        counts = folder_for_counts(state)
        assert list(counts.iterdir())
    finally:
        service.stop()
    assert not counts.exists()
