"""The questions of the decision, answered for one patient and one order: every finding on one page."""

from rules.concepts import by_group
from rules.draft_order import DraftOrder
from rules.facts import ClinicalPicture
from rules.finding import Findings
from rules.findings.cancer import cancer
from rules.findings.candidacy import candidate
from rules.findings.cauda_equina import cauda_equina
from rules.findings.conservative_care import conservative_care
from rules.findings.episode import find_episode
from rules.findings.fracture import fracture_risk, major_trauma
from rules.findings.imaging_history import prior_imaging
from rules.findings.infection import immunosuppression, infection
from rules.findings.mimics import aortic, axial_spondyloarthritis, mimic
from rules.findings.radiculopathy import radiculopathy
from rules.findings.reading import Reading
from rules.findings.safety import safety
from rules.findings.setting import setting, specialist_requester
from rules.findings.statement import checked_none, deferred
from rules.findings.steroids import steroid_use
from rules.findings.surgery import prior_surgery
from rules.findings.symptoms import indication
from rules.findings.trend import trend
from rules.findings.weakness import weakness
from rules.parameters import Parameters


def answer_questions(picture: ClinicalPicture, order: DraftOrder, parameters: Parameters) -> Findings:
    """Every question of ``rules/questions.toml``, answered from the record and from the order's own reasons."""
    facts = by_group(picture.facts + order.reasons if order.reasons else picture.facts)
    pointed = frozenset(order.reason_references)
    statement = checked_none(facts, pointed, picture.as_of)
    reading = Reading(
        facts=facts,
        picture=picture,
        order=order,
        parameters=parameters,
        episode=find_episode(facts, order, picture.as_of, parameters.episode_gap_days),
        as_of=picture.as_of,
        pointed=pointed,
        encounter=picture.encounter,
        statement=None if statement is None else statement.evidence,
    )
    reason = indication(reading)
    course = trend(reading)
    roots = radiculopathy(reading)
    strength = weakness(reading)
    steroids = steroid_use(reading)
    red_flags = (
        cauda_equina(reading, reason, roots, strength),
        infection(reading, course),
        immunosuppression(reading, steroids),
        cancer(reading, course),
        fracture_risk(reading, steroids),
        major_trauma(reading),
        aortic(reading, reason, course),
    )
    return Findings(
        indication=reason,
        episode=reading.episode.shown,
        radiculopathy=roots.finding,
        weakness=strength.finding,
        cauda_equina=red_flags[0],
        infection=red_flags[1],
        immunosuppression=red_flags[2],
        cancer=red_flags[3],
        fracture_risk=red_flags[4],
        major_trauma=red_flags[5],
        prior_surgery=prior_surgery(reading, roots, strength),
        conservative_care=conservative_care(reading, reason),
        candidate=candidate(reading, specialist_requester(picture)),
        trend=course,
        prior_imaging=prior_imaging(reading, (*red_flags, strength.finding), course),
        mimic=mimic(reading),
        axial_spondyloarthritis=axial_spondyloarthritis(reading),
        aortic=red_flags[6],
        setting=setting(picture),
        safety=safety(reading),
        checked_none_on=None if statement is None else statement.on,
        deferred=deferred(facts),
    )


__all__ = ["answer_questions"]
