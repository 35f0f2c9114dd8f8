"""Is the patient pregnant, by codes and tests; or of an age and sex where one asks before radiation and gadolinium?"""

from datetime import date

from rules.dates import within_days
from rules.evidence import Evidence
from rules.facts import Fact
from rules.finding import Answer, Finding
from rules.findings.answers import UNKNOWN
from rules.findings.reading import Reading, evidence_of, happened_within, named_now, ordered

NAME = "pregnancy"
PREGNANCY_GROUPS = frozenset({"pregnancy", "pregnancy-possible", "pregnancy-ended"})


def pregnancy(reading: Reading) -> Finding:
    """The newest of pregnancy, its end, and a negative test decides; an unknown date counts as possibly today."""
    if PREGNANCY_GROUPS.isdisjoint(reading.facts):
        return UNKNOWN[NAME]
    pregnant = [fact for fact in reading.group("pregnancy") if fact.present and _lasts(reading, fact)]
    over = [fact for fact in reading.group("pregnancy") if fact.present and not _lasts(reading, fact)]
    ended = [fact for fact in reading.group("pregnancy-ended") if fact.present]
    negative = [fact for fact in reading.group("pregnancy") if not fact.present]
    considered = [fact.evidence for fact in over]
    still = [fact for fact in pregnant if not any(_after(end, fact) for end in ended)]
    if still:
        newer = [fact.evidence for fact in negative if any(_after(fact, each) for each in still)]
        tests_only = all(fact.concept == "pregnancy-test" for fact in still)
        if newer and tests_only and all(any(_after(no, yes) for no in negative) for yes in still):
            return Finding(NAME, Answer.NO, because=ordered(newer), considered=_shown(still, considered))
        notes = ("newer-negative-test",) if newer else ()
        because = ordered([evidence_of(fact, uncertain=_uncertain(reading, fact)) for fact in still])
        return Finding(
            NAME, Answer.YES, because=because, against=ordered(newer), considered=ordered(considered), notes=notes
        )
    return _possible_or_not(reading, ended, negative, considered)


def _possible_or_not(reading: Reading, ended: list[Fact], negative: list[Fact], considered: list[Evidence]) -> Finding:
    denied = [fact for fact in negative if _negative_holds(reading, fact)]
    possible = [
        fact
        for fact in reading.group("pregnancy-possible")
        if fact.present
        and fact.current
        and happened_within(fact, reading.as_of, reading.parameters.pregnancy_test_lookback_days) is not False
        and not any(_after(no, fact) for no in (*denied, *ended))
    ]
    if possible:
        because = ordered([fact.evidence for fact in possible])
        against = ordered([fact.evidence for fact in denied])
        return Finding(
            NAME, Answer.UNKNOWN, "possible", because=because, against=against, considered=ordered(considered)
        )
    considered = considered + [fact.evidence for fact in ended]
    if denied:
        return Finding(NAME, Answer.NO, because=ordered([f.evidence for f in denied]), considered=ordered(considered))
    considered += [fact.evidence for fact in negative]
    return Finding(NAME, Answer.UNKNOWN, considered=ordered(considered)) if considered else UNKNOWN[NAME]


def _shown(still: list[Fact], considered: list[Evidence]) -> tuple[Evidence, ...]:
    return ordered([fact.evidence for fact in still] + considered)


def _lasts(reading: Reading, fact: Fact) -> bool:
    """Within the length of a pregnancy, and not closed; undated entries may be of today."""
    if not fact.current:
        return False
    return happened_within(fact, reading.as_of, reading.parameters.pregnancy_test_lookback_days) is not False


def _uncertain(reading: Reading, fact: Fact) -> bool:
    days = reading.parameters.pregnancy_test_lookback_days
    return not named_now(reading, fact) and happened_within(fact, reading.as_of, days) is None


def _negative_holds(reading: Reading, fact: Fact) -> bool:
    """A negative test or status speaks for a few days only."""
    if named_now(reading, fact):
        return True
    return (
        fact.began is not None
        and within_days(fact.began, reading.as_of, reading.parameters.pregnancy_negative_days) is True
    )


def _after(later: Fact, earlier: Fact) -> bool:
    """Is ``later`` surely dated after ``earlier``? Without both dates it is not."""
    first, last = _first(later), _last(earlier)
    return first is not None and last is not None and first > last


def _first(fact: Fact) -> date | None:
    return None if fact.began is None else fact.began.earliest or fact.began.latest


def _last(fact: Fact) -> date | None:
    return None if fact.began is None else fact.began.latest or fact.began.earliest


def could_be_pregnant(reading: Reading) -> bool:
    """Age and sex alone are a reason to ask only."""
    if reading.picture.sex == "male":
        return False
    age, limits = reading.picture.age, reading.parameters
    if age is None:
        return True
    return age.oldest >= limits.pregnancy_age_min_years and age.youngest <= limits.pregnancy_age_max_years
