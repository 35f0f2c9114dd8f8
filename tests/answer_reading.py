"""What an answer offers: ratings written on orders, changed studies, deferrals, questions. Reads its JSON only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from rules.recommendation import Recommendation
from tests.concept_codes import concepts_of
from tests.own_code_records import OWN_SYSTEM

Json = dict[str, Any]

RATING_EXTENSION = "http://fhir.org/argonaut/Extension/pama-rating"
DEFERRED = "deferred-by-clinician"
CHECKED_NONE = "red-flags-checked-none"
KEPT = "order-kept-with-reason"
NOT_QUESTIONS = frozenset({DEFERRED, CHECKED_NONE, KEPT})

# The concepts of the value sets by which each rated study can be ordered; the short name is the one cases use.
STUDY_OF_CONCEPT = {
    "xr-lumbar": "xr-lumbar",
    "xr-lumbar-flexion-extension": "xr-lumbar",
    "mri-lumbar-without-contrast": "mri-lumbar-without-contrast",
    "mri-lumbar-without-and-with-contrast": "mri-lumbar-without-and-with-contrast",
    "mri-lumbar-with-contrast": "mri-lumbar-with-contrast",
    "ct-lumbar-without-contrast": "ct-lumbar-without-contrast",
    "ct-lumbar-with-contrast": "ct-lumbar-with-contrast",
    "ct-lumbar-without-and-with-contrast": "ct-lumbar-without-and-with-contrast",
    "ct-myelography-lumbar": "ct-myelography-lumbar",
    "discography-lumbar": "discography-lumbar",
    "ct-discography-lumbar": "discography-lumbar",
    "bone-scan-whole-body": "bone-scan-whole-body",
    "bone-spect": "bone-scan-whole-body",
    "bone-spect-ct": "bone-scan-whole-body",
    "pet-ct": "pet-ct",
}


class Reply(NamedTuple):
    """What the service said. ``advice`` is what it decided, known only in process."""

    status: int
    body: Json
    advice: tuple[Recommendation, ...] | None = None
    raw: bytes = b""

    @property
    def cards(self) -> list[Json]:
        """The cards, in the order in which they are shown."""
        cards: list[Json] = self.body.get("cards", [])
        return cards


class Change(NamedTuple):
    """A suggestion that changes a draft order: which study it names afterwards, at which priority."""

    order_id: str
    study: str
    priority: str
    recommended: bool
    resource: Json


def study_named_by(code: Json) -> str:
    """The short name of the study that a CodeableConcept names, or empty."""
    for coding in code.get("coding", ()):
        for concept in sorted(concepts_of(coding)):
            if concept in STUDY_OF_CONCEPT:
                return STUDY_OF_CONCEPT[concept]
    return ""


def ratings(body: Json) -> dict[str, list[str]]:
    """The codes of the rating extension on each order that the answer annotates, the Argonaut code first."""
    found: dict[str, list[str]] = {}
    for action in body.get("systemActions", ()):
        resource = action["resource"]
        for extension in resource.get("extension", ()):
            if extension["url"] == RATING_EXTENSION:
                codings = extension["valueCodeableConcept"]["coding"]
                found[resource["id"]] = [coding["code"] for coding in codings]
    return found


def suggestions(body: Json) -> Iterator[tuple[Json, Json]]:
    """Every suggestion, with its card."""
    for card in body.get("cards", ()):
        for suggestion in card.get("suggestions", ()):
            yield card, suggestion


def own_reasons(resource: Json) -> list[str]:
    """The clinician's answers that an order carries, as our own codes."""
    return [
        coding["code"]
        for reason in resource.get("reasonCode", ())
        for coding in reason.get("coding", ())
        if coding.get("system") == OWN_SYSTEM
    ]


def changes(body: Json, drafts: list[Json]) -> list[Change]:
    """The suggestions that change the study or the priority of a draft order, in the order shown."""
    found = []
    for card, suggestion in suggestions(body):
        for action in suggestion.get("actions", ()):
            if action["type"] != "update":
                continue
            after = action["resource"]
            before = next((draft for draft in drafts if draft["id"] == after.get("id")), None)
            if before is None or not _changed(before, after):
                continue
            recommended = bool(suggestion.get("isRecommended")) and card is body["cards"][0]
            study = study_named_by(after.get("code", {}))
            found.append(Change(after["id"], study, after.get("priority", ""), recommended, after))
    return found


def changes_study(before: Json, after: Json) -> bool:
    """Does the updated order name another study than the draft?"""
    return study_named_by(before.get("code", {})) != study_named_by(after.get("code", {}))


def _changed(before: Json, after: Json) -> bool:
    return changes_study(before, after) or before.get("priority", "") != after.get("priority", "")


def added_studies(body: Json) -> list[str]:
    """The rated studies that a suggestion orders beside the draft, each "STUDY PRIORITY"."""
    found = []
    for _, suggestion in suggestions(body):
        for action in suggestion.get("actions", ()):
            resource = action.get("resource", {})
            study = study_named_by(resource.get("code", {})) if action["type"] == "create" else ""
            if study:
                found.append(f"{study} {resource.get('priority', '')}".strip())
    return found


def defers(body: Json) -> bool:
    """Does any suggestion cancel or defer an order?"""
    for _, suggestion in suggestions(body):
        for action in suggestion.get("actions", ()):
            if action["type"] == "delete":
                return True
            if DEFERRED in own_reasons(action.get("resource", {})):
                return True
    return False


def answers_offered(body: Json, drafts: list[Json]) -> list[str]:
    """The answers that are offered as buttons: own codes that an update adds to the order."""
    offered: list[str] = []
    for _, suggestion in suggestions(body):
        for action in suggestion.get("actions", ()):
            if action["type"] != "update":
                continue
            after = action["resource"]
            before = next((draft for draft in drafts if draft["id"] == after.get("id")), {})
            new = [code for code in own_reasons(after) if code not in own_reasons(before)]
            offered.extend(code for code in new if code not in NOT_QUESTIONS)
    return offered


def offers_checked_none(body: Json) -> bool:
    """Is the statement "red flags and strength checked, none" offered?"""
    labels = [suggestion["label"].casefold() for _, suggestion in suggestions(body)]
    return any("checked" in label and "none" in label for label in labels)


def words(body: Json, card: int | None = None) -> str:
    """All that a clinician can read on the cards (or on one card): summary, detail, labels of suggestions."""
    cards = body.get("cards", [])
    chosen = cards if card is None else cards[card : card + 1]
    parts = []
    for each in chosen:
        parts += [each["summary"], each.get("detail", "")]
        parts += [suggestion["label"] for suggestion in each.get("suggestions", ())]
    return "\n".join(parts)
