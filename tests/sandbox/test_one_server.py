"""Several patients on one server: none may lose a record to another."""

from __future__ import annotations

from collections import Counter
from datetime import date

import msgspec
import pytest

from sandbox.fhir_server.store import Store, TwoPatients
from sandbox.samples import samples


def test_the_sample_patients_keep_all_their_records_side_by_side() -> None:
    store = Store()
    bundles = [
        msgspec.json.decode(each.filled(date(2026, 3, 31), lambda: "5c9b3c4e-0000-4000-8000-000000000000"))
        for each in samples().values()
        if each.kind == "patients"
    ]
    for bundle in bundles:
        store.put(bundle)
    for bundle in bundles:
        resources = [entry["resource"] for entry in bundle["entry"]]
        (patient,) = [each["id"] for each in resources if each["resourceType"] == "Patient"]
        for resource_type, expected in Counter(each["resourceType"] for each in resources).items():
            if resource_type not in ("Patient", "Practitioner", "PractitionerRole"):
                found = store.search(resource_type, [("patient", patient)])
                assert len(found) == expected, (patient, resource_type)


def _problem(patient: str, **more: str) -> dict:
    return {"resourceType": "Condition", "id": "condition-1", "subject": {"reference": f"Patient/{patient}"}, **more}


def test_a_record_never_takes_the_place_of_another_patients() -> None:
    store = Store([_problem("one")])
    with pytest.raises(TwoPatients, match="Condition/condition-1"):
        store.put(_problem("two"))


def test_a_later_version_of_a_record_takes_the_place_of_the_earlier_one() -> None:
    store = Store([_problem("one"), _problem("one", recordedDate="2026-03-01")])
    assert store.search("Condition", [("patient", "one")])[0]["recordedDate"] == "2026-03-01"
