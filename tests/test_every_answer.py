"""What holds for every answer to every case: the shape of section 6, whatever the patient."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from tests.acr_grid import acr_cells
from tests.answer_reading import (
    CHECKED_NONE,
    DEFERRED,
    Reply,
    defers,
    own_reasons,
    study_named_by,
    suggestions,
    words,
)
from tests.case_reader import Case, read_cases
from tests.clinic import ask, ask_case
from tests.ehr_client import drafts_of

Json = dict[str, Any]

ORDER_OF_CARDS = ("critical", "warning", "info")
UNCHANGED = ("id", "subject", "requester", "encounter", "intent", "status")


@cache
def _asked() -> tuple[tuple[Case, Reply], ...]:
    cases = [case for case in (*read_cases(), *acr_cells()) if case.expect.get("status", 200) == 200]
    return tuple((case, ask_case(case)) for case in cases)


def _each_card() -> Iterator[tuple[str, Json]]:
    for case, reply in _asked():
        for card in reply.cards:
            yield f"{case.file}: {case.name}", card


def test_at_most_three_cards_the_most_pressing_first():
    for case, reply in _asked():
        indicators = [ORDER_OF_CARDS.index(card["indicator"]) for card in reply.cards]
        assert len(indicators) <= 3, case.name
        assert indicators == sorted(indicators), case.name


def test_a_summary_is_one_plain_line_of_fewer_than_140_characters():  # CARD-2
    for name, card in _each_card():
        summary = card["summary"]
        assert 0 < len(summary) < 140, (name, summary)
        assert "\n" not in summary, name
        assert not re.search(r"[*_`|<>]", summary), (name, summary)


def test_nothing_is_null_or_empty_but_the_list_of_cards():
    for case, reply in _asked():
        assert list(_empties(reply.body)) in ([], ["/cards"]), case.name


def _empties(value: Any, path: str = "") -> Iterator[str]:
    if value in (None, "", [], {}) and value is not False and value != 0:
        yield path
    if isinstance(value, dict):
        for key, each in value.items():
            yield from _empties(each, f"{path}/{key}")
    if isinstance(value, list):
        for each in value:
            yield from _empties(each, path)


def test_nothing_is_deferred_beside_a_critical_card_or_where_a_source_could_hide_a_red_flag():
    for case, reply in _asked():
        critical = any(card["indicator"] == "critical" for card in reply.cards)
        hidden = any(gap.hides_red_flags for each in reply.advice or () for gap in each.gaps)
        if critical or hidden:
            assert not defers(reply.body), case.name


def test_no_emergency_card_tells_to_wait_for_imaging():
    for name, card in _each_card():
        if card["indicator"] == "critical":
            assert "wait for imaging" not in re.sub(r"(do not|never|don't) wait for imaging", "", card["detail"]), name


def test_ids_are_unique_and_every_suggestion_can_be_told_apart():
    for case, reply in _asked():
        ids = [card["uuid"] for card in reply.cards] + [each["uuid"] for _, each in suggestions(reply.body)]
        assert len(ids) == len(set(ids)), case.name
        for card in reply.cards:
            labels = [each["label"] for each in card.get("suggestions", ())]
            assert len(labels) == len(set(labels)), (case.name, labels)
            assert sum(bool(each.get("isRecommended")) for each in card.get("suggestions", ())) <= 1, case.name
            assert ("selectionBehavior" in card) == bool(labels), case.name


def test_a_warning_or_critical_card_offers_something_to_do():
    for case, reply in _asked():
        for at, card in enumerate(reply.cards):
            one_for_the_rest = at == 2 and len(case.drafts) > 3
            if card["indicator"] != "info" and not one_for_the_rest:
                assert card.get("suggestions") or card.get("links"), (case.name, card["summary"])


def test_the_parts_of_the_detail_stand_in_their_order():
    parts = ("**Because**", "**Presumed**", "**Would change", "**Worth asking**")
    for name, card in _each_card():
        at = [card.get("detail", "").find(part) for part in parts]
        present = [position for position in at if position >= 0]
        assert present == sorted(present), name


def test_an_updated_order_is_the_draft_with_only_the_intended_changes():  # ACT-4, PX-6
    for case, reply in _asked():
        drafts = {draft["id"]: draft for draft in drafts_of(case.request)}
        for _, suggestion in suggestions(reply.body):
            for action in suggestion["actions"]:
                if action["type"] == "update":
                    _check_update(drafts[action["resource"]["id"]], action["resource"], case.name)


def _check_update(before: Json, after: Json, name: str) -> None:
    for member in UNCHANGED:
        assert after.get(member) == before.get(member), (name, member)
    lost = [reason for reason in before.get("reasonCode", ()) if reason not in after.get("reasonCode", ())]
    taken_back = [code for code in own_reasons({"reasonCode": lost}) if code in (DEFERRED, CHECKED_NONE)]
    assert len(taken_back) == len(lost), (name, "reasons lost", lost)
    unknown = set(before) - set(after)
    assert not unknown, (name, "members lost", unknown)


def test_a_rating_is_written_on_the_order_without_any_other_change():
    for case, reply in _asked():
        drafts = {draft["id"]: draft for draft in drafts_of(case.request)}
        for action in reply.body.get("systemActions", ()):
            after = {key: value for key, value in action["resource"].items() if key != "extension"}
            assert action["type"] == "update", case.name
            assert after == {k: v for k, v in drafts[after["id"]].items() if k != "extension"}, case.name
        extension = reply.body.get("extension", {})
        assert extension.get("systemActions", []) == reply.body.get("systemActions", []), case.name


def test_evidence_of_an_order_points_into_the_record():
    for case, reply in _asked():
        text = json.dumps(case.request)
        for _, suggestion in suggestions(reply.body):
            for action in suggestion["actions"]:
                for each in action.get("resource", {}).get("supportingInfo", ()):
                    kind, _, identifier = each["reference"].partition("/")
                    assert f'"id": "{identifier}"' in text, (case.name, kind, identifier)


def test_links_are_absolute_and_carry_no_patient_data():
    for name, card in _each_card():
        for link in card.get("links", ()):
            assert re.match(r"https?://", link["url"]), name
            assert "pat-1" not in link["url"], name
            assert "?" not in link["url"] or "patient" not in link["url"].casefold(), name


def test_no_card_names_the_patient_or_says_that_all_is_well():
    for case, reply in _asked():
        said = words(reply.body).casefold()
        for claim in (
            "the patient is safe",
            "safe for mri",
            "cleared for mri",
            "rules out cauda equina",
            "no red flags.",
        ):
            assert claim not in said, (case.name, claim)


def test_every_fact_that_decided_is_quoted_with_its_date():
    """Each dated entry that the leading findings rest on appears on the first card, unless the card is one line."""
    for case, reply in _asked():
        for decided in reply.advice or ():
            if decided.urgency.value not in ("emergency", "immediate"):
                continue
            said = words(reply.body)
            because = [
                evidence
                for name in ("cauda_equina", "weakness", "major_trauma", "aortic", "infection")
                for evidence in getattr(decided.findings, name).because
                if getattr(decided.findings, name).yes
            ]
            assert any(not each.dated or each.dated[:4] in said for each in because), case.name


KIND_OF_STUDY = {"xr": "x-ray", "mri": "mri", "ct": "ct", "discography": "discography", "bone": "bone", "pet": "pet"}


def test_with_several_orders_each_card_says_which_one_it_is_about():
    for case, reply in _asked():
        judged = [each for each in reply.advice or () if each.situation.value != "not-ours"]
        if len(judged) < 2:
            continue
        studies = [study_named_by(draft["code"]) for draft in case.drafts]
        kinds = [KIND_OF_STUDY[study.partition("-")[0]] for study in studies if study]
        for card in reply.cards:
            assert any(kind in card["summary"].casefold() for kind in (*kinds, "orders")), (case.name, card["summary"])
        said = words(reply.body).casefold()
        assert all(kind in said for kind in kinds), case.name


@pytest.mark.parametrize("times", [2])
def test_the_same_call_gives_the_same_answer_to_the_byte(times: int):
    for case, reply in _asked()[::7]:
        for _ in range(times):
            assert ask_case(case).raw == reply.raw, case.name


def test_two_clients_never_share_an_id():
    case, _ = next((case, reply) for case, reply in _asked() if reply.cards)
    ours = {card["uuid"] for card in ask(case.request, as_of=case.as_of).cards}
    theirs = {card["uuid"] for card in ask(case.request, as_of=case.as_of, profile="sandbox").cards}
    assert ours
    assert not ours & theirs
