"""Lumbar surgery in the past, with new or progressing symptoms since."""

from datetime import date

from rules.dates import DateInterval
from rules.evidence import Evidence
from rules.facts import Fact, FactKind
from rules.finding import Answer, Finding
from rules.findings.answers import PRESUMED_NO
from rules.findings.radiculopathy import RootSigns
from rules.findings.reading import NOT_DONE, Reading, evidence_of, named_now, ordered
from rules.findings.weakness import Strength

NAME = "prior_surgery"
# These diagnoses are themselves symptoms after an operation.
_SYMPTOM_AFTER = frozenset({"post-laminectomy-syndrome", "pseudarthrosis-after-fusion"})
_ELSEWHERE = frozenset({FactKind.REQUEST, FactKind.DRAFT})


def prior_surgery(reading: Reading, roots: RootSigns, strength: Strength) -> Finding:
    """Yes when a symptom or finding is dated after the operation; an operation without new symptoms is only named."""
    operations = reading.group("lumbar-surgery")
    done = [f for f in operations if f.present and f.state not in NOT_DONE and f.kind not in _ELSEWHERE]
    denied = [fact.evidence for fact in operations if not fact.present]
    if not done:
        return Finding(NAME, Answer.NO, because=ordered(denied), presumed=False) if denied else PRESUMED_NO[NAME]
    marks = _marks(reading, done)
    after, undated = _symptoms_after(reading, done, roots, strength)
    named = ordered([fact.evidence for fact in done])
    if after:
        since = _latest(done)
        because = ordered([evidence_of(fact, uncertain=_undated(fact)) for fact in done] + after)
        return Finding(NAME, Answer.YES, marks=marks, because=because, against=ordered(denied), since=since)
    if undated:
        considered = (*named, *ordered(undated))
        return Finding(NAME, Answer.UNKNOWN, marks=marks, considered=considered, notes=("symptoms-undated",))
    notes = ("symptoms-older-than-operation",) if reading.group("low-back") else ()
    return Finding(NAME, Answer.NO, marks=marks, considered=named, presumed=True, notes=notes)


def _marks(reading: Reading, done: list[Fact]) -> frozenset[str]:
    marks: set[str] = set()
    if any(fact.present and fact.state not in NOT_DONE for fact in reading.group("spinal-hardware")):
        marks.add("hardware")
    if any(_undated(fact) for fact in done):
        marks.add("undated")
    if any(fact.present and named_now(reading, fact) for fact in reading.group("hardware-question")):
        marks.add("hardware-question")
    return frozenset(marks)


def _undated(fact: Fact) -> bool:
    """Is the day of the operation unknown? A status code only says that it was before the code was recorded."""
    return fact.began is None or fact.began.earliest is None


def _symptoms_after(
    reading: Reading, done: list[Fact], roots: RootSigns, strength: Strength
) -> tuple[list[Evidence], list[Evidence]]:
    """Symptoms and findings dated after the last operation; and, where no symptom is dated at all, the undated ones."""
    last = _latest(done)
    dated = False
    after: list[Evidence] = [f.evidence for f in done if f.concept in _SYMPTOM_AFTER and f.current]
    undated: list[Evidence] = []
    for fact in _symptoms(reading, roots):
        if fact.concept in _SYMPTOM_AFTER:
            continue
        if fact.began is None:
            worse = fact.course == "worsening" and named_now(reading, fact)
            (after if worse else undated).append(fact.evidence)
        else:
            dated = True
            if _is_after(fact.began, last):
                after.append(fact.evidence)
    for weak in strength.weak:
        if weak.began is None:
            undated.extend(weak.evidence)
        elif _is_after(weak.began, last) or weak.worsening:
            after.extend(weak.evidence)
    began = reading.episode.shown.began
    if not after and began is not None and began.earliest is not None and _is_after(began, last):
        after.extend(reading.episode.shown.because)
    return after, [] if dated else undated


def _symptoms(reading: Reading, roots: RootSigns) -> list[Fact]:
    """Current low-back problems, root signs, and a stated worsening."""
    current = [f for f in reading.group("low-back") if f.present and f.current]
    worse = [f for f in reading.group("course") if f.present and f.course == "worsening"]
    return current + [fact for fact in roots.facts if fact not in current] + worse


def _latest(done: list[Fact]) -> DateInterval | None:
    """When the last operation was; an undated one may be the last, so then there is no such day."""
    dates = [fact.began for fact in done if fact.concept not in _SYMPTOM_AFTER]
    if not dates or any(began is None for began in dates):
        return None
    return max((began for began in dates if began is not None), key=_last_day)


def _last_day(began: DateInterval) -> tuple[date, date]:
    return (began.latest or began.earliest or date.min, began.earliest or date.min)


def _is_after(symptom: DateInterval, operation: DateInterval | None) -> bool:
    """Dated after the operation, or possibly so: an operation without a date may lie before any symptom."""
    if operation is None or operation.earliest is None or symptom.latest is None:
        return True
    return symptom.latest > operation.earliest
