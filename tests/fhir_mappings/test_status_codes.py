"""How sure an entry is: coded, displayed, or only in words."""

import msgspec
import pytest

from fhir_mappings.status_codes import OlderFhir, Verified, verified

CODE_SYSTEM = "http://terminology.hl7.org/CodeSystem/condition-ver-status"


@pytest.mark.parametrize(
    ("status", "meaning"),
    [
        ({"coding": [{"system": CODE_SYSTEM, "code": "refuted"}]}, Verified.REFUTED),
        ({"coding": [{"system": CODE_SYSTEM, "code": "differential"}]}, Verified.SUSPECTED),
        ({"coding": [{"system": CODE_SYSTEM, "code": "entered-in-error"}]}, Verified.ERROR),
        ({"coding": [{"display": "Unconfirmed"}]}, Verified.SUSPECTED),
        ({"text": "Ruled out"}, Verified.REFUTED),
        ({"text": " Excluded "}, Verified.REFUTED),
        ({"text": "Working diagnosis"}, Verified.SUSPECTED),
        ({"text": "Probable"}, Verified.SUSPECTED),
        ({"text": "Confirmed"}, Verified.STATED),
        # A word that we do not know is no doubt: the entry counts.
        ({"text": "not ruled out"}, Verified.STATED),
        # The code outweighs the words beside it.
        ({"coding": [{"system": CODE_SYSTEM, "code": "confirmed"}], "text": "Ruled out"}, Verified.STATED),
    ],
)
def test_how_sure_an_entry_is(status, meaning):
    assert verified(msgspec.Raw(msgspec.json.encode(status))) is meaning


def test_without_a_status_the_entry_is_stated():
    assert verified(msgspec.Raw(b"")) is Verified.STATED


def test_a_plain_code_is_the_shape_of_an_older_version():
    with pytest.raises(OlderFhir):
        verified(msgspec.Raw(b'"confirmed"'))
