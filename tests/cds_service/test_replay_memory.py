"""A token counts once: in every thread, process and run, until it has expired anyway."""

from __future__ import annotations

import multiprocessing
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cds_service.replay_memory import ReplayMemoryError, SqliteReplayMemory


def use(path: Path, token: str) -> bool:
    return SqliteReplayMemory(path).first_use("c", token, 2000.0, 1000.0)


def test_the_first_use_counts_and_no_other(tmp_path: Path) -> None:
    memory = SqliteReplayMemory(tmp_path / "used")
    assert memory.first_use("c", "one", 2000.0, 1000.0)
    assert not memory.first_use("c", "one", 2000.0, 1000.5)
    assert memory.first_use("c", "two", 2000.0, 1001.0)
    assert memory.first_use("d", "one", 2000.0, 1001.0)  # ids of two clients have nothing to do with each other


def test_it_survives_a_restart(tmp_path: Path) -> None:
    assert use(tmp_path / "used", "one")
    assert not use(tmp_path / "used", "one")


def test_of_many_threads_and_processes_one_is_first(tmp_path: Path) -> None:
    memory = SqliteReplayMemory(tmp_path / "used")
    memory.prepare()
    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(lambda _: memory.first_use("c", "one", 2000.0, 1000.0), range(64))) == 1
    with multiprocessing.get_context("fork").Pool(4) as processes:
        assert sum(processes.starmap(use, [(tmp_path / "used", "two")] * 16)) == 1


def test_what_has_expired_is_forgotten(tmp_path: Path) -> None:
    memory = SqliteReplayMemory(tmp_path / "used")
    for number in range(50):
        memory.first_use("c", str(number), until=1500.0, now=1000.0)
    memory.first_use("c", "later", until=3000.0, now=2000.0)
    with sqlite3.connect(tmp_path / "used") as connection:
        assert connection.execute("SELECT count(*) FROM seen").fetchone() == (1,)


def test_the_file_tells_nothing_about_a_token(tmp_path: Path) -> None:
    SqliteReplayMemory(tmp_path / "used").first_use("st-anna", "canary-token-id", 2000.0, 1000.0)
    held = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"canary" not in held
    assert b"st-anna" not in held


def test_a_file_that_cannot_be_used_is_told_at_the_start_and_counts_nothing_later(tmp_path: Path) -> None:
    damaged = tmp_path / "damaged"
    damaged.write_bytes(b"no database " * 1000)
    folder = tmp_path / "folder"
    folder.mkdir()
    for path in (damaged, folder):
        with pytest.raises(ReplayMemoryError):
            SqliteReplayMemory(path).prepare()
        with pytest.raises(ReplayMemoryError):
            SqliteReplayMemory(path).first_use("c", "one", 2000.0, 1000.0)
