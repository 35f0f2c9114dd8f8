"""The context of a call is read strictly, however its JSON is spaced, and a draft order is kept as it was sent."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_mappings.decode import Malformed, MalformedCall, decode_call

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
NUMBERS = st.integers(-(10**17) + 1, 10**18 - 1) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=12,
)
SPACINGS: dict[str, dict[str, Any]] = {
    "compact": {"separators": (",", ":")},
    "spaced": {"separators": (", ", " : ")},
    "indented": {"indent": 2},
    "plain text": {"separators": (",", ":"), "ensure_ascii": False},
}


def _call(draft: str) -> bytes:
    context = f'{{"userId":"Practitioner/1","patientId":"p","draftOrders":{{"entry":[{{"resource":{draft}}}]}}}}'
    return f'{{"hook":"order-select","hookInstance":"h-1","context":{context}}}'.encode()


def _same(one: Any, other: Any) -> bool:
    """Equal, and of the same types: 1 is not 1.0, nor True."""
    return json.dumps(one) == json.dumps(other)


@given(st.dictionaries(TEXTS, VALUES, max_size=4))
@pytest.mark.parametrize("spacing", SPACINGS)
def test_a_draft_order_is_kept_as_it_was_sent_however_it_is_spaced(spacing: str, more: dict[str, Any]):
    draft = {**more, "resourceType": "ServiceRequest"}
    call = decode_call(_call(json.dumps(draft, **SPACINGS[spacing])))
    assert _same(call.context.draft_orders[0], draft)


REFUSED = {
    "a key twice": '{"resourceType":"ServiceRequest","status":"draft","status":"active"}',
    "a key twice with another value between": '{"resourceType":"ServiceRequest","a":1,"b":1e2,"a":100.0}',
    "a key twice, deep": '{"resourceType":"ServiceRequest","code":{"coding":[{"code":"1","code":"2"}]}}',
    "a key twice, once escaped": '{"resourceType":"ServiceRequest","a":1,"\\u0061":2}',
    "a whole number that is too long": '{"resourceType":"ServiceRequest","n":1234567890123456789}',
    "a number beyond all": '{"resourceType":"ServiceRequest","n":1e999}',
    "not a number": '{"resourceType":"ServiceRequest","n":NaN}',
    "half a surrogate pair": '{"resourceType":"ServiceRequest","n":"\\ud800"}',
}


@pytest.mark.parametrize("draft", REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("space", ["", " ", "\n\t"])
def test_a_draft_order_with_two_meanings_is_refused_however_it_is_spaced(draft: str, space: str):
    spaced = draft.replace(":", f"{space}:").replace(",", f",{space}")
    with pytest.raises(MalformedCall) as refused:
        decode_call(_call(spaced))
    assert refused.value.kind is Malformed.NOT_JSON


def test_digits_in_a_text_are_no_number():
    draft = '{"resourceType":"ServiceRequest","id":"12345678901234567890123"}'
    assert decode_call(_call(draft)).context.draft_orders[0]["id"] == "12345678901234567890123"
