"""How an answer is put together: what counts, what contradicts it, what was only named, and what silence means."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from msgspec import Struct

from rules.dates import DateInterval
from rules.evidence import Evidence
from rules.facts import Fact, FactKind
from rules.finding import Answer, Finding
from rules.findings.questions import QUESTIONS
from rules.findings.reading import Reading, evidence_of, happened_within, ordered

_NO_MARKS: frozenset[str] = frozenset()


class Gathered(Struct):
    """What one question found while it read the record; an answer is made of it at the end."""

    because: list[Evidence]
    against: list[Evidence]
    considered: list[Evidence]
    denied: list[Evidence]  # stated absence that answers the whole question
    marks: set[str]
    notes: list[str]

    @classmethod
    def nothing(cls) -> "Gathered":
        """Nothing found yet."""
        return cls([], [], [], [], set(), [])

    def count(self, fact: Fact, mark: str = "", *, uncertain: bool = False) -> None:
        """The fact makes the answer yes."""
        self.because.append(evidence_of(fact, uncertain=uncertain))
        if mark:
            self.marks.add(mark)

    def name_only(self, fact: Fact) -> None:
        """The fact is named beside the answer and does not count."""
        self.considered.append(fact.evidence)


def conclude(reading: Reading, name: str, found: Gathered, level: str = "") -> Finding:
    """Yes with its contradictions; or no, because stated absent; or no, presumed from silence."""
    marks = frozenset(found.marks) if found.marks else _NO_MARKS
    considered = ordered(found.considered) if found.considered else ()
    notes = tuple(sorted(set(found.notes))) if found.notes else ()
    statement = reading.statement if name in ANSWERED_BY_STATEMENT else None
    if found.because:
        against = found.against + found.denied
        if statement is not None:
            against.append(statement)
        because = ordered(found.because)
        return Finding(name, Answer.YES, level, marks, because, ordered(against), considered, notes=notes)
    denied = found.denied if statement is None else [*found.denied, statement]
    return Finding(name, Answer.NO, "", marks, ordered(denied), (), considered, presumed=not denied, notes=notes)


_LEVEL_OF_NO = {"weakness": "none", "conservative_care": "none"}
PRESUMED_NO = {
    name: Finding(name, Answer.NO, _LEVEL_OF_NO.get(name, ""), presumed=True)
    for name, question in QUESTIONS.items()
    if question.silence == "no"
}
UNKNOWN = {name: Finding(name, Answer.UNKNOWN) for name, question in QUESTIONS.items() if question.silence != "no"}
# "Red flags and strength checked, none" answers these.
ANSWERED_BY_STATEMENT = frozenset(name for name, question in QUESTIONS.items() if "checked-none" in question.no)


def silence_on(statement: Evidence | None) -> Mapping[str, Finding]:
    """What silence answers: presumed absent, unless a clinician stated today that nothing was found."""
    if statement is None:
        return PRESUMED_NO
    stated = {
        name: Finding(name, Answer.NO, _LEVEL_OF_NO.get(name, ""), because=(statement,))
        for name in ANSWERED_BY_STATEMENT
    }
    return {**PRESUMED_NO, **stated}


def count_recent(reading: Reading, found: Gathered, facts: Iterable[Fact], days: int, mark: str) -> None:
    """Entries of the last ``days`` days count (an unknown date counts and says so); older ones are named."""
    for fact in facts:
        inside = happened_within(fact, reading.as_of, days)
        if not fact.present:
            if inside is not False:
                found.against.append(fact.evidence)
        elif inside is False:
            found.name_only(fact)
        else:  # the order's own reason speaks of today: no date is missing
            found.count(fact, mark, uncertain=inside is None and fact.kind is not FactKind.REASON)


def count_any_time(found: Gathered, facts: Iterable[Fact], mark: str) -> None:
    """Entries count whatever their date and status, history included; a refuted one is evidence against."""
    for fact in facts:
        if fact.present:
            found.count(fact, mark)
        else:
            found.denied.append(fact.evidence)


def count_current(found: Gathered, facts: Iterable[Fact], mark: str) -> None:
    """Current entries count; ended ones are named; a refuted one is evidence against."""
    for fact in facts:
        if not fact.present:
            found.denied.append(fact.evidence)
        elif fact.current:
            found.count(fact, mark)
        else:
            found.name_only(fact)


def earliest(began: Sequence[DateInterval | None]) -> DateInterval | None:
    """The earliest of several dates (of two with one first day, the more exact), undated ones left out."""
    if len(began) == 1:
        return began[0]
    found: DateInterval | None = None
    first: tuple[date, date, bool] | None = None
    for each in began:
        if each is None:
            continue
        days = (each.earliest or each.latest or date.max, each.latest or date.max, each.earliest is None)
        if first is None or days < first:
            found, first = each, days
    return found
