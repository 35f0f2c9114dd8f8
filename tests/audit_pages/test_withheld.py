"""The quality team sees decisions and numbers, and nobody's name."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from tests.audit_pages.history import CLINICIAN_NAME, COMMENT, FAMILY, GIVEN, NUMBER, PHONE, Past
from tests.audit_pages.visiting import Visitor, signed_in
from tests.builders import a_draft, a_patient
from tests.hook_requests import a_request

SECRETS = (FAMILY, GIVEN, NUMBER, PHONE, CLINICIAN_NAME, COMMENT, "order-1", "Condition/")
PERSON = re.compile(r"\b(pat-\d+|dr-\d+|Patient/|Practitioner/)")


def pages_of(visitor: Visitor) -> list[str]:
    """The overviews, their files, a report card, and thirty decisions of every kind."""
    found = [
        "/audit", "/audit/clinicians", "/audit/clinicians.csv", "/audit/decisions", "/audit/decisions.csv",
        "/audit/numbers/by-clinician.csv", "/audit/sentinels",
    ]  # fmt: skip
    for query in ("", "?order=most+unread", "?order=most+unmapped", "?outcome=failed", "?card=critical", "?silent=yes"):
        text = visitor.get(f"/audit/decisions{query}").get_data(as_text=True)
        found += re.findall(r'href="(/audit/decisions/[^"?.]+)"', text)[:6]
    text = visitor.get("/audit/clinicians").get_data(as_text=True)
    found += [each.replace("&amp;", "&") for each in re.findall(r'href="(/audit/clinicians/[^"]+)"', text)[:2]]
    return list(dict.fromkeys(found))


def a_decision(visitor: Visitor) -> str:
    """The page of a call that got a card."""
    text = visitor.get("/audit/decisions?card=warning").get_data(as_text=True)
    found = re.search(r'href="(/audit/decisions/[^"?.]+)"', text)
    assert found is not None
    return found[1]


def test_the_quality_role_sees_no_identifier_of_a_patient_or_clinician(past: Past):
    visitor = signed_in(past, "quality")
    pages = pages_of(visitor)
    assert len(pages) > 25
    for page in pages:
        assert not PERSON.search(page), "not in an address either"
        text = visitor.get(page).get_data(as_text=True)
        for secret in SECRETS:
            assert secret not in text, page
        assert not PERSON.search(text), f"{page}: {PERSON.search(text)}"


def test_an_auditor_sees_them(past: Past):
    visitor = signed_in(past, "auditor")
    text = "".join(visitor.get(page).get_data(as_text=True) for page in pages_of(visitor))
    assert PERSON.search(text)
    assert COMMENT in text.replace("&#39;", "'")


def test_the_quality_role_still_sees_the_cards_and_the_story(past: Past):
    visitor = signed_in(past, "quality")
    text = visitor.get(a_decision(visitor)).get_data(as_text=True)
    assert "The cards as the clinician saw them" in text or "would have seen" in text
    assert "Because" in text
    assert "clinician-" in text
    assert "patient-" in text


@pytest.mark.parametrize("what", ["request", "by patient"])
def test_some_pages_are_not_for_the_quality_role(past: Past, what: str):
    visitor = signed_in(past, "quality")
    if what == "request":
        assert visitor.get(f"{a_decision(visitor)}/request.json").status_code == 403
    else:
        form = {"csrf_token": visitor.token("/audit"), "patient": "pat-1"}
        assert visitor.post("/audit/decisions", form).status_code == 403


def test_an_auditor_finds_the_calls_of_a_patient_without_naming_them_in_an_address(past: Past):
    visitor = signed_in(past, "auditor")
    text = visitor.get("/audit/decisions").get_data(as_text=True)
    patient = re.search(r"pat-\d+", text)
    assert patient is not None
    found = visitor.post("/audit/decisions", {"csrf_token": visitor.token("/audit"), "patient": patient[0]})
    assert found.status_code == 200
    listed = set(re.findall(r"pat-\d+", found.get_data(as_text=True)))
    assert listed == {patient[0]}


def test_an_auditor_gets_the_request_as_it_was_stored(past: Past):
    visitor = signed_in(past, "auditor")
    answer = visitor.get(f"{a_decision(visitor)}/request.json")
    assert answer.get_json()["hook"] in ("order-select", "order-sign")
    assert "attachment" in answer.headers["Content-Disposition"]


def test_a_reason_in_a_clinicians_own_words_is_for_auditors(fresh: Past):
    now = datetime.now(UTC)
    call = a_request([a_draft("mri-lumbar-without-contrast")], patient=a_patient(as_of=now.date()))
    (card,) = fresh.call(call, now)["cards"]
    reason = {"reason": {"display": "Mrs Featherstonehaugh insists"}}
    fresh.feedback(card, now, "st-anna", "overridden", overrideReason=reason)
    fresh.store()
    pages = ("/audit", "/audit/numbers/reasons.csv", pages_of(signed_in(fresh, "auditor"))[-2])
    for role, seen in (("auditor", True), ("quality", False)):
        visitor = signed_in(fresh, role)
        for page in pages:
            assert ("Featherstonehaugh" in visitor.get(page).get_data(as_text=True)) == seen, (role, page)


def test_a_pseudonym_is_the_one_of_the_log(past: Past):
    text = signed_in(past, "quality").get("/audit/clinicians").get_data(as_text=True)
    pseudonyms = set(re.findall(r"clinician-([0-9a-f]{12})", text))
    assert pseudonyms
    known = {
        past.recorder.person(client, f"Practitioner/dr-{each:02}")[:12]
        for client in ("st-anna", "north-clinic", "pilot")
        for each in range(14)
    }
    assert pseudonyms <= known
