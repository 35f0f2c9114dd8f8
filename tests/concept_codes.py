"""Codes for test records, looked up by concept in the project's reviewed value sets: no code is written in a test."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

ICD10CM = "http://hl7.org/fhir/sid/icd-10-cm"
SNOMED = "http://snomed.info/sct"
LOINC = "http://loinc.org"
CPT = "http://www.ama-assn.org/go/cpt"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
NUCC = "http://nucc.org/provider-taxonomy"

_SYSTEM_OF_FILE = {
    "cpt.csv": CPT,
    "icd10cm.csv": ICD10CM,
    "loinc.csv": LOINC,
    "nucc.csv": NUCC,
    "rxnorm.csv": RXNORM,
}
_PREFERRED = (SNOMED, ICD10CM, LOINC, CPT, RXNORM, NUCC)
SHORT_NAMES = {"snomed": SNOMED, "icd10": ICD10CM, "loinc": LOINC, "cpt": CPT, "rxnorm": RXNORM, "nucc": NUCC}

Coding = dict[str, str]


class ValueSetRow(NamedTuple):
    """One reviewed row: this code of this system means this concept."""

    concept: str
    system: str
    code: str
    display: str
    exact: bool
    absent: bool
    licensed: bool


class UnknownConceptError(LookupError):
    """A test names a concept (or a concept with a display) for which the value sets have no code."""


def _rows() -> Iterator[ValueSetRow]:
    folder = files("fhir_mappings").joinpath("value_sets")
    for file in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if not file.name.endswith(".csv"):
            continue
        system = SNOMED if file.name.startswith("snomed") else _SYSTEM_OF_FILE.get(file.name, "")
        with io.StringIO(file.read_text(encoding="utf-8"), newline="") as lines:
            for row in csv.DictReader(lines):
                yield ValueSetRow(
                    row["concept"],
                    row.get("system") or system,
                    row["code"],
                    row["display"],
                    row["match"] == "exact",
                    row["polarity"] == "absent",
                    "licensed" in file.name,
                )


@cache
def _by_concept() -> dict[str, list[ValueSetRow]]:
    table: dict[str, list[ValueSetRow]] = {}
    for row in _rows():
        table.setdefault(row.concept, []).append(row)
    return table


@cache
def _concepts_of_code() -> dict[tuple[str, str], frozenset[str]]:
    table: dict[tuple[str, str], set[str]] = {}
    for rows in _by_concept().values():
        for row in rows:
            table.setdefault((row.system, row.code), set()).add(row.concept)
    return {key: frozenset(concepts) for key, concepts in table.items()}


def concepts_of(coding: dict[str, Any]) -> frozenset[str]:
    """Every concept that the value sets give to exactly this code."""
    return _concepts_of_code().get((coding.get("system", ""), coding.get("code", "")), frozenset())


def known_concepts() -> frozenset[str]:
    """Every concept that has a code in some value set."""
    return frozenset(_by_concept())


def coding(name: str, *, absent: bool = False) -> Coding:
    """The coding for ``concept``, ``concept@icd10`` or ``concept (words of the display)``.

    Where several codes fit, the one that means the fewest other things and has the plainest name is taken.
    """
    concept, _, words = name.partition(" (")
    concept, _, short_system = concept.partition("@")
    wanted_words = words.rstrip(")").casefold()
    wanted_system = SHORT_NAMES[short_system] if short_system else ""
    fitting = [
        row
        for row in _by_concept().get(concept, [])
        if row.absent == absent
        and (not wanted_system or row.system == wanted_system)
        and (not wanted_words or wanted_words in row.display.casefold())
    ]
    if not fitting:
        raise UnknownConceptError(f"no code for {name!r} in the value sets")
    best = min(fitting, key=_rank)
    return {"system": best.system, "code": best.code, "display": best.display}


def _rank(row: ValueSetRow) -> tuple[int, bool, bool, int, int, str]:
    system_rank = _PREFERRED.index(row.system) if row.system in _PREFERRED else len(_PREFERRED)
    meanings = len(_concepts_of_code()[row.system, row.code])
    # An ICD-10-CM category is no code of its own; a SNOMED CT concept with descendants is.
    category = not row.exact and row.system == ICD10CM
    return (system_rank, row.licensed, category, meanings, len(row.display), row.code)
