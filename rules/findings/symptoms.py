"""Is back pain or sciatica why this study was ordered?"""

import msgspec

from rules.evidence import Evidence
from rules.facts import Fact, FactKind
from rules.finding import Answer, Finding
from rules.findings.answers import UNKNOWN
from rules.findings.reading import Reading, evidence_of, in_episode, ordered, stated_now
from rules.procedures import ONLY_FOR_BACK_PAIN

_OTHER = frozenset({"other-indication", "axial-spondyloarthritis", "aortic-aneurysm", "aortic-dissection"})
# A red flag as the reason for a lumbar study is a low-back reason by our reading; never for a whole-body study.
_RED_FLAG = frozenset({
    "cauda-equina-syndrome", "urinary-feature", "bowel-feature", "saddle-feature", "anal-tone", "sexual-dysfunction",
    "cauda-equina-statement", "muscle-strength", "weakness-coded", "weakness-progression", "root-deficit", "leg-raise",
    "radiculopathy-coded", "spinal-infection", "fever", "injecting-drug-use", "bloodstream-infection",
    "recent-infection", "infection-statement", "hiv", "transplant", "immunosuppressed-state",
    "immunosuppressive-medicine",
    "corticosteroid-status", "malignancy", "malignancy-history", "metastasis", "weight-loss", "cancer-statement",
    "low-velocity-trauma", "osteoporosis", "vertebral-fracture", "fragility-fracture", "fracture-statement",
    "major-trauma", "traumatic-spinal-fracture", "cord-injury", "major-trauma-statement", "lumbar-surgery",
})  # fmt: skip
_YES = Answer.YES  # a member of an enumeration is slow to reach
_NO_MARKS: frozenset[str] = frozenset()
_CHART = (FactKind.CONDITION, FactKind.OBSERVATION)


def indication(reading: Reading) -> Finding:
    """The order's reason, else an active condition of the low back; a clinician's answer outweighs both."""
    answer = _answer(reading)
    if "spinal-stenosis" in reading.facts and answer.answer is _YES and _is_stenosis(reading):
        return msgspec.structs.replace(answer, marks=answer.marks | _STENOSIS)
    return answer


_STENOSIS = frozenset({"stenosis"})


def _is_stenosis(reading: Reading) -> bool:
    """Spinal stenosis or neurogenic claudication as the reason or a current problem: ACP has a row for it."""
    kinds = (FactKind.CONDITION, FactKind.OBSERVATION, FactKind.REASON)
    return any(fact.present and fact.current and fact.kind in kinds for fact in reading.group("spinal-stenosis"))


def _answer(reading: Reading) -> Finding:
    facts = reading.facts
    if "indication-yes-stated" in facts or "indication-no-stated" in facts:
        yes, no = _stated(reading, "indication-yes-stated"), _stated(reading, "indication-no-stated")
        if yes:
            return Finding("indication", Answer.YES, because=ordered(yes), against=ordered(no))
        if no:
            return Finding("indication", Answer.NO, because=ordered(no))
    low_back = _reasons(reading, "low-back")
    if low_back:
        return Finding("indication", _YES, "", _NO_MARKS, ordered(low_back))
    return _from_other_reasons(reading) or _from_chart(reading)


def _from_other_reasons(reading: Reading) -> Finding | None:
    red_flags = _reasons(reading, *_RED_FLAG.intersection(reading.facts))
    if red_flags and reading.order.procedure not in ONLY_FOR_BACK_PAIN:
        marks, notes = frozenset({"red-flag-reason"}), ("reason-is-a-red-flag",)
        return Finding("indication", Answer.YES, marks=marks, because=ordered(red_flags), notes=notes)
    other = _reasons(reading, *_OTHER) + red_flags
    if other and not _reasons(reading, "leg-pain") and not reading.order.unread_reasons:
        return Finding("indication", Answer.NO, marks=frozenset({"other-reason"}), because=ordered(other))
    return None


def _from_chart(reading: Reading) -> Finding:
    """No readable reason on the order, or one that leaves it open: an active low-back problem answers instead."""
    active = [
        evidence_of(fact)
        for fact in reading.group("low-back")
        if fact.present and fact.current and fact.kind in _CHART and _is_problem_now(reading, fact)
    ]
    notes = ("reason-not-read",) if reading.order.unread_reasons else ()
    if active:
        return Finding("indication", Answer.YES, because=ordered(active), notes=(*notes, "reason-from-chart"))
    refuted = [fact.evidence for fact in reading.group("low-back") if not fact.present]
    if refuted:
        return Finding("indication", Answer.UNKNOWN, considered=ordered(refuted), notes=notes)
    return Finding("indication", Answer.UNKNOWN, notes=notes) if notes else UNKNOWN["indication"]


def _is_problem_now(reading: Reading, fact: Fact) -> bool:
    """A problem counts while it is active; an observation of pain only within this episode."""
    return fact.kind is FactKind.CONDITION or in_episode(reading, fact) is not False


def _stated(reading: Reading, group: str) -> list[Evidence]:
    return [fact.evidence for fact in reading.group(group) if stated_now(reading, fact)]


def _reasons(reading: Reading, *groups: str) -> list[Evidence]:
    """What the order's own reason says, or the entry that it points to."""
    pointed = reading.pointed
    return [
        evidence_of(fact)
        for group in groups
        for fact in reading.facts.get(group, ())
        if fact.present and (fact.kind is _REASON or fact.evidence.reference in pointed)
    ]


_REASON = FactKind.REASON  # a member of an enumeration is slow to reach
