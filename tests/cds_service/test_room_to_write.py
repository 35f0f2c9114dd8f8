"""Room on the disk is told rightly on every system: where it cannot be asked for, it is taken."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

import pytest

from cds_service.room_to_write import has_room, take_room
from cds_service.shared_numbers import SharedNumbers


@pytest.fixture(params=["macOS", errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS], ids=str)
def room_cannot_be_asked_for(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "macOS":
        monkeypatch.setattr(sys, "platform", "darwin")
        monkeypatch.delattr(os, "posix_fallocate")
        return

    def not_offered(*_: object) -> None:
        raise OSError(request.param, os.strerror(request.param))

    monkeypatch.setattr(os, "posix_fallocate", not_offered)


@pytest.mark.usefixtures("room_cannot_be_asked_for")
def test_a_disk_that_cannot_be_asked_for_room_is_no_full_disk(tmp_path: Path) -> None:
    assert has_room(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("room_cannot_be_asked_for")
def test_without_room_it_is_said_there_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "pwrite", full)
    assert not has_room(tmp_path)
    with pytest.raises(OSError, match="No space left"):
        SharedNumbers(tmp_path)


@pytest.mark.usefixtures("room_cannot_be_asked_for")
def test_what_stands_in_a_file_stays_when_it_is_made_longer(tmp_path: Path) -> None:
    path = tmp_path / "numbers"
    path.write_bytes(b"counted")
    with path.open("r+b") as file:
        take_room(file.fileno(), 100_000)
    assert path.read_bytes() == b"counted".ljust(100_000, b"\0")


@pytest.mark.usefixtures("room_cannot_be_asked_for")
def test_numbers_that_outgrow_their_file_are_right(tmp_path: Path) -> None:
    numbers = SharedNumbers(tmp_path)
    for number in range(1_200):
        numbers.own().add_to(numbers.own().place(f"name {number}"), number)
    assert numbers.sums() == {(f"name {number}",): float(number) for number in range(1_200)}
