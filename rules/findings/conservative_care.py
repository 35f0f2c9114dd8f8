"""Conservative care of this episode: documented, directed at the back, attended; and whether it was adequate."""

from datetime import date, timedelta

from msgspec import Struct

from rules.dates import DateInterval, days_after
from rules.evidence import Evidence
from rules.facts import Fact, FactKind
from rules.finding import Answer, Finding
from rules.findings.answers import PRESUMED_NO, earliest
from rules.findings.reading import NOT_DONE, Reading, evidence_of, in_episode, ordered, stated_now

NAME = "conservative_care"
NONE, POSSIBLE, ADEQUATE = "none", "possible", "adequate"
# Kinds of treatment: two of them, or active therapy alone, make care adequate.
ACTIVE = "exercise-therapy"
KINDS = (ACTIVE, "manipulation", "nsaid", "other-analgesic", "neuropathic-medicine")
_STATED = frozenset({"care-done-stated", "care-not-done-stated", "care-duration-stated"})
CARE_GROUPS = _STATED | frozenset(KINDS)
_YES, _UNKNOWN = Answer.YES, Answer.UNKNOWN  # a member of an enumeration is slow to reach
_BOOKED = frozenset({FactKind.REQUEST, FactKind.DRAFT, FactKind.REASON})


class _Care(Struct):
    """What was found: entries surely of this episode by kind, entries that may be, and those of another time."""

    certain: list[tuple[str, Fact]]
    doubtful: list[Fact]
    other_time: list[Fact]


def conservative_care(reading: Reading, indication: Finding) -> Finding:
    """None; possible (started); or adequate: 42 days, with active therapy or two kinds, and the pain persists."""
    care = _gather(reading)
    if not _STATED.isdisjoint(reading.facts):
        stated = _stated(reading, care)
        if stated is not None:
            return stated
    considered = ordered([fact.evidence for fact in care.other_time]) if care.other_time else ()
    if not care.certain and not care.doubtful:
        return Finding(NAME, Answer.NO, NONE, considered=considered, presumed=True) if considered else PRESUMED_NO[NAME]
    return _judged(reading, indication, care, considered)


def _judged(reading: Reading, indication: Finding, care: _Care, considered: tuple[Evidence, ...]) -> Finding:
    kinds: set[str] = set()
    evidence: list[Evidence] = []
    began: list[DateInterval | None] = []
    for kind, fact in care.certain:
        kinds.add(kind)
        evidence.append(evidence_of(fact))
        began.append(fact.began)
    marks: list[str] = []
    if ACTIVE in kinds:
        marks.append("active-therapy")
    if len(kinds) > 1:
        marks.append("two-kinds")
    enough_kinds = bool(marks)
    notes: list[str] = []
    long_enough = _since_at_least(reading, began) if began else None
    if long_enough is False:
        marks.append("during-care")
    if long_enough is None:
        notes.append("date-uncertain")
    if kinds and not enough_kinds:
        notes.append("one-kind-without-active-therapy")
    persisting = _persisting(reading, indication)
    if not persisting:
        notes.append("symptoms-not-shown-to-persist")
    adequate = bool(long_enough) and persisting and enough_kinds
    if care.doubtful:
        evidence += [evidence_of(fact, uncertain=True) for fact in care.doubtful]
    since = earliest(began or [fact.began for fact in care.doubtful])
    return Finding(
        NAME,
        _YES if adequate else _UNKNOWN,
        ADEQUATE if adequate else POSSIBLE,
        frozenset(marks),
        ordered(evidence),
        (),
        considered,
        False,
        since,
        tuple(notes),
    )


def _gather(reading: Reading) -> _Care:
    care = _Care([], [], [])
    for kind in KINDS:
        for fact in reading.facts.get(kind, ()):
            if not fact.present or fact.kind in _BOOKED or fact.state in NOT_DONE or fact.stated_other_indication:
                continue
            # Uncertain is not enough here: the entry must begin inside the episode, not only perhaps.
            inside = None if fact.began is None else in_episode(reading, fact)
            if inside:
                care.certain.append((kind, fact))
            elif inside is None:
                care.doubtful.append(fact)
            else:
                care.other_time.append(fact)
    spans = reading.episode.spans
    return care if spans is None or not care.certain else _without_interrupted(reading, care, spans)


def _without_interrupted(reading: Reading, care: _Care, spans: tuple[tuple[date, date], ...]) -> _Care:
    """Care before a gap without entries of this pain was of an earlier course, even inside an episode stated as one."""
    since = _unbroken_since(reading, [*spans, *(_span(fact, reading.as_of) for _, fact in care.certain)])
    recent: list[tuple[str, Fact]] = []
    for kind, fact in care.certain:
        if _span(fact, reading.as_of)[1] >= since:
            recent.append((kind, fact))
        else:
            care.other_time.append(fact)
    return _Care(recent, care.doubtful, care.other_time)


def _unbroken_since(reading: Reading, spans: list[tuple[date, date]]) -> date:
    """Back from today, as far as no gap between entries is longer than the one that starts a new episode."""
    gap = timedelta(days=reading.episode.gap_days)
    since = reading.as_of  # the order itself is about this pain
    for first, last in sorted(spans, key=_end, reverse=True):
        if since - last > gap:
            break
        since = min(since, first)
    return since


def _end(span: tuple[date, date]) -> date:
    return span[1]


def _span(fact: Fact, as_of: date) -> tuple[date, date]:
    """The days that an entry of treatment covers; an open prescription speaks of the day on which it was written."""
    began = fact.began
    first = as_of if began is None else began.earliest or began.latest or as_of
    last = first if began is None else began.latest or first
    if fact.ended is not None and fact.ended.latest is not None:
        last = fact.ended.latest
    elif fact.days_supplied is not None:
        last = days_after(first, fact.days_supplied)
    return first, max(first, min(last, as_of))


def _since_at_least(reading: Reading, starts: list[DateInterval | None]) -> bool | None:
    """Did the first entry begin 42 days ago or more? ``None``: its date straddles the limit."""
    on = reading.as_of - timedelta(reading.parameters.adequate_care_days)
    open_date = False
    for began in starts:
        if began is None:
            continue
        if began.latest is not None and began.latest <= on:
            return True
        if began.earliest is None or began.earliest <= on:
            open_date = True
    return None if open_date else False


def _persisting(reading: Reading, indication: Finding) -> bool:
    """The pain is still the reason for the order, and the newest pain score is not zero."""
    if indication.answer is not _YES:
        return False
    newest: tuple[date, float] | None = None
    for fact in reading.facts.get("pain-score", ()):
        began, score = fact.began, fact.value
        if began is not None and began.latest is not None and score is not None and fact.present:
            scored = (began.latest, score)
            if newest is None or scored > newest:
                newest = scored
    return newest is None or newest[1] > 0


# --- as stated by the clinician --------------------------------------------------------------------------------------


def _stated(reading: Reading, care: _Care) -> Finding | None:
    """The clinician's answer for this order or episode; "yes" outweighs "no" where both stand."""
    yes = _statements(reading, "care-done-stated")
    no = _statements(reading, "care-not-done-stated")
    documented = ordered([fact.evidence for _, fact in care.certain] + [fact.evidence for fact in care.doubtful])
    other_time = ordered([fact.evidence for fact in care.other_time])
    long = [
        fact
        for fact in _statements(reading, "care-duration-stated")
        if fact.value is not None and fact.value >= reading.parameters.adequate_care_days
    ]
    if yes or long:
        because = ordered([fact.evidence for fact in yes + long] + list(documented))
        against = ordered([fact.evidence for fact in no])
        since = earliest([fact.began for _, fact in care.certain])
        marks = frozenset({"stated"})
        return Finding(NAME, Answer.YES, ADEQUATE, marks, because, against, considered=other_time, since=since)
    if no:
        because, marks = ordered([fact.evidence for fact in no]), frozenset({"stated"})
        return Finding(NAME, Answer.NO, NONE, marks, because, against=documented, considered=other_time)
    return None


def _statements(reading: Reading, group: str) -> list[Fact]:
    return [f for f in reading.group(group) if f.present and (stated_now(reading, f) or in_episode(reading, f) is True)]
