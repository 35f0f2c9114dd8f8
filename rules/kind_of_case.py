"""What kind of case this is: all that the advice depends on, with nothing of the patient's in it.

Two patients with the same answers, the same length of episode and the same order get the same advice; only the evidence
that it rests on, and the dates counted from it, are their own. So the advice is worked out once for each kind. As it is
looked up on every call, a kind is flat: closed lists, short texts of ours and small numbers.
"""

from datetime import date, timedelta
from typing import Any

from msgspec import Struct
from msgspec.structs import astuple, fields, replace

from rules.concepts import GROUPS
from rules.dates import DateInterval, DayRange, days_between
from rules.decide import duration_of
from rules.draft_order import DraftOrder, Recognition
from rules.facts import AgeRange, ClinicalPicture, SourceGap
from rules.finding import Answer, Episode, Finding, Findings, Safety
from rules.findings.answers import PRESUMED_NO, UNKNOWN
from rules.findings.safety import NOTHING_ON_RECORD
from rules.guideline_tables import Guidelines
from rules.parameters import Parameters
from rules.procedures import Procedure

SOME_DAY = date(2000, 1, 1)  # stands for the day of the call
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
# The fields of the findings and of their safety part, and what silence answers to those that are questions.
_FIELDS, _SAFETY_FIELDS = Findings.__struct_fields__, Safety.__struct_fields__
_SILENCE = tuple(PRESUMED_NO.get(name) or UNKNOWN.get(name) for name in _FIELDS)
_SAFETY_SILENCE = tuple(UNKNOWN.get(name) for name in _SAFETY_FIELDS)
_silent: dict[str, Any] = {
    field.name: silence for field, silence in zip(fields(Findings), _SILENCE, strict=True) if field.type is Finding
}
_ALL_SILENT = Findings(episode=Episode(), safety=NOTHING_ON_RECORD[False], **_silent)


# Which question, and the answer, level and marks; and whether a "no" is only silence.
_Answered = tuple[str, Answer, str, frozenset[str], bool]


class KindOfCase(Struct, frozen=True, gc=False):
    """Order, findings and picture with everything left out or evened out that cannot change the advice."""

    recognition: Recognition
    procedure: Procedure | None
    candidates: tuple[Procedure, ...]
    priority: str
    unread_reason: bool  # it may hold a red flag, or is all that the order states
    unread_problem: bool  # it may hold a red flag
    answered: tuple[_Answered, ...]  # what is not answered by silence; most is
    duration: str
    trial_done: bool | None  # has care lasted as long as ACP's trial? None: since when is not known
    could_be_pregnant: bool
    deferred: bool
    age: tuple[int, int] | None
    gaps: tuple[SourceGap, ...]

    def order(self) -> DraftOrder:
        """The order of such a case."""
        return DraftOrder(
            reference="",
            recognition=self.recognition,
            procedure=self.procedure,
            candidates=self.candidates,
            priority=self.priority,
            unread_reason_has_red_flag_stem=self.unread_reason,
        )

    def findings(self, parameters: Parameters) -> Findings:
        """The findings of such a case, without evidence."""
        told: dict[str, Finding] = {}
        for name, answer, level, marks, presumed in self.answered:
            since = self._care_since(parameters) if name == "conservative_care" else None
            told[name] = Finding(name, answer, level, marks, presumed=presumed, since=since)
        nothing = NOTHING_ON_RECORD[self.could_be_pregnant]
        safety = replace(nothing, **{name: told.pop(name) for name in _SAFETY_FIELDS if name in told})
        episode = _episode(self.duration, parameters)
        return replace(_ALL_SILENT, episode=episode, safety=safety, deferred=self.deferred, **told)

    def picture(self) -> ClinicalPicture:
        """The picture of such a case, without a fact."""
        return ClinicalPicture(
            as_of=SOME_DAY,
            facts=(),
            age=None if self.age is None else AgeRange(*self.age),
            gaps=self.gaps,
            unread_red_flag_stem=self.unread_problem,
        )

    def _care_since(self, parameters: Parameters) -> DateInterval | None:
        """A beginning of care that is as far past ACP's trial, or as far from it, as the real one."""
        if self.trial_done is None:
            return None
        day = SOME_DAY - timedelta(days=parameters.acp_trial_days) if self.trial_done else SOME_DAY
        return DateInterval(day, day)


def kind_of(order: DraftOrder, findings: Findings, picture: ClinicalPicture, guidelines: Guidelines) -> KindOfCase:
    """The kind of this case."""
    safety = findings.safety
    answered = _answered(_FIELDS, astuple(findings), _SILENCE)
    if safety is not NOTHING_ON_RECORD[safety.could_be_pregnant]:
        answered += _answered(_SAFETY_FIELDS, astuple(safety), _SAFETY_SILENCE)
    since = findings.conservative_care.since
    return KindOfCase(
        order.recognition,
        order.procedure,
        order.candidates,
        order.priority,
        order.unread_reason_has_red_flag_stem or (bool(order.unread_reasons) and unread_alone(order)),
        picture.unread_red_flag_stem,
        tuple(answered),
        duration_of(findings, guidelines),
        None if since is None else _trial_done(since, picture.as_of, guidelines.parameters),
        safety.could_be_pregnant,
        findings.deferred,
        None if picture.age is None else _age(picture.age, guidelines.parameters),
        picture.gaps,
    )


def _answered(
    fields: tuple[str, ...], held: tuple[object, ...], silence: tuple[Finding | None, ...]
) -> list[_Answered]:
    """The questions among these fields that are not answered by silence."""
    return [
        (name, finding.answer, finding.level, finding.marks, finding.presumed)
        for name, finding, silent in zip(fields, held, silence)  # noqa: B905  of one length, and looked at on every call
        if finding is not silent and type(finding) is Finding
    ]


def unread_alone(order: DraftOrder) -> bool:
    """Is text that could not be read the only reason that the order states? A recorded answer is no reason."""
    if not order.unread_reasons or order.reason_references:
        return False
    return all(fact.concept in _ANSWERS for fact in order.reasons)


def _episode(duration: str, parameters: Parameters) -> Episode:
    """An episode of the same length, as far as the length matters."""
    if duration == "unknown":
        return Episode()
    return Episode(DayRange(0, 0) if duration == "acute" else DayRange(parameters.acute_days, None))


def _trial_done(since: DateInterval, as_of: date, parameters: Parameters) -> bool:
    return days_between(since, as_of).shortest >= parameters.acp_trial_days


def _age(age: AgeRange, parameters: Parameters) -> tuple[int, int]:
    """Only whether the patient is a child, or too young for NICE, matters to the advice once findings are answered."""
    grown_up = max(parameters.adult_age_years, parameters.nice_age_years)
    if age.youngest >= grown_up:  # the usual case
        return grown_up, grown_up
    return age.youngest, min(age.oldest, grown_up)
