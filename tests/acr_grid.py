"""The ACR grid as clinical cases: each cell is one case, asked end to end."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from tests.case_reader import Case, cases_in

_GRID = Path(__file__).parent / "tables" / "acr_low_back_pain_2021.toml"
PRIORITY_OF_VARIANT = {4: "stat", 7: "urgent"}


def acr_cells(as_of: date | None = None) -> Iterator[Case]:
    """Seven variants by eleven procedures: 77 cases."""
    grid = tomllib.loads(_GRID.read_text(encoding="utf-8"))
    for study, cells in grid["cells"].items():
        for variant, cell in enumerate(cells, start=1):
            yield from cases_in(_entry(grid, study, variant, cell), file="acr grid", as_of=as_of)


def _entry(grid: dict[str, Any], study: str, variant: int, cell: str) -> dict[str, Any]:
    category, score = cell[:2], int(cell[2:])
    priority = PRIORITY_OF_VARIANT.get(variant, "")
    return {
        "name": f"variant {variant}: {study} is {cell}",
        "patient": {"age": 45, "sex": "male"},
        "chart": grid["patient"][str(variant)]["chart"],
        "order": f"{study} for low-back-pain" + (f" at {priority}" if priority else ""),
        "expect": {
            "variant": variant,
            "rating": "not-appropriate" if category == "UN" else "appropriate",
            "category": grid["categories"][category],
            "score": score,
        },
        "touches": [f"cell {variant} {study}"],
    }
