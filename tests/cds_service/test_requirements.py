"""Every requirement of CDS Hooks on discovery, call, answer, errors, CORS and feedback is claimed by some test.

Ids: JSON use of JSON · CAP capabilities · DISC discovery · CALL the call · RESP the answer · CARD, SRC, SUG, ACT, LINK
its parts · PAMA ratings on orders · STALE transience · FB feedback · SEC trust and cross-origin calls ·
EXT extensions · PX practice of implementers.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
REQUIREMENTS = (
    *(f"JSON-{number}" for number in range(1, 7)),
    "CAP-1",
    *(f"DISC-{number}" for number in range(1, 19)),
    *(f"CALL-{number}" for number in range(1, 15)),
    *(f"RESP-{number}" for number in range(1, 7)),
    *(f"CARD-{number}" for number in range(1, 12)),
    "SRC-1",
    "SRC-2",
    *(f"SUG-{number}" for number in range(1, 5)),
    *(f"ACT-{number}" for number in range(1, 6)),
    *(f"LINK-{number}" for number in range(1, 4)),
    *(f"PAMA-{number}" for number in range(1, 6)),
    "STALE-1",
    *(f"FB-{number}" for number in range(1, 6)),
    "SEC-11",
    *(f"SEC-{number}" for number in range(1, 13)),
    "EXT-1",
    "EXT-2",
    "PX-1",
    "PX-3",
    "PX-4",
    "PX-6",
    "PX-7",
    "PX-8",
    "PX-9",
    "PX-11",
)


def claimed() -> set[str]:
    """The ids named beside a test of this tree, this file left out."""
    found: set[str] = set()
    for path in TESTS.rglob("test_*.py"):
        if path != Path(__file__):
            found |= set(re.findall(r"\b[A-Z]+-\d+\b", path.read_text(encoding="utf-8")))
    return found


@pytest.mark.parametrize("requirement", REQUIREMENTS)
def test_a_test_claims_the_requirement(requirement: str) -> None:
    assert requirement in claimed()
