"""Weakness of the legs: how severe, on how many levels, and whether it is getting worse."""

from msgspec import Struct

from rules.dates import DateInterval
from rules.evidence import Evidence
from rules.facts import Fact, FactKind
from rules.finding import Answer, Finding
from rules.findings.answers import earliest
from rules.findings.muscle_roots import one_root_explains
from rules.findings.reading import (
    Reading,
    clearly_older,
    evidence_of,
    in_episode,
    named_now,
    ordered,
    stated_now,
)
from rules.findings.strength import NORMAL, SEVERE, GradeCourse, grade_courses


class Weak(Struct, frozen=True):
    """One weakness that is on record: a graded muscle, or a coded one without a grade."""

    sites: tuple[str, ...]
    side: str  # left, right, bilateral, or empty
    severe: bool
    worsening: bool
    evidence: tuple[Evidence, ...]
    recovering: bool = False
    new: bool = False
    foot_drop: bool = False
    began: DateInterval | None = None
    named: bool = False  # by this order or encounter


class Strength(Struct, frozen=True):
    """The answer on weakness, and the weaknesses that count."""

    finding: Finding
    weak: tuple[Weak, ...] = ()


# What a coded weakness is, where it has no grade: muscle groups, severe or not. Plegia and paraparesis are read as
# severe (our choice): no source grades them, and "mild" would be a guess in the wrong direction.
_CODED: dict[str, tuple[tuple[str, ...], bool]] = {
    "foot-drop": (("ankle-dorsiflexion",), True),
    "heel-walk-unable": (("ankle-dorsiflexion",), False),
    "toe-walk-unable": (("ankle-plantarflexion",), False),
    "lower-limb-weakness": ((), False),
    "lower-limb-paralysis": ((), True),
    "paraparesis": ((), True),
    "weakness-features": ((), False),
}
_PERONEAL = frozenset({"ankle-dorsiflexion", "great-toe-extension"})
STRENGTH_GROUPS = frozenset(
    {"muscle-strength", "weakness-coded", "weakness-progression", "strength-normal", "weakness-unclear"}
)


def weakness(reading: Reading) -> Strength:
    """The level of weakness in this episode; what is older and stable, or otherwise explained, is only named."""
    courses = grade_courses(reading)
    considered: list[Evidence] = [fact.evidence for fact in reading.group("weakness-unclear") if fact.present]
    notes: list[str] = []
    weak = _graded(reading, courses, considered, notes)
    if "weakness-coded" in reading.facts:
        weak += _coded(reading, considered, notes)
    counted = weak
    if weak and "other-cause-of-weakness" in reading.facts:
        counted = _unexplained(reading, weak, considered, notes)
    progression = _progression(reading, considered, notes) if "weakness-progression" in reading.facts else []
    if not counted and not progression:
        return Strength(_none(reading, _normal(reading, courses), considered, notes))
    normal = _normal(reading, courses if progression else _contradicting(courses, counted))
    against = normal if reading.statement is None else [*normal, reading.statement]
    not_new = any(
        fact.concept == "weakness-new-or-worse-no" and stated_now(reading, fact)
        for fact in reading.group("strength-normal")
    )
    finding = Finding(
        "weakness",
        Answer.YES,
        _level(counted, bool(progression)),
        _marks(counted, not_new),
        ordered([evidence for each in counted for evidence in each.evidence] + progression),
        ordered(against),
        ordered(considered),
        notes=tuple(dict.fromkeys(notes)),
    )
    return Strength(finding, tuple(counted))


def _graded(reading: Reading, courses: list[GradeCourse], considered: list[Evidence], notes: list[str]) -> list[Weak]:
    weak: list[Weak] = []
    for course in courses:
        if not course.weak:
            continue
        if course.stable:
            considered.extend(course.evidence)
            notes.append("older-and-stable")
            continue
        weak.append(
            Weak(
                (course.site,),
                course.side,
                course.grade <= SEVERE,
                course.worsening,
                course.evidence,
                recovering=course.recovering,
                new=course.new,
                began=earliest([fact.began for fact in course.facts]),
                named=any(named_now(reading, fact) for fact in course.facts),
            )
        )
    return weak


def _coded(reading: Reading, considered: list[Evidence], notes: list[str]) -> list[Weak]:
    weak: list[Weak] = []
    for fact in reading.group("weakness-coded"):
        if not fact.present or not fact.current:
            continue
        sites, severe = _CODED[fact.concept]
        worse = fact.course == "worsening"
        if clearly_older(reading, fact) and not (worse and fact.kind is FactKind.CONDITION):
            considered.append(fact.evidence)
            notes.append("older-and-stable")
            continue
        side = "bilateral" if fact.concept == "paraparesis" else fact.side
        weak.append(
            Weak(
                sites,
                side,
                severe,
                worse,
                (_dated(fact),),
                new=not severe,
                foot_drop=fact.concept == "foot-drop",
                began=fact.began,
                named=named_now(reading, fact),
            )
        )
    return weak


def _dated(fact: Fact) -> Evidence:
    return evidence_of(fact, uncertain=fact.began is None and fact.kind is not FactKind.REASON)


def _unexplained(reading: Reading, weak: list[Weak], considered: list[Evidence], notes: list[str]) -> list[Weak]:
    """What no other coded cause explains. A weakness that is getting worse is never explained away by an old cause."""
    causes = [fact for fact in reading.group("other-cause-of-weakness") if fact.present and not fact.suspected]
    both = {"left", "right"} <= _sides(weak)
    left_over: list[Weak] = []
    for each in weak:
        explaining = [cause for cause in causes if _explains(cause, each, both)]
        if each.worsening or not explaining:
            left_over.append(each)
        else:
            considered.extend((*each.evidence, *(cause.evidence for cause in explaining)))
            notes.append("explained-by-another-cause")
    return left_over


def _explains(cause: Fact, weak: Weak, both_legs: bool) -> bool:
    if cause.side == "bilateral":
        one_leg = True
    elif cause.side:
        one_leg = cause.side == weak.side
    else:
        one_leg = not both_legs and weak.side != "bilateral"
    if not one_leg:
        return False
    return cause.concept != "peroneal-neuropathy" or (bool(weak.sites) and _PERONEAL.issuperset(weak.sites))


def _progression(reading: Reading, considered: list[Evidence], notes: list[str]) -> list[Evidence]:
    """Progression that the record, or the clinician's answer, states as such."""
    found: list[Evidence] = []
    for fact in reading.group("weakness-progression"):
        if not fact.present:
            continue
        if fact.concept == "weakness-new-or-worse-yes":
            if stated_now(reading, fact):
                found.append(fact.evidence)
                notes.append("stated-new-or-worse")
        elif clearly_older(reading, fact) or not fact.current:
            considered.append(fact.evidence)
        else:
            found.append(_dated(fact))
    return found


def _normal(reading: Reading, courses: list[GradeCourse]) -> list[Evidence]:
    """Strength examined and normal, in this episode: it answers the question, and contradicts a weakness on record."""
    found: list[Evidence] = []
    for course in courses:
        if course.grade >= NORMAL and not course.stable:
            found += course.evidence
    for group, present in _NORMAL_GROUPS:
        for fact in reading.facts.get(group, ()):
            if fact.present is not present or in_episode(reading, fact) is False:
                continue
            if fact.concept != "weakness-new-or-worse-no" or stated_now(reading, fact):
                found.append(fact.evidence)
    return found


def _contradicting(courses: list[GradeCourse], weak: list[Weak]) -> list[GradeCourse]:
    """Grades that may be of a muscle said to be weak: a strong right leg says nothing against a weak left one."""
    return [course for course in courses if any(_may_be_same(course, each) for each in weak)]


def _may_be_same(course: GradeCourse, weak: Weak) -> bool:
    if weak.sites and course.site not in weak.sites:
        return False
    return not course.side or weak.side in ("", "bilateral", course.side)


_NORMAL_GROUPS = (("strength-normal", True), ("weakness-coded", False), ("weakness-progression", False))


def _none(reading: Reading, normal: list[Evidence], considered: list[Evidence], notes: list[str]) -> Finding:
    because = normal if reading.statement is None else [*normal, reading.statement]
    return Finding(
        "weakness",
        Answer.NO,
        "none",
        because=ordered(because),
        considered=ordered(considered),
        presumed=not because,
        notes=tuple(dict.fromkeys(notes)),
    )


def _level(weak: list[Weak], progression: bool) -> str:
    if progression or any(each.worsening for each in weak):
        return "worsening"
    return "severe" if any(each.severe for each in weak) else "mild"


def _marks(weak: list[Weak], not_new: bool) -> frozenset[str]:
    marks: set[str] = set()
    for each in weak:
        if each.recovering:
            marks.add("recovering")
        if each.new and not not_new:
            marks.add("new")
        if each.foot_drop:
            marks.add("foot-drop")
        if any("from text" in evidence.marks for evidence in each.evidence):
            marks.add("from-text")
    if {"left", "right"} <= _sides(weak):
        marks |= {"bilateral", "multilevel"}
    elif not _one_root(weak):
        marks.add("multilevel")
    return frozenset(marks)


def _sides(weak: list[Weak]) -> set[str]:
    sides = {each.side for each in weak}
    return {"left", "right"} if "bilateral" in sides else sides


def _one_root(weak: list[Weak]) -> bool:
    """Does a single root explain every weak muscle of one leg? A muscle without a side may belong to either leg."""
    unsided = [site for each in weak if not each.side for site in each.sites]
    for side in _sides(weak) or {""}:
        sites = [site for each in weak if each.side == side and side for site in each.sites] + unsided
        if not one_root_explains(sites):
            return False
    return True
