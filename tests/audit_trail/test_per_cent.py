"""What happened once is never said to be nothing, nor what failed once to be all."""

from __future__ import annotations

import pytest

from audit_trail.per_cent import per_cent
from audit_trail.statistics import Rate


@pytest.mark.parametrize(
    ("count", "of", "said", "to_a_tenth"),
    [
        (0, 2449, "0 %", "0.0 %"),
        (1, 2449, "<1 %", "<0.1 %"),
        (1, 200, "<1 %", "0.5 %"),
        (12, 2449, "<1 %", "0.5 %"),
        (13, 2449, "1 %", "0.5 %"),
        (1, 3, "33 %", "33.3 %"),
        (2436, 2449, "99 %", "99.5 %"),
        (2437, 2449, ">99 %", "99.5 %"),
        (2448, 2449, ">99 %", ">99.9 %"),
        (2449, 2449, "100 %", "100.0 %"),
        (1, 1, "100 %", "100.0 %"),
        (0, 0, "–", "–"),
    ],
)
def test_a_share_is_rounded_and_not_rounded_away(count: int, of: int, said: str, to_a_tenth: str) -> None:
    assert per_cent(Rate(count, of).percent) == said
    assert per_cent(Rate(count, of).percent, 1) == to_a_tenth


@pytest.mark.parametrize("of", [1, 3, 7, 10, 49, 200, 2000, 2449, 1_000_003])
def test_none_and_all_are_said_of_none_and_all_alone(of: int) -> None:
    for digits in (0, 1):
        none, everything = (per_cent(Rate(count, of).percent, digits) for count in (0, of))
        for count in {1, 2, of // 2, of - 2, of - 1} - {0, of}:
            if 0 < count < of:
                assert per_cent(Rate(count, of).percent, digits) not in (none, everything)
        for ends in (Rate(0, of).interval, Rate(of, of).interval):
            assert ends is not None
        assert per_cent((Rate(0, of).interval or (9, 9))[0], digits) == none
        assert per_cent((Rate(of, of).interval or (9, 9))[1], digits) == everything
