"""One hook call, read: strict about the envelope, forgiving about the FHIR in it."""

from __future__ import annotations

from functools import lru_cache

from cds_service.errors import MalformedBody, TooMuchInside, UnusableRequest
from cds_service.schemas import validator
from fhir_mappings.decode import HookCall, Malformed, MalformedCall, RawResource, decode_call

MOST_CODINGS = 100  # of one concept of a draft order; real ones hold a handful
_CONCEPTS = ("code", "reasonCode", "bodySite", "orderDetail", "category")


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
        len(call.hook),
        len(call.hook_instance),
        len(call.fhir_server),
        len(context.patient_id),
        len(context.user_id),
        len(context.encounter_id),
        len(selections),
        max(map(len, selections)) if selections else 0,
    )
    if place:
        raise UnusableRequest(f"{place}: not as the request schema has it", place)
    return call


def _require_few(call: HookCall, max_resources: int) -> None:
    """A call over the cap is refused, never cut: what would be left out might be the red flag."""
    drafts = call.context.draft_orders
    resources = len(drafts)
    for value in call.prefetch.values():
        resources += len(value.entries) + value.dropped
    if resources > max_resources:
        raise TooMuchInside(f"more than {max_resources} resources in one call; ask for fewer in the prefetch")
    for draft in drafts:
        if _has_too_many_codings(draft):
            raise TooMuchInside(f"more than {MOST_CODINGS} codings in one concept", "context.draftOrders")


def _has_too_many_codings(draft: RawResource) -> bool:
    """In any of its concepts, alone or in a list."""
    for name in _CONCEPTS:
        value = draft.get(name)
        if value is None:
            continue
        for concept in value if isinstance(value, list) else (value,):
            codings = concept.get("coding") if isinstance(concept, dict) else None
            if isinstance(codings, list) and len(codings) > MOST_CODINGS:
                return True
    return False


@lru_cache(maxsize=2048)
def _breaks_schema(
    hook: int,
    hook_instance: int,
    fhir_server: int,
    patient_id: int,
    user_id: int,
    encounter_id: int,
    selections: int,
    longest_selection: int,
) -> str:
    """Where an envelope of this shape breaks the schema, or nothing. Calls of one shape share a verdict.

    Once the types are known, the request schema looks only at how long things are.
    """
    envelope = {
        "hook": "x" * hook,
        "hookInstance": "x" * hook_instance,
        "fhirServer": "x" * fhir_server,
        "context": {
            "patientId": "x" * patient_id,
            "userId": "x" * user_id,
            "encounterId": "x" * encounter_id,
            "selections": ["x" * longest_selection] * min(selections, 2000),
            "draftOrders": {"resourceType": "Bundle"},
        },
    }
    for error in validator("request").iter_errors(envelope):
        return ".".join(str(part) for part in error.absolute_path)
    return ""
