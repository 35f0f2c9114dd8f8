"""What a client would drop of one action of a suggestion, and of the order in it."""

from collections.abc import Iterator
from typing import Any

from cards.lint_loss import Loss, lost, objects, text_of
from cards.order_changes import PLACES_AN_ORDER
from cards.profiles import Profile
from fhir_mappings.order_annotations import RATING

_KEPT_BY_FIRST_CODING = frozenset(
    {"resourceType", "id", "status", "intent", "subject", "code", "reasonCode", "extension"}
)
_ABOUT_THE_RECORD = frozenset({"id", "meta", "text", "extension"})


def action_losses(action: dict[str, Any], place: str, profile: Profile) -> Iterator[Loss]:
    """What becomes of an action."""
    kind = text_of(action, "type")
    if not text_of(action, "description"):
        seen = ", and nothing else of it is shown" if "label" in profile.shown else ""
        yield lost(f"{place}.description", f"is missing{seen}")
    if kind not in profile.actions:
        known = " and ".join(sorted(profile.actions))
        yield lost(place, f"`{kind}` is not applied by this client, only {known}")
        return
    if kind == "delete":
        if not text_of(action, "resourceId"):
            yield lost(f"{place}.resourceId", "is missing: nothing to take away")
        return
    resource = action.get("resource")
    if not isinstance(resource, dict):
        yield lost(f"{place}.resource", "is missing")
        return
    if kind == "create":
        yield from _created(resource, f"{place}.resource", profile)
    elif profile.first_coding_only:
        yield from order_losses(resource, f"{place}.resource")


def _created(resource: dict[str, Any], place: str, profile: Profile) -> Iterator[Loss]:
    if resource.get("resourceType") != "ServiceRequest":
        return
    code = resource.get("code")
    codings = objects(code.get("coding")) if isinstance(code, dict) else []
    if profile.created_by and not any(coding.get("system") in profile.created_by for coding in codings):
        yield lost(f"{place}.code", f"has no code that places an order here: one of {' or '.join(profile.created_by)}")
    if not profile.keeps_details:
        ignored = sorted(set(resource) - set(PLACES_AN_ORDER) - _ABOUT_THE_RECORD)
        if ignored:
            yield Loss(place, "changed", f"{', '.join(ignored)}: replaced by the client's own details of that order")


def order_losses(resource: dict[str, Any], place: str, needs_order: bool = True) -> Iterator[Loss]:
    """For a client that reads first codings and needs a rating: what throws, and what is left out.

    ``needs_order``: study and reasons are applied, too.
    """
    rating = next((each for each in objects(resource.get("extension")) if each.get("url") == RATING), None)
    concept = rating.get("valueCodeableConcept") if rating is not None else None
    if not (isinstance(concept, dict) and objects(concept.get("coding"))):
        yield lost(f"{place}.extension", "no rating with a coding: the click fails and the order stays as it is")
    if not needs_order:
        return
    code = resource.get("code")
    codings = objects(code.get("coding")) if isinstance(code, dict) else []
    if not codings or not text_of(codings[0], "display"):
        yield lost(f"{place}.code", "its first coding has no display: the study vanishes from the screen")
    reasons = resource.get("reasonCode")
    if not isinstance(reasons, list) or not all(objects(each.get("coding")) for each in objects(reasons)):
        yield lost(f"{place}.reasonCode", "is no list of reasons with a coding each: the click fails")
    ignored = sorted(set(resource) - _KEPT_BY_FIRST_CODING)
    if ignored:
        yield Loss(place, "note", f"{', '.join(ignored)}: not kept; only the first codings of study and reasons are")
