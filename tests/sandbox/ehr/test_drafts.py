"""What can happen to a draft order."""

from __future__ import annotations

import pytest

from sandbox.ehr.drafts import (
    RATING,
    CannotApply,
    applied,
    name_of,
    ratings_of,
    with_priority,
    with_reason,
    with_reason_from_chart,
    with_study,
    without_reason,
)

RATED = {"url": RATING, "valueCodeableConcept": {"coding": [{"code": "not-appropriate"}, {"code": "finer"}]}}
OTHER = {"url": "https://example.org/other", "valueBoolean": True}
ORDER = {
    "resourceType": "ServiceRequest",
    "id": "one",
    "priority": "routine",
    "code": {"text": "MRI"},
    "reasonCode": [{"text": "Low back pain"}],
    "extension": [RATED, OTHER],
}
SECOND = {"resourceType": "ServiceRequest", "id": "two", "code": {"text": "X-ray"}}


def test_the_rating_of_an_order_is_read_with_the_argonaut_code_first() -> None:
    assert [each["code"] for each in ratings_of(ORDER)] == ["not-appropriate", "finer"]
    assert ratings_of(SECOND) == []


@pytest.mark.parametrize(
    "changed",
    [
        with_study(ORDER, {"text": "CT"}),
        with_priority(ORDER, "stat"),
        with_reason(ORDER, {"text": "Fever"}),
        with_reason_from_chart(ORDER, "Condition/1", "Sciatica"),
        without_reason(ORDER, "reasonCode/0"),
    ],
    ids=["study", "priority", "reason", "reason from the chart", "one reason less"],
)
def test_a_changed_order_has_no_rating_until_it_is_judged_again(changed: dict) -> None:
    assert ratings_of(changed) == []
    assert ratings_of(ORDER), "the order that was changed stays as it was"


def test_another_study_takes_nothing_of_the_one_before_but_its_reasons() -> None:
    order = {**ORDER, "note": [{"text": "as discussed"}], "supportingInfo": [{"reference": "Condition/1"}]}
    changed = with_study(order, {"text": "CT"})
    assert name_of(changed) == "CT"
    assert changed["reasonCode"] == ORDER["reasonCode"]
    assert not {"note", "supportingInfo"} & changed.keys()


def test_the_same_reason_is_stated_once() -> None:
    assert with_reason(ORDER, {"text": "Low back pain"}) == ORDER
    once = with_reason_from_chart(ORDER, "Condition/1", "Sciatica")
    assert with_reason_from_chart(once, "Condition/1", "Sciatica") == once


def test_the_last_reason_leaves_no_empty_list() -> None:
    assert "reasonCode" not in without_reason(ORDER, "reasonCode/0")


@pytest.mark.parametrize("place", ["reasonCode/x", "reasonReference/0", "extension/0", "", "reasonCode/-1"])
def test_a_reason_that_is_not_there_cannot_be_removed(place: str) -> None:
    with pytest.raises(CannotApply):
        without_reason(ORDER, place)


def test_an_update_takes_the_place_of_the_draft_of_its_id() -> None:
    after, reference = applied([ORDER, SECOND], {"type": "update", "resource": {**ORDER, "priority": "stat"}}, "")
    assert [draft.get("priority") for draft in after] == ["stat", None]
    assert reference == "ServiceRequest/one"


def test_a_created_order_gets_an_id_of_this_ehr() -> None:
    made = {"resourceType": "ServiceRequest", "id": "theirs", "code": {"text": "Physiotherapy"}}
    after, reference = applied([ORDER], {"type": "create", "resource": made}, "ours")
    assert [draft["id"] for draft in after] == ["one", "ours"]
    assert reference == "ServiceRequest/ours"


@pytest.mark.parametrize("gone", ["ServiceRequest/one", ["ServiceRequest/one"]], ids=["CDS Hooks 2.0", "3.0 ballot"])
def test_a_deleted_order_is_gone(gone: object) -> None:
    after, _ = applied([ORDER, SECOND], {"type": "delete", "resourceId": gone}, "")
    assert after == [SECOND]


@pytest.mark.parametrize(
    "action",
    [
        {"type": "update", "resource": {"resourceType": "ServiceRequest", "id": "nobody"}},
        {"type": "delete", "resourceId": "ServiceRequest/nobody"},
        {"type": "delete"},
        {"type": "create"},
        {"type": "update", "resource": {}},
        {"type": "replace", "resource": ORDER},
    ],
)
def test_an_action_that_cannot_be_applied_says_so(action: dict) -> None:
    with pytest.raises(CannotApply):
        applied([ORDER], action, "new")
