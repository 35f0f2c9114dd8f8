"""Safety before modality: which safety rows speak about a study for this patient."""

from rules.evidence import Evidence
from rules.finding import Answer, Findings, Safety
from rules.guideline_tables import Guidelines
from rules.procedures import GADOLINIUM, MRI, Procedure
from rules.recommendation import SafetyNote

MRI_NOT_POSSIBLE = "mri-not-possible"  # own code: the facility or the clinician documented that MRI cannot be done
_SEVERITY = {"contraindicated": 0, "high": 1, "warning": 2, "info": 3}


def safety_notes(procedure: Procedure, findings: Findings, guidelines: Guidelines) -> tuple[SafetyNote, ...]:
    """The rows that hold, most severe first. A row never says that the patient may be scanned."""
    notes = [
        SafetyNote(
            row=row.id,
            domain=row.domain,
            severity=row.severity,
            applies_to=procedure,
            says=row.says,
            evidence=evidence_in(findings.safety, _safety_read(row.condition.reads)),
            cites=row.cites,
            ask=row.ask,
        )
        for row in guidelines.safety_rows
        if procedure in row.studies and row.condition.holds(findings)
    ]
    return tuple(sorted(notes, key=lambda note: _SEVERITY[note.severity]))


def mri_is_impossible(findings: Findings) -> bool:
    """Documented as impossible, not merely doubtful."""
    return MRI_NOT_POSSIBLE in findings.safety.mr_device.marks


def device_on_record(findings: Findings) -> bool:
    """An MR-relevant device or metal that needs clearance first."""
    return findings.safety.mr_device.answer is Answer.YES


def pregnancy_on_record(findings: Findings) -> bool:
    """Pregnant, or possibly so, by code or test; never by age and sex alone."""
    pregnancy = findings.safety.pregnancy
    return pregnancy.answer is Answer.YES or pregnancy.level == "possible"


def gadolinium_reaction(findings: Findings) -> bool:
    """A past reaction to gadolinium, or to an agent that is not stated."""
    return bool(findings.safety.contrast_reaction.marks & {"gadolinium", "unspecified"})


def hazards(procedure: Procedure, findings: Findings) -> int:
    """How many hazards on record this study meets: a suggestion never trades one for another."""
    count = 0
    if procedure in MRI and device_on_record(findings):
        count += 1
    if procedure in GADOLINIUM and gadolinium_reaction(findings):
        count += 1
    if pregnancy_on_record(findings) and procedure is not Procedure.MRI_WITHOUT:
        count += 1
    return count


def row_rests_on(row: str, guidelines: Guidelines) -> tuple[str, ...]:
    """The safety findings that a safety row reads."""
    return _safety_read(next(each.condition.reads for each in guidelines.safety_rows if each.id == row))


def _safety_read(reads: frozenset[str]) -> tuple[str, ...]:
    return tuple(name[7:] for name in sorted(reads) if name.startswith("safety."))


def evidence_in(safety: Safety, names: tuple[str, ...]) -> tuple[Evidence, ...]:
    """What the record says to these safety findings, each entry once."""
    entries: list[Evidence] = []
    for name in names:
        entries += getattr(safety, name).because
    if len(entries) < 2:
        return tuple(entries)
    found: dict[tuple[str, str], Evidence] = {}
    for evidence in entries:
        found.setdefault((evidence.reference, evidence.says), evidence)
    return tuple(found.values())
