"""Lines of a chart that are results: bedside findings, scores, vital signs, laboratory, social history."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sandbox.stories.fhir_parts import Chart, coded, quantity
from sandbox.stories.story import Resource
from sandbox.stories.vocabulary import concept

_CATEGORIES = {
    "exam": "Exam",
    "vital-signs": "Vital Signs",
    "laboratory": "Laboratory",
    "survey": "Survey",
    "social-history": "Social History",
}


def _observation(chart: Chart, what: str, category: str, on: str, value: Mapping[str, Any]) -> Resource:
    return {
        "resourceType": "Observation",
        "status": "final",
        "category": [coded("observation-category", category, _CATEGORIES[category])],
        "code": concept(what),
        "subject": chart.subject,
        "effectiveDateTime": chart.day(on),
        **value,
    }


def _exam(chart: Chart, what: str, *, value: str | bool | int, on: str = "today") -> Resource:
    """A bedside finding, named and answered in words as most records do."""
    if isinstance(value, bool):
        given: dict[str, Any] = {"valueBoolean": value}
    elif isinstance(value, int):
        given = {"valueInteger": value}
    else:
        given = {"valueString": value}
    return _observation(chart, what, "exam", on, given)


def _strength(chart: Chart, what: str, *, grade: int | str, on: str = "today") -> Resource:
    """Muscle power; ``what`` is the side and the movement."""
    return _exam(chart, f"text:Muscle power (MRC 0-5), {what}", value=grade, on=on)


def _pain(chart: Chart, what: int, *, on: str = "today") -> Resource:
    return _observation(chart, "pain-score", "survey", on, {"valueQuantity": quantity(what, "{score}")})


def _oswestry(chart: Chart, what: int, *, on: str = "today") -> Resource:
    return _observation(chart, "oswestry", "survey", on, {"valueQuantity": quantity(what, "{score}")})


def _vital(word: str, unit: str) -> Callable[..., Resource]:
    def line(chart: Chart, what: float, *, on: str = "today", unit: str = unit) -> Resource:
        return _observation(chart, word, "vital-signs", on, {"valueQuantity": quantity(what, unit)})

    return line


def _blood_pressure(chart: Chart, what: str, *, on: str = "today") -> Resource:
    systolic, _, diastolic = what.partition("/")
    parts = [
        {"code": concept(name), "valueQuantity": quantity(int(value), "mm[Hg]")}
        for name, value in (("systolic-pressure", systolic), ("diastolic-pressure", diastolic))
    ]
    return _observation(chart, "blood-pressure", "vital-signs", on, {"component": parts})


def _lab(
    chart: Chart, what: str, *, value: float | str, unit: str = "", normal: str = "", on: str = "today"
) -> Resource:
    """A laboratory result; ``normal`` is the reference range, from which the interpretation follows."""
    if isinstance(value, str):
        return _observation(chart, what, "laboratory", on, {"valueString": value})
    given: dict[str, Any] = {"valueQuantity": quantity(value, unit)}
    if normal:
        low, high = (float(each) if each else None for each in normal.split("-"))
        code, display = ("N", "Normal")
        if low is not None and value < low:
            code, display = ("L", "Low")
        elif high is not None and value > high:
            code, display = ("H", "High")
        given["interpretation"] = [coded("v3-ObservationInterpretation", code, display)]
        limits = {name: limit for name, limit in (("low", low), ("high", high)) if limit is not None}
        given["referenceRange"] = [{name: quantity(limit, unit) for name, limit in limits.items()}]
    return _observation(chart, what, "laboratory", on, given)


def _social(chart: Chart, what: str, *, value: str | bool, on: str = "today") -> Resource:
    given = {"valueBoolean": value} if isinstance(value, bool) else {"valueString": value}
    return _observation(chart, what, "social-history", on, given)


RESULTS: dict[str, Callable[..., Resource]] = {
    "exam": _exam,
    "strength": _strength,
    "pain": _pain,
    "oswestry": _oswestry,
    "temperature": _vital("body-temperature", "Cel"),
    "weight": _vital("body-weight", "kg"),
    "bmi": _vital("body-mass-index", "kg/m2"),
    "pulse": _vital("heart-rate", "/min"),
    "pressure": _blood_pressure,
    "lab": _lab,
    "social": _social,
}
