"""The entries that decide, as several kinds of case; every code is in the service's reviewed value sets."""

from collections.abc import Callable

from msgspec import Struct

from bench.resources import CPT, ICD10CM, LOCAL, LOINC, RXNORM, SNOMED, ChartWriter, Json, coding, concept

Parts = dict[str, list[Json]]  # prefetch key -> resources


class History(Struct, frozen=True):
    """Who the patient is, what the record says about the back, and why the study is ordered."""

    age: int
    sex: str
    write: Callable[[ChartWriter], Parts]
    reason: Json


LOW_BACK_PAIN = concept(
    "Low back pain",
    coding(ICD10CM, "M54.50", "Low back pain, unspecified"),
    coding(SNOMED, "279039007", "Low back pain"),
    coding(f"{LOCAL}.11.80", "52863", "Low back pain"),
)
SCIATICA_LEFT = concept(
    "Sciatica, left side",
    coding(ICD10CM, "M54.32", "Sciatica, left side"),
    coding(SNOMED, "23056005", "Sciatica"),
    coding(f"{LOCAL}.11.80", "61022", "Left sided sciatica"),
)
PROSTATE_CANCER_HISTORY = concept(
    "History of prostate cancer",
    coding(ICD10CM, "Z85.46", "Personal history of malignant neoplasm of prostate"),
    coding(SNOMED, "428262008", "History of malignant neoplasm of prostate"),
)
NAPROXEN = concept(
    "naproxen 500 mg tablet",
    coding(RXNORM, "198014", "Naproxen 500 MG Oral Tablet"),  # Synthea record, smart-on-fhir/generated-sample-data (R4)
    coding(f"{LOCAL}.10.768282", "8356", "NAPROXEN 500 MG TABLET"),
)
THERAPY_REFERRAL = concept(
    "Ambulatory referral to physical therapy",
    coding(SNOMED, "444831000124102", "Referral for physical therapy"),
    coding(f"{LOCAL}.10.798268", "REF87", "Ambulatory referral to physical therapy"),
)
SADDLE_NUMBNESS = concept(
    "Numbness of saddle area",
    coding(SNOMED, "449813001", "Numbness of saddle area"),
    coding(f"{LOCAL}.11.80", "90417", "Saddle numbness"),
)
NEUROSURGERY_REFERRAL = concept(
    "Ambulatory referral to neurosurgery",
    coding(SNOMED, "308482002", "Referral to neurosurgeon"),
    coding(f"{LOCAL}.10.798268", "REF54", "Ambulatory referral to neurosurgery"),
)
THERAPY_SESSION = concept("Therapeutic exercise", coding(CPT, "97110", "Therapeutic exercise"))
LUMBAR_FILMS = concept(
    "XR lumbar spine 2 or 3 views",
    coding(LOINC, "48469-1", "XR Lumbar spine 2 or 3 Views"),
    coding(CPT, "72100", "Radiography of the lumbosacral spine"),
    coding(f"{LOCAL}.10.696570", "IMG1038", "XR LUMBAR SPINE 2-3 VIEWS"),
)
PAIN_SCORE = concept(
    "Pain score", coding(LOINC, "72514-3", "Pain severity - 0-10 verbal numeric rating [Score] - Reported")
)
LUMBAR_MRI = concept(
    "MRI lumbar spine without contrast",
    coding(CPT, "72148", "MRI of the lumbar spine without contrast"),
    coding(LOINC, "30679-5", "MR Lumbar spine WO contrast"),
    coding(f"{LOCAL}.10.696570", "IMG1066", "MRI LUMBAR SPINE WO CONTRAST"),
)


def _pain(chart: ChartWriter, score: int, days_ago: int) -> Json:
    return chart.observation(
        "survey", PAIN_SCORE, days_ago, "us-core-observation-screening-assessment", valueInteger=score
    )


def _three_weeks(chart: ChartWriter) -> Parts:
    return {
        "conditions": [chart.condition(LOW_BACK_PAIN, 21)],
        "medications": [chart.medication(NAPROXEN, 14, reason=LOW_BACK_PAIN)],
        "surveys": [_pain(chart, 5, 0)],
    }


def _sciatica_in_therapy(chart: ChartWriter) -> Parts:
    return {
        "conditions": [chart.condition(SCIATICA_LEFT, 33), chart.condition(LOW_BACK_PAIN, 33)],
        "medications": [chart.medication(NAPROXEN, 33, reason=SCIATICA_LEFT)],
        "serviceRequests": [chart.service_request(THERAPY_REFERRAL, 28, "active", SCIATICA_LEFT)],
        "procedures": [chart.procedure(THERAPY_SESSION, days, reason=SCIATICA_LEFT) for days in (21, 14, 7)],
        "surveys": [_pain(chart, 6, 28), _pain(chart, 6, 0)],
    }


def _old_cancer_new_pain(chart: ChartWriter) -> Parts:
    return {
        "conditions": [
            chart.condition(PROSTATE_CANCER_HISTORY, 6 * 365),
            chart.condition(LOW_BACK_PAIN, 4 * 365, "resolved", "encounter-diagnosis"),
            chart.condition(LOW_BACK_PAIN, 38),
        ],
        "medications": [chart.medication(NAPROXEN, 35, reason=LOW_BACK_PAIN)],
        "serviceRequests": [chart.service_request(THERAPY_REFERRAL, 4 * 365, "completed", LOW_BACK_PAIN)],
        "imagingReports": [
            chart.imaging_report(LUMBAR_FILMS, 4 * 365, "Mild multilevel degenerative change. No fracture.")
        ],
        "surveys": [_pain(chart, 4, 38), _pain(chart, 7, 0)],
    }


def _cancer_in_short(chart: ChartWriter) -> Parts:
    return {
        "conditions": [chart.condition(PROSTATE_CANCER_HISTORY, 6 * 365), chart.condition(LOW_BACK_PAIN, 20)],
        "surveys": [_pain(chart, 6, 0)],
    }


def _saddle_numbness(chart: ChartWriter) -> Parts:
    return {
        "conditions": [
            chart.condition(LOW_BACK_PAIN, 12),
            chart.condition(SADDLE_NUMBNESS, 1, category="encounter-diagnosis"),
        ],
        "medications": [chart.medication(NAPROXEN, 10, reason=LOW_BACK_PAIN)],
        "surveys": [_pain(chart, 8, 0)],
    }


def _surgery_considered(chart: ChartWriter) -> Parts:
    return {
        "conditions": [chart.condition(SCIATICA_LEFT, 74)],
        "medications": [chart.medication(NAPROXEN, 70, reason=SCIATICA_LEFT)],
        "serviceRequests": [chart.service_request(NEUROSURGERY_REFERRAL, 6, "active", SCIATICA_LEFT)],
        "procedures": [chart.procedure(THERAPY_SESSION, days, reason=SCIATICA_LEFT) for days in (56, 35, 14)],
        "surveys": [_pain(chart, 7, 35), _pain(chart, 7, 0)],
    }


THREE_WEEKS = History(age=38, sex="female", write=_three_weeks, reason=LOW_BACK_PAIN)
SCIATICA_IN_THERAPY = History(age=46, sex="male", write=_sciatica_in_therapy, reason=SCIATICA_LEFT)
OLD_CANCER_NEW_PAIN = History(age=67, sex="male", write=_old_cancer_new_pain, reason=LOW_BACK_PAIN)
FRESH_SADDLE_NUMBNESS = History(age=52, sex="male", write=_saddle_numbness, reason=LOW_BACK_PAIN)
SURGERY_CONSIDERED = History(age=55, sex="female", write=_surgery_considered, reason=SCIATICA_LEFT)
CANCER_IN_SHORT = History(age=63, sex="male", write=_cancer_in_short, reason=LOW_BACK_PAIN)


def draft_order(chart: ChartWriter, history: History) -> Json:
    """The lumbar MRI that is being ordered, as an order form fills it in."""
    return {
        **chart.head("ServiceRequest", "us-core-servicerequest", 0),
        "extension": [{"url": f"{LOCAL}.9.1.order-class", "valueString": "Ancillary Performed"}],
        "identifier": [{"use": "usual", "system": f"{LOCAL}.2.7.3.798268", "value": str(chart.number(10**8, 10**9))}],
        "status": "draft",
        "intent": "order",
        # the category of HL7 US Core's example ServiceRequest/chest-xray
        "category": [concept("Imaging", coding(SNOMED, "363679005", "Imaging"))],
        "priority": "routine",
        "code": LUMBAR_MRI,
        "orderDetail": [{"text": "Is the patient claustrophobic? Unknown"}, {"text": "Release to patient: immediate"}],
        "subject": chart.subject(),
        "encounter": chart.encounter(0),
        "authoredOn": chart.instant(0),
        "requester": chart.practitioner(),
        "reasonCode": [history.reason],
    }
