"""The codes that a suggested study carries: in the code systems that the order came in, the site's own included."""

from collections.abc import Iterable

from fhir_mappings.order_studies import order_studies
from fhir_mappings.terminology import Coding, Terminology
from rules.procedures import Procedure

_LOINC = "http://loinc.org"
_CPT = "http://www.ama-assn.org/go/cpt"


def name_of(procedure: Procedure) -> str:
    """What we call a rated study, in our own words."""
    return order_studies().procedures[procedure].name


def concept_of(procedure: Procedure) -> str:
    """The order concept of a rated study."""
    return order_studies().procedures[procedure].concept


def codings_for(procedure: Procedure, came_in: Iterable[str], terminology: Terminology) -> tuple[Coding, ...]:
    """One coding for each code system of the order (``came_in``, under any of its names) that has this study.

    Where none of them has it (an order by text, or by codes that we do not know): the site's own orderables, else LOINC.
    """
    systems = list(dict.fromkeys(terminology.system_uri(system) for system in came_in))
    found = [coding for system in systems for coding in _in_system(procedure, system, terminology)]
    if not found:
        found = [
            Coding(entry.system, entry.code, entry.display)
            for entry in terminology.catalogue.orderables_for(concept_of(procedure))
        ]
    return tuple(found) or _in_system(procedure, _LOINC, terminology)


def _in_system(procedure: Procedure, system: str, terminology: Terminology) -> tuple[Coding, ...]:
    names = order_studies().procedures[procedure]
    local = [entry for entry in terminology.catalogue.orderables_for(names.concept) if entry.system == system]
    if local:
        return tuple(Coding(entry.system, entry.code, entry.display) for entry in local)
    code = names.emit.get(system)
    row = next((row for row in terminology.rows_for(system, code) if row.code == code), None) if code else None
    if row is None or code is None:
        return ()  # not in this system, or its table was left out
    display = names.name if system == _CPT else row.display
    return (Coding(system, code, display if row.show_display else ""),)
