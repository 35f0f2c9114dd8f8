"""What kind of case this is: all that the advice depends on, with nothing of the patient's in it.

Two patients with the same answers, the same length of episode and the same order get the same advice; only the evidence
that it rests on, and the dates counted from it, are their own. So the advice is worked out once for each kind.
"""

from datetime import date, timedelta
from operator import attrgetter
from typing import Any

from msgspec import Struct
from msgspec.structs import fields, replace

from rules.concepts import GROUPS
from rules.dates import DateInterval, DayRange, days_between
from rules.decide import duration_of
from rules.draft_order import DraftOrder
from rules.facts import AgeRange, ClinicalPicture
from rules.finding import Episode, Finding, Findings, Safety
from rules.guideline_tables import Guidelines
from rules.parameters import Parameters

SOME_DAY = date(2000, 1, 1)  # stands for the day of the call
_FINDINGS = tuple(field.name for field in fields(Findings) if field.type is Finding)
# Answers that a button of ours records on the order. "Checked, none" is not among them: it speaks of red flags itself.
_ANSWERS = frozenset(
    concept
    for group in (
        "indication-yes-stated", "indication-no-stated", "candidate-yes-stated", "candidate-no-stated",
        "new-or-worse-stated", "not-new-stated", "changed-stated", "unchanged-stated", "care-done-stated",
        "care-not-done-stated",
    )
    for concept in GROUPS[group].concepts
)  # fmt: skip
_SAFETY = tuple(field.name for field in fields(Safety) if field.type is Finding)
_findings_of = attrgetter(*_FINDINGS)
_findings_of_safety = attrgetter(*_SAFETY)


class KindOfCase(Struct, frozen=True):
    """Order, findings and picture with everything left out or evened out that cannot change the advice."""

    order: DraftOrder
    findings: Findings
    picture: ClinicalPicture


def kind_of(order: DraftOrder, findings: Findings, picture: ClinicalPicture, guidelines: Guidelines) -> KindOfCase:
    """The kind of this case."""
    return KindOfCase(
        order=DraftOrder(
            reference="",
            recognition=order.recognition,
            procedure=order.procedure,
            candidates=order.candidates,
            priority=order.priority,
            unread_reason_has_red_flag_stem=order.unread_reason_has_red_flag_stem or unread_alone(order),
        ),
        findings=_without_evidence(findings, picture.as_of, guidelines),
        picture=ClinicalPicture(
            as_of=SOME_DAY,
            facts=(),
            age=_age(picture.age, guidelines.parameters),
            gaps=picture.gaps,
            unread_red_flag_stem=picture.unread_red_flag_stem,
        ),
    )


def unread_alone(order: DraftOrder) -> bool:
    """Is text that could not be read the only reason that the order states? A recorded answer is no reason."""
    if not order.unread_reasons or order.reason_references:
        return False
    return all(fact.concept in _ANSWERS for fact in order.reasons)


def _without_evidence(findings: Findings, as_of: date, guidelines: Guidelines) -> Findings:
    safety, care = findings.safety, findings.conservative_care
    answers: dict[str, Any] = dict(zip(_FINDINGS, _without(_findings_of(findings)), strict=True))
    if care.since is not None:
        since = _care_since(care.since, as_of, guidelines.parameters)
        answers["conservative_care"] = replace(answers["conservative_care"], since=since)
    return Findings(
        episode=_episode(findings, guidelines),
        safety=Safety(
            could_be_pregnant=safety.could_be_pregnant,
            egfr=None,
            **dict(zip(_SAFETY, _without(_findings_of_safety(safety)), strict=True)),
        ),
        deferred=findings.deferred,
        **answers,
    )


def _episode(findings: Findings, guidelines: Guidelines) -> Episode:
    """An episode of the same length, as far as the length matters."""
    duration = duration_of(findings, guidelines)
    if duration == "unknown":
        return Episode()
    return Episode(DayRange(0, 0) if duration == "acute" else DayRange(guidelines.parameters.acute_days, None))


def _without(findings: tuple[Finding, ...]) -> list[Finding]:
    """The findings without evidence; most have none."""
    bare = []
    for finding in findings:
        if finding.because or finding.against or finding.considered or finding.notes or finding.since:
            bare.append(Finding(finding.name, finding.answer, finding.level, finding.marks, presumed=finding.presumed))
        else:
            bare.append(finding)
    return bare


def _care_since(since: DateInterval, as_of: date, parameters: Parameters) -> DateInterval:
    """A beginning of care that is as far past ACP's trial, or as far from it, as the real one."""
    tried = days_between(since, as_of).shortest >= parameters.acp_trial_days
    day = SOME_DAY - timedelta(days=parameters.acp_trial_days) if tried else SOME_DAY
    return DateInterval(day, day)


def _age(age: AgeRange | None, parameters: Parameters) -> AgeRange | None:
    """Only whether the patient is a child, or too young for NICE, matters to the advice once findings are answered."""
    if age is None:
        return None
    grown_up = max(parameters.adult_age_years, parameters.nice_age_years)
    return AgeRange(min(age.youngest, grown_up), min(age.oldest, grown_up))
