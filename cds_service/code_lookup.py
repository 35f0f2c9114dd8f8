"""What a code means to this service, and why: for whoever maps a site's records."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator

import msgspec
from msgspec import Struct

from fhir_mappings.medicines import concepts_of_medicine
from fhir_mappings.terminology import Terminology


class Meaning(Struct, frozen=True, omit_defaults=True):
    """One code, looked up. An empty list of concepts: not recognised, which never means that nothing is there."""

    system: str
    code: str
    display: str
    concepts: tuple[str, ...]
    absent: tuple[str, ...] = ()  # concepts of which the code itself says that they are not there
    because: tuple[str, ...] = ()

    @property
    def recognised(self) -> bool:
        """Does the code mean anything here?"""
        return bool(self.concepts)


MEDICINE_SYSTEMS = frozenset(
    {
        "http://www.nlm.nih.gov/research/umls/rxnorm",
        "http://hl7.org/fhir/sid/ndc",
        "http://www.whocc.no/atc",
        "",
    }
)


def look_up(terminology: Terminology, system: str, code: str, display: str = "") -> Meaning:
    """The concepts of a code: by the code, and for a medicine also by an ingredient named in its display."""
    meanings = terminology.meanings(system, code)
    concepts = [meaning.concept for meaning in meanings]
    because = [
        f"{row.concept}: {'category ' if row.code != code else ''}{row.code} {row.display} ({row.source})"
        for row in terminology.rows_for(system, code)
        if row.concept in concepts
    ]
    if not concepts and display and terminology.system_uri(system) in MEDICINE_SYSTEMS:
        for concept in concepts_of_medicine(((system, code, display),), display, terminology):
            concepts.append(concept)
            because.append(f"{concept}: ingredient named in the display")
    return Meaning(
        system=system,
        code=code,
        display=display,
        concepts=tuple(concepts),
        absent=tuple(meaning.concept for meaning in meanings if meaning.absent),
        because=tuple(because),
    )


def answer_lines(terminology: Terminology, lines: Iterable[str]) -> Iterator[str]:
    """One JSON line per `system,code,display` line (CSV; the display may be left out; a header line is skipped)."""
    for row in csv.reader(lines):
        fields = [field.strip() for field in row]
        if not any(fields) or fields[:2] == ["system", "code"]:
            continue
        system, code, *rest = [*fields, ""]
        meaning = look_up(terminology, system, code, ", ".join(part for part in rest if part))
        yield msgspec.json.encode(
            {
                "system": meaning.system,
                "code": meaning.code,
                "display": meaning.display,
                "concepts": meaning.concepts,
                "absent": meaning.absent,
                "because": meaning.because,
            }
        ).decode()
