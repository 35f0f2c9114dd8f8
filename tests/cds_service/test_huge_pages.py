"""A worker asks for large pages for its own memory, and for nothing else; a refusal costs nothing."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cds_service.huge_pages import COLLAPSE, HUGEPAGE, dense_regions, use_huge_pages

MB = 1024 * 1024
START = 0x7F0000000000

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux has these calls")


def mapping(start: int, size: int, used: int, access: str = "rw-p", name: str = "") -> str:
    """One mapping, as /proc/self/smaps has it."""
    head = f"{start:x}-{start + size:x} {access} 00000000 00:00 0 {name:>20}".rstrip()
    return f"{head}\nSize: {size // 1024} kB\nRss: {used // 1024} kB\nPss: {used // 1024} kB\nVmFlags: rd wr mr\n"


@pytest.mark.parametrize(
    ("said", "start", "size", "used", "more", "expected"),
    [
        ("memory of its own, in use", START, 6 * MB, 6 * MB, {}, [(START, START + 6 * MB)]),
        ("the heap", START, 4 * MB, 3 * MB, {"name": "[heap]"}, [(START, START + 4 * MB)]),
        ("only whole large pages", START - MB, 6 * MB, 6 * MB, {}, [(START, START + 4 * MB)]),
        ("too small for one", START + MB, 2 * MB, 2 * MB, {}, []),
        ("reserved, and never touched", START, 64 * MB, 1 * MB, {}, []),
        ("a stack", START, 8 * MB, 8 * MB, {"name": "[stack]"}, []),
        ("a file", START, 8 * MB, 8 * MB, {"name": "/usr/lib/libpython3.so"}, []),
        ("code", START, 8 * MB, 8 * MB, {"access": "r-xp"}, []),
        ("shared with other workers", START, 8 * MB, 8 * MB, {"access": "rw-s"}, []),
    ],
)
def test_large_pages_are_for_memory_of_its_own_that_is_in_use(said, start, size, used, more, expected):
    assert list(dense_regions(mapping(start, size, used, **more))) == expected, said


def test_each_region_is_looked_at_by_itself():
    maps = (
        mapping(START, 4 * MB, 4 * MB, "rw-s") + mapping(START + 8 * MB, 2 * MB, 2 * MB) + mapping(0x1000, 4096, 4096)
    )
    assert list(dense_regions(maps)) == [(START + 8 * MB, START + 10 * MB)]


@linux
def test_the_pages_are_asked_for_and_made_at_once(tmp_path: Path):
    asked: list[tuple[int, int, int]] = []

    def grant(start: int, length: int, advice: int) -> int:
        asked.append((start, length, advice))
        return 0

    (tmp_path / "smaps").write_text(mapping(START, 4 * MB, 4 * MB), encoding="ascii")
    assert use_huge_pages(tmp_path / "smaps", grant) == 4 * MB
    assert asked == [(START, 4 * MB, HUGEPAGE), (START, 4 * MB, COLLAPSE)]


@linux
@pytest.mark.parametrize("refused", [HUGEPAGE, COLLAPSE])
def test_a_refusal_is_no_failure(tmp_path: Path, refused: int):
    (tmp_path / "smaps").write_text(mapping(START, 4 * MB, 4 * MB), encoding="ascii")
    assert use_huge_pages(tmp_path / "smaps", lambda _start, _length, advice: -1 if advice == refused else 0) == 0


def test_a_system_that_does_not_show_its_memory_is_left_alone(tmp_path: Path):
    assert use_huge_pages(tmp_path / "absent", lambda *_: 0) == 0


@linux
def test_a_process_goes_on_with_all_that_it_had_in_memory():
    code = (
        "from cds_service.huge_pages import SIZE, use_huge_pages\n"
        "held = [str(number) for number in range(400_000)]\n"
        "got = use_huge_pages()\n"
        "assert got % SIZE == 0 and got >= 0\n"
        "assert held == [str(number) for number in range(400_000)]\n"
        "print('whole')"
    )
    root = Path(__file__).parents[2]
    ran = subprocess.run(  # a process of its own: what it does to its memory would last
        [sys.executable, "-c", code],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ran.stdout, ran.returncode) == ("whole\n", 0), ran.stderr
