"""ACR, ACP and NICE side by side, each by its own row, and whether it differs from the guideline that rates."""

from collections.abc import Mapping

from rules.dates import days_between
from rules.decide import Assessment, Patient
from rules.facts import AgeRange
from rules.finding import Answer, Findings
from rules.guideline_tables import AcpRow, Guidelines
from rules.procedures import MRI, Procedure
from rules.recommendation import GuidelineView, PamaRating

_IMAGE = frozenset({"image-now", "image-other-study", "serious-pathology"})
_NOT_NOW = frozenset({"defer", "no-imaging", "not-in-this-setting"})
_CONDITIONAL = frozenset({"depends-on-setting", "image-if-changes-management"})


def guideline_views(
    assessment: Assessment,
    preferred: Procedure | None,
    findings: Findings,
    patient: Patient,
    age: AgeRange | None,
    guidelines: Guidelines,
) -> tuple[GuidelineView, ...]:
    """The three views in the order ACR, ACP, NICE."""
    acr = _acr(assessment, patient)
    acp = _acp(findings, preferred, patient, guidelines)
    nice = _nice(findings, age, guidelines)
    rating = {"acr": acr, "acp": acp, "nice": nice}[guidelines.rates]
    return tuple(_compared(view, rating, preferred, findings, guidelines) for view in (acr, acp, nice))


def rated_by_view(
    view: GuidelineView, procedure: Procedure, findings: Findings, guidelines: Guidelines
) -> PamaRating | None:
    """The rating of a site that lets ACP or NICE rate; None where the guideline leaves it open."""
    if view.verdict == "no-criteria":
        return PamaRating.NO_CRITERIA_APPLY
    if view.verdict in _NOT_NOW:
        return PamaRating.NOT_APPROPRIATE
    if view.verdict == "image-if-changes-management":
        decides = findings.candidate.answer is Answer.YES
        return PamaRating.APPROPRIATE if decides else None
    if view.verdict == "depends-on-setting":
        return None
    modalities = _modalities(view, guidelines)
    if modalities and modality_of(procedure) not in modalities:
        return PamaRating.NOT_APPROPRIATE
    return PamaRating.APPROPRIATE


def modality_of(procedure: Procedure) -> str:
    """mri, ct, radiography or nuclear: the words that ACP's rows use."""
    if procedure in MRI:
        return "mri"
    if procedure is Procedure.RADIOGRAPHY:
        return "radiography"
    if procedure in (Procedure.BONE_SCAN, Procedure.FDG_PET_CT):
        return "nuclear"
    return "ct"


def _acr(assessment: Assessment, patient: Patient) -> GuidelineView:
    row = assessment.leading
    if patient.is_child:
        return GuidelineView("acr", "no-criteria", (row,), "adult topic; Back Pain-Child applies", False)
    if assessment.pama is PamaRating.NO_CRITERIA_APPLY and row.variant is not None:
        return GuidelineView("acr", "no-criteria", (row,), "another indication: outside this topic", False)
    if row.variant is None:
        return GuidelineView("acr", "image-other-study", (row,), f"another topic: {row.label}", False, row.cites)
    verdict = "no-imaging" if row.variant in (1, 2) else "image-now"
    number = "1 or 2" if row.id == "duration-unknown" else str(row.variant)
    return GuidelineView("acr", verdict, (row,), f"variant {number}: {row.label}", False, row.cites)


def _acp(findings: Findings, preferred: Procedure | None, patient: Patient, guidelines: Guidelines) -> GuidelineView:
    if patient.is_child:
        return GuidelineView("acp", "no-criteria", (), "for adults", False)
    rows = [row for row in guidelines.acp_rows if not row.ground and row.condition.holds(findings)]
    leading = _leading_acp(rows, findings, preferred, patient, guidelines) or guidelines.acp_rows[-1]
    if findings.aortic.answer is Answer.YES and leading.action != "immediate":
        return GuidelineView("acp", "no-criteria", (), "outside this guideline, which is about the back", False)
    verdict, phrase = _acp_verdict(leading, findings, patient, guidelines)
    says = guidelines.acp_says[phrase].format(label=leading.row.label)
    listed = (leading.row, *(row.row for row in rows if row is not leading))
    return GuidelineView("acp", verdict, listed, says, False, leading.row.cites)


def _leading_acp(
    rows: list[AcpRow], findings: Findings, preferred: Procedure | None, patient: Patient, guidelines: Guidelines
) -> AcpRow | None:
    """An immediate row, else a no-imaging row, else the deferred row that is about the study."""
    for action in ("immediate", "none"):
        for row in rows:
            if row.action == action:
                return row
    if not rows:
        return None
    modality = "" if preferred is None else modality_of(preferred)

    def rank(row: AcpRow) -> tuple[bool, bool]:
        verdict, _ = _acp_verdict(row, findings, patient, guidelines)
        return verdict != "image-now", modality not in row.modality

    return min(rows, key=rank)  # min() keeps the table order of equals


def _acp_verdict(row: AcpRow, findings: Findings, patient: Patient, guidelines: Guidelines) -> tuple[str, str]:
    if row.action == "immediate":
        return "image-now", "immediate"
    if row.action == "none":
        return "no-imaging", "none"
    if not _trial_done(findings, patient, guidelines):
        return "defer", "defer"
    if row.needs_candidate and findings.candidate.answer is not Answer.YES:
        return "defer", "defer_candidate"
    return "image-now", "defer_met"


def _trial_done(findings: Findings, patient: Patient, guidelines: Guidelines) -> bool:
    """ACP's one-month trial of therapy: care that surely began four weeks ago or more, in this episode."""
    since = findings.conservative_care.since
    if findings.conservative_care.level not in ("possible", "adequate") or since is None:
        return findings.conservative_care.level == "adequate"
    return days_between(since, patient.as_of).shortest >= guidelines.parameters.acp_trial_days


def _nice(findings: Findings, age: AgeRange | None, guidelines: Guidelines) -> GuidelineView:
    if age is not None and age.oldest < guidelines.parameters.nice_age_years:
        return GuidelineView("nice", "no-criteria", (), "covers people aged 16 and over", False)
    rows = [row for row in guidelines.nice_rows if row.condition.holds(findings)]
    leading = rows[0]
    says = leading.row.label
    if leading.verdict == "serious-pathology":
        for timing in guidelines.nice_timings:
            if timing.condition.holds(findings):
                says = f"{says}; {timing.says}"
                break
    return GuidelineView("nice", leading.verdict, tuple(row.row for row in rows), says, False, leading.row.cites)


def _compared(
    view: GuidelineView,
    rating: GuidelineView,
    preferred: Procedure | None,
    findings: Findings,
    guidelines: Guidelines,
) -> GuidelineView:
    if view is rating or not _differs(view, rating, preferred, findings, guidelines):
        return view
    return GuidelineView(view.guideline, view.verdict, view.rows, view.says, True, view.cites)


def _differs(
    view: GuidelineView,
    rating: GuidelineView,
    preferred: Procedure | None,
    findings: Findings,
    guidelines: Guidelines,
) -> bool:
    one, other = view.verdict, rating.verdict
    if "no-criteria" in (one, other):
        return False
    if one in _CONDITIONAL or other in _CONDITIONAL:
        if findings.candidate.answer is Answer.YES and "depends-on-setting" not in (one, other):
            return bool({one, other} & _NOT_NOW)
        return bool({one, other} & _IMAGE)
    if (one in _IMAGE) is not (other in _IMAGE):
        return True
    modalities: set[str] = _modalities(view, guidelines) if one in _IMAGE else set()
    return bool(modalities) and preferred is not None and modality_of(preferred) not in modalities


def _modalities(view: GuidelineView, guidelines: Guidelines) -> set[str]:
    if view.guideline != "acp" or not view.rows:
        return set()
    by_id: Mapping[str, AcpRow] = {row.row.id: row for row in guidelines.acp_rows}
    return set(by_id[view.rows[0].id].modality)
