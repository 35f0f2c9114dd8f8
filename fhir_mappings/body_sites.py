"""Side and place from ``bodySite``: coded, or in words."""

from __future__ import annotations

from msgspec import Raw

from fhir_mappings.code_words import side_of
from fhir_mappings.codes import CodeReader
from fhir_mappings.elements import CodeableConcept, concepts_in

_SIDES = {
    "laterality-left": "left",
    "laterality-unilateral-left": "left",
    "laterality-right": "right",
    "laterality-unilateral-right": "right",
    "laterality-bilateral": "bilateral",
}


def side_in(raw: Raw, codes: CodeReader) -> str:
    """The side that a body site names; both sides named make bilateral."""
    sides = {side for site in concepts_in(raw) if (side := _side(site, codes))}
    if {"left", "right"} <= sides or "bilateral" in sides:
        return "bilateral"
    return next(iter(sides), "")


def _side(site: CodeableConcept, codes: CodeReader) -> str:
    for coding in site.coding or ():
        if coding is None or not coding.code:
            continue
        for meaning in codes.terminology.meanings(coding.system or "", coding.code):
            if meaning.concept in _SIDES:
                return _SIDES[meaning.concept]
            if meaning.side:
                return meaning.side
    return side_of(site.words)
