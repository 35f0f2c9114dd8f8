"""What would change the advice: the same decision, asked again with one unknown or presumed answer flipped."""

from collections.abc import Iterator, Mapping

from msgspec import structs

from rules.decide import Assessment, Patient, assess
from rules.finding import Answer, Finding, Findings
from rules.guidelines import Flip, Guidelines
from rules.procedures import Procedure
from rules.recommendation import Change, Urgency

MOST_SHOWN = 3
_URGENCY_RANK: Mapping[Urgency, int] = {urgency: rank for rank, urgency in enumerate(Urgency)}
# Strengtheners never lead, but with one on record a rating is not called robust (ACR Suspected Spine Infection).
_STRENGTHENERS = frozenset({"diabetes", "dialysis"})


def what_would_change(
    base: Assessment, procedure: Procedure | None, findings: Findings, patient: Patient, guidelines: Guidelines
) -> tuple[Change, ...]:
    """Every flip that changes category or urgency: by urgency, then change of category, then table order."""
    changes = [
        change
        for flip in guidelines.flips
        if may_flip(findings, flip)
        and (change := _change(base, procedure, _flipped(findings, flip), patient, guidelines, (flip,))) is not None
    ]
    if not changes:
        changes = [
            change
            for pair in _open_pairs(findings, guidelines)
            if (change := _change(base, procedure, _both(findings, pair), patient, guidelines, pair)) is not None
        ]
    return tuple(sorted(changes, key=lambda change: _order(change, base)))  # sorted() keeps the table order of equals


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


def _flipped(findings: Findings, flip: Flip) -> Findings:
    finding: Finding = getattr(findings, flip.finding)
    answered = Finding(finding.name, flip.answer, flip.to, finding.marks)
    changes: dict[str, Finding] = {flip.finding: answered}
    return structs.replace(findings, **changes)


def _both(findings: Findings, flips: tuple[Flip, ...]) -> Findings:
    for flip in flips:
        findings = _flipped(findings, flip)
    return findings


def _open_pairs(findings: Findings, guidelines: Guidelines) -> Iterator[tuple[Flip, Flip]]:
    for first, second in guidelines.pairs:
        for one in guidelines.flips:
            for other in guidelines.flips:
                if one.finding == first and other.finding == second:
                    if may_flip(findings, one) and may_flip(findings, other):
                        yield one, other


def _change(
    base: Assessment,
    procedure: Procedure | None,
    findings: Findings,
    patient: Patient,
    guidelines: Guidelines,
    flips: tuple[Flip, ...],
) -> Change | None:
    other = assess(procedure, findings, patient, guidelines)
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
