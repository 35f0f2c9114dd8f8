"""Days on systemic corticosteroids in the last twelve months, from prescriptions, and long-term use as a status."""

from datetime import date, timedelta

from msgspec import Struct

from rules.evidence import Evidence
from rules.facts import Fact, FactKind
from rules.findings.reading import NOT_DONE, Reading, evidence_of, happened_within, ordered

STEROID_GROUPS = frozenset({"corticosteroid-medicine", "corticosteroid-status"})
_STATUS_KINDS = frozenset({FactKind.CONDITION, FactKind.OBSERVATION, FactKind.REASON})
_DAY = timedelta(days=1)


class SteroidUse(Struct, frozen=True):
    """Is use long enough to count, and what says so. ``named``: too short, or without a duration."""

    long_term: bool
    evidence: tuple[Evidence, ...] = ()
    named: tuple[Evidence, ...] = ()


class _Course(Struct, frozen=True):
    """The days up to today that one prescription covers. ``supply``: in days; a refill follows the first."""

    first: date
    last: date
    supply: int | None
    certain: bool
    fact: Fact


NO_STEROIDS = SteroidUse(long_term=False)


def steroid_use(reading: Reading) -> SteroidUse:
    """Long-term status, or enough days of prescriptions in the window (days as CMS166v7, refills as HEDIS counts)."""
    status = _status(reading)
    medicines = [f for f in reading.group("corticosteroid-medicine") if f.present and f.state not in NOT_DONE]
    courses = [course for fact in medicines if (course := _course(fact, reading.as_of)) is not None]
    needed = reading.parameters.corticosteroid_days
    certain = _days_covered(reading, [course for course in courses if course.certain]) >= needed
    if certain or _days_covered(reading, courses) >= needed:
        counted = [evidence_of(course.fact, uncertain=not certain and not course.certain) for course in courses]
        return SteroidUse(True, ordered(status + counted))
    return SteroidUse(bool(status), ordered(status), ordered([fact.evidence for fact in medicines]))


def _status(reading: Reading) -> list[Evidence]:
    """Long-term use as a status: current, or over but inside the window (an unknown end counts, and says so)."""
    days = reading.parameters.corticosteroid_window_days
    found: list[Evidence] = []
    for fact in reading.group("corticosteroid-status"):
        if not fact.present or fact.kind not in _STATUS_KINDS:
            continue
        inside = True if fact.current else happened_within(fact, reading.as_of, days)
        if inside is not False:
            found.append(evidence_of(fact, uncertain=inside is None))
    return found


def _course(fact: Fact, as_of: date) -> _Course | None:
    """One prescription. Without an end or a supply, a current one is taken to last until today, as uncertain."""
    supply, began, ended = fact.days_supplied, fact.began, fact.ended
    if began is None:
        return None if supply is None else _Course(_before(as_of, supply), as_of, supply, False, fact)
    exact = began.earliest is not None and began.earliest == began.latest
    first = began.earliest or began.latest or as_of
    if first > as_of:
        return None
    if supply is not None:
        if not exact and began.latest is not None:
            # Of the possible starts, the one that leaves most of the supply before today.
            first = max(first, min(began.latest, _before(as_of, supply)))
        return _Course(first, _after(first, supply - 1, as_of), supply, exact, fact)
    if ended is not None:
        last = min(ended.latest or as_of, as_of)  # "9999-12-31" is how some records say that there is no end
        return _Course(first, last, None, exact and ended.earliest == ended.latest, fact)
    return _Course(first, as_of, None, False, fact) if fact.current else None


def _before(as_of: date, supply: int) -> date:
    """The first day of a supply that ends today; of one that stands for "for ever", the first day that there is."""
    return as_of - min(supply - 1, (as_of - date.min).days) * _DAY


def _after(first: date, days: int, as_of: date) -> date:
    """So many days later, or today."""
    return first + min(days, (as_of - first).days) * _DAY


def _days_covered(reading: Reading, courses: list[_Course]) -> int:
    """Days covered in the window: an overlap counts once; a refill fetched early is taken after the first supply."""
    opens = reading.as_of - (reading.parameters.corticosteroid_window_days - 1) * _DAY
    days = 0
    until: date | None = None
    started: date | None = None
    for course in sorted(courses, key=_span):
        first, last = course.first, course.last
        if until is not None and first <= until:
            if course.supply is not None and started is not None and first > started:
                last = _after(until, course.supply, reading.as_of)
            first = until + _DAY
        started = course.first
        if last >= first:
            until = last
            days += max((last - max(first, opens)).days + 1, 0)
    return days


def _span(course: _Course) -> tuple[date, date]:
    return (course.first, course.last)
