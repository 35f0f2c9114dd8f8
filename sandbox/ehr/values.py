"""Values of Observations as text, and as numbers that can be drawn."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from sandbox.ehr.drafts import text_of

Json = dict[str, Any]
_WRITTEN = {"Cel": "°C", "mm[Hg]": "mmHg", "[degF]": "°F", "[lb_av]": "lb"}  # UCUM, as people write it
_GRADE = re.compile(r"([0-5])\s*[+-]?\s*(?:/\s*5)?")


def value_text(observation: Json) -> str:
    """What was found, in words."""
    for member, read in _READ.items():
        if member in observation:
            return read(observation[member])
    parts = observation.get("component") or ()
    if pressure := _pressure(parts):
        return pressure
    if parts:
        return ", ".join(f"{text_of(part.get('code') or {})} {value_text(part)}".strip() for part in parts)
    if observation.get("dataAbsentReason"):
        return text_of(observation["dataAbsentReason"]) or "not known"
    return ""


def _pressure(parts: Sequence[Json]) -> str:
    """128/80, where the components are a systolic and a diastolic pressure."""
    found = {text_of(part.get("code") or {}).split(" ")[0].lower(): number_of(part) for part in parts}
    systolic, diastolic = found.get("systolic"), found.get("diastolic")
    if systolic is None or diastolic is None or len(found) > 2:
        return ""
    return f"{tidy_number(systolic)}/{tidy_number(diastolic)} mmHg"


def number_of(observation: Json) -> float | None:
    """The value as a number, where it is one; a strength of "4/5" is 4."""
    quantity = observation.get("valueQuantity")
    if isinstance(quantity, dict) and isinstance(quantity.get("value"), int | float):
        return float(quantity["value"])
    if isinstance(observation.get("valueInteger"), int):
        return float(observation["valueInteger"])
    text = observation.get("valueString")
    if isinstance(text, str) and (grade := _GRADE.fullmatch(text.strip())):
        return float(grade[1])
    return None


def unit_of(observation: Json) -> str:
    """The unit as it is written, without curly annotations such as {score}."""
    quantity = observation.get("valueQuantity") or {}
    unit = str(quantity.get("unit") or quantity.get("code") or "")
    return "" if unit.startswith("{") or unit == "1" else _WRITTEN.get(unit, unit)


def tidy_number(value: float) -> str:
    """7, 38.6"""
    return f"{value:g}"


def _quantity(value: Json) -> str:
    number = value.get("value")
    shown = tidy_number(float(number)) if isinstance(number, int | float) else ""
    unit = unit_of({"valueQuantity": value})
    return f"{value.get('comparator', '')}{shown} {unit}".strip()


def _range(value: Json) -> str:
    return f"{_quantity(value.get('low') or {})} to {_quantity(value.get('high') or {})}"


_READ: dict[str, Callable[[Any], str]] = {
    "valueQuantity": _quantity,
    "valueCodeableConcept": text_of,
    "valueString": str,
    "valueBoolean": lambda value: "yes" if value else "no",
    "valueInteger": str,
    "valueDateTime": str,
    "valueRange": _range,
}
