"""One hook call, read: strict about the envelope, forgiving about the FHIR in it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from msgspec import Struct

from cds_service.errors import MalformedBody, TooMuchInside, UnusableRequest
from cds_service.schemas import validator
from fhir_mappings.decode import HookCall, Malformed, MalformedCall, RawResource, decode_call

MOST_CODINGS = 100  # of one concept of a draft order; real ones hold a handful


def read_call(body: bytes, max_resources: int = 5000) -> HookCall:
    """The call; a body that is no JSON is a 400, an envelope that cannot be used a 422, and too much of it a 413."""
    try:
        call = decode_call(body)
    except MalformedCall as problem:
        said = f"{problem.where}: {problem.why}" if problem.where else problem.why
        if problem.kind is Malformed.NOT_JSON:
            raise MalformedBody(said) from None
        if problem.kind is Malformed.TOO_MUCH:
            raise TooMuchInside(said, problem.where) from None
        raise UnusableRequest(said, problem.where) from None
    _require_few(call, max_resources)
    context = call.context
    selections = context.selections or ()
    place = _breaks_schema(
        _Shape(
            hook=len(call.hook),
            hook_instance=len(call.hook_instance),
            fhir_server=len(call.fhir_server),
            patient_id=len(context.patient_id),
            user_id=len(context.user_id),
            encounter_id=len(context.encounter_id),
            selections=len(selections),
            longest_selection=max(map(len, selections), default=0),
        )
    )
    if place:
        raise UnusableRequest(f"{place}: not as the request schema has it", place)
    return call


def _require_few(call: HookCall, max_resources: int) -> None:
    """A call over the cap is refused, never cut: what would be left out might be the red flag."""
    drafts = call.context.draft_orders
    resources = len(drafts) + sum(len(value.entries) + value.dropped for value in call.prefetch.values())
    if resources > max_resources:
        raise TooMuchInside(f"more than {max_resources} resources in one call; ask for fewer in the prefetch")
    for draft in drafts:
        for concept in _concepts(draft):
            codings = concept.get("coding") if isinstance(concept, dict) else None
            if isinstance(codings, list) and len(codings) > MOST_CODINGS:
                raise TooMuchInside(f"more than {MOST_CODINGS} codings in one concept", "context.draftOrders")


def _concepts(draft: RawResource) -> Iterator[object]:
    for name in ("code", "reasonCode", "bodySite", "orderDetail", "category"):
        value = draft.get(name)
        if isinstance(value, list):
            yield from value
        elif value is not None:
            yield value


class _Shape(Struct, frozen=True):
    """All that the request schema looks at once the types are known: how long things are."""

    hook: int
    hook_instance: int
    fhir_server: int
    patient_id: int
    user_id: int
    encounter_id: int
    selections: int
    longest_selection: int


@lru_cache(maxsize=2048)
def _breaks_schema(shape: _Shape) -> str:
    """Where an envelope of this shape breaks the schema, or nothing. Calls of one shape share a verdict."""
    envelope = {
        "hook": "x" * shape.hook,
        "hookInstance": "x" * shape.hook_instance,
        "fhirServer": "x" * shape.fhir_server,
        "context": {
            "patientId": "x" * shape.patient_id,
            "userId": "x" * shape.user_id,
            "encounterId": "x" * shape.encounter_id,
            "selections": ["x" * shape.longest_selection] * min(shape.selections, 2000),
            "draftOrders": {"resourceType": "Bundle"},
        },
    }
    for error in validator("request").iter_errors(envelope):
        return ".".join(str(part) for part in error.absolute_path)
    return ""
