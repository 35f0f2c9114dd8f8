"""Is the pain improving, unchanged or worse, by serial scores or a stated course, over the last two to six weeks?"""

from datetime import date

from msgspec import Struct

from rules.dates import within_days
from rules.evidence import Evidence
from rules.facts import Fact, FactKind
from rules.finding import Answer, Finding
from rules.findings.answers import UNKNOWN
from rules.findings.reading import Reading, named_now, ordered
from rules.parameters import Parameters

_YES = Answer.YES  # a member of an enumeration is slow to reach
IMPROVING, UNCHANGED, WORSE = "improving", "unchanged", "worse"
_COURSES = {"worsening": WORSE, "improving": IMPROVING, "unchanged": UNCHANGED}
TREND_GROUPS = frozenset({"pain-score", "disability-score", "course", "low-back"})


class _Instrument(Struct, frozen=True):
    """A scale: its mark, the change that counts, where that number comes from, and whether a higher score is worse."""

    mark: str
    change: float
    note: str
    higher_is_worse: bool = True


def _instrument(fact: Fact, limits: Parameters) -> _Instrument | None:
    """The scale of a score; a score on a scale without a published change in force says nothing of the trend."""
    if fact.concept == "pain-score":
        if fact.site == "vas":
            return _Instrument("vas", limits.trend_change_vas_mm, _OSTELO)
        return _Instrument("nrs", limits.trend_change_nrs, _OSTELO)
    if fact.concept == "oswestry-disability-index":
        return _Instrument("oswestry", limits.trend_change_oswestry, _OSTELO)
    if fact.site == "peg":
        return _Instrument("function", limits.trend_change_peg, "minimal-important-change-peg-reed-2024")
    if fact.site == "promis-physical-function":
        change = limits.trend_change_promis_physical_function
        return _Instrument("function", change, "minimal-important-change-promis-29", higher_is_worse=False)
    return None


_NONE: list[Fact] = []
_OSTELO = "minimal-important-change-ostelo-2008"


class _Said(Struct, frozen=True):
    """What one scale, or the stated course, says of the trend."""

    level: str
    mark: str
    note: str
    evidence: tuple[Evidence, ...]


def trend(reading: Reading) -> Finding:
    """Any worsening outweighs an improvement (our choice); where nothing can be compared the trend stays unknown."""
    facts = reading.facts
    scores = facts.get("pain-score", _NONE)
    if "disability-score" in facts:
        scores = scores + facts["disability-score"]
    said = _by_scores(reading, scores) if len(scores) > 1 else []
    courses = _stated_courses(reading)
    if courses:
        said += _by_course(reading, courses)
    if not said:
        return UNKNOWN["trend"]
    if len(said) == 1:
        return _as_said(said[0])
    levels = {each.level for each in said}
    level = WORSE if WORSE in levels else IMPROVING if IMPROVING in levels else UNCHANGED
    notes = list(dict.fromkeys(each.note for each in said if each.note))
    if len(levels) > 1:
        notes.append("measures-disagree")
    return Finding(
        "trend",
        Answer.YES,
        level,
        frozenset(each.mark for each in said),
        ordered([evidence for each in said if each.level == level for evidence in each.evidence]),
        ordered([evidence for each in said if each.level != level for evidence in each.evidence]),
        notes=tuple(sorted(notes)),
    )


def _as_said(said: _Said) -> Finding:
    """One measure alone, as in most records that have any."""
    notes = (said.note,) if said.note else ()
    marks, because = frozenset((said.mark,)), ordered(said.evidence)
    return Finding("trend", _YES, said.level, marks, because, (), (), False, None, notes)


def _by_scores(reading: Reading, held: list[Fact]) -> list[_Said]:
    scores: dict[tuple[str, str], list[tuple[date, float, Fact]]] = {}
    for fact in held:
        if fact.present and fact.value is not None:
            day = _exact_day(fact, reading.as_of)
            if day is not None:
                scores.setdefault((fact.concept, fact.site), []).append((day, fact.value, fact))
    found: list[_Said] = []
    for scale in sorted(scores):
        series = scores[scale]
        if len(series) > 1:
            instrument = _instrument(series[0][2], reading.parameters)
            said = None if instrument is None else _compare(reading, instrument, series)
            if said is not None:
                found.append(said)
    return found


def _exact_day(fact: Fact, as_of: date) -> date | None:
    """Scores without an exact day cannot be put in order."""
    began = fact.began
    if began is None or began.earliest is None or began.earliest != began.latest or began.earliest > as_of:
        return None
    return began.earliest


def _compare(reading: Reading, scale: _Instrument, series: list[tuple[date, float, Fact]]) -> _Said | None:
    """The latest score against those two to six weeks before it; on one day the worst score counts."""
    limits = reading.parameters
    sign = 1.0 if scale.higher_is_worse else -1.0
    by_day: dict[date, tuple[float, Fact]] = {}
    for day, value, fact in series:
        badness = sign * value
        held = by_day.get(day)
        if held is None or (badness, fact.evidence.reference) > (held[0], held[1].evidence.reference):
            by_day[day] = (badness, fact)
    latest = max(by_day)
    if (reading.as_of - latest).days > limits.trend_max_days:
        return None
    least, most = limits.trend_min_days, limits.trend_max_days
    earlier = sorted([day for day in by_day if least <= (latest - day).days <= most])
    if not earlier:
        return None
    now, fact = by_day[latest]
    best = min(earlier, key=lambda day: by_day[day][0])
    if now - by_day[best][0] >= scale.change:
        return _Said(WORSE, scale.mark, scale.note, (by_day[best][1].evidence, fact.evidence))
    first, before = by_day[earlier[0]]
    level = IMPROVING if first - now >= scale.change else UNCHANGED
    return _Said(level, scale.mark, scale.note, (before.evidence, fact.evidence))


def _by_course(reading: Reading, stated: list[tuple[Fact, str]]) -> list[_Said]:
    """The latest stated course; several on the latest day that disagree are all kept."""
    newest: date | None = None
    found: list[_Said] = []
    for fact, level in stated:
        day = _said_on(reading, fact)
        if day is None:
            continue
        if newest is None or day > newest:
            newest, found = day, []
        if day == newest:
            found.append(_Said(level, "coded", "", (fact.evidence,)))
    return found


def _stated_courses(reading: Reading) -> list[tuple[Fact, str]]:
    """Entries that state a course: as a code of its own, or as a word beside the back problem."""
    found: list[tuple[Fact, str]] = []
    for fact in reading.facts.get("course", _NONE):
        level = _COURSES.get(fact.course or fact.concept.removeprefix("course-"))
        if level is not None and fact.present:
            found.append((fact, level))
    for fact in reading.facts.get("low-back", _NONE):
        if fact.course and fact.present and fact.course in _COURSES:
            found.append((fact, _COURSES[fact.course]))
    return found


def _said_on(reading: Reading, fact: Fact) -> date | None:
    """The day on which the course was said, if in the last six weeks; what this order or encounter says is of today."""
    if fact.kind is FactKind.REASON or (fact.began is None and named_now(reading, fact)):
        return reading.as_of
    began = fact.began
    if began is None or began.latest is None or fact.kind not in (FactKind.OBSERVATION, FactKind.CONDITION):
        return None
    return began.latest if within_days(began, reading.as_of, reading.parameters.trend_max_days) else None
