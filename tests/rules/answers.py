"""Answered questions for tests: a silent record by default, one answer changed at a time."""

from datetime import date
from typing import Any

from msgspec.structs import replace

from rules.dates import DateInterval, DayRange
from rules.draft_order import DraftOrder, Recognition
from rules.evidence import Evidence
from rules.facts import AgeRange, ClinicalPicture, SourceGap
from rules.finding import Answer, Episode, Finding, Findings, Safety
from rules.procedures import Procedure

TODAY = date(2026, 3, 2)
CHART = Evidence("Condition/1", "as charted", "2026-02-20")
_SAFETY = ("pregnancy", "mr_device", "passive_metal", "kidney", "contrast_reaction", "claustrophobia", "metformin")
_SILENT_UNKNOWN = ("candidate", "trend", "setting")


def yes(name: str, level: str = "", *marks: str) -> Finding:
    """A question answered yes, with evidence."""
    return Finding(name, Answer.YES, level, frozenset(marks), (CHART,))


def no(name: str, *marks: str) -> Finding:
    """A question answered no by the record itself."""
    return Finding(name, Answer.NO, "", frozenset(marks), (CHART,))


def unknown(name: str, level: str = "") -> Finding:
    """A question the record leaves open."""
    return Finding(name, Answer.UNKNOWN, level)


def silent(name: str) -> Finding:
    """Silence read as no."""
    return Finding(name, Answer.NO, presumed=True)


def safety(**changes: Finding | bool) -> Safety:
    """Nothing on record that changes how to image."""
    return replace(Safety(**{name: silent(name) for name in _SAFETY}, could_be_pregnant=False, egfr=None), **changes)


def answers(days: int | None = 21, **changes: Finding | Episode | Safety | bool) -> Findings:
    """Low back pain for ``days`` days and nothing else on record; ``changes`` replace single answers."""
    names = [
        "radiculopathy",
        "weakness",
        "cauda_equina",
        "infection",
        "immunosuppression",
        "cancer",
        "fracture_risk",
        "major_trauma",
        "prior_surgery",
        "conservative_care",
        "prior_imaging",
        "mimic",
        "axial_spondyloarthritis",
        "aortic",
    ]
    usual: dict[str, Any] = {name: silent(name) for name in names}
    usual |= {name: unknown(name) for name in _SILENT_UNKNOWN}
    base = Findings(
        indication=yes("indication"),
        episode=Episode() if days is None else Episode(DayRange(days, days)),
        safety=safety(),
        **usual,
    )
    return replace(base, **changes)


def an_order(procedure: Procedure | None = Procedure.MRI_WITHOUT, **changes: object) -> DraftOrder:
    """A selected, coded draft of routine priority."""
    return replace(DraftOrder("ServiceRequest/1", Recognition.CODED, procedure, name="study"), **changes)


def a_picture(age: int | AgeRange | None = 45, gaps: tuple[SourceGap, ...] = (), **changes: object) -> ClinicalPicture:
    """A picture without facts, for answers that are given."""
    years = AgeRange(age, age) if isinstance(age, int) else age
    return replace(ClinicalPicture(TODAY, (), years, "female", gaps=gaps), **changes)


def adequate_care() -> Finding:
    """Six weeks of active therapy, symptoms persisting."""
    began = DateInterval(date(2026, 1, 5), date(2026, 1, 5))
    return replace(yes("conservative_care", "adequate", "active-therapy"), since=began)
