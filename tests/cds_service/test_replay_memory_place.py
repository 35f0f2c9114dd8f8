"""Where used tokens are remembered, on a machine that has not run the service before."""

from __future__ import annotations

from pathlib import Path

import pytest

from cds_service.replay_memory import ReplayMemoryError, SqliteReplayMemory


def test_the_first_token_on_a_fresh_machine_is_remembered(tmp_path: Path) -> None:
    place = tmp_path / "not" / "there" / "yet" / "used.sqlite3"
    memory = SqliteReplayMemory(place)
    assert memory.first_use("public-sandbox", "one", until=100.0, now=1.0)
    assert not memory.first_use("public-sandbox", "one", until=100.0, now=2.0)
    assert place.stat().st_mode & 0o077 == 0


def test_a_place_that_cannot_be_made_lets_no_token_count(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    memory = SqliteReplayMemory(tmp_path / "file" / "used.sqlite3")
    with pytest.raises(ReplayMemoryError):
        memory.first_use("public-sandbox", "one", until=100.0, now=1.0)
