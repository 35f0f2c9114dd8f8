"""Whatever texts a caller sends, its call is on record."""

from __future__ import annotations

import pytest

from tests.cds_service.service_under_test import a_call
from tests.cds_service.test_recording import recorded


@pytest.mark.parametrize("text", ["half a pair \ud800", "nothing \x00", "a line \u2028 and another", "\U0010ffff"])
@pytest.mark.parametrize("where", ["prefetch key", "reason", "user", "hookInstance", "fhirServer", "extension"])
def test_no_text_of_a_caller_keeps_a_call_off_the_record(where: str, text: str) -> None:
    call = a_call()
    match where:
        case "prefetch key":
            call["prefetch"][text] = None
        case "reason":
            call["context"]["draftOrders"]["entry"][0]["resource"]["reasonCode"] = [{"text": text}]
        case "user":
            call["context"]["userId"] = text
        case "extension":
            call["extension"] = {text: text}
        case _:
            call[where] = text
    answer, record = recorded(call)
    assert answer.status_code == record.status
    assert answer.status_code in (200, 400)
