"""What a code means to this service, and why: for whoever maps a site's records."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator

import msgspec
from msgspec import Struct

from fhir_mappings.explain_code import Explanation, Reason, explain
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


NO_CODE = "no code in this line: expected system,code,display"

_HOW = {
    "listed": "listed as",
    "under": "under the category",
    "own code": "our own code",
    "site": "a site's own code",
    "ingredient": "ingredient named in",
}


def look_up(terminology: Terminology, system: str, code: str, display: str = "") -> Meaning:
    """The concepts of a code: by the code, and for a medicine also by an ingredient named in its display."""
    found = explain(terminology, system, code, display)
    return Meaning(
        system=system,
        code=code,
        display=display,
        concepts=found.concepts,
        absent=tuple(reason.concept for reason in found.reasons if reason.absent),
        because=tuple(_because(found)),
    )


def _because(found: Explanation) -> Iterator[str]:
    for reason in found.reasons:
        yield f"{reason.concept}: {_HOW[reason.how]} {reason.row} ({_where(reason)})"
    if found.phase:
        yield f"seventh character: {found.phase}"
    if found.study:
        yield f"as an order: {found.study}"
    if found.unavailable:
        yield "the table of this code system was left out"
    if found.display_says:
        yield f"its display, where an entry has no known code, is read as: {', '.join(found.display_says)}"


def _where(reason: Reason) -> str:
    place = f"{reason.file}:{reason.line}" if reason.line else reason.file
    return "; ".join(part for part in (place, reason.source, reason.note) if part)


def answer_lines(terminology: Terminology, lines: Iterable[str]) -> Iterator[str]:
    """One JSON line per `system,code,display` line (CSV; the display may be left out; a header line is skipped).

    Each line is read by itself: a quotation mark that is never closed spoils its own line and no other.
    """
    for line in lines:
        fields = [field.strip() for field in next(csv.reader([line]), [])]
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
                "because": meaning.because if code else (NO_CODE,),
            }
        ).decode()
