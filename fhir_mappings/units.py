"""Numbers with units, in the unit fixed for each concept; an unknown unit is unread, never assumed."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from msgspec import Struct

from fhir_mappings.elements import Quantity
from fhir_mappings.partial_dates import days_in

_NUMBER = re.compile(r"\s*(<=|>=|<|>|≤|≥)?\s*([0-9]{1,7}(?:[.,][0-9]{1,6})?)\s*(.*?)\s*", re.DOTALL)
_EGFR = re.compile(r"ml/min(?:/(?:1\.73(?:sqm|m2)|1\.73|m2))?")
_TO_STRIP = str.maketrans({"{": "", "}": "", "_": "", "^": "", "*": "", " ": "", "²": "2", "(": "", ")": ""})

# UCUM, as people write it. An annotation in braces ("{score}") is no unit: the name of what was measured says it.
_WRITTEN = {
    "Cel": "°C",
    "{score}": "",
    "[degF]": "°F",
    "mm[Hg]": "mmHg",
    "[lb_av]": "lb",
    "mL/min/{1.73_m2}": "mL/min/1.73 m²",
}
_ANNOTATION = re.compile(r"\{[^{}]*\}")

# UCUM codes, then in lower case what records write. Factors: NIST Special Publication 811 (pound, ounce), UCUM (stone).
_TEMPERATURE: Mapping[str, tuple[float, float]] = {  # (factor, offset): Celsius = factor * value + offset
    **dict.fromkeys(
        ("Cel", "cel", "c", "°c", "degc", "deg c", "degrees c", "degree c", "celsius", "degrees celsius"), (1.0, 0.0)
    ),
    **dict.fromkeys(
        ("[degF]", "[degf]", "f", "°f", "degf", "deg f", "degrees f", "degree f", "fahrenheit", "degrees fahrenheit"),
        (5 / 9, -160 / 9),
    ),
    "k": (1.0, -273.15),
}
_KILOGRAMS = {
    "kg": 1.0, "kgs": 1.0, "kilogram": 1.0, "kilograms": 1.0, "g": 0.001, "gram": 0.001, "grams": 0.001,
    **dict.fromkeys(("[lb_av]", "lb", "lbs", "lb_av", "pound", "pounds"), 0.45359237),
    **dict.fromkeys(("[oz_av]", "oz", "ounce", "ounces"), 0.028349523125),
    **dict.fromkeys(("[stone_av]", "st", "stone"), 6.35029318),
}  # fmt: skip
_MG_PER_L = {"mg/l": 1.0, "ug/ml": 1.0, "mcg/ml": 1.0, "µg/ml": 1.0, "μg/ml": 1.0, "mg/dl": 10.0, "ug/l": 0.001}
_MM_PER_H = dict.fromkeys(
    ("mm/h", "mm/hr", "mm/hour", "mm/1h", "mm/1hr", "mm/1 h", "mm/1 hr", "mm in 1 hour", "mm/(1.h)",
     "mm/h (westergren)", "mm/hr (westergren)", "mm/ 1st hour", "mm/1st hour"), 1.0
)  # fmt: skip
_ML = {"ml": 1.0, "milliliter": 1.0, "milliliters": 1.0, "millilitre": 1.0, "millilitres": 1.0, "cc": 1.0, "cm3": 1.0,
       "l": 1000.0, "dl": 100.0}  # fmt: skip


class Number(Struct, frozen=True, gc=False):
    """A number in its concept's unit; ``comparator`` as "<" or ">"."""

    value: float
    comparator: str = ""


def number_in_text(text: str) -> Quantity | None:
    """ "<15", "37.8 C", "7/10" as a Quantity; ``None`` where the text is not a number with at most a unit after it."""
    found = _NUMBER.fullmatch(text)
    if found is None:
        return None
    comparator, digits, unit = found.groups()
    return Quantity(value=float(digits.replace(",", ".")), comparator=comparator, unit=unit or None)


def in_unit_of(concept: str, quantity: Quantity) -> Number | None:
    """The quantity in the unit that the rules use for this concept; ``None`` where it cannot be told for certain."""
    convert = CONVERTERS.get(concept)
    if convert is None or quantity.value is None:
        return None
    value = convert(quantity.value, quantity.code) if quantity.code else None  # as nearly all are written
    if value is None:
        value = _in_other_spelling(convert, quantity.value, quantity)
        if value is None:
            return None
    return Number(to_four_places(value), quantity.comparator.translate(_COMPARATORS)[:1] if quantity.comparator else "")


def _in_other_spelling(
    convert: Callable[[float, str], float | None], stated: float, quantity: Quantity
) -> float | None:
    """The code of the unit in lower case, and what the record calls the unit."""
    code = quantity.code.strip().lower() if quantity.code else ""
    words = quantity.unit.strip().lower() if quantity.unit else ""
    value = convert(stated, code) if code or not words else None
    return convert(stated, words) if value is None and words and words != code else value


def to_four_places(value: float) -> float:
    """``round(value, 4)``, which works by way of decimal text; what has no more places is found to be so without it."""
    return value if int(value * 10_000 + 0.5) / 10_000 == value else round(value, 4)


_COMPARATORS = str.maketrans({"≤": "<", "≥": ">"})


def _temperature(value: float, unit: str) -> float | None:
    known = _TEMPERATURE.get(unit)
    if known is None:
        return None
    factor, offset = known
    celsius = factor * value + offset
    return celsius if 25 <= celsius <= 46 else None  # outside this no living patient was measured


def _by(factors: Mapping[str, float], lowest: float, highest: float) -> Callable[[float, str], float | None]:
    def convert(value: float, unit: str) -> float | None:
        factor = factors.get(unit)
        if factor is None:
            return None
        converted = value * factor
        return converted if lowest <= converted <= highest else None

    return convert


def _egfr(value: float, unit: str) -> float | None:
    plain = unit.translate(_TO_STRIP).replace("squaremeter", "m2").replace("sq.m", "sqm").replace("bsa", "")
    known = not unit or _EGFR.fullmatch(plain) is not None
    return value if known and 0 <= value <= 250 else None


def _score(highest: float) -> Callable[[float, str], float | None]:
    allowed = {
        "",
        "1",
        "score",
        "{score}",
        "points",
        "{points}",
        "nrs",
        "{nrs}",
        "/10",
        "out of 10",
        "{0-10}",
        "{pain score}",
    }

    def convert(value: float, unit: str) -> float | None:
        return value if unit in allowed and 0 <= value <= highest else None

    return convert


def _vas(value: float, unit: str) -> float | None:
    """In millimetres. A number up to 10 without a length could be centimetres or millimetres: unread."""
    if unit in ("mm", "/100", "out of 100"):
        return value if 0 <= value <= 100 else None
    if unit in ("cm", "/10", "out of 10"):
        return value * 10 if 0 <= value <= 10 else None
    return value if unit in ("", "1", "{score}", "score") and 10 < value <= 100 else None


def _oswestry(value: float, unit: str) -> float | None:
    if unit in ("/50", "out of 50"):
        value *= 2
    elif unit not in ("", "%", "1", "{score}", "score", "/100", "percent", "{percent}"):
        return None
    return value if 0 <= value <= 100 else None


def _t_score(value: float, unit: str) -> float | None:
    allowed = unit in ("", "1", "{score}", "score", "{t-score}", "{tscore}", "t-score", "{t_score}", "t score")
    return value if allowed and 0 <= value <= 100 else None


CONVERTERS: Mapping[str, Callable[[float, str], float | None]] = {
    "body-temperature": _temperature,
    "body-weight": _by(_KILOGRAMS, 0.3, 700),
    "egfr": _egfr,
    "esr": _by({**_MM_PER_H, "": 1.0}, 0, 300),
    "crp": _by(_MG_PER_L, 0, 2000),
    "post-void-residual": _by(_ML, 0, 10000),
    "symptom-duration": days_in,
    "conservative-care-duration": days_in,
    "pain-score/nrs": _score(10),
    "pain-score/vas": _vas,
    "oswestry-disability-index": _oswestry,
    "function-score/peg": _score(10),
    "function-score/bpi-pain-interference": _score(10),
    "function-score/promis-physical-function": _t_score,
    "function-score/promis-pain-interference": _t_score,
}


def unit_in_words(unit: str) -> str:
    """The unit of a record as a clinician reads it; one that is not known stands as the record has it."""
    if "{" not in unit and "[" not in unit and unit != "Cel":
        return unit
    written = _WRITTEN.get(unit)
    return _ANNOTATION.sub("", unit).strip() if written is None else written
