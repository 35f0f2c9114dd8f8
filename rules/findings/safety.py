"""What the record says that changes how to image. Never a clearance; a hazard that is over or refuted is none."""

from collections.abc import Mapping
from datetime import date

from rules.dates import within_days
from rules.facts import Fact, FactKind
from rules.finding import Answer, EgfrReading, Finding, Safety
from rules.findings.answers import UNKNOWN, Gathered
from rules.findings.pregnancy import PREGNANCY_GROUPS, could_be_pregnant, pregnancy
from rules.findings.reading import NOT_DONE, Reading, happened_within, ordered

_MR_DEVICES = {
    "mr-cardiac-device": "mr_cardiac_device_unlabelled",
    "mr-cochlear-implant": "mr_cochlear_implant",
    "mr-neurostimulator": "mr_neurostimulator",
    "mr-infusion-pump": "mr_infusion_pump",
    "mr-aneurysm-clip": "mr_aneurysm_clip",
    "mr-orbital-metal": "mr_orbital_metal",
    "mr-other-metal": "mr_other_active_or_magnet",
}
_PASSIVE = {"passive-metal": "", "spinal-hardware": "spinal"}
_CONTRAST = {
    "contrast-reaction-gadolinium": "gadolinium",
    "contrast-reaction-iodinated": "iodinated",
    "contrast-reaction-unspecified": "unspecified",
}
_KIDNEY = frozenset({"egfr", "acute-kidney-injury", "dialysis", "advanced-kidney-disease"})
# A substance is a reaction only as an allergy entry: given as contrast it is none.
_SUBSTANCES = frozenset(
    {"gadolinium-contrast-substance", "iodinated-contrast-substance", "contrast-substance-unspecified"}
)


def safety(reading: Reading) -> Safety:
    """Pregnancy, devices and metal, kidney function, contrast reactions, claustrophobia, metformin."""
    pregnant = pregnancy(reading)
    egfr = latest_egfr(reading) if "egfr" in reading.facts else None
    return Safety(
        pregnancy=pregnant,
        could_be_pregnant=pregnant.answer is not Answer.NO and could_be_pregnant(reading),
        mr_device=_hazards(reading, "mr_device", _MR_DEVICES),
        passive_metal=_hazards(reading, "passive_metal", _PASSIVE),
        kidney=_kidney(reading, egfr),
        egfr=egfr,
        contrast_reaction=_hazards(reading, "contrast_reaction", _CONTRAST),
        claustrophobia=_hazards(reading, "claustrophobia", _CLAUSTROPHOBIA),
        metformin=_hazards(reading, "metformin", _METFORMIN),
    )


_CLAUSTROPHOBIA = {"claustrophobia": ""}
_METFORMIN = {"metformin": ""}
SAFETY_GROUPS = (
    PREGNANCY_GROUPS | _KIDNEY | frozenset((*_MR_DEVICES, *_PASSIVE, *_CONTRAST, *_CLAUSTROPHOBIA, *_METFORMIN))
)
NOTHING_ON_RECORD = {
    could_be: Safety(
        pregnancy=UNKNOWN["pregnancy"],
        could_be_pregnant=could_be,
        mr_device=UNKNOWN["mr_device"],
        passive_metal=UNKNOWN["passive_metal"],
        kidney=UNKNOWN["kidney"],
        egfr=None,
        contrast_reaction=UNKNOWN["contrast_reaction"],
        claustrophobia=UNKNOWN["claustrophobia"],
        metformin=UNKNOWN["metformin"],
    )
    for could_be in (True, False)
}


def safety_not_on_record(reading: Reading) -> Safety:
    """Nothing on record is no clearance: each answer is unknown, and age and sex alone say what to ask."""
    return NOTHING_ON_RECORD[could_be_pregnant(reading)]


def _hazards(reading: Reading, name: str, marks: Mapping[str, str]) -> Finding:
    """Current entries count; stopped, removed and resolved ones are named; a refuted one is a documented no."""
    if marks.keys().isdisjoint(reading.facts):
        return UNKNOWN[name]
    found = Gathered.nothing()
    for group, mark in marks.items():
        for fact in reading.group(group):
            if not fact.present:
                found.denied.append(fact.evidence)
            elif not fact.current:
                found.name_only(fact)
            elif _counts(fact):
                found.count(fact, mark)
    return _safety_finding(name, found)


def _counts(fact: Fact) -> bool:
    if fact.state in NOT_DONE or fact.kind in (FactKind.REQUEST, FactKind.DRAFT):
        return False
    return fact.concept not in _SUBSTANCES or fact.kind is FactKind.ALLERGY


def _safety_finding(name: str, found: Gathered) -> Finding:
    marks = frozenset(mark for mark in found.marks if mark)
    considered = ordered(found.considered)
    if found.because:
        return Finding(name, Answer.YES, "", marks, ordered(found.because), ordered(found.denied), considered)
    if found.denied:
        return Finding(name, Answer.NO, "", marks, ordered(found.denied), (), considered)
    return Finding(name, Answer.UNKNOWN, "", marks, (), (), considered) if considered or marks else UNKNOWN[name]


# --- kidneys ---------------------------------------------------------------------------------------------------------


def latest_egfr(reading: Reading) -> EgfrReading | None:
    """The newest eGFR with its comparator and age; on one day the lowest, an undated one only for want of another."""
    newest: tuple[date, float, str] | None = None
    latest: Fact | None = None
    for fact in reading.group("egfr"):
        if not fact.present or fact.value is None:
            continue
        day = _day(fact)
        rank = (day or date.min, -fact.value, fact.evidence.reference)
        if newest is None or rank > newest:
            newest, latest = rank, fact
    if latest is None or latest.value is None:
        return None
    began = latest.began
    fresh = began is not None and within_days(began, reading.as_of, reading.parameters.egfr_old_days) is True
    return EgfrReading(latest.value, latest.comparator, _day(latest), not fresh, latest.evidence)


def _day(fact: Fact) -> date | None:
    began = fact.began
    return None if began is None else began.latest or began.earliest


def below(reading: EgfrReading, limit: float) -> bool:
    """Is the eGFR surely below the limit? "<15" is below 30; "<60" and ">15" leave it open and are not."""
    if reading.comparator.startswith(">"):
        return False
    return reading.value < limit or (reading.comparator == "<" and reading.value <= limit)


def _kidney(reading: Reading, egfr: EgfrReading | None) -> Finding:
    if _KIDNEY.isdisjoint(reading.facts):
        return UNKNOWN["kidney"]
    limits = reading.parameters
    found = Gathered.nothing()
    _kidney_conditions(reading, found)
    if egfr is not None:
        if egfr.old:
            found.marks.add("egfr-old")
        if below(egfr, limits.egfr_low):
            found.because.append(egfr.evidence)
            found.marks.add("egfr-below-30")
        elif not egfr.old and not egfr.comparator.startswith("<") and egfr.value >= limits.egfr_low:
            found.denied.append(egfr.evidence)
        else:
            found.considered.append(egfr.evidence)
    return _safety_finding("kidney", found)


def _kidney_conditions(reading: Reading, found: Gathered) -> None:
    days = reading.parameters.kidney_injury_lookback_days
    for fact in reading.group("acute-kidney-injury"):
        _count_if(
            found, fact, "acute-kidney-injury", fact.current and happened_within(fact, reading.as_of, days) is not False
        )
    for fact in reading.group("dialysis"):
        session = fact.kind is FactKind.PROCEDURE
        recent = happened_within(fact, reading.as_of, days) is not False
        _count_if(found, fact, "dialysis", recent and fact.state not in NOT_DONE if session else fact.current)
    for fact in reading.group("advanced-kidney-disease"):
        _count_if(found, fact, "ckd-4-5", fact.current)


def _count_if(found: Gathered, fact: Fact, mark: str, counts: bool) -> None:
    """A denied kidney disease is no measurement: it is shown, and does not answer the question."""
    if not fact.present:
        found.against.append(fact.evidence)
    elif counts:
        found.count(fact, mark)
    else:
        found.name_only(fact)
