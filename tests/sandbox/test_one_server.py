"""Several patients on one server: none may lose a record to another."""

from __future__ import annotations

from collections import Counter

import pytest

from sandbox.fhir_server.store import NotReadable, Store, TwoPatients
from sandbox.stories import load, store_of


def test_the_patients_of_the_stories_keep_all_their_records_side_by_side() -> None:
    stories = load()
    store = store_of(each for each in stories if not each.unreadable)
    for story in stories:
        for resource_type, expected in Counter(each["resourceType"] for each in story.resources).items():
            if resource_type not in ("Patient", "Practitioner", "PractitionerRole") and not story.unreadable:
                found = store.search(resource_type, [("patient", story.patient_id)])
                assert len(found) == expected, (story.id, resource_type)


def test_what_the_ehr_of_a_story_cannot_read_fails_and_the_rest_does_not() -> None:
    stories = load()
    store = store_of(stories)
    failing = [each for each in stories if each.unreadable]
    assert failing
    for story in failing:
        for resource_type in story.unreadable:
            with pytest.raises(NotReadable):
                store.search(resource_type, [("patient", story.patient_id)])
        assert store.search("Observation", [("patient", story.patient_id)])


def _problem(patient: str, **more: str) -> dict:
    return {"resourceType": "Condition", "id": "condition-1", "subject": {"reference": f"Patient/{patient}"}, **more}


def test_a_record_never_takes_the_place_of_another_patients() -> None:
    store = Store([_problem("one")])
    with pytest.raises(TwoPatients, match="Condition/condition-1"):
        store.put(_problem("two"))


def test_a_later_version_of_a_record_takes_the_place_of_the_earlier_one() -> None:
    store = Store([_problem("one"), _problem("one", recordedDate="2026-03-01")])
    assert store.search("Condition", [("patient", "one")])[0]["recordedDate"] == "2026-03-01"
