"""The imaging screen of the public CDS Hooks sandbox, as far as it can lose or break something.

It keeps one study coding, the first coding of every reason, and a rating that is never cleared. Only ``update`` actions
are applied, and an update that lacks what the page reads throws there: ``PageBreaks`` here.
"""

from __future__ import annotations

import copy
from typing import Any

from msgspec import Struct

from tests.hook_requests import Request

Json = dict[str, Any]

RATING = "http://fhir.org/argonaut/Extension/pama-rating"
ORDER_ID = "example-request-id"
UNKNOWN = "unknown"


class PageBreaks(AssertionError):
    """The page would throw: the button looks dead, or the whole answer is lost."""


class Screen(Struct):
    """What stands on the screen, and the chart that travels with every call."""

    study: Json
    reasons: list[Json]
    patient_id: str
    prefetch: Json
    rating: str = UNKNOWN

    def request(self, call: int = 0) -> Request:
        """The call that the page makes after every change: no text, priority, note or encounter survives in it."""
        order: Json = {
            "resourceType": "ServiceRequest",
            "id": ORDER_ID,
            "status": "draft",
            "intent": "plan",
            "code": {"coding": [self.study]},
            "subject": {"reference": f"Patient/{self.patient_id}"},
            "reasonCode": [_concept(each) for each in self.reasons],
        }
        if "display" in self.study:
            order["code"]["text"] = self.study["display"]
        return {
            "hookInstance": f"4f1d2c1e-7b0a-4a51-9b7e-{call:012x}",
            "hook": "order-select",
            "fhirServer": "https://ehr.example.org/fhir/R4",
            "context": {
                "patientId": self.patient_id,
                "userId": "Practitioner/COREPRACTITIONER1",
                "selections": [f"ServiceRequest/{ORDER_ID}"],
                "draftOrders": {"resourceType": "Bundle", "entry": [{"resource": order}]},
            },
            "prefetch": self.prefetch,
        }

    def answered(self, body: Json) -> None:
        """The rating of an answer; without one the old rating stays where it is."""
        actions = body.get("extension", {}).get("systemActions", [])
        found = [
            rating for action in actions if action["type"] == "update" for rating in _ratings(_part(action, "resource"))
        ]
        self.rating = found[0] if found else self.rating

    def clicked(self, suggestion: Json) -> None:
        """A suggestion taken: study, reasons and rating are replaced by those of its updates."""
        for action in _part(suggestion, "actions"):
            if action["type"] != "update":
                continue
            order = action.get("resource", {})
            ratings = _ratings(order)
            if not ratings:
                raise PageBreaks("an update without a rating extension")
            study = _first_coding(_part(order, "code"))
            reasons = [_first_coding(reason) for reason in _part(order, "reasonCode")]
            if not study.get("display") or not all(reason.get("display") for reason in reasons):
                raise PageBreaks("a study or reason without a display is drawn as nothing")
            self.rating, self.study, self.reasons = ratings[0], study, reasons

    def copy(self) -> Screen:
        """The same screen, to click another button on."""
        return Screen(dict(self.study), copy.deepcopy(self.reasons), self.patient_id, self.prefetch, self.rating)


def screen_of(request: Request) -> Screen | None:
    """The screen on which a single coded order of a call has been entered; ``None`` where it could not be."""
    drafts = [entry["resource"] for entry in request["context"]["draftOrders"]["entry"]]
    if len(drafts) != 1 or not _has_coding(drafts[0].get("code")):
        return None
    reasons = drafts[0].get("reasonCode", [])
    if drafts[0].get("reasonReference") or not all(_has_coding(reason) for reason in reasons):
        return None
    return Screen(
        study=_shown(drafts[0]["code"]),
        reasons=[_shown(reason) for reason in reasons],
        patient_id=request["context"]["patientId"],
        prefetch=request.get("prefetch", {}),
    )


def _has_coding(concept: Any) -> bool:
    codings = concept.get("coding") if isinstance(concept, dict) else None
    return isinstance(codings, list) and len(codings) > 0 and bool(codings[0].get("code"))


def _shown(concept: Json) -> Json:
    """The first coding, with words to be drawn: those of the page's own list are longer and differ."""
    coding = concept["coding"][0]
    return {**coding, "display": coding.get("display") or concept.get("text") or coding["code"]}


def _concept(coding: Json) -> Json:
    return {"coding": [coding], "text": coding["display"]}


def _part(value: Json, name: str) -> Any:
    if name not in value:
        raise PageBreaks(f"nothing to read as {name}")
    return value[name]


def _first_coding(concept: Json) -> Json:
    codings: list[Json] = _part(concept, "coding")
    if not codings:
        raise PageBreaks("no coding to be kept")
    return codings[0]


def _ratings(resource: Json) -> list[str]:
    return [
        coding["code"]
        for extension in resource.get("extension", [])
        if extension["url"] == RATING
        for coding in _part(_part(extension, "valueCodeableConcept"), "coding")
    ]
