"""The lines of a case's chart: what a clinician would write down, each turned into one FHIR resource.

A line is an inline table. Its first key says what kind of entry it is, and what; the others say when, where and how:

    { problem = "low-back-pain", began = "21 days ago" }
    { strength = "left ankle-dorsiflexion 4/5", on = "3 days ago" }
    { medicine = "text:Ibuprofen 400 mg oral tablet", begun = "50 days ago" }
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Any

from tests import builders
from tests.builders import Resource
from tests.case_dates import fhir_date
from tests.concept_codes import coding, known_concepts
from tests.own_code_records import own_concept

MUSCLES = ("hip flexion", "knee extension", "ankle dorsiflexion", "great toe extension", "ankle plantarflexion")


class ChartLineError(ValueError):
    """A line of a chart that cannot be read: an unknown kind, an unknown word or a missing part."""


class _Day:
    """Resolves the dates of one case."""

    def __init__(self, as_of: date) -> None:
        self.as_of = as_of

    def __call__(self, text: str) -> str:
        return fhir_date(text, self.as_of) if text else ""


def _problem(
    day: _Day,
    what: str,
    *,
    began: str = "",
    onset_text: str = "",
    onset_age: int = 0,
    onset_period: str = "",
    ended: str = "",
    recorded: str = "",
    status: str = "active",
    verification: str = "confirmed",
    category: str = "problem-list-item",
    side: str = "",
    encounter: bool = False,
) -> Resource:
    age = {"value": onset_age, "unit": "years", "system": builders.UCUM, "code": "a"} if onset_age else None
    return builders.a_condition(
        what,
        status=status,
        verification=verification,
        category=category,
        side=side,
        encounter=encounter,
        onsetDateTime=day(began),
        onsetString=onset_text,
        onsetAge=age,
        onsetPeriod={"start": day(onset_period)} if onset_period else None,
        abatementDateTime=day(ended),
        recordedDate=day(recorded),
    )


def _exam(day: _Day, what: str, *, result: Any = True, on: str = "today", **how: Any) -> Resource:
    """A bedside finding: a concept of the value sets, one of our own codes ("own:…"), or the name as text."""
    code: str | dict[str, Any] = what
    if what.startswith("own:"):
        code = own_concept(what.removeprefix("own:"))
    elif what not in known_concepts() and not what.startswith("text:") and "(" not in what and "|" not in what:
        raise ChartLineError(f"exam: {what!r} is neither a concept, nor own:…, nor text:…")
    return builders.an_observation(code, result, on=day(on), **how)


def _strength(day: _Day, what: str, *, on: str = "today", style: str = "text", **how: Any) -> Resource:
    found = re.fullmatch(r"(left|right) ([a-z]+(?:-[a-z]+)*) (\S+)", what)
    if not found or found[2].replace("-", " ") not in MUSCLES:
        raise ChartLineError(f"strength: expected 'left ankle-dorsiflexion 4/5', got {what!r}")
    side, muscle, grade = found[1], found[2], found[3]
    if style == "own":
        return builders.an_observation(own_concept(f"mrc-{muscle}"), int(grade[0]), on=day(on), side=side, **how)
    name = f"text:Muscle power (MRC 0-5), {side} {muscle.replace('-', ' ')}"
    value: Any = int(grade) if grade.isdigit() else grade
    return builders.an_observation(name, value, on=day(on), **how)


def _measure(concept: str, unit: str, category: str) -> Callable[..., Resource]:
    def line(day: _Day, what: Any, *, on: str = "today", unit: str = unit, **how: Any) -> Resource:
        return builders.an_observation(concept, what, on=day(on), unit=unit, category=category, **how)

    line.__name__ = f"_{concept}"
    return line


def _answer(day: _Day, what: str, *, value: Any = True, on: str = "today", **how: Any) -> Resource:
    """A clinician's answer as an Observation with our own code."""
    return builders.an_observation(own_concept(what), value, on=day(on), category="survey", **how)


def _panel(day: _Day, what: str, *, parts: Mapping[str, Any], on: str = "today", **how: Any) -> Resource:
    return builders.an_observation(what, None, on=day(on), components=tuple(parts.items()), **how)


def _procedure(day: _Day, what: str, *, on: str = "", ended: str = "", **how: Any) -> Resource:
    return builders.a_procedure(what, on=day(on), ended=day(ended), **how)


def _medicine(day: _Day, what: str, *, begun: str = "", ended: str = "", **how: Any) -> Resource:
    return builders.a_medicine(what, begun=day(begun), ended=day(ended), **how)


def _request(day: _Day, what: str, *, on: str = "", due: str = "", **how: Any) -> Resource:
    return builders.a_referral(what, on=day(on), due=day(due), **how)


def _report(day: _Day, what: str, *, on: str = "", **how: Any) -> Resource:
    return builders.a_report(what, on=day(on), **how)


def _study(day: _Day, what: str, *, on: str = "", **how: Any) -> Resource:
    return builders.an_imaging_study(what, on=day(on), **how)


def _device(day: _Day, what: str, **how: Any) -> Resource:
    return builders.a_device(what, **how)


def _allergy(day: _Day, what: str, *, on: str = "", **how: Any) -> Resource:
    return builders.an_allergy(what, on=day(on), **how)


def _visit(day: _Day, what: str, *, started: str = "") -> Resource:
    return builders.an_encounter(what, started=day(started))


def _requester(day: _Day, what: str) -> Resource:
    return builders.a_user(what)


KINDS: dict[str, Callable[..., Resource]] = {
    "problem": _problem,
    "exam": _exam,
    "strength": _strength,
    "answer": _answer,
    "panel": _panel,
    "temperature": _measure("body-temperature", "Cel", "vital-signs"),
    "weight": _measure("body-weight", "kg", "vital-signs"),
    "egfr": _measure("egfr", "mL/min/{1.73_m2}", "laboratory"),
    "esr": _measure("esr", "mm/h", "laboratory"),
    "crp": _measure("crp", "mg/L", "laboratory"),
    "test": _measure("pregnancy-test", "", "laboratory"),
    "pain": _measure("pain-severity-nrs (0-10 verbal", "{score}", "survey"),
    "pain_vas": _measure("pain-severity-vas", "mm", "survey"),
    "oswestry": _measure("oswestry-disability-index (score", "{score}", "survey"),
    "procedure": _procedure,
    "medicine": _medicine,
    "request": _request,
    "report": _report,
    "study": _study,
    "device": _device,
    "allergy": _allergy,
    "visit": _visit,
    "requester": _requester,
}


def chart_of(lines: Iterable[Mapping[str, Any]], as_of: date) -> list[Resource]:
    """The resources that the lines of a case describe, on the day of the case."""
    day = _Day(as_of)
    return [_resource(dict(line), day) for line in lines]


def _resource(line: dict[str, Any], day: _Day) -> Resource:
    kind = next(iter(line), "")
    if kind not in KINDS:
        raise ChartLineError(f"a line starts with one of {', '.join(KINDS)}; got {line!r}")
    patient = line.pop("of_another_patient", False)
    identifier = line.pop("id", "")
    what = line.pop(kind)
    builder = KINDS[kind]
    try:
        resource = builder(day, what, **line)
    except TypeError as problem:
        allowed = [name for name in inspect.signature(builder).parameters if name not in ("day", "what", "how")]
        raise ChartLineError(f"{kind}: {problem}; known words are {', '.join(allowed)}") from problem
    if patient:
        member = "patient" if "patient" in resource else "subject"
        resource[member] = {"reference": "Patient/somebody-else"}
    return {**({"id": identifier} if identifier else {}), **resource}


def laterality(side: str) -> dict[str, str]:
    """The coding of a side, for orders and entries that a case builds by hand."""
    return coding(f"laterality-{side}")
