"""One bad entry among good ones: the call is answered, the good ones count, the bad one is dropped or made harmless."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from typing import Any

import pytest
from markdown_it import MarkdownIt

from tests.builders import PATIENT_ID, SUBJECT, a_condition, a_draft, a_patient, an_observation
from tests.cards.test_escape import AUTOLINKS, HOSTILE, OUR_ELEMENTS
from tests.cds_service.service_under_test import STUDY
from tests.hook_requests import a_request
from tests.hostile.registered import Closed

Json = dict[str, Any]
TODAY = datetime.now(UTC).date()
LAST_WEEK = (TODAY - timedelta(days=7)).isoformat()
MILLION = 900_000  # characters; the service under test takes bodies of 1 MiB


def the_good_entries() -> list[Json]:
    """A red flag that must be seen whatever stands beside it."""
    return [
        a_condition("cauda-equina-syndrome", recordedDate=LAST_WEEK, onsetDateTime=LAST_WEEK),
        an_observation("body-temperature", 37.0, unit="Cel", on=LAST_WEEK, category="vital-signs"),
    ]


def a_call_with(*bad: Any, drafts: list[Json] | None = None) -> Json:
    call = a_request(drafts or [a_draft(STUDY)], patient=a_patient(as_of=TODAY), chart=the_good_entries())
    call["prefetch"]["conditions"]["entry"][:0] = [each if "resource" in each else {"resource": each} for each in bad]
    return call


def poison(**parts: Any) -> Json:
    return {"resourceType": "Condition", "id": "bad", "subject": SUBJECT, "code": {"text": "zzqx"}, **parts}


BAD: dict[str, Any] = {
    "a number for a subject": poison(subject=7),
    "a list for a code": poison(code=[[]]),
    "an object for an id": poison(id={"a": 1}),
    "a text for codings": poison(code={"coding": "zzqx"}),
    "null everywhere": poison(code=None, subject=None, clinicalStatus=None, onsetDateTime=None),
    "another patient's": poison(subject={"reference": "Patient/somebody-else"}),
    "of no type": {"id": "x"},
    "of an unheard type": {"resourceType": "Nonsense", "x": 1},
    "a resource that is none": {"resource": 7},
    "a resource that is null": {"resource": None},
    "day zero": poison(onsetDateTime="0000-00-00"),
    "the thirtieth of February": poison(onsetDateTime="2026-02-30", recordedDate="2026-02-30"),
    "the year 9999": poison(onsetDateTime="9999-12-31T23:59:59+14:00"),
    "a date of another kind": poison(onsetDateTime="yesterday", abatementDateTime="\u0662\u0660\u0662\u0666"),
    "half a character": poison(code={"text": "zzqx \ud800"}),
    "half a character in an id": poison(id="\udfff"),
    "a NUL": poison(code={"text": "zz\x00qx"}),
    "right to left": poison(code={"text": "\u202ezzqx\u202c \u2066zz\u2069"}),
    "zero width": poison(code={"text": "zz\u200bqx\u200d\ufeff"}),
    "a million characters": poison(code={"text": "z" * MILLION}),
    "a million characters of words": poison(code={"text": "zzqx " * (MILLION // 5)}),
    "a million characters in a display": poison(
        code={"coding": [{"system": "urn:x", "code": "1", "display": "z" * MILLION}]}
    ),
    "a million characters in an id": poison(id="z" * MILLION),
    "ten thousand codings": poison(code={"coding": [{"code": str(number)} for number in range(10_001)]}),
    "very deep": poison(extension=json.loads('[{"extension":' * 300 + "[]" + "}]" * 300)),
    "contained without end": poison(contained=[{"resourceType": "Patient", "id": str(n)} for n in range(1000)]),
    "pointing at itself": poison(evidence=[{"detail": [{"reference": "Condition/bad"}]}], id="bad"),
    "a huge number": poison(onsetAge={"value": 1e308, "unit": "a"}),
    "a prototype": poison(__proto__={"x": 1}, constructor={"prototype": {}}),
}


def assert_same_advice(closed: Closed, call: Json) -> None:
    answer = closed.ask(body=call)
    assert answer.status_code == 200, answer.text
    first = answer.json()["cards"][0]
    assert first["indicator"] == "critical"
    usual = closed.ask(body=a_call_with()).json()["cards"][0]
    assert first["summary"] == usual["summary"]
    text = json.dumps([{k: v for k, v in card.items() if k != "suggestions"} for card in answer.json()["cards"]])
    assert not re.search(r"\\u0000|\\u202[a-e]|\\u206[6-9]|\\u200[b-f]|\\ufeff|\\ud[89a-f]", text)
    assert len(text) < 60_000
    closed.assert_good_call_is_answered()


@pytest.mark.parametrize("name", BAD)
def test_a_bad_entry_among_good_ones_costs_nobody_the_red_flag(closed: Closed, name: str) -> None:
    assert_same_advice(closed, a_call_with(BAD[name]))


def test_dropped_and_foreign_entries_are_counted_in_the_log(closed: Closed) -> None:
    closed.ask(body=a_call_with(BAD["a number for a subject"], BAD["another patient's"]))
    line = json.loads(closed.log().splitlines()[-1])
    assert (line["dropped_entries"], line["foreign_entries"]) == (1, 1)


def test_a_key_twice_in_an_entry_costs_that_entry_at_most(closed: Closed) -> None:
    text = json.dumps(a_call_with(poison(note="@@"))).replace(
        '"note": "@@"', '"code": {"text": "a"}, "code": {"text": "b"}'
    )
    answer = closed.ask(body=text.encode())
    assert answer.status_code == 200
    assert answer.json()["cards"][0]["indicator"] == "critical"


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e999", "-" + "9" * 400])
def test_a_number_that_is_none_in_an_entry(closed: Closed, number: str) -> None:
    """What is no JSON at all fails the call; a number without end is its own entry's trouble."""
    text = json.dumps(a_call_with(poison(onsetAge={"value": "@@"}))).replace('"@@"', number)
    answer = closed.ask(body=text.encode())
    assert answer.status_code == (400 if number in ("NaN", "Infinity") else 200)
    closed.assert_good_call_is_answered()


# --- markup: everything of the record is text -------------------------------------------------------------------------

MARKDOWN = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


class Elements(HTMLParser):
    """Names and attributes of the elements of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, tuple[str, ...]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, tuple(name for name, _ in attrs)))

    def handle_comment(self, data: str) -> None:
        self.found.append(("!--", ()))


def a_chart_that_says(text: str) -> Json:
    """The text in every display, name, note and extension that this service might show."""
    about = {"subject": SUBJECT, "extension": [{"url": f"urn:{text}", "valueString": text}], "note": [{"text": text}]}
    coding = [{"system": "urn:x", "code": text, "display": text}]
    draft = a_draft(STUDY, order_id="order-1", note=[{"text": text}], extension=about["extension"])
    draft["code"] = {**draft["code"], "text": text}
    draft["reasonCode"] += [{"text": text}, {"coding": coding}]
    draft["requester"]["display"] = text
    chart = [
        {**a_condition(f"text:{text}", recordedDate=LAST_WEEK), **about},
        {**a_condition("cauda-equina-syndrome", recordedDate=LAST_WEEK), **about},
        {**an_observation({"coding": coding, "text": text}, text, on=LAST_WEEK), **about},
        {"resourceType": "MedicationRequest", "status": "active", "intent": "order", **about,
         "medicationCodeableConcept": {"text": text, "coding": coding}},
        {"resourceType": "DiagnosticReport", "status": "final", **about, "code": {"text": text}, "conclusion": text,
         "effectiveDateTime": LAST_WEEK, "category": [{"coding": [{"code": "RAD"}]}]},
        {"resourceType": "Device", "status": "active", "patient": SUBJECT, "type": {"text": text, "coding": coding},
         "deviceName": [{"name": text, "type": "user-friendly-name"}]},
        {"resourceType": "AllergyIntolerance", "patient": SUBJECT, "code": {"text": text, "coding": coding}},
    ]  # fmt: skip
    name = [{"family": text, "given": [text], "text": text}]
    call = a_request([draft], patient=a_patient(as_of=TODAY, name=name), chart=chart)
    cauda = call["prefetch"]["conditions"]["entry"][1]["resource"]["code"]
    cauda["text"], cauda["coding"][0]["display"] = "cauda equina syndrome", text
    return call


@pytest.mark.parametrize("text", HOSTILE)
def test_markup_in_the_record_is_shown_as_plain_text(closed: Closed, text: str) -> None:
    answer = closed.ask(body=a_chart_that_says(text))
    assert answer.status_code == 200, answer.text
    cards = answer.json()["cards"]
    assert cards[0]["indicator"] == "critical"
    for card in cards:
        page = Elements()
        page.feed(MARKDOWN.render(card["detail"]))
        assert {tag for tag, _ in page.found} <= OUR_ELEMENTS, card["detail"]
        assert {names for _, names in page.found} <= {(), ("style",)}  # the alignment of a table's columns
        assert not AUTOLINKS.search(card["detail"].replace("**", "")), card["detail"]
        said = [card["summary"], card["source"]["label"], *(each["label"] for each in card.get("suggestions", ()))]
        said += [action["description"] for each in card.get("suggestions", ()) for action in each["actions"]]
        for each in [*said, card["detail"].replace("\n", "")]:
            assert each.isprintable(), each
            assert "<" not in each or "\\<" in each or "&lt;" in each or "< " in each
    closed.assert_good_call_is_answered()


def test_the_patients_name_and_ids_are_in_no_card_and_no_log_line(closed: Closed) -> None:
    call = a_chart_that_says("zzqx")
    call["prefetch"]["patient"]["name"] = [{"family": "Canaryfamily", "given": ["Canarygiven"]}]
    call["prefetch"]["patient"]["identifier"] = [{"system": "urn:mrn", "value": "canary-mrn"}]
    call["fhirServer"] = "https://canary-server.example.org/fhir"
    call["fhirAuthorization"] = {
        "access_token": "canary-access",
        "token_type": "Bearer",
        "expires_in": 300,
        "scope": "x",
    }
    answer = closed.ask(body=call)
    assert answer.status_code == 200
    assert "canary" not in answer.text.lower()
    assert "canary" not in closed.log().lower()
    assert PATIENT_ID not in closed.log()
