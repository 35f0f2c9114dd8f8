"""One order and one patient, with the bare outcome: what every part of the advice works from."""

from msgspec import Struct

from rules.decide import Assessment, Patient
from rules.draft_order import DraftOrder, Recognition
from rules.facts import ClinicalPicture
from rules.finding import Findings
from rules.guideline_tables import Guidelines
from rules.procedures import Procedure
from rules.recommendation import Study


class Case(Struct, frozen=True):
    """The inputs of the advice. ``judged`` is the study whose category is worked out."""

    order: DraftOrder
    findings: Findings
    picture: ClinicalPicture
    patient: Patient
    guidelines: Guidelines
    judged: Procedure | None
    assessment: Assessment


def hides_red_flags(picture: ClinicalPicture) -> bool:
    """Could something that was not read hold a red flag? Then no deferral, and no rating unless it is certain."""
    return any(gap.hides_red_flags for gap in picture.gaps)


def judged_procedure(order: DraftOrder) -> Procedure | None:
    """The study whose category is worked out; with contrast not stated, the first choice stands for all."""
    if order.procedure is not None:
        return order.procedure
    if order.recognition is Recognition.CONTRAST_NOT_STATED and order.candidates:
        return order.candidates[0]
    return None


def contrast_choices_alike(case: Case) -> bool:
    """Do all contrast choices of an order without stated contrast fall into one category?"""
    return len({study.category for study in contrast_choices(case)}) <= 1


def contrast_choices(case: Case) -> tuple[Study, ...]:
    variant = case.assessment.leading.variant
    if variant is None or case.order.recognition is not Recognition.CONTRAST_NOT_STATED:
        return ()
    studies = case.guidelines.acr.variants[variant].studies
    return tuple(studies[procedure] for procedure in case.order.candidates)
