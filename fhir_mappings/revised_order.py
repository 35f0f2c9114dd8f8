"""The complete, updated ServiceRequest behind a suggestion: what changes is named, everything else stays as it came.

The draft is never changed in place: its members are shared, only those that differ are built anew.
"""

import re
from typing import Any

from msgspec import Struct

from fhir_mappings.draft_parts import listed
from fhir_mappings.order_annotations import annotated
from fhir_mappings.reason_markers import NOT_STATED

Resource = dict[str, Any]

AUTHOR = "Lumbar imaging decision support"
# FHIR ends an id at 64 characters; a large vendor does not.
_CHART_REFERENCE = re.compile(r"[A-Z][A-Za-z]{2,63}/[A-Za-z0-9.\-]{1,255}")
# Words of an order detail that describe how the earlier study was to be done, and would contradict another one.
_TECHNIQUE = re.compile(
    r"contrast|gadolin|\bgbca\b|iodinated|iohexol|\bintravenous|\biv\b|intrathecal"
    r"|\bviews?\b|\bap\b|\blateral\b|\boblique|flexion|\bextension\b|standing|upright|weight.?bearing"
    r"|\bsequences?\b|\bt[12]\b|\bstir\b|sagittal|\baxial\b|thin.?slice|reconstruct",
    re.IGNORECASE,
)


class OrderChange(Struct, frozen=True, gc=False):
    """What a suggestion changes on an order. Empty members leave the order as it is.

    ``codings`` and ``name`` name another study. ``reasons`` are our own coded reasons to add, ``drop_reasons`` own
    codes to take away. ``references`` are chart entries that support the order. ``note`` is plain text in our own
    words. ``extensions`` are rating extensions that replace those of the order; ``None`` leaves them as they are.
    """

    own_system: str
    codings: tuple[dict[str, str], ...] = ()
    name: str = ""
    priority: str = ""
    reasons: tuple[Resource, ...] = ()
    drop_reasons: frozenset[str] = frozenset()
    references: tuple[str, ...] = ()
    note: str = ""
    day: str = ""
    extensions: tuple[Resource, ...] | None = None


def revised(order: Resource, change: OrderChange) -> Resource:
    """The order with the change made; making it twice changes nothing more."""
    new = dict(order) if change.extensions is None else annotated(order, change.extensions)
    if change.codings:
        new["code"] = {"coding": list(change.codings), "text": change.name}
        _drop_technique(new)
    if change.priority:
        new["priority"] = change.priority
        new.pop("_priority", None)
    if change.reasons or change.drop_reasons:
        _put(new, "reasonCode", _reasons(new.get("reasonCode"), change))
    if change.references:
        _put(new, "supportingInfo", _supported(new, change.references))
    if change.note:
        _put(new, "note", _noted(new.get("note"), change.note, change.day))
    return new


def says_technique(order: Resource) -> bool:
    """Would a change of the study have to take order details away?"""
    details = order.get("orderDetail")
    return isinstance(details, list) and any(_is_technique(detail) for detail in details)


def with_first_codings(order: Resource, own_system: str) -> Resource:
    """Study and reasons each with a first coding that has a display, for clients that keep nothing else.

    Words alone stay as words and get our code for that; no meaning is added.
    """
    new = dict(order)
    code, reasons = order.get("code"), order.get("reasonCode")
    new["code"] = _coded(code if isinstance(code, dict) else {}, own_system, "order-in-words", "Study in words")
    stated = [each for each in reasons if isinstance(each, dict)] if isinstance(reasons, list) else []
    given = [each for each in stated if _own_code(each, own_system) != NOT_STATED] or [_not_stated(own_system)]
    new["reasonCode"] = [_coded(reason, own_system, "reason-in-words", "Reason in words") for reason in given]
    return new


def is_chart_reference(reference: str) -> bool:
    """A reference that the chart can resolve, not a part of the order or a contained resource."""
    return _CHART_REFERENCE.fullmatch(reference) is not None


def _put(order: Resource, name: str, values: list[Any]) -> None:
    if values:
        order[name] = values
    else:
        order.pop(name, None)


def _drop_technique(order: Resource) -> None:
    details = order.get("orderDetail")
    if isinstance(details, list):
        _put(order, "orderDetail", [detail for detail in details if not _is_technique(detail)])


def _is_technique(detail: object) -> bool:
    if not isinstance(detail, dict):
        return False
    texts = [detail.get("text")]
    codings = detail.get("coding")
    texts += (
        [coding.get("display") for coding in codings if isinstance(coding, dict)] if isinstance(codings, list) else []
    )
    return any(isinstance(text, str) and _TECHNIQUE.search(text) is not None for text in texts)


def _own_code(reason: object, own_system: str) -> str:
    """The code of ours that a reason carries, or nothing."""
    codings = reason.get("coding") if isinstance(reason, dict) else None
    for coding in codings if isinstance(codings, list) else ():
        if isinstance(coding, dict) and coding.get("system") == own_system:
            code = coding.get("code")
            return code if isinstance(code, str) else ""
    return ""


def _reasons(reasons: object, change: OrderChange) -> list[Any]:
    kept = [each for each in listed(reasons) if isinstance(reasons, list) or isinstance(each, dict)]
    if change.drop_reasons:
        kept = [reason for reason in kept if _own_code(reason, change.own_system) not in change.drop_reasons]
    present = [_own_code(reason, change.own_system) for reason in kept]
    return kept + [reason for reason in change.reasons if _own_code(reason, change.own_system) not in present]


def _referenced(values: object) -> set[str]:
    """References as Type/id, whatever server address stands before them."""
    found: set[str] = set()
    for value in values if isinstance(values, list) else ():
        reference = value.get("reference") if isinstance(value, dict) else None
        if isinstance(reference, str):
            found.add("/".join(reference.split("/_history/")[0].rstrip("/").split("/")[-2:]))
    return found


def _supported(order: Resource, references: tuple[str, ...]) -> list[Any]:
    known = _referenced(order.get("supportingInfo")) | _referenced(order.get("reasonReference"))
    known.add(f"{order.get('resourceType')}/{order.get('id')}")
    supported = list(order["supportingInfo"]) if isinstance(order.get("supportingInfo"), list) else []
    for reference in references:
        if reference not in known and is_chart_reference(reference):
            known.add(reference)
            supported.append({"reference": reference})
    return supported


def _noted(notes: object, text: str, day: str) -> list[Any]:
    kept = list(notes) if isinstance(notes, list) else []
    if not kept:
        return [{"authorString": AUTHOR, "time": day, "text": text}]
    # The note of an accepted change may say more than the same change would say now.
    if any(isinstance(note, dict) and str(note.get("text", "")).startswith(text) for note in kept):
        return kept
    return [*kept, {"authorString": AUTHOR, "time": day, "text": text}]


def _not_stated(own_system: str) -> Resource:
    """For a client that reads a list of reasons where FHIR allows no empty one."""
    return {"coding": [{"system": own_system, "code": NOT_STATED, "display": "Reason not stated"}]}


def _coded(concept: Resource, own_system: str, code: str, unnamed: str) -> Resource:
    codings = concept.get("coding")
    text = concept.get("text")
    words = text if isinstance(text, str) and text else ""
    others = [coding for coding in codings if isinstance(coding, dict)] if isinstance(codings, list) else []
    if not others or not others[0].get("code"):
        first: Resource = {"system": own_system, "code": code, "display": words or unnamed}
    elif others[0].get("display"):
        return concept
    else:
        first = {**others[0], "display": words or str(others[0]["code"])}
        others = others[1:]
    return {**concept, "coding": [first, *others]}
