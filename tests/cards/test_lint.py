"""What a client would drop of an answer that was not written for it."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cards.lint import losses
from cards.profiles import PROFILES
from fhir_mappings.order_annotations import RATING, RATING_SYSTEM

PREFERENCE_LIST = "urn:com.epic.cdshooks.action.code.system.preference-list-item"
ORDER: dict[str, Any] = {
    "resourceType": "ServiceRequest",
    "id": "1",
    "status": "draft",
    "intent": "order",
    "subject": {"reference": "Patient/1"},
    "code": {"coding": [{"system": PREFERENCE_LIST, "code": "MRLSPWO", "display": "MRI"}]},
    "reasonCode": [{"coding": [{"system": "urn:oid:2.999.1", "code": "B", "display": "Back pain"}]}],
    "extension": [
        {"url": RATING, "valueCodeableConcept": {"coding": [{"system": RATING_SYSTEM, "code": "appropriate"}]}}
    ],
}
CARD: dict[str, Any] = {
    "summary": "Change X-ray to MRI",
    "indicator": "warning",
    "detail": "**Because** fever",
    "uuid": "c1",
    "source": {"label": "ACR", "topic": {"code": "abc1", "system": "urn:oid:2.999.2"}},
    "suggestions": [
        {
            "label": "Change",
            "uuid": "s1",
            "isRecommended": True,
            "actions": [{"type": "update", "description": "Change the order.", "resource": ORDER}],
        }
    ],
    "selectionBehavior": "at-most-one",
}


def answer(**changes: object) -> dict[str, Any]:
    card = {**deepcopy(CARD), **changes}
    return {"cards": [{name: value for name, value in card.items() if value is not None}]}


def acting(*actions: dict[str, Any], **changes: object) -> dict[str, Any]:
    suggestion = {"label": "Do", "uuid": "s1", "actions": list(actions)}
    return answer(suggestions=[suggestion], selectionBehavior="any", **changes)


def created(**changes: object) -> dict[str, Any]:
    order = {name: value for name, value in ORDER.items() if name not in ("id", "reasonCode", "extension")}
    return {"type": "create", "description": "Order MRI.", "resource": {**order, **changes}}


DELETED = {"type": "delete", "description": "Remove the order.", "resourceId": "ServiceRequest/1"}
RATED = {"type": "update", "resource": ORDER}


def found(document: dict[str, Any], profile: str, *, notes: bool = False) -> list[str]:
    return [
        f"{loss.consequence} {loss.place}"
        for loss in losses(document, PROFILES[profile])
        if notes or loss.consequence != "note"
    ]


@pytest.mark.parametrize(
    ("document", "profile", "expected"),
    [
        (answer(), "cds-hooks-2.0", []),
        (answer(), "sandbox", []),
        (answer(), "epic", ["lost cards[0].selectionBehavior", "lost cards[0].suggestions[0].actions[0]"]),
        (answer(), "plain", ["changed cards[0].detail", "lost cards[0].suggestions[0]"]),
        (acting(DELETED), "epic", []),
        (acting(DELETED), "sandbox", ["lost cards[0].suggestions[0].actions[0]"]),
        (acting(DELETED, created()), "epic", ["lost cards[0].suggestions[0].actions"]),
        (acting(created()), "epic", []),
        (
            acting(created(priority="stat", code={"coding": [{"system": "urn:oid:2.999.3", "code": "1"}]})),
            "epic",
            [
                "lost cards[0].suggestions[0].actions[0].resource.code",
                "changed cards[0].suggestions[0].actions[0].resource",
            ],
        ),
        (acting({**DELETED, "description": ""}), "epic", ["lost cards[0].suggestions[0].actions[0].description"]),
        (acting({**DELETED, "resourceId": ""}), "epic", ["lost cards[0].suggestions[0].actions[0].resourceId"]),
        (acting(), "epic", ["lost cards[0].suggestions[0]"]),
        (
            acting({"type": "update", "description": "x", "resource": {**ORDER, "extension": []}}),
            "sandbox",
            ["lost cards[0].suggestions[0].actions[0].resource.extension"],
        ),
        (
            acting({"type": "update", "description": "x", "resource": {**ORDER, "reasonCode": [{"text": "pain"}]}}),
            "sandbox",
            ["lost cards[0].suggestions[0].actions[0].resource.reasonCode"],
        ),
        (
            acting({"type": "update", "description": "x", "resource": {**ORDER, "code": {"text": "MRI"}}}),
            "sandbox",
            ["lost cards[0].suggestions[0].actions[0].resource.code"],
        ),
        (
            acting({"type": "update", "description": "x"}),
            "sandbox",
            ["lost cards[0].suggestions[0].actions[0].resource"],
        ),
        (answer(uuid=None), "sandbox", ["lost cards[0].uuid"]),
        (answer(summary="x" * 140), "sandbox", ["lost cards[0].summary"]),
        (answer(summary=None), "sandbox", ["lost cards[0].summary"]),
        (answer(indicator="hard-stop"), "sandbox", ["lost cards[0].indicator"]),
        (answer(overrideReasons=[]), "sandbox", ["lost cards[0].overrideReasons"]),
        (answer(overrideReasons=[{"code": "x"}]), "sandbox", ["lost cards[0].overrideReasons[0]"]),
        (answer(detail="a <b>c</b>"), "cds-hooks-2.0", ["changed cards[0].detail"]),
        (answer(source={}), "cds-hooks-2.0", ["lost cards[0].source.label"]),
        (acting(DELETED, source={"label": "ACR"}), "epic", ["lost cards[0].source.topic.code"]),
        (
            acting(DELETED, source={"label": "ACR", "topic": {"code": "a-b"}}),
            "epic",
            ["lost cards[0].source.topic.code"],
        ),
        (
            acting(DELETED, extension={"com.epic.cdshooks.card.detail.content-type": "text/plain"}),
            "epic",
            ["changed cards[0].detail"],
        ),
        (answer(links=[{"label": "x", "url": "/p/1", "type": "absolute"}]), "sandbox", ["lost cards[0].links[0].url"]),
        (
            answer(links=[{"label": "x", "url": "https://app.example", "type": "smart"}]),
            "sandbox",
            ["changed cards[0].links[0]"],
        ),
        ({"cards": [], "systemActions": [RATED]}, "cds-hooks-3.0", []),
        ({"cards": [], "systemActions": [RATED]}, "epic", []),
        ({"cards": [], "systemActions": [RATED]}, "sandbox", ["lost systemActions"]),
        ({"cards": [], "extension": {"systemActions": [RATED]}}, "epic", ["lost extension.systemActions"]),
        ({"cards": [], "systemActions": [RATED], "extension": {"systemActions": [RATED]}}, "epic", []),
        (
            {"cards": [], "extension": {"systemActions": [{"type": "update"}]}},
            "sandbox",
            ["lost extension.systemActions[0].resource"],
        ),
        ({"cards": [], "systemActions": [created()]}, "epic", ["lost systemActions[0]"]),
        ({"cards": [], "systemActions": {}}, "epic", ["lost systemActions"]),
        ({"cards": {}}, "epic", ["lost cards"]),
        ({"cards": ["x"]}, "epic", ["lost cards[0]"]),
    ],
)
def test_what_a_client_would_drop_is_named_by_its_place(document: dict[str, Any], profile: str, expected: list[str]):
    assert found(document, profile) == expected


def test_what_is_only_to_be_known_is_a_note():
    links = [{"label": "ACR", "url": "https://acsearch.acr.org", "type": "absolute"}]
    document = acting(DELETED, links=links, overrideReasons=[{"code": "x", "system": "urn:oid:2.999.4"}])
    assert found(document, "epic", notes=True) == [
        "note cards[0].suggestions[0].label",
        "note cards[0].links",
        "note cards[0].overrideReasons",
    ]


_JUNK = (
    st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from(["", "update", "create", "delete", "any", [], {}])
)


def _made_of(**members: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """An object with some of these members, each as it should be or junk."""
    return st.fixed_dictionaries({}, optional={name: _JUNK | value for name, value in members.items()})


_CODE = _made_of(coding=st.lists(_JUNK | _made_of(system=_JUNK, code=_JUNK, display=_JUNK), max_size=2))
_RESOURCE = _made_of(
    resourceType=st.just("ServiceRequest"),
    code=_CODE,
    reasonCode=st.lists(_JUNK | _CODE, max_size=2),
    extension=st.lists(_JUNK | _made_of(url=st.just(RATING), valueCodeableConcept=_CODE), max_size=2),
)
_ACTION = _made_of(type=_JUNK, description=_JUNK, resource=_RESOURCE, resourceId=_JUNK)
_SUGGESTION = _made_of(label=_JUNK, uuid=_JUNK, isRecommended=_JUNK, actions=st.lists(_JUNK | _ACTION, max_size=2))
_CARD = _made_of(
    summary=_JUNK,
    detail=_JUNK,
    extension=_JUNK | st.just({"com.epic.cdshooks.card.detail.content-type": []}),
    source=_made_of(label=_JUNK, topic=_made_of(code=_JUNK)),
    suggestions=st.lists(_JUNK | _SUGGESTION, max_size=2),
    selectionBehavior=_JUNK,
    links=st.lists(_JUNK | _made_of(url=_JUNK, type=_JUNK), max_size=2),
    overrideReasons=st.lists(_JUNK | _made_of(code=_JUNK, system=_JUNK, display=_JUNK), max_size=2),
)
_ANSWER = _made_of(
    cards=st.lists(_JUNK | _CARD, max_size=2),
    systemActions=st.lists(_JUNK | _ACTION, max_size=2),
    extension=_made_of(systemActions=st.lists(_JUNK | _ACTION, max_size=2)),
)


@settings(max_examples=200, deadline=None)
@given(document=_ANSWER)
@pytest.mark.parametrize("profile", PROFILES)
def test_whatever_an_answer_holds_it_is_read(profile: str, document: dict[str, Any]):
    for loss in losses(document, PROFILES[profile]):
        assert loss.why
        assert loss.place
