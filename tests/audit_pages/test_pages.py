"""What the pages show is what is on record."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from werkzeug.test import TestResponse

from audit_trail.record import DecisionRecord
from audit_trail.selection import Selection
from cds_service.store_of_process import store_of
from tests.audit_pages.history import CLIENTS, Past
from tests.audit_pages.visiting import Visitor, signed_in

TABLES = (
    "over-time", "outcomes", "by-service", "by-situation", "by-rule", "by-study", "by-clinician", "by-client",
    "reasons", "missing", "silence", "unmapped", "latency", "time", "troubles",
)  # fmt: skip


@pytest.fixture(scope="module")
def auditor(past: Past) -> Visitor:
    return signed_in(past, "auditor")


@pytest.fixture(scope="module")
def records(past: Past) -> list[DecisionRecord]:
    store = store_of(past.settings)
    assert store is not None
    now = datetime.now(UTC)
    everything = Selection(since=now - timedelta(days=60), until=now + timedelta(days=1))
    return [each.record for each in store.queries().records(everything)]


def rows(answer: TestResponse) -> list[dict[str, str]]:
    assert answer.status_code == 200
    return list(csv.DictReader(io.StringIO(answer.get_data().decode("utf-8-sig"), newline="")))


def number(text: str) -> float:
    return float(text or 0)


def test_each_table_of_the_page_is_there_and_is_a_file(auditor: Visitor):
    page = auditor.get("/audit").get_data(as_text=True)
    for table in TABLES:
        assert f"/audit/numbers/{table}.csv" in page
        assert auditor.get(f"/audit/numbers/{table}.csv").content_type == "text/csv; charset=utf-8"
    assert auditor.get("/audit/numbers/others.csv").status_code == 404


@pytest.mark.parametrize(
    ("table", "column", "member"),
    [("by-study", "procedure", "procedure"), ("by-rule", "row", "row"), ("by-situation", "situation", "situation")],
)
def test_orders_are_counted_as_they_were_decided(
    auditor: Visitor, records: list[DecisionRecord], table: str, column: str, member: str
):
    decided = Counter(getattr(order, member) for record in records for order in record.orders)
    counted = sorted(int(row["Orders"]) for row in rows(auditor.get(f"/audit/numbers/{table}.csv")))
    assert counted == sorted(decided.values())


def test_ratings_are_counted_over_time_as_they_were_decided(auditor: Visitor, records: list[DecisionRecord]):
    decided = Counter(order.rating for record in records for order in record.orders)
    found = rows(auditor.get("/audit/numbers/over-time.csv"))
    assert sum(number(row["Appropriate"]) for row in found) == decided["appropriate"]
    assert sum(number(row["Not appropriate"]) for row in found) == decided["not-appropriate"]
    assert sum(number(row["Calls"]) for row in found) == len({record.decision for record in records})


def test_a_call_that_was_repeated_to_the_byte_counts_once(fresh: Past):
    from tests.builders import a_draft, a_patient
    from tests.hook_requests import a_request

    now = datetime.now(UTC)
    call = a_request([a_draft("mri-lumbar-without-contrast")], patient=a_patient(as_of=now.date()))
    for _ in range(3):
        fresh.call(call, now)
    fresh.store()
    (row,) = rows(signed_in(fresh, "auditor").get("/audit/numbers/by-study.csv"))
    assert (row["Orders"], row["Cards"]) == ("1", "1")


@pytest.mark.parametrize("part", ["client", "rating", "card", "service", "situation"])
def test_a_filter_keeps_what_it_names_and_nothing_else(auditor: Visitor, records: list[DecisionRecord], part: str):
    chosen = {
        "client": ("st-anna", lambda each: each.client == "st-anna"),
        "rating": ("not-appropriate", lambda each: any(order.rating == "not-appropriate" for order in each.orders)),
        "card": ("critical", lambda each: any(card.indicator == "critical" for card in each.cards)),
        "service": ("lumbar-imaging-order-sign", lambda each: each.service == "lumbar-imaging-order-sign"),
        "situation": ("emergency", lambda each: any(order.situation == "emergency" for order in each.orders)),
    }
    value, fits = chosen[part]
    found = {row["Decision"] for row in rows(auditor.get(f"/audit/decisions.csv?{part}={value}"))}
    assert found == {each.decision for each in records if fits(each)}
    assert found


def test_the_form_keeps_what_was_chosen(auditor: Visitor):
    text = auditor.get("/audit/decisions?rule=acute&card=critical&gap=Condition:+failed").get_data(as_text=True)
    for kept in ('value="acute" selected', 'value="critical" selected', 'name="gap" value="Condition: failed"'):
        assert kept in text


def test_filters_hold_together(auditor: Visitor, records: list[DecisionRecord]):
    found = rows(auditor.get("/audit/decisions.csv?client=north-clinic&rating=appropriate&card=critical"))
    expected = [
        each for each in records
        if each.client == "north-clinic"
        and any(order.rating == "appropriate" for order in each.orders)
        and any(card.indicator == "critical" for card in each.cards)
    ]  # fmt: skip
    assert len(found) == len(expected)


def test_a_clinician_is_found_by_pseudonym(auditor: Visitor, past: Past, records: list[DecisionRecord]):
    alias = f"clinician-{past.recorder.person('st-anna', 'Practitioner/dr-03')[:12]}"
    found = rows(auditor.get(f"/audit/decisions.csv?clinician={alias}"))
    expected = [each for each in records if (each.client, each.user) == ("st-anna", "Practitioner/dr-03")]
    assert len(found) == len(expected) > 0


def test_the_list_goes_on_over_its_pages_and_shows_each_call_once(auditor: Visitor, records: list[DecisionRecord]):
    names: list[str] = []
    for page in range(1, 9):
        text = auditor.get(f"/audit/decisions?page={page}").get_data(as_text=True)
        names += re.findall(r'href="/audit/decisions/([^"?.]+)"', text)
    assert len(names) == len(set(names)) == len(records)


@pytest.mark.parametrize("page", ["-5", "0", "x", "99999999999", "9" * 40])
def test_a_page_of_the_list_that_is_not_there_is_no_error(auditor: Visitor, page: str):
    assert auditor.get(f"/audit/decisions?page={page}").status_code == 200


@pytest.mark.parametrize("order", ["newest", "oldest", "slowest"])
def test_the_list_is_in_the_order_that_was_asked_for(auditor: Visitor, order: str):
    found = rows(auditor.get(f"/audit/decisions.csv?order={order}"))
    values = [number(row["Time"]) if order == "slowest" else row["Time (UTC)"] for row in found]
    assert values == sorted(values, reverse=order != "oldest")


def test_a_table_is_sorted_by_a_click_and_the_file_with_it(auditor: Visitor):
    found = rows(auditor.get("/audit/numbers/by-clinician.csv?sort=by-clinician:orders"))
    counts = [int(row["Orders"]) for row in found]
    assert counts == sorted(counts)
    page = auditor.get("/audit?sort=by-clinician:orders").get_data(as_text=True)
    assert 'aria-sort="ascending"' in page


def test_feedback_is_counted_once_for_each_card_by_its_last_report(fresh: Past):
    from tests.builders import a_draft, a_patient
    from tests.hook_requests import a_request

    now = datetime.now(UTC) - timedelta(minutes=30)
    call = a_request([a_draft("mri-lumbar-without-contrast")], patient=a_patient(as_of=now.date()))
    (card,) = fresh.call(call, now)["cards"]
    for minutes, outcome in ((1, "accepted"), (1, "accepted"), (5, "overridden")):
        more = {"acceptedSuggestions": [{"id": card["suggestions"][0]["uuid"]}]} if outcome == "accepted" else {}
        fresh.feedback(card, now + timedelta(minutes=minutes), "st-anna", outcome, **more)
    fresh.store()
    (row,) = rows(signed_in(fresh, "auditor").get("/audit/numbers/by-study.csv"))
    assert (row["Accepted"], row["Overridden"]) == ("0", "100")


def test_a_report_that_was_sent_again_stands_once_on_the_page_of_its_decision(fresh: Past):
    from tests.builders import a_draft, a_patient
    from tests.hook_requests import a_request

    now = datetime.now(UTC) - timedelta(minutes=30)
    call = a_request([a_draft("mri-lumbar-without-contrast")], patient=a_patient(as_of=now.date()))
    (card,) = fresh.call(call, now)["cards"]
    for outcome, minutes in (("overridden", 1), ("overridden", 1), ("overridden", 1), ("accepted", 9)):
        taken = {"acceptedSuggestions": [{"id": card["suggestions"][0]["uuid"]}]} if outcome == "accepted" else {}
        fresh.feedback(card, now + timedelta(minutes=minutes), "st-anna", outcome, **taken)
    fresh.store()
    visitor = signed_in(fresh, "auditor")
    (row,) = rows(visitor.get("/audit/decisions.csv"))
    page = visitor.get(f"/audit/decisions/{row['Decision']}").get_data(as_text=True)
    table = page[page.index('aria-label="Feedback, table"') :].partition("</table>")[0]
    assert table.count("<td>overridden</td>") == 1
    assert table.count("<td>accepted</td>") == 1


def test_cards_of_silent_clients_are_not_counted_as_shown(auditor: Visitor, records: list[DecisionRecord]):
    silent = next(client for client, is_silent in CLIENTS.items() if is_silent)
    row = next(each for each in rows(auditor.get("/audit/numbers/by-client.csv")) if each["Client"] == silent)
    assert int(row["Orders"]) == sum(len(each.orders) for each in records if each.client == silent) > 0
    assert row["Cards"] == "0"


def test_every_decision_has_a_page_with_its_cards_and_its_story(auditor: Visitor, records: list[DecisionRecord]):
    for record in records[:40]:
        answer = auditor.get(f"/audit/decisions/{record.decision}")
        assert answer.status_code == 200
        text = answer.get_data(as_text=True)
        assert text.count('<article class="card') == len(record.cards)
        assert "The story" in text
        for each in record.versions.rules, record.versions.terminology:
            assert each in text or not record.orders


@pytest.mark.parametrize("name", ["nothing", "x-1", "00000000-0000-0000-0000-000000000000", "a" * 500])
def test_a_decision_that_is_not_there_is_a_404(auditor: Visitor, name: str):
    assert auditor.get(f"/audit/decisions/{name}").status_code == 404


def test_a_report_card_counts_this_clinician_and_all_others(
    auditor: Visitor, past: Past, records: list[DecisionRecord]
):
    alias = f"clinician-{past.recorder.person('st-anna', 'Practitioner/dr-03')[:12]}"
    text = auditor.get(f"/audit/clinicians/{alias}").get_data(as_text=True)
    own = sum(len(each.orders) for each in records if (each.client, each.user) == ("st-anna", "Practitioner/dr-03"))
    everybody = sum(len(each.orders) for each in records)
    counted = [int(each) for each in re.findall(r'<tr><th scope="row">[^<]+</th><td class="n">(\d+)</td>', text)]
    assert counted[:2] == [own, everybody - own]
    assert auditor.get("/audit/clinicians/clinician-nobody").status_code == 404


def test_a_rate_of_few_orders_is_not_printed(fresh: Past):
    from tests.builders import a_draft, a_patient
    from tests.hook_requests import a_request

    now = datetime.now(UTC)
    fresh.call(a_request([a_draft("mri-lumbar-without-contrast")], patient=a_patient(as_of=now.date())), now)
    fresh.store()
    visitor = signed_in(fresh, "auditor")
    text = visitor.get("/audit/clinicians").get_data(as_text=True)
    alias = re.search(r"/audit/clinicians/(clinician-[0-9a-f]+)", text)
    assert alias is not None
    card = visitor.get(f"/audit/clinicians/{alias[1]}").get_data(as_text=True)
    assert "too few orders for a rate" in card
    assert "too few peers to compare with" in card


@pytest.mark.parametrize("page", ["/audit", "/audit/decisions", "/audit/clinicians", "/audit/sentinels"])
def test_an_installation_without_any_call_has_its_pages_too(fresh: Past, page: str):
    assert signed_in(fresh, "quality").get(page).status_code == 200


def test_record_text_on_a_page_is_text(fresh: Past):
    from tests.builders import a_draft, a_patient
    from tests.hook_requests import a_request

    now = datetime.now(UTC)
    call = a_request([a_draft("mri-lumbar-without-contrast")], patient=a_patient(as_of=now.date()))
    order = call["context"]["draftOrders"]["entry"][0]["resource"]
    order["reasonCode"] = [{"text": "<img src=x onerror=alert(1)> ](javascript:alert(1))"}]
    call["context"]["userId"] = "Practitioner/<b>x</b>"
    fresh.call(call, now)
    fresh.store()
    visitor = signed_in(fresh, "auditor")
    text = visitor.get("/audit/decisions").get_data(as_text=True)
    text += visitor.get("/audit/clinicians").get_data(as_text=True)
    name = re.search(r'href="(/audit/decisions/[^"?.]+)"', text)
    assert name is not None
    text += visitor.get(name[1]).get_data(as_text=True)
    assert "<img" not in text
    assert "<b>x" not in text
    assert 'href="javascript' not in text


@pytest.mark.parametrize("path", ["/dsi", "/hazards"])
def test_the_public_pages_need_no_sign_in_and_speak_json_to_machines(fresh: Past, path: str):
    visitor = Visitor(fresh)
    assert visitor.get(path, headers={"Accept": "text/html,*/*;q=0.8"}).content_type.startswith("text/html")
    assert visitor.get(path, headers={"Accept": "application/json"}).is_json
    assert visitor.get(f"{path}.json").is_json
