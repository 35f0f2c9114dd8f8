"""Orders and answered questions for card tests, and the answer that follows from them."""

from datetime import date
from typing import Any

from msgspec.structs import replace

from cards import Advised, Answer, CallIds, Rendering, cards_for
from cards.profiles import PROFILES
from fhir_mappings.terminology import load_terminology
from rules.advice import recommend_on
from rules.dates import DateInterval, DayRange
from rules.draft_order import DraftOrder, Recognition
from rules.evidence import Evidence
from rules.facts import AgeRange, ClinicalPicture, Fact, FactKind, SourceGap
from rules.finding import Answer as Reply
from rules.finding import Episode, Finding, Findings, Safety
from rules.guidelines import load_guidelines
from rules.procedures import Procedure
from rules.recommendation import Recommendation

TODAY = date(2026, 11, 25)
GUIDELINES = load_guidelines(TODAY)
TERMINOLOGY = load_terminology()
OWN = TERMINOLOGY.own.url
CALL = CallIds("clinic-a", "lumbar-imaging-order-select", "order-select", "d1577c69", "abc", "patient-1", TODAY)
DEFAULT = Rendering()
UPDATE_ONLY = Rendering(profile=PROFILES["sandbox"])
NO_TABLES = Rendering(profile=replace(PROFILES["cds-hooks-2.0"], tables=False))

CPT = "http://www.ama-assn.org/go/cpt"
LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
# Codes of fhir_mappings/value_sets/cpt.csv.
CPT_OF = {
    Procedure.RADIOGRAPHY: "72100",
    Procedure.MRI_WITHOUT: "72148",
    Procedure.MRI_WITH: "72149",
    Procedure.MRI_WITHOUT_AND_WITH: "72158",
    Procedure.CT_WITHOUT: "72131",
    Procedure.CT_WITH: "72132",
    Procedure.CT_WITHOUT_AND_WITH: "72133",
}
LOW_BACK_PAIN = {
    "coding": [{"system": SNOMED, "code": "279039007", "display": "Low back pain"}],
    "text": "Low back pain",
}

_SILENT_NO = (
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
)
_SILENT_UNKNOWN = ("candidate", "trend", "setting")
_SAFETY = ("pregnancy", "mr_device", "passive_metal", "kidney", "contrast_reaction", "claustrophobia", "metformin")


def entry(says: str, dated: str = "", reference: str = "Condition/1", *marks: str) -> Evidence:
    """One entry of the record."""
    return Evidence(reference, says, dated, tuple(marks))


def yes(name: str, *because: Evidence, level: str = "", marks: tuple[str, ...] = ()) -> Finding:
    """A question answered yes."""
    return Finding(name, Reply.YES, level, frozenset(marks), because)


def no(name: str, *because: Evidence) -> Finding:
    """A question answered no by the record itself."""
    return Finding(name, Reply.NO, because=because)


def safety(**changes: Finding | bool) -> Safety:
    """Nothing on record that changes how to image."""
    silent: dict[str, Any] = {name: Finding(name, Reply.NO, presumed=True) for name in _SAFETY}
    base = Safety(**silent, could_be_pregnant=False, egfr=None)
    return replace(base, **changes)


def answers(days: int | DayRange | None = 21, **changes: Finding | Episode | Safety | bool | date) -> Findings:
    """Low back pain for some days and nothing else on record; ``changes`` replace single answers."""
    pain = entry("Low back pain", "2026-11-04", "Condition/back")
    length = DayRange(days, days) if isinstance(days, int) else days
    silent: dict[str, Any] = {name: Finding(name, Reply.NO, presumed=True) for name in _SILENT_NO}
    silent |= {name: Finding(name, Reply.UNKNOWN) for name in _SILENT_UNKNOWN}
    base = Findings(
        indication=yes("indication", entry("Low back pain", "", "ServiceRequest/mri-1#reasonCode")),
        episode=Episode(length, because=(pain,) if length is not None else ()),
        safety=safety(),
        **silent,
    )
    return replace(base, **changes)


def checked(**changes: Finding) -> Findings:
    """Red flags and strength checked today, none found."""
    statement = entry("Red flags and strength checked, none found", "2026-11-25", "ServiceRequest/mri-1#reasonCode")
    names = ("weakness", "cauda_equina", "infection", "immunosuppression", "cancer", "fracture_risk", "major_trauma")
    stated: dict[str, Any] = {name: no(name, statement) for name in (*names, "prior_surgery", "aortic")}
    return answers(checked_none_on=TODAY, **{**stated, **changes})


def adequate_care(**changes: object) -> Finding:
    """Six weeks of attended physiotherapy, symptoms persisting."""
    therapy = entry("Physical therapy, 8 sessions attended", "2026-09-28", "Procedure/pt")
    began = DateInterval(date(2026, 9, 28), date(2026, 9, 28))
    found = yes("conservative_care", therapy, level="adequate", marks=("active-therapy",))
    return replace(found, since=began, **changes)


def a_reason(concept: str) -> Fact:
    """One of our own coded answers on the order."""
    return Fact(concept, FactKind.REASON, Evidence("ServiceRequest/mri-1#reasonCode", concept))


def an_order(procedure: Procedure | None = Procedure.MRI_WITHOUT, **changes: object) -> DraftOrder:
    """A selected, coded draft of routine priority."""
    base = DraftOrder("ServiceRequest/mri-1", Recognition.CODED, procedure, name="study", has_any_reason=True)
    return replace(base, **changes)


def a_picture(age: int | AgeRange | None = 45, gaps: tuple[SourceGap, ...] = (), **changes: object) -> ClinicalPicture:
    """A picture without facts, for answers that are given."""
    years = AgeRange(age, age) if isinstance(age, int) else age
    return replace(ClinicalPicture(TODAY, (), years, "female", gaps=gaps), **changes)


def a_draft(order: DraftOrder | None = None, **changes: object) -> dict[str, object]:
    """The ServiceRequest as an EHR sends it, coded by CPT where the study has one code."""
    order = order or an_order()
    draft: dict[str, object] = {
        "resourceType": "ServiceRequest",
        "id": order.reference.split("/")[1],
        "status": "draft",
        "intent": "order",
        "code": {"text": "Imaging of the lumbar spine"},
        "subject": {"reference": "Patient/patient-1"},
        "encounter": {"reference": "Encounter/today"},
        "requester": {"reference": "Practitioner/user"},
        "reasonCode": [LOW_BACK_PAIN],
    }
    if order.procedure in CPT_OF:
        code = CPT_OF[order.procedure]
        draft["code"] = {"coding": [{"system": CPT, "code": code, "display": "as ordered"}], "text": "as ordered"}
    return draft | changes


def advise(
    findings: Findings | None = None,
    order: DraftOrder | None = None,
    picture: ClinicalPicture | None = None,
    others: tuple[DraftOrder, ...] = (),
) -> Recommendation:
    """The advice on one order for answers that are given."""
    return recommend_on(order or an_order(), findings or answers(), picture or a_picture(), GUIDELINES, others)


def advised(recommendation: Recommendation, **draft: object) -> Advised:
    """The advice beside its draft."""
    return Advised(recommendation, a_draft(recommendation.order, **draft))


def cards(*recommendations: Recommendation, rendering: Rendering = DEFAULT, call: CallIds = CALL) -> Answer:
    """The answer to one call."""
    return cards_for([advised(each) for each in recommendations], call, rendering, TERMINOLOGY, GUIDELINES)
