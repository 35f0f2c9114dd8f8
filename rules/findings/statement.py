"""What the clinician stated for this order as a whole: "checked today, none", and "deferred"."""

from datetime import date

from msgspec import Struct

from rules.concepts import FactsByGroup
from rules.evidence import Evidence
from rules.facts import FactKind
from rules.findings.reading import is_today


class Statement(Struct, frozen=True):
    """Red flags and strength checked, none found: who says so (an entry), and on which day."""

    evidence: Evidence
    on: date


def checked_none(facts: FactsByGroup, pointed: frozenset[str], as_of: date) -> Statement | None:
    """The statement counts when it stands on this order or is dated today; an older one speaks of another day."""
    found: Evidence | None = None
    for fact in facts.get("checked-none", ()):
        if not fact.present:
            continue
        if fact.kind is FactKind.REASON or fact.evidence.reference in pointed or is_today(fact, as_of):
            if found is None or (fact.evidence.dated, fact.evidence.reference) > (found.dated, found.reference):
                found = fact.evidence
    return None if found is None else Statement(found, as_of)


def deferred(facts: FactsByGroup) -> bool:
    """Does the order itself carry the clinician's deferral?"""
    return any(fact.present and fact.kind is FactKind.REASON for fact in facts.get("deferred", ()))
