"""Parts of a draft order, which is kept as decoded JSON: read where they have the shape that FHIR gives them."""

from __future__ import annotations

from typing import TypeVar

import msgspec
from msgspec import Raw

from fhir_mappings.decode import RawResource
from fhir_mappings.elements import CodeableConcept
from fhir_mappings.fhir_records import NOTHING, Reference

T = TypeVar("T")


def as_part(value: object, wanted: type[T]) -> T | None:
    """A part of a draft, where it has the shape that FHIR gives it."""
    if value is None:
        return None
    try:
        return msgspec.convert(value, wanted)
    except msgspec.ValidationError:
        return None


def listed(value: object) -> list[object]:
    """The items of a list; a single value stands for a list of one."""
    return value if isinstance(value, list) else [] if value is None else [value]


def concepts_of(value: object) -> list[CodeableConcept]:
    """The CodeableConcepts of a list, or a single one."""
    return [found for each in listed(value) if (found := as_part(each, CodeableConcept)) is not None]


def reference_of(value: object) -> Reference | None:
    """A Reference; an empty one where it is none that can be read."""
    if value is None:
        return None
    if not isinstance(value, dict):
        return Reference(reference="?")
    literal, identifier = value.get("reference"), value.get("identifier")
    return Reference(
        reference=literal if isinstance(literal, str) else None if literal is None else "?",
        identifier=NOTHING if identifier is None else Raw(msgspec.json.encode(identifier)),
    )


def id_of(draft: RawResource) -> str:
    """The draft's id, or nothing."""
    own = draft.get("id")
    return own if isinstance(own, str) else ""
