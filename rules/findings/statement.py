"""What the clinician stated for this order as a whole: "checked today, none", and "deferred"."""

from datetime import date

from rules.concepts import FactsByGroup
from rules.evidence import Evidence
from rules.facts import FactKind
from rules.findings.reading import is_today


def checked_none(facts: FactsByGroup, pointed: frozenset[str], as_of: date) -> Evidence | None:
    """Red flags and strength checked, none found: the entry that says so for this order, or on this day.

    An older one speaks of another day.
    """
    found: Evidence | None = None
    for fact in facts.get("checked-none", ()):
        if not fact.present:
            continue
        if fact.kind is FactKind.REASON or fact.evidence.reference in pointed or is_today(fact, as_of):
            if found is None or (fact.evidence.dated, fact.evidence.reference) > (found.dated, found.reference):
                found = fact.evidence
    return found


def deferred(facts: FactsByGroup) -> bool:
    """Does the order itself carry the clinician's deferral?"""
    return any(fact.present and fact.kind is FactKind.REASON for fact in facts["deferred"])
