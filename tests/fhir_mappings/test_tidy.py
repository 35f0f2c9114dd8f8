"""A draft without nulls and empties is handed on as it is; any other is handed on without them."""

from copy import deepcopy

import msgspec
import pytest

from fhir_mappings.tidy import tidy

DRAFT = {
    "resourceType": "ServiceRequest",
    "id": "mri-1",
    "code": {"coding": [{"system": "urn:example:codes", "code": "x"}], "text": "MRI lumbar spine"},
    "reasonCode": [{"text": "Low back pain"}],
}
# Bytes that mean "nothing" in a packed form stand inside these, too.
TEXTS = ("Rückenschmerz – “akut”", "à ", "x" * 128, "x" * 160, "x" * 192, "null", '""', "[]", "{}")
NUMBERS = (0, 128, 160, 192, -96, 0.5, 1e300, 2**63, 2**64, 123456789012345678901234567890)


@pytest.mark.parametrize("empty", [None, "", [], {}, [None], [""], [{}], {"text": ""}, {"a": {"b": [None]}}], ids=repr)
@pytest.mark.parametrize("beside", ["plain", "Rückenschmerz – “akut”", "x" * 144, 'null "" [] {}'])
def test_what_is_empty_is_left_out_at_any_depth(empty, beside):
    draft = {**deepcopy(DRAFT), "note": [{"text": beside}]}
    want = deepcopy(draft)
    assert tidy({**draft, "orderDetail": empty}) == want
    assert tidy({**draft, "orderDetail": [{"text": "standing"}, empty]})["orderDetail"] == [{"text": "standing"}]
    draft["code"]["coding"][0]["display"] = empty
    assert tidy(draft) == want


@pytest.mark.parametrize(
    "value",
    [*TEXTS, *NUMBERS, True, False],
    ids=repr,
)
def test_whatever_is_not_empty_stays_whatever_its_bytes_are(value):
    draft = msgspec.json.decode(msgspec.json.encode({**DRAFT, "extension": [{"url": "urn:example", "value": value}]}))
    assert tidy(draft) == draft


def test_a_draft_in_order_is_the_same_object():
    assert tidy(DRAFT) is DRAFT


def test_nulls_that_pad_a_list_against_its_extensions_stay():
    padded = {"given": ["Ada", None], "_given": [None, {"id": "b"}]}
    assert tidy({**DRAFT, **padded, "note": []}) == {**DRAFT, **padded}
