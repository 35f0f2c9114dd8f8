"""Other explanations: mimics to consider, axial spondyloarthritis, and an aortic emergency."""

from rules.dates import within_days
from rules.facts import Fact, FactKind
from rules.finding import Finding
from rules.findings.answers import Gathered, conclude, count_any_time, count_current
from rules.findings.reading import Reading

_MIMICS = {
    "mimic-hip": "hip-osteoarthritis",
    "mimic-sacroiliac": "sacroiliac",
    "mimic-neuropathy": "peripheral-neuropathy",
    "mimic-vascular": "vascular-claudication",
    "mimic-shingles": "shingles",
}
MIMIC_GROUPS = frozenset(_MIMICS)


def mimic(reading: Reading) -> Finding:
    """Active ones are named as "also consider"; they never refuse a study."""
    found = Gathered.nothing()
    for group, mark in _MIMICS.items():
        count_current(found, reading.group(group), mark)
    return conclude(reading, "mimic", found)


def axial_spondyloarthritis(reading: Reading) -> Finding:
    """Suspected or diagnosed: a lifelong disease, so that the status of the entry does not matter."""
    found = Gathered.nothing()
    count_any_time(found, reading.group("axial-spondyloarthritis"), "")
    return conclude(reading, "axial_spondyloarthritis", found)


AORTIC_GROUPS = frozenset({"aortic-aneurysm", "aortic-dissection"})


def aortic(reading: Reading, indication: Finding, trend: Finding) -> Finding:
    """A known or suspected aneurysm or dissection, with pain that is new or worse in two weeks, or of unknown date."""
    aneurysms, dissections = reading.group("aortic-aneurysm"), reading.group("aortic-dissection")
    found = Gathered.nothing()
    recent = _pain_new_or_worse(reading, trend)
    painful = not (indication.answer.value == "no" and not reading.group("low-back"))
    for facts, mark in ((aneurysms, "aneurysm"), (dissections, "dissection")):
        for fact in facts:
            if not fact.present:
                found.denied.append(fact.evidence)
            elif not fact.current or recent is False or not painful:
                found.name_only(fact)
            else:
                found.count(fact, mark)
    if found.because and recent is None:
        found.notes.append("pain-date-unknown")
    return conclude(reading, "aortic", found)


def _pain_new_or_worse(reading: Reading, trend: Finding) -> bool | None:
    """Did the pain begin, or was it said to worsen, inside the window? ``None``: it is not known when it began."""
    days = reading.parameters.aortic_window_days
    if trend.level == "worse" or any(_said_worse(reading, fact, days) for fact in reading.group("course")):
        return True
    if any(_said_worse(reading, fact, days) for fact in reading.group("low-back")):
        return True
    began = reading.episode.shown.began
    return None if began is None else within_days(began, reading.as_of, days)


def _said_worse(reading: Reading, fact: Fact, days: int) -> bool:
    if not fact.present or fact.course != "worsening":
        return False
    if fact.began is None or fact.kind is FactKind.REASON:
        return True
    return within_days(fact.began, reading.as_of, days) is not False
