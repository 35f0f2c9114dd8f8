"""Temperatures, weights and scores as nearly all are written: one number, with nothing beside it that changes it.

Most of what a record measures is of this kind; ``fhir_mappings.observations`` reads everything else.
"""

from __future__ import annotations

from fhir_mappings.codes import CodeReading
from fhir_mappings.elements import Quantity, quantity_in
from fhir_mappings.fhir_records import NOTHING, Observation
from fhir_mappings.observation_values import whole_in
from fhir_mappings.page import evidence_of
from fhir_mappings.record_text import shown
from fhir_mappings.units import CONVERTERS, to_four_places, unit_in_words
from rules.dates import DateInterval
from rules.facts import Fact, FactKind

# Scores under the names that the rules use: concept of the code to (concept, instrument, kind of number).
SCORES = {
    "pain-severity-nrs": ("pain-score", "nrs", "pain-score/nrs"),
    "pain-intensity": ("pain-score", "nrs", "pain-score/nrs"),
    "pain-severity-vas": ("pain-score", "vas", "pain-score/vas"),
    "oswestry-disability-index": ("oswestry-disability-index", "", "oswestry-disability-index"),
    "peg-score": ("function-score", "peg", "function-score/peg"),
    "bpi-pain-interference": ("function-score", "bpi-pain-interference", "function-score/bpi-pain-interference"),
    "promis-physical-function": (
        "function-score", "promis-physical-function", "function-score/promis-physical-function",
    ),
    "promis-pain-interference": (
        "function-score", "promis-pain-interference", "function-score/promis-pain-interference",
    ),
}  # fmt: skip
MEASURED = ("body-temperature", "body-weight", "egfr", "post-void-residual", "symptom-duration")
# What is a number and nothing else: concept of the code to (concept, instrument, what brings it into the rules' unit).
NUMBERS = {
    concept: (name, instrument, CONVERTERS[kind])
    for concept, (name, instrument, kind) in {**SCORES, **{each: (each, "", each) for each in MEASURED}}.items()
}
_OBSERVATION = FactKind.OBSERVATION


def usual_number(
    observation: Observation,
    reading: CodeReading,
    began: DateInterval | None,
    dated: str | None,
    side: str,
    encounter: str,
    marks: tuple[str, ...],
) -> Fact | None:
    """What the general way makes of it, in fewer steps; ``None``: it is not written as nearly all are."""
    if not (observation.component is observation.interpretation is observation.data_absent_reason is NOTHING):
        return None
    statement, quantity = reading.statements[0], None
    concept, instrument, convert = NUMBERS[statement.concept]
    if observation.value_quantity is not NOTHING:
        quantity = quantity_in(observation.value_quantity)
    elif observation.value_codeable_concept is observation.value_boolean is NOTHING:
        whole = whole_in(observation.value_integer)
        quantity = None if whole is None else Quantity(float(whole))
    if quantity is None or quantity.value is None or quantity.comparator or not reading.says:
        return None
    value = convert(quantity.value, quantity.code or "") if quantity.code or not quantity.unit else None
    if value is None:
        return None
    said = shown(f"{reading.says}: {in_words(quantity)}")
    return Fact(
        concept,
        _OBSERVATION,
        evidence_of(observation, said, dated, marks + statement.marks),
        True,
        statement.suspected,
        not statement.history,
        began,
        None,
        to_four_places(value),
        "",
        statement.grade,
        side or statement.side or reading.side,
        instrument or statement.site,
        statement.course,
        "",
        encounter,
    )


def in_words(quantity: Quantity) -> str:
    """A quantity whose value is given, as the record has it."""
    unit = quantity.unit or quantity.code
    number = f"{quantity.comparator or ''}{quantity.value:g}"
    return f"{number} {unit_in_words(unit)}".strip() if unit else number.strip()
