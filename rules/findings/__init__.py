"""The questions of the decision, answered for one patient and one order: every finding on one page."""

from collections.abc import Mapping

from rules.concepts import GROUPS, FactsByGroup, by_group
from rules.draft_order import DraftOrder
from rules.facts import ClinicalPicture
from rules.finding import Finding, Findings
from rules.findings.answers import UNKNOWN, silence_on
from rules.findings.cancer import CANCER_GROUPS, cancer, cancer_by_age
from rules.findings.candidacy import CANDIDACY_GROUPS, candidate, candidate_by_requester
from rules.findings.cauda_equina import CAUDA_EQUINA_GROUPS, cauda_equina
from rules.findings.conservative_care import CARE_GROUPS, conservative_care
from rules.findings.episode import find_episode
from rules.findings.fracture import FRACTURE_GROUPS, TRAUMA_GROUPS, fracture_risk, major_trauma, too_young_for_risk
from rules.findings.imaging_history import prior_imaging
from rules.findings.infection import IMMUNE_GROUPS, INFECTION_GROUPS, immunosuppression, infection
from rules.findings.mimics import AORTIC_GROUPS, MIMIC_GROUPS, aortic, axial_spondyloarthritis, mimic
from rules.findings.radiculopathy import NO_ROOT_SIGNS, ROOT_GROUPS, RootSigns, radiculopathy
from rules.findings.reading import Reading
from rules.findings.safety import SAFETY_GROUPS, safety, safety_not_on_record
from rules.findings.setting import setting, specialist_requester
from rules.findings.statement import checked_none, deferred
from rules.findings.steroids import NO_STEROIDS, STEROID_GROUPS, steroid_use
from rules.findings.surgery import prior_surgery
from rules.findings.symptoms import indication
from rules.findings.trend import TREND_GROUPS, trend
from rules.findings.weakness import STRENGTH_GROUPS, Strength, weakness
from rules.parameters import Parameters

# Where the record holds none of these concept groups, silence answers the question (or the age, or the requester). Most
# questions are answered so in most records, and are then not asked at all.
_READ_BY: Mapping[str, frozenset[str]] = {
    "statement": frozenset({"checked-none"}),
    "deferred": frozenset({"deferred"}),
    "trend": TREND_GROUPS,
    "radiculopathy": ROOT_GROUPS,
    "weakness": STRENGTH_GROUPS,
    "steroids": STEROID_GROUPS,
    "cauda_equina": CAUDA_EQUINA_GROUPS,
    "infection": INFECTION_GROUPS,
    "immunosuppression": IMMUNE_GROUPS,
    "cancer": CANCER_GROUPS,
    "fracture_risk": FRACTURE_GROUPS,
    "major_trauma": TRAUMA_GROUPS,
    "aortic": AORTIC_GROUPS,
    "prior_surgery": frozenset({"lumbar-surgery"}),
    "conservative_care": CARE_GROUPS,
    "candidate": CANDIDACY_GROUPS,
    "prior_imaging": frozenset({"lumbar-study"}),
    "mimic": MIMIC_GROUPS,
    "axial_spondyloarthritis": frozenset({"axial-spondyloarthritis"}),
    "safety": SAFETY_GROUPS,
}
_QUESTIONS_READING: Mapping[str, frozenset[str]] = {
    group: frozenset(question for question, groups in _READ_BY.items() if group in groups) for group in GROUPS
}


def _questions_touched(facts: FactsByGroup) -> set[str]:
    """The questions that the record says something to."""
    touched: set[str] = set()
    for group in facts:
        touched |= _QUESTIONS_READING[group]
    return touched


def answer_questions(picture: ClinicalPicture, order: DraftOrder, parameters: Parameters) -> Findings:
    """Every question of ``rules/questions.toml``, answered from the record and from the order's own reasons."""
    facts = by_group(picture.facts + order.reasons if order.reasons else picture.facts)
    touched = _questions_touched(facts)
    reading = _reading(facts, picture, order, parameters, "statement" in touched)
    silence = reading.silence
    reason = indication(reading)
    course = trend(reading) if "trend" in touched else UNKNOWN["trend"]
    roots = radiculopathy(reading) if "radiculopathy" in touched else NO_ROOT_SIGNS
    strength = weakness(reading) if "weakness" in touched else Strength(silence["weakness"])
    red_flags = _red_flags(reading, touched, reason, course, roots, strength)
    spine, infected, immune, malignancy, fracture, trauma, aorta = red_flags
    operated = prior_surgery(reading, roots, strength) if "prior_surgery" in touched else silence["prior_surgery"]
    care = conservative_care(reading, reason) if "conservative_care" in touched else silence["conservative_care"]
    specialist = specialist_requester(picture)
    planned = candidate(reading, specialist) if "candidate" in touched else candidate_by_requester(specialist)
    imaged = silence["prior_imaging"]
    if "prior_imaging" in touched:
        imaged = prior_imaging(reading, (*red_flags, strength.finding), course)
    other = mimic(reading) if "mimic" in touched else silence["mimic"]
    spondyloarthritis = silence["axial_spondyloarthritis"]
    if "axial_spondyloarthritis" in touched:
        spondyloarthritis = axial_spondyloarthritis(reading)
    return Findings(  # in the order of the fields: with so many, naming each would take seven times as long
        reason,
        reading.episode.shown,
        roots.finding,
        strength.finding,
        spine,
        infected,
        immune,
        malignancy,
        fracture,
        trauma,
        operated,
        care,
        planned,
        course,
        imaged,
        other,
        spondyloarthritis,
        aorta,
        setting(picture, specialist),
        safety(reading) if "safety" in touched else safety_not_on_record(reading),
        None if reading.statement is None else picture.as_of,
        "deferred" in touched and deferred(facts),
    )


_NONE_POINTED: frozenset[str] = frozenset()


def _reading(
    facts: FactsByGroup, picture: ClinicalPicture, order: DraftOrder, parameters: Parameters, stated: bool
) -> Reading:
    as_of = picture.as_of
    pointed = frozenset(order.reason_references) if order.reason_references else _NONE_POINTED
    statement = checked_none(facts, pointed, as_of) if stated else None
    episode = find_episode(facts, order, as_of, parameters.episode_gap_days)
    silence = silence_on(statement)
    return Reading(facts, picture, order, parameters, episode, as_of, pointed, picture.encounter, silence, statement)


def _red_flags(
    reading: Reading, touched: set[str], reason: Finding, course: Finding, roots: RootSigns, strength: Strength
) -> tuple[Finding, Finding, Finding, Finding, Finding, Finding, Finding]:
    """Cauda equina, infection, immunosuppression, cancer, fracture, trauma, aorta."""
    silence = reading.silence
    steroids = steroid_use(reading) if "steroids" in touched else NO_STEROIDS
    on_steroids = steroids.long_term or bool(steroids.named)
    at_risk = on_steroids or "fracture_risk" in touched or not too_young_for_risk(reading)
    immune = silence["immunosuppression"]
    if on_steroids or "immunosuppression" in touched:
        immune = immunosuppression(reading, steroids)
    return (
        cauda_equina(reading, reason, roots, strength) if "cauda_equina" in touched else silence["cauda_equina"],
        infection(reading, course) if "infection" in touched else silence["infection"],
        immune,
        cancer(reading, course) if "cancer" in touched else cancer_by_age(reading),
        fracture_risk(reading, steroids) if at_risk else silence["fracture_risk"],
        major_trauma(reading) if "major_trauma" in touched else silence["major_trauma"],
        aortic(reading, reason, course) if "aortic" in touched else silence["aortic"],
    )


__all__ = ["answer_questions"]
