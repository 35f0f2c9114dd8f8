"""Each control of the hazard log names a test that is there."""

from __future__ import annotations

import ast
import tomllib
from functools import cache
from pathlib import Path

import pytest

from audit_pages.hazards import hazards

TESTS = Path(__file__).parents[1]
PROOFS = sorted({proof for hazard in hazards() for control in hazard.controls for proof in control.proof})


@cache
def functions_of(path: Path) -> frozenset[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


@cache
def cases_in(path: Path) -> frozenset[str]:
    return frozenset(case["name"] for case in tomllib.loads(path.read_text(encoding="utf-8"))["case"])


@pytest.mark.parametrize("proof", PROOFS)
def test_the_test_that_proves_a_control_is_there(proof: str):
    if ".toml: " in proof:
        file, _, name = proof.partition(": ")
        assert name in cases_in(TESTS / file)
    else:
        file, _, name = proof.partition("::")
        assert name.startswith("test_")
        assert name in functions_of(TESTS / file)


def test_each_hazard_has_controls_that_are_proven_and_says_what_remains():
    for hazard in hazards():
        assert hazard.controls, hazard.id
        assert all(control.proof for control in hazard.controls), hazard.id
        assert hazard.left, hazard.id
    assert len({hazard.id for hazard in hazards()}) == len(hazards())
