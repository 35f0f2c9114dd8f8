"""Draft orders as FHIR: made, changed, and changed by a service's suggestion. Nothing here is clinical."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from datetime import datetime
from typing import Any

Json = dict[str, Any]
RATING = "http://fhir.org/argonaut/Extension/pama-rating"
PRIORITIES = {"routine": "Routine", "urgent": "Urgent", "asap": "ASAP", "stat": "Stat"}


class CannotApply(ValueError):
    """An action that this EHR cannot apply: no such draft, no resource, no such kind of action."""


def reference_of(resource: Json) -> str:
    """ "ServiceRequest/order-1" """
    return f"{resource.get('resourceType')}/{resource.get('id')}"


def name_of(resource: Json) -> str:
    """What people call an order."""
    return text_of(resource.get("code") or resource.get("medicationCodeableConcept") or {}) or "Order without a name"


def text_of(concept: Json) -> str:
    """The words of a CodeableConcept."""
    if concept.get("text"):
        return str(concept["text"])
    codings: list[Json] = concept.get("coding") or [{}]
    return str(codings[0].get("display") or codings[0].get("code") or "")


def new_order(own_id: str, concept: Json, patient: str, requester: str, encounter: str, now: datetime) -> Json:
    """A draft for one orderable."""
    return {
        "resourceType": "ServiceRequest",
        "id": own_id,
        "status": "draft",
        "intent": "order",
        "priority": "routine",
        "code": copy.deepcopy(concept),
        "subject": {"reference": f"Patient/{patient}"},
        **({"encounter": {"reference": f"Encounter/{encounter}"}} if encounter else {}),
        **({"requester": {"reference": f"Practitioner/{requester}"}} if requester else {}),
        "authoredOn": now.isoformat(timespec="seconds").replace("+00:00", "Z"),
    }


def with_study(order: Json, concept: Json) -> Json:
    """Another study: what was said of the one before (its rating, what it needs) no longer holds."""
    gone = {"extension", "note", "supportingInfo", "orderDetail", "bodySite"}
    return {**{name: value for name, value in order.items() if name not in gone}, "code": copy.deepcopy(concept)}


def with_priority(order: Json, priority: str) -> Json:
    """Another priority."""
    return {**without_rating(order), "priority": priority}


def with_reason(order: Json, concept: Json) -> Json:
    """One more reason; the same one is not added twice."""
    reasons = list(order.get("reasonCode") or ())
    if any(text_of(each) == text_of(concept) for each in reasons):
        return order
    return {**without_rating(order), "reasonCode": [*reasons, copy.deepcopy(concept)]}


def with_reason_from_chart(order: Json, reference: str, display: str) -> Json:
    """An entry of the problem list as the reason."""
    named = list(order.get("reasonReference") or ())
    if any(each.get("reference") == reference for each in named):
        return order
    return {**without_rating(order), "reasonReference": [*named, {"reference": reference, "display": display}]}


def without_reason(order: Json, place: str) -> Json:
    """Without the reason at "reasonCode/0" or "reasonReference/1"."""
    member, _, number = place.partition("/")
    several = order.get(member)
    if member not in ("reasonCode", "reasonReference") or not isinstance(several, list) or not number.isdigit():
        raise CannotApply(f"no reason at {place}")
    left = [each for position, each in enumerate(several) if position != int(number)]
    rest = {name: value for name, value in without_rating(order).items() if name != member}
    return {**rest, member: left} if left else rest


def without_rating(order: Json) -> Json:
    """A changed order has no rating until it is judged again."""
    kept = [each for each in order.get("extension") or () if not str(each.get("url", "")).startswith(RATING)]
    rest = {name: value for name, value in order.items() if name != "extension"}
    return {**rest, "extension": kept} if kept else rest


def ratings_of(order: Json) -> list[Json]:
    """The codings of an order's appropriateness rating: the Argonaut code first, finer ones after it."""
    for extension in order.get("extension") or ():
        if extension.get("url") == RATING:
            return list((extension.get("valueCodeableConcept") or {}).get("coding") or ())
    return []


def applied(drafts: Sequence[Json], action: Json, fresh_id: str) -> tuple[list[Json], str]:
    """The drafts after one action, and the reference of the order that it made or changed ("" when it removed one)."""
    kind, resource = action.get("type"), action.get("resource")
    if kind == "delete":
        return _deleted(drafts, action), ""
    if not isinstance(resource, dict) or not resource.get("resourceType"):
        raise CannotApply(f"an action of type {kind!r} needs a resource")
    if kind == "create":
        made = {**copy.deepcopy(resource), "id": fresh_id}
        return [*drafts, made], reference_of(made)
    if kind == "update":
        if not any(reference_of(draft) == reference_of(resource) for draft in drafts):
            raise CannotApply(f"{reference_of(resource)} is no draft")
        return [
            copy.deepcopy(resource) if reference_of(draft) == reference_of(resource) else draft for draft in drafts
        ], reference_of(resource)
    raise CannotApply(f"an action of type {kind!r} is unknown")


def _deleted(drafts: Sequence[Json], action: Json) -> list[Json]:
    gone = action.get("resourceId")
    several = gone if isinstance(gone, list) else [gone]
    left = [draft for draft in drafts if reference_of(draft) not in several]
    if len(left) == len(drafts):
        raise CannotApply(f"{gone} is no draft")
    return left
