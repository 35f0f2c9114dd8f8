"""Is the patient a candidate for an operation or injection? The question that imaging without red flags turns on."""

from rules.evidence import Evidence
from rules.facts import Fact, FactKind
from rules.finding import Answer, Finding
from rules.findings.answers import UNKNOWN
from rules.findings.reading import NOT_DONE, Reading, in_episode, named_now, ordered, stated_now

NAME = "candidate"
CANDIDACY_GROUPS = frozenset({
    "planned-intervention", "intervention-referral", "other-referral", "candidate-yes-stated", "candidate-no-stated",
})  # fmt: skip
_PLANNED = frozenset({"planned", "draft"})


def candidate(reading: Reading, specialist_requester: bool) -> Finding:
    """Stated, planned, or potential by referral; otherwise possible or unknown, and asked when it would matter."""
    yes, no = _stated(reading, "candidate-yes-stated"), _stated(reading, "candidate-no-stated")
    if yes:
        return Finding(NAME, Answer.YES, "stated", because=ordered(yes), against=ordered(no))
    planned, past = _interventions(reading)
    referred, other = _referrals(reading)
    if no:
        against = ordered(planned + referred)
        return Finding(NAME, Answer.NO, because=ordered(no), against=against, considered=ordered(other + past))
    considered = ordered(other + past)
    if planned:
        return Finding(NAME, Answer.YES, "planned", because=ordered(planned + referred), considered=considered)
    if referred:
        notes = ("potential-by-referral",)
        return Finding(NAME, Answer.YES, "potential", because=ordered(referred), considered=considered, notes=notes)
    if considered:
        return Finding(NAME, Answer.UNKNOWN, "possible", because=considered)
    return candidate_by_requester(specialist_requester)


def candidate_by_requester(specialist: bool) -> Finding:
    """What is known where the record says nothing: patients of a specialist may be candidates."""
    return _OWN_SPECIALTY if specialist else UNKNOWN[NAME]


_OWN_SPECIALTY = Finding(NAME, Answer.UNKNOWN, "possible", notes=("specialty-of-requester",))


def _stated(reading: Reading, group: str) -> list[Evidence]:
    return [
        fact.evidence
        for fact in reading.group(group)
        if fact.present and (stated_now(reading, fact) or in_episode(reading, fact) is True)
    ]


def _interventions(reading: Reading) -> tuple[list[Evidence], list[Evidence]]:
    """Planned or drafted ones, and those already done (a past injection only says that one may be considered again)."""
    planned: list[Evidence] = []
    past: list[Evidence] = []
    for fact in reading.group("planned-intervention"):
        if not fact.present:
            continue
        if _is_planned(fact):
            if in_episode(reading, fact) is not False:
                planned.append(fact.evidence)
        elif fact.state not in NOT_DONE and in_episode(reading, fact) is not False:
            past.append(fact.evidence)
    return planned, past


def _is_planned(fact: Fact) -> bool:
    return fact.kind is FactKind.DRAFT or fact.state in _PLANNED or fact.concept == "planned-procedure"


def _referrals(reading: Reading) -> tuple[list[Evidence], list[Evidence]]:
    """Referrals of this episode to a service that operates or injects, and other ones."""
    return _of_this_episode(reading, "intervention-referral"), _of_this_episode(reading, "other-referral")


def _of_this_episode(reading: Reading, group: str) -> list[Evidence]:
    return [
        fact.evidence
        for fact in reading.group(group)
        if fact.present
        and fact.state != "not-done"
        and (fact.kind is FactKind.DRAFT or named_now(reading, fact) or _back_directed(reading, fact))
    ]


def _back_directed(reading: Reading, fact: Fact) -> bool:
    """A dated referral to such a service is for this pain unless of an earlier episode; an undated one may not be."""
    return fact.began is not None and in_episode(reading, fact) is not False
