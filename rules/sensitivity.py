"""What would change the advice: the same decision, asked again with one unknown or presumed answer flipped.

A flip re-evaluates only the rows that read the flipped finding; a test proves that this equals deciding afresh.
"""

from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct, structs

from rules.conditions import Condition
from rules.decide import Assessment, Patient, assess_row, ground_row
from rules.finding import Answer, Finding, Findings
from rules.guideline_tables import Flip, Guidelines
from rules.procedures import Procedure
from rules.recommendation import Change, Row, Urgency

MOST_SHOWN = 3
_URGENCY_RANK: Mapping[Urgency, int] = {urgency: rank for rank, urgency in enumerate(Urgency)}
# Strengtheners never lead, but with one on record a rating is not called robust (ACR Suspected Spine Infection).
_STRENGTHENERS = frozenset({"diabetes", "dialysis"})


class Baseline(Struct, frozen=True):
    """What holds before anything is flipped: the ground against which every flip is worked out."""

    assessment: Assessment
    procedure: Procedure | None
    findings: Findings
    patient: Patient
    guidelines: Guidelines
    criteria_held: tuple[int, ...]  # places of the criteria that hold
    urgency_held: tuple[tuple[int, Condition], ...]


def what_would_change(
    base: Assessment, procedure: Procedure | None, findings: Findings, patient: Patient, guidelines: Guidelines
) -> tuple[Change, ...]:
    """Every flip that changes category or urgency: by urgency, then change of category, then table order."""
    baseline = baseline_of(base, procedure, findings, patient, guidelines)
    changes = [
        change
        for flip in guidelines.flips
        if may_flip(findings, flip) and (change := _change(baseline, (flip,))) is not None
    ]
    if not changes:
        pairs = _open_pairs(findings, guidelines)
        changes = [change for pair in pairs if (change := _change(baseline, pair)) is not None]
    return tuple(sorted(changes, key=lambda change: _order(change, base)))  # sorted() keeps the table order of equals


def baseline_of(
    base: Assessment, procedure: Procedure | None, findings: Findings, patient: Patient, guidelines: Guidelines
) -> Baseline:
    """Evaluate every row once, so that a flip need only look at the rows that read it."""
    return Baseline(
        assessment=base,
        procedure=procedure,
        findings=findings,
        patient=patient,
        guidelines=guidelines,
        criteria_held=tuple(
            at for at, criterion in enumerate(guidelines.criteria) if criterion.condition.holds(findings)
        ),
        urgency_held=tuple(
            (at, condition)
            for at, level in enumerate(guidelines.urgencies)
            for condition in level.conditions
            if condition.holds(findings)
        ),
    )


def assess_flipped(baseline: Baseline, flips: tuple[Flip, ...]) -> Assessment:
    """The decision with these answers flipped."""
    names = [flip.finding for flip in flips]
    findings = flipped(baseline.findings, flips)
    leading = _leading(baseline, names, findings)
    urgency = baseline.guidelines.urgencies[_urgency(baseline, names, findings)]
    return assess_row(leading, urgency, baseline.procedure, findings, baseline.patient, baseline.guidelines)


def flipped(findings: Findings, flips: tuple[Flip, ...]) -> Findings:
    """The findings with these answers flipped; marks that stand beside a "no" stay."""
    changes: dict[str, Finding] = {}
    for flip in flips:
        marks = getattr(findings, flip.finding).marks
        changes[flip.finding] = structs.replace(flip.answered, marks=marks) if marks else flip.answered
    return structs.replace(findings, **changes)


def is_robust(changes: tuple[Change, ...], findings: Findings) -> bool:
    """Robust is said only when no examined flip changes category or urgency, and nothing strengthens a missed cue."""
    return not changes and not (findings.infection.marks & _STRENGTHENERS)


def may_flip(findings: Findings, flip: Flip) -> bool:
    """Only answers that the record does not give may be flipped."""
    finding: Finding = getattr(findings, flip.finding)
    return finding.presumed or finding.answer is Answer.UNKNOWN


def presumed_names(findings: Findings, guidelines: Guidelines) -> tuple[str, ...]:
    """The findings whose "no" is only silence, in table order."""
    names = dict.fromkeys(flip.finding for flip in guidelines.flips)
    return tuple(name for name in names if getattr(findings, name).presumed)


def _leading(baseline: Baseline, names: list[str], findings: Findings) -> Row:
    """The first criterion that holds: one that does not read the flipped answers as before, the others afresh."""
    criteria = baseline.guidelines.criteria
    first = len(criteria)
    for at in baseline.criteria_held:
        if criteria[at].condition.reads.isdisjoint(names):
            first = at
            break
    for at in _reading(baseline.guidelines.criteria_reading, names):
        if at > first:
            break
        if criteria[at].condition.holds(findings):
            return criteria[at].row
    return criteria[first].row if first < len(criteria) else ground_row(findings, baseline.guidelines)


def _reading(rows: Mapping[str, tuple[int, ...]], names: list[str]) -> Sequence[int]:
    if len(names) == 1:
        return rows.get(names[0], ())
    return sorted({at for name in names for at in rows.get(name, ())})


def _urgency(baseline: Baseline, names: list[str], findings: Findings) -> int:
    best = len(baseline.guidelines.urgencies) - 1
    for at, condition in baseline.urgency_held:
        if at < best and condition.reads.isdisjoint(names):
            best = at
    for name in names:
        for at, condition in baseline.guidelines.urgency_reading.get(name, ()):
            if at < best and condition.holds(findings):
                best = at
    return best


def _open_pairs(findings: Findings, guidelines: Guidelines) -> Iterator[tuple[Flip, Flip]]:
    for first, second in guidelines.pairs:
        for one in guidelines.flips:
            for other in guidelines.flips:
                if one.finding == first and other.finding == second:
                    if may_flip(findings, one) and may_flip(findings, other):
                        yield one, other


def _change(baseline: Baseline, flips: tuple[Flip, ...]) -> Change | None:
    base, other = baseline.assessment, assess_flipped(baseline, flips)
    if other.urgency is base.urgency and other.category is base.category and other.pama is base.pama:
        return None
    return Change(
        findings=tuple(flip.finding for flip in flips),
        to=tuple(flip.to or flip.answer.value for flip in flips),
        urgency=other.urgency.urgency,
        pama=other.pama,
        category=other.category,
        raises=_raises(base, other),
    )


def _raises(base: Assessment, other: Assessment) -> bool:
    before, after = _URGENCY_RANK[base.urgency.urgency], _URGENCY_RANK[other.urgency.urgency]
    if before != after:
        return after < before
    score = 0 if base.study is None else base.study.score
    return other.study is not None and other.study.score > score


def _order(change: Change, base: Assessment) -> tuple[int, bool]:
    same_category = change.category is base.category and change.pama is base.pama
    return _URGENCY_RANK[change.urgency], same_category
