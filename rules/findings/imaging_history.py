"""Was the same or a more detailed study done in this episode, with nothing new since? (ACP's row on earlier imaging)"""

from collections.abc import Iterable
from datetime import date

from rules.dates import DateInterval
from rules.evidence import Evidence
from rules.facts import Fact, FactKind
from rules.finding import Answer, Finding
from rules.findings.answers import PRESUMED_NO
from rules.findings.imaging_detail import ANSWERED_BY
from rules.findings.reading import NOT_DONE, Reading, evidence_of, ordered, stated_now

NAME = "prior_imaging"


def prior_imaging(reading: Reading, red_flags: tuple[Finding, ...], trend: Finding) -> Finding:
    """Yes, the report first; no, "changed since", where anything is newer than the report or of unknown date."""
    studies = reading.group("lumbar-study")
    reports = [f for f in studies if f.kind is _REPORT and f.present and f.state not in NOT_DONE]
    if not reports:
        return PRESUMED_NO[NAME]
    answering = [fact for fact in reports if _answers(reading, fact)]
    others = ordered([evidence_of(fact) for fact in reports if fact not in answering])
    if not answering:
        marks = frozenset({"other-study"})
        return Finding(NAME, Answer.NO, marks=marks, considered=others, presumed=True)
    report = max(answering, key=_reported)
    changed = _changed_since(reading, report, red_flags, trend)
    unchanged = [fact.evidence for fact in reading.group("unchanged-stated") if stated_now(reading, fact)]
    if changed:
        return Finding(
            NAME,
            Answer.NO,
            marks=frozenset({"changed-since"}),
            because=(report.evidence, *ordered(changed)),
            against=ordered(unchanged),
            considered=others,
            since=report.began,
        )
    notes = ("no-month-limit", "stated-unchanged") if unchanged else ("no-month-limit",)
    because = (report.evidence, *ordered(unchanged))
    return Finding(NAME, Answer.YES, because=because, considered=others, since=report.began, notes=notes)


_REPORT = FactKind.REPORT  # a member of an enumeration is slow to reach


def _answers(reading: Reading, report: Fact) -> bool:
    """A final report of the same or a more detailed study, surely of this episode; perhaps is not enough."""
    procedures = (reading.order.procedure,) if reading.order.procedure is not None else reading.order.candidates
    if report.state != "final" or not procedures:
        return False
    if not all(report.concept in ANSWERED_BY[procedure] for procedure in procedures):
        return False
    return reading.episode.holds(report.began, reading.as_of) is True


def _reported(report: Fact) -> tuple[date, str]:
    began = report.began
    day = None if began is None else began.earliest or began.latest
    return (day or date.min, report.evidence.reference)


# --- what is newer than the report -----------------------------------------------------------------------------------


def _changed_since(reading: Reading, report: Fact, red_flags: tuple[Finding, ...], trend: Finding) -> list[Evidence]:
    since = report.began
    changed = [fact.evidence for fact in reading.group("changed-stated") if stated_now(reading, fact)]
    changed += _new_symptoms(reading, since)
    changed += _new_red_flags(reading, since, red_flags)
    changed += _new_procedures(reading, report)
    if trend.level == "worse" and _newer_evidence(reading, since, trend.because):
        changed += trend.because
    for group in ("course", "low-back"):
        changed += [
            f.evidence for f in reading.group(group) if f.present and f.course == "worsening" and _newer(f, since)
        ]
    return changed


def _newer(fact: Fact, since: DateInterval | None) -> bool:
    """Dated after the report, or not surely before it: undated evidence counts as newer."""
    if fact.kind in (FactKind.REASON, FactKind.DRAFT) or fact.began is None or since is None or since.earliest is None:
        return True
    last = fact.began.latest
    return last is None or last > since.earliest


def _new_symptoms(reading: Reading, since: DateInterval | None) -> list[Evidence]:
    """A symptom, or a side, that no entry before the report named, or one with a stated onset after it.

    Back pain that is only written down again (no onset of its own) is no new symptom; leg pain is.
    """
    before: set[str] = set()
    after: list[tuple[str, Fact]] = []
    for fact in _symptoms(reading):
        kind = _symptom(fact)
        if _newer(fact, since):
            after.append((kind, fact))
        else:
            before.add(kind)
            before.add("back")
    return [evidence_of(fact) for kind, fact in after if not _covered(kind, before) or _began_after(fact, since)]


def _began_after(fact: Fact, since: DateInterval | None) -> bool:
    """Pain whose own stated onset lies surely after the report: it cannot be what the report looked at."""
    if fact.kind is not FactKind.CONDITION or fact.concept not in _PAIN:
        return False
    if fact.began is None or since is None or since.latest is None:
        return False
    return fact.began.earliest is not None and fact.began.earliest > since.latest


def _symptoms(reading: Reading) -> Iterable[Fact]:
    for group in ("low-back", "leg-pain", "leg-raise", "root-deficit"):
        for fact in reading.group(group):
            if fact.present and (fact.current or fact.kind is not FactKind.CONDITION):
                yield fact


_RADICULAR = frozenset({
    "sciatica", "lumbar-radiculopathy", "radiculopathy-level-unspecified", "lumbar-nerve-root-disorder",
    "lower-limb-pain", "bilateral-sciatica",
})  # fmt: skip
_PAIN = _RADICULAR | {
    "low-back-pain", "low-back-pain-acute", "low-back-pain-chronic", "back-pain-unspecified", "lumbar-strain",
    "neurogenic-claudication",
}  # fmt: skip
_SIGNS = frozenset({
    "straight-leg-raise", "crossed-straight-leg-raise", "dermatomal-sensory-loss", "ankle-reflex-reduced",
    "knee-reflex-reduced",
})  # fmt: skip


def _symptom(fact: Fact) -> str:
    side = "both" if fact.concept == "bilateral-sciatica" or fact.side == "bilateral" else fact.side
    if fact.concept in _RADICULAR:
        return f"leg {side}"
    if fact.concept in _SIGNS:
        return f"{fact.concept} {fact.site} {side}"
    return "claudication" if fact.concept == "neurogenic-claudication" else "back"


def _covered(kind: str, before: set[str]) -> bool:
    """Was it there before? A mention without a side repeats any side; a side is new unless that side was named."""
    if kind in before:
        return True
    symptom, _, side = kind.rpartition(" ")
    if not symptom:
        return False
    if side == "":
        return any(each.startswith(f"{symptom} ") for each in before)
    if side == "both":
        return f"{symptom} left" in before and f"{symptom} right" in before
    return f"{symptom} both" in before


def _new_red_flags(reading: Reading, since: DateInterval | None, red_flags: tuple[Finding, ...]) -> list[Evidence]:
    found: list[Evidence] = []
    for finding in red_flags:
        if finding.answer is not Answer.NO:
            found += _newer_evidence(reading, since, finding.because)
    return found


def _newer_evidence(reading: Reading, since: DateInterval | None, evidence: Iterable[Evidence]) -> list[Evidence]:
    """Of these entries, those that are newer than the report; the patient's age is not news."""
    newer = {fact.evidence.reference for fact in reading.picture.facts if _newer(fact, since)}
    known = {fact.evidence.reference for fact in reading.picture.facts}
    return [
        each
        for each in evidence
        if each.reference != "Patient" and (each.reference in newer or each.reference not in known)
    ]


def _new_procedures(reading: Reading, report: Fact) -> list[Evidence]:
    """An operation or injection since the report, or one that is planned: it may need a picture of today."""
    found: list[Evidence] = []
    for group in ("planned-intervention", "spinal-intervention", "lumbar-surgery"):
        for fact in reading.group(group):
            if not fact.present or fact.state == "not-done" or fact.kind is FactKind.REPORT:
                continue
            if fact.evidence != report.evidence and _newer(fact, report.began) and fact.kind is not FactKind.CONDITION:
                found.append(fact.evidence)
    return found
