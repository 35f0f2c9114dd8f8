"""One case for each kind of card, told as a clinician would tell it."""

from datetime import date

from msgspec.structs import replace

from rules.dates import DateInterval, DayRange
from rules.draft_order import Recognition
from rules.facts import SourceGap
from rules.finding import Answer as Reply
from rules.finding import Finding
from rules.procedures import Procedure
from rules.recommendation import Recommendation
from tests.cards.builders import (
    a_picture,
    a_reason,
    adequate_care,
    advise,
    an_order,
    answers,
    checked,
    entry,
    no,
    safety,
    yes,
)

SADDLE = yes(
    "cauda_equina",
    entry("Saddle anaesthesia", "2026-11-24", "Observation/saddle"),
    level="suspected",
    marks=("saddle",),
)
OLD_BLADDER = Finding(
    "cauda_equina",
    Reply.UNKNOWN,
    "possible",
    frozenset({"incontinence"}),
    (entry("Urinary incontinence", "", "Condition/bladder"),),
)
WORSENING = replace(
    yes(
        "weakness",
        entry("Muscle power, left ankle dorsiflexion: 3/5", "2026-11-24", "Observation/mrc-2"),
        entry("Muscle power, left ankle dorsiflexion: 5/5", "2026-11-10", "Observation/mrc-1"),
        level="worsening",
    ),
)
MILD = yes(
    "weakness",
    entry("Muscle power, right great toe extension: 4/5", "2026-11-24", "Observation/mrc"),
    level="mild",
    marks=("new",),
)
FEVER = replace(
    yes("infection", entry("Body temperature 39.2 C", "2026-11-23", "Observation/t1"), marks=("fever",)),
    against=(entry("Body temperature 36.8 C", "2026-11-25", "Observation/t2"),),
)
CANCER = yes(
    "cancer",
    entry("Malignant neoplasm of breast", "2019", "Condition/ca", "history"),
    level="known",
    marks=("history",),
)
OSTEOPOROSIS = yes("fracture_risk", entry("Osteoporosis", "2024-05-02", "Condition/op"), marks=("osteoporosis",))
OLD_AGE = yes("fracture_risk", entry("age 76 years", "", "Patient/patient-1"), level="age-alone", marks=("older-age",))
CRASH = yes("major_trauma", entry("Car accident", "2026-11-24", "Condition/crash"), marks=("mechanism",))
ANEURYSM = yes("aortic", entry("Abdominal aortic aneurysm", "2022-03-01", "Condition/aaa"), marks=("aneurysm",))
SCIATICA = yes("radiculopathy", entry("Sciatica, left side", "2026-11-04", "Condition/sciatica"), marks=("coded",))
IMPROVING = yes(
    "trend",
    entry("Pain score 7", "2026-11-05", "Observation/nrs-1"),
    entry("Pain score 4", "2026-11-23", "Observation/nrs-2"),
    level="improving",
    marks=("nrs",),
)
PLANNED = yes(
    "candidate", entry("Lumbar epidural injection, planned", "2026-12-10", "ServiceRequest/esi"), level="planned"
)
REPORT = yes(
    "prior_imaging", entry("MRI lumbar spine without contrast, final report", "2026-09-14", "DiagnosticReport/mri")
)
PACEMAKER = yes(
    "mr_device", entry("Cardiac pacemaker", "2018-06-01", "Device/pm"), marks=("mr_cardiac_device_unlabelled",)
)
CLIP = yes("mr_device", entry("Aneurysm clip", "2012", "Device/clip"), marks=("mr_aneurysm_clip",))
PREGNANT = yes("pregnancy", entry("Pregnancy", "2026-10-01", "Condition/preg"))
LOW_EGFR = yes("kidney", entry("eGFR 22 mL/min/1.73m2", "2026-11-01", "Observation/egfr"), marks=("egfr-below-30",))
SURGERY = yes("prior_surgery", entry("Lumbar discectomy", "2024-02-11", "Procedure/disc"))
STARTED = replace(
    yes(
        "conservative_care",
        entry("Physical therapy", "2026-11-09", "Procedure/pt"),
        level="possible",
        marks=("active-therapy",),
    ),
    since=DateInterval(date(2026, 11, 9), date(2026, 11, 9)),
)
NO_CONDITIONS = SourceGap("Condition", "failed", hides_red_flags=True)
NO_ALLERGIES = SourceGap("AllergyIntolerance", "not provided", hides_red_flags=False)


def situations() -> dict[str, Recommendation]:
    """Name of the case, and its advice."""
    return {
        "emergency_xray_saddle": advise(answers(cauda_equina=SADDLE), an_order(Procedure.RADIOGRAPHY)),
        "emergency_right_study": advise(answers(cauda_equina=SADDLE), an_order(Procedure.MRI_WITHOUT)),
        "emergency_right_study_stat": advise(
            answers(cauda_equina=SADDLE), an_order(Procedure.MRI_WITHOUT, priority="stat")
        ),
        "emergency_with_pacemaker": advise(
            answers(cauda_equina=SADDLE, safety=safety(mr_device=PACEMAKER)), an_order(Procedure.RADIOGRAPHY)
        ),
        "emergency_aortic": advise(answers(aortic=ANEURYSM), an_order(Procedure.MRI_WITHOUT)),
        "emergency_major_trauma": advise(
            answers(days=1, major_trauma=CRASH), an_order(Procedure.RADIOGRAPHY), a_picture(76)
        ),
        "emergency_child": advise(answers(cauda_equina=SADDLE), an_order(Procedure.MRI_WITHOUT), a_picture(16)),
        "emergency_not_recognised": advise(
            answers(cauda_equina=SADDLE),
            an_order(None, recognition=Recognition.NOT_RECOGNISED, name="Spine imaging <b>"),
        ),
        "immediate_worsening": advise(
            answers(weakness=WORSENING, radiculopathy=SCIATICA), an_order(Procedure.MRI_WITHOUT_AND_WITH)
        ),
        "immediate_fever_and_drug_use": advise(
            answers(infection=replace(FEVER, marks=frozenset({"fever", "iv-drug-use"}))),
            an_order(Procedure.MRI_WITHOUT),
        ),
        "possible_cauda_equina": advise(answers(cauda_equina=OLD_BLADDER, days=300)),
        "safety_pacemaker": advise(
            answers(candidate=PLANNED, conservative_care=adequate_care(), days=90, safety=safety(mr_device=PACEMAKER))
        ),
        "safety_aneurysm_clip": advise(
            answers(candidate=PLANNED, conservative_care=adequate_care(), days=90, safety=safety(mr_device=CLIP))
        ),
        "safety_pregnant_xray": advise(
            answers(fracture_risk=OSTEOPOROSIS, safety=safety(pregnancy=PREGNANT)),
            an_order(Procedure.RADIOGRAPHY),
            a_picture(41),
        ),
        "source_not_read": advise(picture=a_picture(gaps=(NO_CONDITIONS, NO_ALLERGIES))),
        "wrong_test_fever_xray": advise(answers(infection=FEVER), an_order(Procedure.RADIOGRAPHY)),
        "wrong_test_low_egfr": advise(
            answers(infection=FEVER, safety=safety(kidney=LOW_EGFR)), an_order(Procedure.CT_WITH)
        ),
        "wrong_test_cancer_priority": advise(answers(cancer=CANCER), an_order(Procedure.MRI_WITHOUT_AND_WITH)),
        "wrong_test_osteoporosis_ct_with": advise(
            answers(fracture_risk=OSTEOPOROSIS), an_order(Procedure.CT_WITH), a_picture(72)
        ),
        "wrong_test_after_surgery": advise(answers(prior_surgery=SURGERY, days=60), an_order(Procedure.CT_WITH)),
        "answer_missing_candidate": advise(answers(conservative_care=adequate_care(), days=90, radiculopathy=SCIATICA)),
        "answer_missing_indication": advise(answers(indication=Finding("indication", Reply.UNKNOWN), days=None)),
        "prior_imaging": advise(answers(prior_imaging=REPORT, days=120)),
        "not_appropriate_red_flags_not_recorded": advise(answers(radiculopathy=SCIATICA, trend=IMPROVING)),
        "not_appropriate_nothing_on_record": advise(answers(days=None)),
        "not_appropriate_checked": advise(checked(trend=IMPROVING)),
        "not_appropriate_care_started": advise(answers(days=DayRange(28, 40), conservative_care=STARTED)),
        "not_appropriate_mild_weakness": advise(answers(weakness=MILD, radiculopathy=SCIATICA)),
        "not_appropriate_managed_no_candidate": advise(
            answers(conservative_care=adequate_care(), days=90, candidate=no("candidate"))
        ),
        "not_appropriate_reason_not_read": advise(
            order=an_order(
                unread_reasons=("LBP, numb bottom and can’t pee since yday",), unread_reason_has_red_flag_stem=True
            )
        ),
        "kept_with_reason": advise(order=an_order(reasons=(a_reason("order-kept-with-reason"),))),
        "deferred": advise(answers(deferred=True), an_order(reasons=(a_reason("deferred-by-clinician"),))),
        "not_rated_not_recognised": advise(
            order=an_order(None, recognition=Recognition.NOT_RECOGNISED, name="Spine imaging | <b>now</b>")
        ),
        "not_rated_myelography": advise(
            order=an_order(None, recognition=Recognition.NOT_AMONG_ELEVEN, name="Lumbar myelography")
        ),
        "not_rated_child": advise(picture=a_picture(15)),
        "not_rated_other_reason": advise(
            answers(indication=no("indication", entry("Scoliosis", "", "ServiceRequest/mri-1#reasonCode")))
        ),
        "not_rated_contrast_matters": advise(
            answers(candidate=PLANNED, conservative_care=adequate_care(), days=90),
            an_order(
                None,
                recognition=Recognition.CONTRAST_NOT_STATED,
                candidates=(Procedure.MRI_WITHOUT, Procedure.MRI_WITH, Procedure.MRI_WITHOUT_AND_WITH),
                name="MRI lumbar spine",
            ),
        ),
        "wrong_test_urgent_contrast_open": advise(
            answers(infection=FEVER),
            an_order(
                None,
                recognition=Recognition.CONTRAST_NOT_STATED,
                candidates=(Procedure.MRI_WITHOUT, Procedure.MRI_WITH, Procedure.MRI_WITHOUT_AND_WITH),
                name="MRI lumbar spine",
            ),
        ),
        "contrast_rates_alike": advise(
            order=an_order(
                None,
                recognition=Recognition.CONTRAST_NOT_STATED,
                candidates=(Procedure.MRI_WITHOUT, Procedure.MRI_WITH, Procedure.MRI_WITHOUT_AND_WITH),
                name="MRI lumbar spine",
            ),
        ),
        "appropriate_planned_injection": advise(
            answers(candidate=PLANNED, conservative_care=adequate_care(), radiculopathy=SCIATICA, days=90)
        ),
        "appropriate_osteoporosis_text_order": advise(
            answers(fracture_risk=OSTEOPOROSIS),
            an_order(Procedure.RADIOGRAPHY, recognition=Recognition.READ_FROM_TEXT),
            a_picture(68),
        ),
        "appropriate_age_alone": advise(answers(fracture_risk=OLD_AGE), an_order(Procedure.RADIOGRAPHY), a_picture(76)),
        "wrong_test_age_alone": advise(answers(fracture_risk=OLD_AGE), an_order(Procedure.CT_WITH), a_picture(76)),
        "appropriate_with_duplicate": advise(
            answers(fracture_risk=OSTEOPOROSIS),
            an_order(Procedure.RADIOGRAPHY),
            a_picture(68),
            others=(
                an_order(Procedure.MRI_WITHOUT, reference="ServiceRequest/2", name="lumbar spine MRI without contrast"),
            ),
        ),
    }
