"""The call that an EHR makes for a story's order, and what came back, held against the expected card."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from urllib.parse import parse_qsl

import requests

from cds_service.service_catalogue import SERVICES
from sandbox.fhir_server import Store
from sandbox.fhir_server.store import NotReadable
from sandbox.stories import DraftOrder, ExpectedCard, Story
from tests.answer_reading import Json, ratings, study_named_by, words

TOPIC = "lumbarimaging"
_SERVICE_FOR = {service.hook: service.id for service in SERVICES}


def prefetched(store: Store, templates: dict[str, str], context: Json) -> Json:
    """The prefetch of a call, by the templates of discovery; what cannot be read is an OperationOutcome."""
    found: Json = {}
    for key, template in templates.items():
        filled = template
        for token, value in (
            ("{{context.patientId}}", context["patientId"]),
            ("{{context.encounterId}}", context["encounterId"]),
            ("{{userPractitionerId}}", context["userId"].removeprefix("Practitioner/")),
        ):
            filled = filled.replace(token, value)
        path, asks, query = filled.partition("?")
        try:
            if asks:
                entries = [{"resource": each} for each in store.search(path, parse_qsl(query))]
                found[key] = {"resourceType": "Bundle", "type": "searchset", "total": len(entries), "entry": entries}
                if not entries:
                    del found[key]["entry"]
            else:
                found[key] = store.read(*path.split("/"))
        except NotReadable:
            found[key] = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "transient"}]}
    return found


def call_for(story: Story, order: DraftOrder, store: Store, templates: dict[str, str]) -> Json:
    """The hook call for one of the story's orders."""
    context: Json = {
        "userId": f"Practitioner/{story.practitioner_id}",
        "patientId": story.patient_id,
        "encounterId": story.encounter_id,
        "draftOrders": {"resourceType": "Bundle", "entry": [{"resource": draft} for draft in order.drafts]},
    }
    if order.hook == "order-select":
        context["selections"] = list(order.selections)
    return {
        "hook": order.hook,
        "hookInstance": str(uuid.uuid5(uuid.NAMESPACE_OID, order.id)),
        "context": context,
        "prefetch": prefetched(store, templates, context),
    }


def post(base_url: str, call: Json) -> Json:
    """The answer over HTTP."""
    answer = requests.post(f"{base_url}/cds-services/{_SERVICE_FOR[call['hook']]}", json=call, timeout=30)
    assert answer.status_code == 200, answer.text
    body: Json = answer.json()
    return body


def kind_of(card: Json) -> str:
    """The kind of advice: the topic of the card's source, as one word."""
    return str(card["source"]["topic"]["code"]).removeprefix(TOPIC)


def differences(body: Json, order: DraftOrder) -> Iterator[str]:
    """Every way in which an answer is not the card that the story expects."""
    expected, cards = order.expected, body["cards"]
    got = kind_of(cards[0]) if cards else ""
    if got != expected.kind.replace("-", ""):
        yield f"kind: expected {expected.kind!r}, got {got!r}"
    indicator = cards[0]["indicator"] if cards else ""
    if indicator != expected.indicator:
        yield f"indicator: expected {expected.indicator!r}, got {indicator!r}"
    rating = (ratings(body).get(order.drafts[0]["id"]) or [""])[0]
    if rating != expected.rating:
        yield f"rating: expected {expected.rating!r}, got {rating!r}"
    others = [kind_of(card) for card in cards[1:]]
    if others != [each.replace("-", "") for each in expected.others]:
        yield f"others: expected {expected.others!r}, got {others!r}"
    rated = tuple((ratings(body).get(draft["id"]) or [""])[0] for draft in order.drafts[1 : order.selected])
    if rated != expected.ratings:
        yield f"ratings: expected {expected.ratings!r}, got {rated!r}"
    yield from _of_suggestion(body, order, expected)
    said = words(body).casefold()
    yield from (f"words: {each!r} is on no card" for each in expected.words if each.casefold() not in said)
    yield from (f"never: {each!r} is on a card" for each in expected.never if each.casefold() in said)


def _of_suggestion(body: Json, order: DraftOrder, expected: ExpectedCard) -> Iterator[str]:
    after = recommended_order(body)
    study = study_named_by(after.get("code", {})) if after else ""
    if study != expected.study:
        yield f"study: expected {expected.study!r}, got {study!r}"
    priority = after.get("priority", "") if after else ""
    priority = priority if priority != order.drafts[0]["priority"] else ""
    if priority != expected.priority:
        yield f"priority: expected {expected.priority!r}, got {priority!r}"


def recommended_order(body: Json) -> Json:
    """The draft order as the first card's recommended suggestion leaves it; empty where none changes it."""
    for card in body["cards"][:1]:
        for suggestion in card.get("suggestions", ()):
            if suggestion.get("isRecommended"):
                for action in suggestion["actions"]:
                    if action["type"] == "update":
                        return dict(action["resource"])
    return {}
