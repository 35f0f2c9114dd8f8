"""Risk of a fracture from little force (ACR variant 6), and major trauma, which lies outside the low-back topic."""

from rules.facts import Fact
from rules.finding import Answer, Finding
from rules.findings.age import age_evidence, older_than
from rules.findings.answers import Gathered, conclude, count_any_time, count_recent
from rules.findings.infection import count_statement
from rules.findings.reading import NOT_DONE, Reading, in_episode
from rules.findings.steroids import SteroidUse

FRACTURE_GROUPS = frozenset({
    "low-velocity-trauma", "osteoporosis", "osteoporosis-treatment", "vertebral-fracture", "fragility-fracture",
    "midline-tenderness", "fracture-statement", "fracture-aftercare",
})  # fmt: skip


def fracture_risk(reading: Reading, steroids: SteroidUse) -> Finding:
    """Low-velocity trauma, weak bone, a fracture of it, long-term steroids, or age over 70 (called a weak reason)."""
    older = older_than(reading.picture.age, reading.parameters.older_age_years)
    found = Gathered.nothing()
    _entries(reading, steroids, found)
    fell = "low-velocity-trauma" in found.marks
    _tenderness(reading, fell, found)
    level = _by_age(reading, older, fell, found)
    if older is None and reading.picture.age is not None and not found.because:
        return _age_leaves_it_open(reading, found)
    return conclude(reading, "fracture_risk", found, level)


def too_young_for_risk(reading: Reading) -> bool:
    """Is the patient surely below every age that stands for the risk?"""
    age, limits = reading.picture.age, reading.parameters
    return age is not None and age.oldest <= limits.older_age_years and age.oldest <= limits.acp_older_age_years


def _entries(reading: Reading, steroids: SteroidUse, found: Gathered) -> None:
    falls = reading.group("low-velocity-trauma")
    count_recent(reading, found, falls, reading.parameters.trauma_lookback_days, "low-velocity-trauma")
    for group in ("osteoporosis", "vertebral-fracture", "fragility-fracture"):
        facts = reading.group(group)
        count_any_time(found, [fact for fact in facts if fact.present], group)
        found.against.extend(fact.evidence for fact in facts if not fact.present)
    count_any_time(found, _treatments(reading), "osteoporosis-treatment")
    count_statement(reading, found, "fracture-statement")
    if steroids.long_term:
        found.because.extend(steroids.evidence)
        found.marks.add("corticosteroids")
    found.considered.extend(steroids.named)
    for fact in reading.group("fracture-aftercare"):
        if fact.present:
            found.name_only(fact)


def _treatments(reading: Reading) -> list[Fact]:
    """A medicine for osteoporosis, unless given for something else (bone metastases, myeloma) as the record states."""
    return [
        fact
        for fact in reading.group("osteoporosis-treatment")
        if fact.present and not fact.stated_other_indication and fact.state not in NOT_DONE
    ]


def _tenderness(reading: Reading, fell: bool, found: Gathered) -> None:
    """Midline tenderness after trauma adds the trauma reading; without trauma it is named."""
    for fact in reading.group("midline-tenderness"):
        if not fact.present or in_episode(reading, fact) is False:
            continue
        if fell:
            found.count(fact, "midline-tenderness")
        else:
            found.name_only(fact)


def _by_age(reading: Reading, older: bool | None, fell: bool, found: Gathered) -> str:
    """The marks that age gives, and the level: "age-alone" where nothing else stands for the risk."""
    age, limits = reading.picture.age, reading.parameters
    if older_than(age, limits.acp_older_age_years):
        found.marks.add("acp-older-age")
    if fell and older_than(age, limits.trauma_age_years):
        found.marks.add("trauma-over-60")
    if not older:
        return ""
    level = "" if found.because else "age-alone"
    found.marks.add("older-age")
    found.because.append(age_evidence(age))
    return level


def _age_leaves_it_open(reading: Reading, found: Gathered) -> Finding:
    """A partial birth date across the threshold, and nothing else: neither yes nor no."""
    age = reading.picture.age
    found.notes.append("age-uncertain")
    answered = conclude(reading, "fracture_risk", found)
    if not answered.presumed:
        return answered
    return Finding(
        "fracture_risk",
        Answer.UNKNOWN,
        marks=answered.marks,
        considered=(age_evidence(age), *answered.considered),
        notes=answered.notes,
    )


TRAUMA_GROUPS = frozenset({"major-trauma", "traumatic-spinal-fracture", "cord-injury", "major-trauma-statement"})


def major_trauma(reading: Reading) -> Finding:
    """A high-energy mechanism, or a traumatic spinal fracture or cord injury, inside the look-back."""
    days = reading.parameters.trauma_lookback_days
    found = Gathered.nothing()
    mechanisms = reading.group("major-trauma")
    count_recent(reading, found, [fact for fact in mechanisms if fact.present], days, "mechanism")
    found.denied.extend(fact.evidence for fact in mechanisms if not fact.present)
    count_recent(reading, found, reading.group("traumatic-spinal-fracture"), days, "traumatic-fracture")
    count_recent(reading, found, reading.group("cord-injury"), days, "cord-injury")
    count_statement(reading, found, "major-trauma-statement")
    for fact in reading.group("fracture-aftercare"):
        if fact.present:
            found.name_only(fact)
    return conclude(reading, "major_trauma", found)
