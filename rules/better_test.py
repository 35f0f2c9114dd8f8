"""Which study would serve better, and how soon: offered only where the change is due, so that it settles.

An accepted suggestion is never followed by another change, and is never rated worse than what it replaces.
"""

from rules.decide import Assessment
from rules.draft_order import DraftOrder
from rules.edition import RANK
from rules.finding import Findings
from rules.guideline_tables import Guidelines
from rules.procedures import GADOLINIUM, MRI, Procedure
from rules.recommendation import BetterTest, PamaRating, Study, Urgency
from rules.safety_rules import device_on_record, gadolinium_reaction, mri_is_impossible, pregnancy_on_record

_PRIORITIES = ("routine", "urgent", "asap", "stat")
# Variants 4 and 7 lead: a study rated below 7 is the wrong test whatever its code, unless MRI is impossible.
_STRICT_VARIANTS = (4, 7)
_STRICT_SCORE = 7


def better_test(
    order: DraftOrder, assessment: Assessment, findings: Findings, guidelines: Guidelines
) -> BetterTest | None:
    """The one change to offer, or None. Indication must be settled by the caller."""
    priority = raised_priority(order, assessment)
    topic_study = guidelines.other_topics.get(assessment.leading.guideline)
    if topic_study is not None:
        return _other_topic(order, topic_study, priority)
    if assessment.leading.variant is None or assessment.leading.variant in (1, 2):
        return None
    if assessment.pama is PamaRating.NO_CRITERIA_APPLY and assessment.urgency.urgency not in _SAID_AT_ANY_AGE:
        return None
    target, note = preferred_study(assessment.leading.variant, findings, guidelines)
    why = _due(order, assessment, target, findings, guidelines)
    if why and target.procedure is not order.procedure:
        return BetterTest(target.procedure, priority, target, why, note)
    if priority:
        return BetterTest(None, priority, None, "raise-priority")
    return None


_SAID_AT_ANY_AGE = frozenset({Urgency.EMERGENCY, Urgency.IMMEDIATE})


def raised_priority(order: DraftOrder, assessment: Assessment) -> str:
    """The priority that the urgency asks for, when the order's own is lower; else empty."""
    wanted = assessment.urgency.priority
    current = order.priority if order.priority in _PRIORITIES else "routine"
    return wanted if _PRIORITIES.index(wanted) > _PRIORITIES.index(current) else ""


def preferred_study(variant: int, findings: Findings, guidelines: Guidelines) -> tuple[Study, str]:
    """The study to offer in ``variant`` for this patient, and the wording key about its contrast."""
    studies = guidelines.acr.variants[variant].studies
    if mri_is_impossible(findings) and variant in guidelines.no_mri:
        return studies[guidelines.no_mri[variant][0]], ""
    chosen = next(p for p in guidelines.preferences if p.variant == variant and p.condition.holds(findings))
    without = studies[Procedure.MRI_WITHOUT]
    same_rank = RANK[without.category] == RANK[studies[chosen.procedure].category]
    if same_rank and pregnancy_on_record(findings):
        return without, "pregnancy"
    if same_rank and chosen.procedure in GADOLINIUM and gadolinium_reaction(findings):
        return without, "reaction"
    return studies[chosen.procedure], chosen.contrast_note


def _other_topic(order: DraftOrder, study: Procedure, priority: str) -> BetterTest | None:
    if order.procedure is study:
        return BetterTest(None, priority, None, "raise-priority") if priority else None
    return BetterTest(study, priority, None, "other-topic")


def _due(order: DraftOrder, assessment: Assessment, target: Study, findings: Findings, guidelines: Guidelines) -> str:
    """Why a change of study is due (a key), or empty."""
    ordered = assessment.study
    if ordered is None:
        return "contrast-not-stated" if assessment.urgency.urgency in _SAID_AT_ANY_AGE else ""
    if RANK[ordered.category] == 1 and RANK[target.category] > 1:
        return "rated-low"
    variant = assessment.leading.variant
    if (
        variant in _STRICT_VARIANTS
        and ordered.score < _STRICT_SCORE
        and not _excused(variant, ordered, findings, guidelines)
    ):
        return "rated-low"
    if _safer(ordered, target, findings):
        return "safety"
    return ""


def _excused(variant: int, ordered: Study, findings: Findings, guidelines: Guidelines) -> bool:
    """ACR's own alternative stands while MRI is impossible, or waits for a device to be cleared."""
    alternatives = guidelines.no_mri.get(variant, ())
    return ordered.procedure in alternatives and (mri_is_impossible(findings) or device_on_record(findings))


def _safer(ordered: Study, target: Study, findings: Findings) -> bool:
    """Pregnancy on record, and MRI without contrast rates at least as well as what was ordered."""
    if not pregnancy_on_record(findings) or target.procedure is not Procedure.MRI_WITHOUT:
        return False
    if ordered.procedure is Procedure.MRI_WITHOUT or (device_on_record(findings) and ordered.procedure not in MRI):
        return False
    return RANK[target.category] >= RANK[ordered.category]
