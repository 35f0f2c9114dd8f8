"""For a code that no list knows: how the record names it, and the nearest known concept."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest

from audit_pages.nearest import Neighbours, name_in_record
from audit_trail.packing import packed
from audit_trail.record import DecisionRecord
from fhir_mappings.code_rows import CATEGORY_SYSTEM
from tests.audit_pages.history import Past
from tests.audit_pages.visiting import signed_in
from tests.builders import a_draft, a_patient
from tests.clinic import usual_tools
from tests.hook_requests import a_request

NEIGHBOURS = Neighbours(usual_tools().terminology)
LOCAL = "urn:oid:2.999.1"  # a system of examples (ITU-T X.660)


@pytest.mark.parametrize(
    ("name", "concept"),
    [
        ("Retention of urine, acute", "urinary-retention"),
        ("Low back pain, mechanical", "low-back-pain"),
        ("Cauda equina compression syndrome", "cauda-equina-syndrome"),
        ("Vertebral fracture", "vertebral-fracture"),
        ("MRI Lumbar Spine w/o contrast", "mri-lumbar-without-contrast"),
        ("MR spine lumbar", "mri-lumbar-unspecified-contrast"),
        ("X-ray lumbar spine", "xr-lumbar"),
    ],
)
def test_a_name_leads_to_the_concept_that_is_called_alike(name: str, concept: str):
    found = NEIGHBOURS.of(LOCAL, "X1", name)
    assert found is not None
    assert found.concept == concept


@pytest.mark.parametrize(
    "name",
    [
        "", "Zebra crossing", "and the with", "Hypertension", "Essential hypertension", "Osteoarthritis of knee",
        "Chronic obstructive pulmonary disease", "Yellow fever", "No fever", "Family history of diabetes", "MRI brain",
        "Screening for osteoporosis", "Chest pain", "Fracture of wrist", "Chest x-ray",
    ],
)  # fmt: skip
def test_what_is_only_somewhat_alike_is_not_called_near(name: str):
    assert NEIGHBOURS.of(LOCAL, "X1", name) is None


def test_a_whole_category_holds_too_different_things_to_call_them_near():
    """Neck pain and low back pain are of one category."""
    rows = [each for each in usual_tools().terminology.rows if each.system == CATEGORY_SYSTEM]
    categories = {each.code[:3] for each in rows}
    assert len(categories) > 50
    near = {each for each in categories if NEIGHBOURS.of(CATEGORY_SYSTEM, f"{each}.ZZ", "") is not None}
    # A row for a whole category is near to all of it.
    assert near <= {each.code for each in rows if each.descendants}


def test_a_code_of_a_known_subcategory_is_near_to_its_neighbour_there():
    rows = [each for each in usual_tools().terminology.rows if each.system == CATEGORY_SYSTEM]
    meant: dict[str, set[str]] = {}
    for each in rows:
        meant.setdefault(each.code[:5], set()).add(each.concept)
    row = next(each for each in rows if len(each.code) >= 6 and len(meant[each.code[:5]]) == 1)
    found = NEIGHBOURS.of(row.system, f"{row.code[:5]}Z9", "")
    assert found is not None
    assert found.concept == row.concept
    assert "subcategory" in found.because


def test_the_name_is_the_one_that_the_record_gives_that_code():
    body = {"a": [{"system": "s", "code": "1", "display": "other"}, {"system": "t", "code": "1", "display": " Mine "}]}
    record = DecisionRecord(
        decision="d", at=datetime(2026, 1, 1, tzinfo=UTC), outcome="answered", status=200, service="s",
        request=packed(msgspec.json.encode(body)), request_kept="as it came",
    )  # fmt: skip
    assert name_in_record(record, "t", "1") == "Mine"
    assert name_in_record(record, "t", "2") == ""


def test_an_unknown_code_is_listed_with_the_nearest_known_concept(fresh: Past):
    call = a_request([a_draft("mri-lumbar-without-contrast")], patient=a_patient(as_of=datetime.now(UTC).date()))
    problem = {
        "resourceType": "Condition",
        "id": "c1",
        "subject": {"reference": "Patient/pat-1"},
        "code": {"coding": [{"system": LOCAL, "code": "LB-17", "display": "Retention of urine, acute"}]},
    }
    call["prefetch"]["conditions"] = {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": problem}]}
    fresh.call(call, datetime.now(UTC))
    fresh.store()
    text = signed_in(fresh, "auditor").get("/audit/numbers/unmapped.csv").get_data(as_text=True)
    assert '"Retention of urine, acute",urinary-retention,1' in text
    quality = signed_in(fresh, "quality").get("/audit/numbers/unmapped.csv").get_data(as_text=True)
    assert "LB-17" in quality
    assert "Retention" not in quality, "a local name is text of the record"
