"""The grades of one muscle group on one side over this episode, and what became of them."""

from datetime import date

from msgspec import Struct

from rules.evidence import Evidence
from rules.facts import Fact
from rules.findings.reading import Reading, clearly_older, evidence_of

NORMAL = 5
SEVERE = 3  # "3 of 5 or less": red-flags, motor_severe_or_foot_drop


class GradeCourse(Struct, frozen=True):
    """How one muscle group and side stands. ``grade`` is the latest; ``stable``: older than the episode, no worse."""

    site: str
    side: str
    grade: int
    worsening: bool
    recovering: bool
    new: bool  # no earlier grade anywhere
    stable: bool
    evidence: tuple[Evidence, ...]  # of this episode; of earlier ones where there is none
    facts: tuple[Fact, ...]

    @property
    def weak(self) -> bool:
        """Is the latest grade below normal?"""
        return self.grade < NORMAL


class _Session(Struct):
    """Grades whose dates cannot be told apart: on one day, or in overlapping partial dates. The lowest counts."""

    first: date
    last: date
    grade: int
    facts: list[Fact]


def grade_courses(reading: Reading) -> list[GradeCourse]:
    """One course for each muscle group and side that was ever graded."""
    graded: dict[tuple[str, str], list[Fact]] = {}
    for fact in reading.group("muscle-strength"):
        if fact.grade is None:
            continue
        for side in ("left", "right") if fact.side == "bilateral" else (fact.side,):
            graded.setdefault((fact.site, side), []).append(fact)
    return [_course(reading, site, side, facts) for (site, side), facts in sorted(graded.items(), key=_key)]


def _key(item: tuple[tuple[str, str], list[Fact]]) -> tuple[str, str]:
    return item[0]


def _course(reading: Reading, site: str, side: str, facts: list[Fact]) -> GradeCourse:
    if len(facts) == 1:
        return _single(reading, site, side, facts[0])
    older = [fact for fact in facts if clearly_older(reading, fact)]
    current = [fact for fact in facts if fact not in older] if older else facts
    if not current:
        return _only_older(reading, site, side, older)
    sessions = _sessions(current)
    worsening = len(sessions) > 1 and sessions[-1].grade < sessions[-2].grade
    grades = [session.grade for session in sessions]
    now = grades[-1:]
    for fact in current:
        worsening = worsening or fact.course == "worsening"
        if fact.began is None and fact.grade is not None:
            now.append(fact.grade)
    grade = min(now)
    worst = min(grades, default=grade)
    baseline = _sessions(older)[-1].grade if older else None
    lowest = min(grade, worst)
    return GradeCourse(
        site,
        side,
        grade,
        worsening=worsening,
        recovering=not worsening and worst < grade < NORMAL,
        new=baseline is None and len(sessions) + (len(now) > 1 or not sessions) < 2,
        stable=not worsening and baseline is not None and baseline < NORMAL and lowest >= baseline,
        evidence=tuple(evidence_of(fact, uncertain=fact.began is None) for fact in current),
        facts=tuple(current),
    )


def _single(reading: Reading, site: str, side: str, fact: Fact) -> GradeCourse:
    """Graded once: new, or named as old; the usual case, answered without putting anything in order."""
    grade = NORMAL if fact.grade is None else fact.grade
    stable = clearly_older(reading, fact)
    worsening = fact.course == "worsening" and not stable
    evidence = (fact.evidence if stable else evidence_of(fact, uncertain=fact.began is None),)
    return GradeCourse(site, side, grade, worsening, False, not stable, stable, evidence, (fact,))


def _only_older(reading: Reading, site: str, side: str, older: list[Fact]) -> GradeCourse:
    """Graded in an earlier episode only: named, not counted."""
    latest = _sessions(older)[-1]
    evidence = tuple(fact.evidence for fact in latest.facts)
    return GradeCourse(
        site, side, latest.grade, worsening=False, recovering=False, new=False, stable=True, evidence=evidence,
        facts=tuple(latest.facts),
    )  # fmt: skip


def _sessions(dated: list[Fact]) -> list[_Session]:
    """Grades in order of time, several on one day (or in overlapping partial dates) taken together at the lowest."""
    spans: list[tuple[date, date, str, Fact]] = []
    for fact in dated:
        began = fact.began
        if began is None or fact.grade is None:
            continue
        last = began.latest or began.earliest or date.max
        spans.append((began.earliest or last, last, fact.evidence.reference, fact))
    spans.sort(key=_span_key)
    sessions: list[_Session] = []
    for first, last, _, fact in spans:
        grade = fact.grade if fact.grade is not None else NORMAL
        if sessions and first <= sessions[-1].last:
            session = sessions[-1]
            session.last = max(session.last, last)
            session.grade = min(session.grade, grade)
            session.facts.append(fact)
        else:
            sessions.append(_Session(first, last, grade, [fact]))
    return sessions


def _span_key(span: tuple[date, date, str, Fact]) -> tuple[date, date, str]:
    return span[:3]
