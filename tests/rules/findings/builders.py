"""Facts, pictures and orders for the tests of the findings: sensible patients, override one thing."""

from collections.abc import Iterable
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

import msgspec

from rules.dates import DateInterval
from rules.draft_order import DraftOrder, Recognition
from rules.evidence import Evidence
from rules.facts import AgeRange, ClinicalPicture, Fact, FactKind
from rules.finding import Findings
from rules.findings import answer_questions
from rules.parameters import Parameters, parameters_on
from rules.procedures import Procedure

TODAY = date(2026, 11, 25)


@lru_cache(maxsize=1)
def parameters() -> Parameters:
    """The numbers in force today."""
    return parameters_on(TODAY)


def on(day: date) -> DateInterval:
    """One exact day."""
    return DateInterval(day, day)


def ago(days: int) -> DateInterval:
    """Exactly so many days before today."""
    return on(TODAY - timedelta(days=days))


def recorded(days: int) -> DateInterval:
    """Recorded so many days ago, without an onset: at least since then."""
    return DateInterval(None, TODAY - timedelta(days=days))


def month(year: int, number: int) -> DateInterval:
    """A partial date such as 2026-09."""
    following = date(year + number // 12, number % 12 + 1, 1)
    return DateInterval(date(year, number, 1), following - timedelta(days=1))


def year(number: int) -> DateInterval:
    """A partial date such as 2026."""
    return DateInterval(date(number, 1, 1), date(number, 12, 31))


_KINDS = {
    FactKind.CONDITION: "Condition",
    FactKind.OBSERVATION: "Observation",
    FactKind.PROCEDURE: "Procedure",
    FactKind.MEDICATION: "MedicationRequest",
    FactKind.REQUEST: "ServiceRequest",
    FactKind.REPORT: "DiagnosticReport",
    FactKind.DEVICE: "Device",
    FactKind.ALLERGY: "AllergyIntolerance",
    FactKind.REASON: "ServiceRequest",
    FactKind.DRAFT: "ServiceRequest",
}


def fact(
    concept: str, began: DateInterval | int | None = None, kind: FactKind = FactKind.CONDITION, **more: Any
) -> Fact:
    """A fact; ``began`` as an interval or as days ago. Its reference derives from what it says."""
    when = ago(began) if isinstance(began, int) else began
    dated = "" if when is None else str(when.latest if when.earliest is None else when.earliest)
    side, ref = more.get("side", ""), more.pop("ref", "")
    site, value, grade = more.get("site", ""), more.get("value"), more.get("grade")
    words = "-".join(str(w) for w in (concept, side, site, value, grade, dated) if w not in ("", None))
    reference = ref or f"{_KINDS[kind]}/{words}"
    if kind is FactKind.REASON:
        reference = "ServiceRequest/draft#reasonCode"
    marks = more.pop("marks", ())
    return Fact(concept, kind, Evidence(reference, words, dated, marks), began=when, **more)


def seen(concept: str, began: DateInterval | int | None = None, **more: Any) -> Fact:
    """An observation."""
    return fact(concept, began, FactKind.OBSERVATION, **more)


def absent(concept: str, began: DateInterval | int | None = None, **more: Any) -> Fact:
    """An observation that states absence."""
    return fact(concept, began, FactKind.OBSERVATION, present=False, **more)


def past(concept: str, began: DateInterval | int | None = None, **more: Any) -> Fact:
    """A resolved condition."""
    return fact(concept, began, current=False, **more)


def done(concept: str, began: DateInterval | int | None = None, **more: Any) -> Fact:
    """A procedure that was done."""
    return fact(concept, began, FactKind.PROCEDURE, state="done", **more)


def taken(concept: str, began: DateInterval | int | None = None, **more: Any) -> Fact:
    """A medicine."""
    return fact(concept, began, FactKind.MEDICATION, **more)


def report(concept: str, began: DateInterval | int | None = None, **more: Any) -> Fact:
    """A final imaging report."""
    return fact(concept, began, FactKind.REPORT, **{"state": "final", **more})


def reason(concept: str, **more: Any) -> Fact:
    """A reason on the order itself."""
    return fact(concept, None, FactKind.REASON, **more)


def strength(
    grade: int, began: DateInterval | int | None, site: str = "ankle-dorsiflexion", side: str = "left"
) -> Fact:
    """A strength grade of one muscle group and side."""
    return seen("muscle-strength", began, grade=grade, site=site, side=side)


def pain(score: float, began: int, site: str = "nrs", **more: Any) -> Fact:
    """A pain score."""
    return seen("pain-score", began, value=score, site=site, **more)


def temperature(celsius: float, began: DateInterval | int | None) -> Fact:
    """A measured temperature."""
    return seen("body-temperature", began, value=celsius)


BACK_PAIN = fact("low-back-pain", 21)


def order(reasons: Iterable[Fact] = (), procedure: Procedure | None = Procedure.MRI_WITHOUT, **more: Any) -> DraftOrder:
    """A recognised draft order of MRI without contrast."""
    held = tuple(reasons)
    return DraftOrder(
        "ServiceRequest/draft", Recognition.CODED, procedure, reasons=held, has_any_reason=bool(held), **more
    )


BACK_PAIN_ORDER = order([reason("low-back-pain")])


def picture(*facts: Fact, age: int | tuple[int, int] | None = 45, sex: str = "female", **more: Any) -> ClinicalPicture:
    """One patient today, 45 years old unless stated otherwise."""
    ages = None if age is None else AgeRange(*age) if isinstance(age, tuple) else AgeRange(age, age)
    return ClinicalPicture(TODAY, tuple(facts), ages, sex, **more)


def answers(*facts: Fact, order: DraftOrder = BACK_PAIN_ORDER, **more: Any) -> Findings:
    """The findings for one patient and order."""
    changed = more.pop("changed", {})
    numbers = msgspec.structs.replace(parameters(), **changed) if changed else parameters()
    return answer_questions(picture(*facts, **more), order, numbers)


def references(evidence: Iterable[Evidence]) -> list[str]:
    """The references, in the order shown."""
    return [each.reference for each in evidence]
