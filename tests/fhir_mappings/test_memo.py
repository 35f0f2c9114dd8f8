"""Readings are remembered by the bytes they were made from, within bounds that a caller cannot push."""

from __future__ import annotations

import pytest
from msgspec import Raw

from fhir_mappings import codes
from fhir_mappings.codes import Memo


class Reads:
    """Counts how often something is read."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self, raw: Raw) -> int:
        self.times += 1
        return len(bytes(raw))


def test_the_same_bytes_are_read_once():
    reads = Reads()
    memo = Memo(reads)
    assert [memo.of(Raw(b'{"text":"a"}')) for _ in range(3)] == [12, 12, 12]
    assert reads.times == 1


def test_a_code_with_many_codings_is_remembered_too():
    reads = Reads()
    memo = Memo(reads)
    raw = Raw(b"x" * 10_000)
    assert memo.of(raw) == memo.of(raw)
    assert reads.times == 1


def test_what_is_too_long_is_read_each_time():
    reads = Reads()
    memo = Memo(reads)
    raw = Raw(b"x" * (codes._LONGEST_KEY + 1))
    assert memo.of(raw) == memo.of(raw)
    assert reads.times == 2


@pytest.mark.parametrize(("length", "kept"), [(8, codes._MEMO_ENTRIES), (10_000, codes._MEMO_BYTES // 10_000)])
def test_neither_many_codes_nor_long_ones_make_it_grow_without_end(length: int, kept: int):
    memo = Memo(Reads())
    for number in range(2 * codes._MEMO_ENTRIES):
        memo.of(Raw(b"%0*d" % (length, number)))
        assert len(memo._found) <= kept
    assert sum(map(len, memo._found)) <= codes._MEMO_BYTES
