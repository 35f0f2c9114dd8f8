"""The referral to physiotherapy that takes the place of an imaging order."""

from functools import lru_cache
from typing import Any

from fhir_mappings.revised_order import AUTHOR
from fhir_mappings.terminology import Terminology

Resource = dict[str, Any]

_KEPT = ("subject", "encounter", "requester", "insurance")
# Preferred names of the referral, the first one loaded; rows of value_sets/ under physical-therapy-referral.
_CODES = ("306170007", "308447003")
_TEXT = "Referral to physiotherapy"


def physiotherapy_referral(
    order: Resource, reasons: list[Any], note: str, day: str, terminology: Terminology
) -> Resource:
    """A proposal for the same patient, visit and requester, with the order's reasons and the clinician's statement."""
    referral: Resource = {
        "resourceType": "ServiceRequest",
        "status": "draft",
        "intent": "proposal",
        "code": _code(terminology),
    }
    for name in _KEPT:
        if name in order:
            referral[name] = order[name]
    if reasons:
        referral["reasonCode"] = reasons
    references = [each for each in _listed(order.get("reasonReference")) if not _is_contained(each)]
    if references:
        referral["reasonReference"] = references
    referral["authoredOn"] = day
    referral["note"] = [{"authorString": AUTHOR, "time": day, "text": note}]
    return referral


def _listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _is_contained(reference: object) -> bool:
    """A reference into the draft itself means nothing outside it."""
    return not isinstance(reference, dict) or str(reference.get("reference", "")).startswith("#")


@lru_cache(maxsize=8)
def _code(terminology: Terminology) -> Resource:
    known = {coding.code: coding for coding in terminology.codes_for("physical-therapy-referral")}
    for code in _CODES:
        if code in known:
            coding = known[code]
            local = [
                {"system": entry.system, "code": entry.code, "display": entry.display}
                for entry in terminology.catalogue.orderables_for("physical-therapy-referral")
            ]
            standard = {"system": coding.system, "code": coding.code, "display": coding.display}
            return {"coding": [standard, *local], "text": _TEXT}
    return {"text": _TEXT}
