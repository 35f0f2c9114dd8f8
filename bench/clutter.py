"""The everyday entries that fill a chart: each is written like the entries that decide, and none of them does."""

from collections.abc import Callable

from bench.clutter_codes import ClutterCode, clutter_codes
from bench.resources import TERMINOLOGY, ChartWriter, Json, coding


def clutter(part: str, count: int, days: int, chart: ChartWriter) -> list[Json]:
    """This many everyday entries of one part, newest first, spread over the years."""
    if part not in _WRITERS:
        return []
    kind, write = _WRITERS[part]
    codes = clutter_codes(kind)
    in_sets = part in ("vitalSigns", "laboratory", "surveys")  # measured together: the codes take turns on one day
    entries = []
    for place in range(count):
        started = place - place % len(codes) if in_sets else place
        code = codes[place % len(codes)] if in_sets else chart.choose(codes)
        entries.append(write(chart, code, 1 + started * days // count))
    return entries


def _vital(chart: ChartWriter, code: ClutterCode, days_ago: int) -> Json:
    if code.code == "85354-9":  # the blood pressure panel has components and no value of its own
        parts = [chart.component(part) for part in clutter_codes("component")]
        return chart.observation("vital-signs", chart.coded(code), days_ago, "us-core-blood-pressure", component=parts)
    value = chart.quantity(code)
    return chart.observation("vital-signs", chart.coded(code), days_ago, "us-core-vital-signs", valueQuantity=value)


def _lab(chart: ChartWriter, code: ClutterCode, days_ago: int) -> Json:
    return chart.observation(
        "laboratory",
        chart.coded(code),
        days_ago,
        "us-core-observation-lab",
        valueQuantity=chart.quantity(code),
        issued=chart.instant(days_ago),
        interpretation=[{"coding": [coding(f"{TERMINOLOGY}/v3-ObservationInterpretation", "N", "Normal")]}],
        specimen={"reference": f"Specimen/{chart.new_id()}"},
        referenceRange=[{"low": {"value": float(code.low)}, "high": {"value": float(code.high)}, "text": code.unit}],
    )


def _survey(chart: ChartWriter, code: ClutterCode, days_ago: int) -> Json:
    score = chart.number(int(code.low), int(code.high))
    profile = "us-core-observation-screening-assessment"
    return chart.observation("survey", chart.coded(code), days_ago, profile, valueInteger=score)


def _social(chart: ChartWriter, code: ClutterCode, days_ago: int) -> Json:
    value: Json = {"valueQuantity": chart.quantity(code)} if code.unit else {"valueString": "Office work"}
    return chart.observation("social-history", chart.coded(code), days_ago, "us-core-simple-observation", **value)


def _condition(chart: ChartWriter, code: ClutterCode, days_ago: int) -> Json:
    clinical = "active" if chart.number(0, 2) == 0 else "resolved"
    category = "problem-list-item" if chart.number(0, 1) else "encounter-diagnosis"
    return chart.condition(chart.coded(code), days_ago, clinical, category)


def _medication(chart: ChartWriter, code: ClutterCode, days_ago: int) -> Json:
    return chart.medication(chart.coded(code), days_ago, "active" if chart.number(0, 2) == 0 else "completed")


def _report(chart: ChartWriter, code: ClutterCode, days_ago: int) -> Json:
    return chart.imaging_report(chart.coded(code), days_ago, "No acute cardiopulmonary abnormality.")


_WRITERS: dict[str, tuple[str, Callable[[ChartWriter, ClutterCode, int], Json]]] = {
    "conditions": ("condition", _condition),
    "vitalSigns": ("vital", _vital),
    "laboratory": ("lab", _lab),
    "surveys": ("survey", _survey),
    "socialHistory": ("social", _social),
    "procedures": ("procedure", lambda chart, code, days: chart.procedure(chart.coded(code), days)),
    "medications": ("medication", _medication),
    "serviceRequests": ("request", lambda chart, code, days: chart.service_request(chart.coded(code), days)),
    "imagingReports": ("report", _report),
    "devices": ("device", lambda chart, code, days: chart.device(chart.coded(code))),
    "allergies": ("allergy", lambda chart, code, days: chart.allergy(chart.coded(code), days)),
}
