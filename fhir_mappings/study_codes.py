"""Which code names a study when an order is changed: the other direction of order recognition."""

import tomllib
from collections.abc import Iterator
from functools import lru_cache
from importlib.resources import files
from typing import Any

import msgspec
from msgspec import Struct

from fhir_mappings.code_rows import TerminologyError
from fhir_mappings.terminology import Terminology
from rules.procedures import Procedure

CPT = "http://www.ama-assn.org/go/cpt"
LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
_ORDER = (CPT, LOINC, SNOMED)  # CPT first: clients that keep one coding keep the first

FhirCoding = dict[str, str]


class _Line(Struct, frozen=True, forbid_unknown_fields=True):
    concept: str
    cpt: tuple[str, ...] = ()
    loinc: tuple[str, ...] = ()
    snomed: tuple[str, ...] = ()


class StudyCodes:
    """The codes of each study, as far as the loaded tables hold them."""

    def __init__(self, terminology: Terminology) -> None:
        self._terminology = terminology
        self._standard: dict[Procedure, dict[str, FhirCoding]] = {}
        self._local: dict[Procedure, tuple[FhirCoding, ...]] = {}
        for procedure, line in _lines().items():
            self._standard[procedure] = dict(_standard(procedure, line, terminology))
            self._local[procedure] = tuple(
                {"system": entry.system, "code": entry.code, "display": entry.display}
                for entry in terminology.catalogue.orderables_for(line.concept)
            )

    def codings(self, procedure: Procedure, order_code: object) -> list[FhirCoding]:
        """The study in the code systems that the order came in, CPT first, and in the site's own catalogue.

        An order in none of our systems (text alone, local codes alone) gets one standard code beside the local ones.
        Empty: no loaded table can name this study, so it cannot be offered.
        """
        standard = self._standard.get(procedure)
        if standard is None:
            return []
        local = self._local[procedure]
        came_in = self._systems(order_code)
        chosen = [{**coding, "system": came_in[system]} for system, coding in standard.items() if system in came_in]
        if not chosen:
            preferred = next((standard[system] for system in (LOINC, CPT, SNOMED) if system in standard), None)
            chosen = [preferred] if preferred is not None else []
        return [*chosen, *local]

    def _systems(self, order_code: object) -> dict[str, str]:
        """The standard systems of the order, by our URI, with the name that the order uses."""
        codings = order_code.get("coding") if isinstance(order_code, dict) else None
        found: dict[str, str] = {}
        for coding in codings if isinstance(codings, list) else ():
            name = coding.get("system") if isinstance(coding, dict) else None
            if isinstance(name, str) and name:
                found.setdefault(self._terminology.system_uri(name), name)
        return found


@lru_cache(maxsize=8)
def study_codes(terminology: Terminology) -> StudyCodes:
    """The codes of one loaded terminology, worked out once."""
    return StudyCodes(terminology)


def _lines() -> dict[Procedure, _Line]:
    text = files("fhir_mappings").joinpath("study_codes.toml").read_text(encoding="utf-8")
    table: dict[str, Any] = tomllib.loads(text)
    try:
        return {Procedure(name): msgspec.convert(line, _Line, strict=True) for name, line in table.items()}
    except (ValueError, msgspec.ValidationError) as problem:
        raise TerminologyError(f"study_codes.toml: {problem}") from problem


def _standard(procedure: Procedure, line: _Line, terminology: Terminology) -> Iterator[tuple[str, FhirCoding]]:
    for system, codes in zip(_ORDER, (line.cpt, line.loinc, line.snomed), strict=True):
        displays = {coding.code: coding.display for coding in terminology.codes_for(line.concept, system)}
        if displays and codes and not displays.keys() & set(codes):
            raise TerminologyError(f"study_codes.toml: {procedure.value}: {codes[0]} is no {line.concept} in {system}")
        for code in codes:
            if code in displays:
                yield system, {"system": system, "code": code, "display": displays[code]}
                break
