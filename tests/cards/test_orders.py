"""The orders behind the buttons: complete, faithful, valid, and settled by one click."""

import copy
import json
from typing import Any

import pytest
from fhir.resources.R4B.servicerequest import ServiceRequest
from msgspec.structs import replace

from cards import Advised, Answer, Rendering, cards_for
from cards.card import Resource, Suggestion
from fhir_mappings.order_annotations import CONSULT_ID, CONSULTED, RATING
from fhir_mappings.study_codes import CPT, LOINC, SNOMED, study_codes
from fhir_mappings.terminology import TerminologyOptions, load_terminology
from rules.procedures import Procedure
from tests.cards.builders import (
    CALL,
    CPT_OF,
    DEFAULT,
    GUIDELINES,
    LOW_BACK_PAIN,
    OWN,
    TERMINOLOGY,
    UPDATE_ONLY,
    a_draft,
    a_picture,
    adequate_care,
    advise,
    advised,
    an_order,
    answers,
    cards,
    safety,
)
from tests.cards.situations import FEVER, OSTEOPOROSIS, PACEMAKER, PLANNED, PREGNANT, REPORT, SADDLE, situations

CASES = situations()
TEXT_REASON = {"text": "pain in the back since gardening"}
OLD_RATING = {
    "url": RATING,
    "valueCodeableConcept": {
        "coding": [{"system": "http://fhir.org/argonaut/CodeSystem/pama-rating", "code": "appropriate"}]
    },
}
# Everything that an EHR may put into a draft, in shapes that a careless copy would lose.
RICH: dict[str, Any] = {
    "meta": {"versionId": "3", "tag": [{"system": "https://site.example/tags", "code": "favourite"}]},
    "extension": [
        {"url": "https://site.example/ordering-location", "valueString": "room 4"},
        OLD_RATING,
        {"url": CONSULT_ID, "valueUri": "urn:uuid:8a9ff6c5-0000-4000-8000-000000000000"},
    ],
    "modifierExtension": [{"url": "https://site.example/hold", "valueBoolean": False}],
    "contained": [{"resourceType": "Condition", "id": "c1", "subject": {"reference": "Patient/patient-1"}}],
    "identifier": [{"system": "https://site.example/orders", "value": "A-17"}],
    "basedOn": [{"reference": "CarePlan/7"}],
    "category": [{"text": "Imaging"}],
    "priority": "routine",
    "_priority": {"extension": [{"url": "https://site.example/why", "valueString": "default"}]},
    "quantityQuantity": {"value": 1},
    "occurrenceDateTime": "2026-12-01",
    "performer": [{"reference": "Organization/radiology"}],
    "locationReference": [{"reference": "Location/mr-2"}],
    "reasonReference": [{"reference": "Condition/back"}, {"reference": "#c1"}],
    "insurance": [{"reference": "Coverage/1"}],
    "supportingInfo": [{"reference": "https://ehr.example/fhir/Observation/t1/_history/2"}],
    "bodySite": [{"text": "Lumbar spine"}],
    "orderDetail": [{"text": "with IV contrast"}, {"text": "wheelchair transport"}, {"text": "AP and lateral views"}],
    "note": [{"text": "please call the ward"}],
    "patientInstruction": "come early",
    "relevantHistory": [{"reference": "Provenance/1"}],
}
CHANGED_BY_A_NEW_STUDY = {"code", "priority", "_priority", "extension", "orderDetail", "supportingInfo", "note"}


def resources(answer: Answer) -> list[Resource]:
    """Every resource that an answer carries."""
    found = [action.resource for card in answer.cards for each in card.suggestions for action in each.actions]
    return [each for each in [*found, *(action.resource for action in answer.system_actions)] if each is not None]


def button(answer: Answer, start: str) -> Suggestion:
    """The first button whose label begins so."""
    for card in answer.cards:
        for suggestion in card.suggestions:
            if suggestion.label.startswith(start):
                return suggestion
    raise AssertionError([each.label for card in answer.cards for each in card.suggestions])


def updated(answer: Answer, start: str) -> Resource:
    """The order after a click."""
    resource = button(answer, start).actions[0].resource
    assert resource is not None
    return resource


def rated(answer: Answer) -> Resource:
    """The order as it is written with its rating."""
    resource = answer.system_actions[0].resource
    assert resource is not None
    return resource


def codes_of(concepts: Any):
    """Every code of a list of CodeableConcepts."""
    return [coding["code"] for concept in concepts for coding in concept.get("coding", [])]


@pytest.mark.parametrize("rendering", [DEFAULT, UPDATE_ONLY], ids=["default", "update only"])
@pytest.mark.parametrize("draft", [{}, RICH], ids=["bare draft", "rich draft"])
@pytest.mark.parametrize("name", CASES)
def test_every_resource_that_leaves_is_valid_r4(name, draft, rendering):
    answer = cards_for([advised(CASES[name], **draft)], CALL, rendering, TERMINOLOGY, GUIDELINES)
    for resource in resources(answer):
        ServiceRequest.model_validate(json.loads(json.dumps(resource)))


def test_another_study_keeps_everything_else_of_a_rich_order():
    recommendation = advise(answers(infection=FEVER), an_order(Procedure.RADIOGRAPHY))
    draft = a_draft(recommendation.order, **RICH)
    before = copy.deepcopy(draft)
    answer = cards_for([Advised(recommendation, draft)], CALL, DEFAULT, TERMINOLOGY, GUIDELINES)
    order = updated(answer, "Change")
    assert draft == before, "the draft itself is never changed"
    for member in before.keys() - CHANGED_BY_A_NEW_STUDY:
        assert order[member] == before[member], member
    assert order["code"] == {
        "coding": [{"system": CPT, "code": "72158", "display": "MRI lumbar spine, before and after contrast"}],
        "text": "Lumbar spine MRI without and with contrast",
    }
    assert order["priority"] == "urgent"
    assert "_priority" not in order
    assert order["orderDetail"] == [{"text": "wheelchair transport"}]
    assert order["supportingInfo"] == before["supportingInfo"], "the same entry is not referenced twice"
    assert order["note"][0] == {"text": "please call the ward"}
    assert order["note"][1]["time"] == "2026-11-25"
    assert "Order details about contrast" in order["note"][1]["text"]
    urls = [each["url"] for each in order["extension"]]
    assert urls == ["https://site.example/ordering-location", RATING, CONSULTED, CONSULT_ID]
    codings = order["extension"][1]["valueCodeableConcept"]["coding"]
    assert [coding["code"] for coding in codings] == ["appropriate", "usually-appropriate", "acr-rating-9"]


def test_the_evidence_is_referenced_once_and_only_where_the_chart_has_it():
    order = updated(cards(advise(answers(fracture_risk=OSTEOPOROSIS), an_order(Procedure.CT_WITH))), "Change")
    assert order["supportingInfo"] == [{"reference": "Condition/op"}]
    reason_only = replace(SADDLE, because=(replace(SADDLE.because[0], reference="ServiceRequest/mri-1#reasonCode"),))
    order = updated(cards(advise(answers(cauda_equina=reason_only), an_order(Procedure.RADIOGRAPHY))), "Change")
    assert "supportingInfo" not in order


@pytest.mark.parametrize(
    ("coding", "expected"),
    [
        ([(CPT, "72100")], [(CPT, "72158")]),
        ([("urn:oid:2.16.840.1.113883.6.12", "72100")], [("urn:oid:2.16.840.1.113883.6.12", "72158")]),
        ([(LOINC, "24972-2")], [(LOINC, "24967-2")]),
        ([(LOINC, "24972-2"), (CPT, "72100")], [(CPT, "72158"), (LOINC, "24967-2")]),
        # SNOMED CT has no single code for "without and with": LOINC names the study instead.
        ([(SNOMED, "840361000")], [(LOINC, "24967-2")]),
        ([("https://site.example/orders", "XR-LS")], [(LOINC, "24967-2")]),
        ([], [(LOINC, "24967-2")]),
    ],
)
def test_another_study_is_named_in_the_code_systems_that_the_order_came_in(coding, expected):
    code = {"coding": [{"system": system, "code": code} for system, code in coding]} if coding else {"text": "XR"}
    answer = cards_for(
        [advised(advise(answers(infection=FEVER), an_order(Procedure.RADIOGRAPHY)), code=code)],
        CALL,
        DEFAULT,
        TERMINOLOGY,
        GUIDELINES,
    )
    found = updated(answer, "Change")["code"]
    assert [(each["system"], each["code"]) for each in found["coding"]] == expected
    assert found["text"] == "Lumbar spine MRI without and with contrast"


def test_a_site_catalogue_names_the_study_in_local_codes_too(tmp_path):
    catalogue = tmp_path / "orders.csv"
    catalogue.write_text(
        "system,code,display,concept,emit\n"
        "https://site.example/orders,XR-LS,X-ray,xr-lumbar,yes\n"
        "https://site.example/orders,MR-LS-WWO,MR lumbar with and without,mri-lumbar-without-and-with-contrast,yes\n"
    )
    terminology = load_terminology(TerminologyOptions(order_catalogues=(str(catalogue),)))
    code = {"coding": [{"system": "https://site.example/orders", "code": "XR-LS"}, {"system": CPT, "code": "72100"}]}
    recommendation = advise(answers(infection=FEVER), an_order(Procedure.RADIOGRAPHY))
    answer = cards_for([advised(recommendation, code=code)], CALL, DEFAULT, terminology, GUIDELINES)
    found = updated(answer, "Change")["code"]["coding"]
    assert [each["code"] for each in found] == ["72158", "MR-LS-WWO"]


def test_without_the_cpt_table_the_study_is_named_in_loinc():
    terminology = load_terminology(TerminologyOptions(without_cpt=True))
    recommendation = advise(answers(infection=FEVER), an_order(Procedure.RADIOGRAPHY))
    answer = cards_for([advised(recommendation)], CALL, DEFAULT, terminology, GUIDELINES)
    assert codes_of([updated(answer, "Change")["code"]]) == ["24967-2"]


@pytest.mark.parametrize("procedure", list(Procedure))
@pytest.mark.parametrize("system", [CPT, LOINC, SNOMED])
def test_every_code_that_we_write_means_the_study_that_was_offered(procedure, system):
    codings = study_codes(TERMINOLOGY).codings(procedure, {"coding": [{"system": system, "code": "any"}]})
    for coding in codings:
        concepts = {meaning.concept for meaning in TERMINOLOGY.meanings(coding["system"], coding["code"])}
        assert len(concepts) == 1
        assert not any("unspecified" in concept for concept in concepts)
    if procedure in CPT_OF:
        assert codings


def test_an_accepted_change_is_not_followed_by_another():
    first = advise(answers(infection=FEVER), an_order(Procedure.RADIOGRAPHY))
    order = updated(cards(first), "Change")
    second = advise(answers(infection=FEVER), an_order(Procedure.MRI_WITHOUT_AND_WITH, priority=order["priority"]))
    assert second.better is None
    answer = cards_for([Advised(second, order)], CALL, DEFAULT, TERMINOLOGY, GUIDELINES)
    written = rated(answer)
    assert {name: value for name, value in written.items() if name != "extension"} == {
        name: value for name, value in order.items() if name != "extension"
    }
    assert codes_of([written["extension"][0]["valueCodeableConcept"]]) == codes_of(
        [order["extension"][0]["valueCodeableConcept"]]
    ), "rated as promised"


@pytest.mark.parametrize("start", ["Change", "Keep", "Add the justification", "Record"])
def test_a_click_made_twice_changes_nothing_more(start):
    cases = {
        "Change": advise(answers(infection=FEVER), an_order(Procedure.RADIOGRAPHY)),
        "Keep": advise(),
        "Add the justification": advise(answers(fracture_risk=OSTEOPOROSIS), an_order(Procedure.RADIOGRAPHY)),
        "Record": advise(answers(conservative_care=adequate_care(), days=90)),
    }
    recommendation = cases[start]
    once = updated(cards_for([advised(recommendation, **RICH)], CALL, DEFAULT, TERMINOLOGY, GUIDELINES), start)
    if start == "Add the justification":
        again = cards_for([Advised(recommendation, once)], CALL, DEFAULT, TERMINOLOGY, GUIDELINES)
        assert not again.cards[0].suggestions, "what is there is not offered again"
        return
    twice = updated(cards_for([Advised(recommendation, once)], CALL, DEFAULT, TERMINOLOGY, GUIDELINES), start)
    assert twice == once


def test_deferral_removes_the_order_and_refers_with_the_statement():  # ACT-3, ACT-5
    recommendation = advise()
    draft = a_draft(recommendation.order, **RICH, reasonCode=[LOW_BACK_PAIN, TEXT_REASON])
    answer = cards_for([Advised(recommendation, draft)], CALL, DEFAULT, TERMINOLOGY, GUIDELINES)
    removal, referral = button(answer, "Defer").actions
    assert (removal.type, removal.resource_id, removal.resource) == ("delete", "ServiceRequest/mri-1", None)
    assert referral.type == "create"
    created = referral.resource
    assert created is not None
    assert "id" not in created
    assert (created["status"], created["intent"]) == ("draft", "proposal")
    for member in ("subject", "encounter", "requester"):
        assert created[member] == draft[member]
    assert created["reasonCode"][:2] == [LOW_BACK_PAIN, TEXT_REASON]
    assert created["reasonCode"][2]["coding"][0] == {
        "system": OWN,
        "code": "red-flags-checked-none",
        "display": "Red flags and strength checked, none found",
    }
    assert created["reasonReference"] == [{"reference": "Condition/back"}], "a contained reason means nothing outside"
    assert codes_of([created["code"]]) == ["306170007"]
    assert "2026-12-09" in created["note"][0]["text"]


def test_deferral_is_an_update_for_a_client_that_only_updates():
    order = updated(cards(advise(), rendering=UPDATE_ONLY), "Defer")
    assert codes_of(order["reasonCode"]) == ["279039007", "red-flags-checked-none", "deferred-by-clinician"]
    assert order["code"] == a_draft()["code"]
    assert "Recheck by 2026-12-09" in order["note"][0]["text"]


def test_no_statement_that_strength_was_normal_when_weakness_is_on_record():
    order = updated(cards(CASES["not_appropriate_mild_weakness"], rendering=UPDATE_ONLY), "Defer")
    assert codes_of(order["reasonCode"]) == ["279039007", "deferred-by-clinician"]


def test_cancelling_for_an_earlier_study_states_nothing_about_red_flags():
    order = updated(cards(advise(answers(prior_imaging=REPORT)), rendering=UPDATE_ONLY), "Cancel")
    assert codes_of(order["reasonCode"]) == ["279039007", "deferred-by-clinician"]


def test_coded_negatives_make_the_statement_fall_away():
    order = updated(cards(CASES["not_appropriate_checked"], rendering=UPDATE_ONLY), "Defer")
    assert codes_of(order["reasonCode"]) == ["279039007", "deferred-by-clinician"]


def test_therapy_that_goes_on_is_not_referred_again():
    actions = button(cards(CASES["not_appropriate_care_started"]), "Defer").actions
    assert [action.type for action in actions] == ["delete"]


def test_a_deferred_order_can_be_opened_again():
    deferred = updated(cards(advise(), rendering=UPDATE_ONLY), "Defer")
    answer = cards_for([Advised(CASES["deferred"], deferred)], CALL, UPDATE_ONLY, TERMINOLOGY, GUIDELINES)
    assert codes_of(updated(answer, "Reopen")["reasonCode"]) == ["279039007"]


@pytest.mark.parametrize("name", CASES)
def test_a_client_that_only_updates_can_apply_every_order(name):
    draft = {"reasonCode": [LOW_BACK_PAIN, TEXT_REASON, {"coding": [{"system": SNOMED, "code": "23056005"}]}]}
    answer = cards_for([advised(CASES[name], **draft)], CALL, UPDATE_ONLY, TERMINOLOGY, GUIDELINES)
    for card in answer.cards:
        for suggestion in card.suggestions:
            for action in suggestion.actions:
                order = action.resource
                assert order is not None
                rating = next(each for each in order["extension"] if each["url"] == RATING)
                assert rating["valueCodeableConcept"]["coding"][0]["code"]
                assert order["code"]["coding"][0]["code"] or "code" not in order
                assert all(reason["coding"][0]["display"] for reason in order["reasonCode"])
                words = [reason["text"] for reason in order["reasonCode"] if "text" in reason]
                assert TEXT_REASON["text"] in words, "a reason in words survives"


@pytest.mark.parametrize(
    ("recommendation", "start", "rating"),
    [
        (advise(answers(conservative_care=adequate_care(), days=90)), "Record: surgery", "appropriate"),
        (advise(answers(conservative_care=adequate_care(), days=90)), "Record: no surgery", "not-appropriate"),
        (advise(answers(prior_imaging=REPORT)), "Record: something", "not-appropriate"),
    ],
    ids=["candidate", "no candidate", "changed since imaging"],
)
def test_an_answer_carries_the_rating_that_it_leads_to(recommendation, start, rating):
    order = updated(cards(recommendation, rendering=UPDATE_ONLY), start)
    assert order["extension"][0]["valueCodeableConcept"]["coding"][0]["code"] in (rating, "rating-pending")


def test_a_device_in_an_emergency_adds_a_second_order_and_keeps_the_first():
    answer = cards(
        advise(answers(cauda_equina=SADDLE, safety=safety(mr_device=PACEMAKER)), an_order(Procedure.RADIOGRAPHY))
    )
    assert button(answer, "Add CT").actions[0].type == "create"
    created = updated(answer, "Add CT")
    assert "id" not in created
    assert codes_of([created["code"]]) == ["72131"]
    assert created["priority"] == "stat"
    assert created["subject"] == {"reference": "Patient/patient-1"}


def test_ratings_are_written_and_nothing_else_of_the_order_changes():  # PAMA-5
    recommendation = advise()
    draft = a_draft(recommendation.order, **RICH)
    answer = cards_for([Advised(recommendation, draft)], CALL, DEFAULT, TERMINOLOGY, GUIDELINES)
    assert [action.type for action in answer.system_actions] == ["update"]
    written = rated(answer)
    assert {name: value for name, value in written.items() if name != "extension"} == {
        name: value for name, value in draft.items() if name != "extension"
    }
    kept, rating, consulted, consult_id = written["extension"]
    assert kept == RICH["extension"][0]
    assert rating["valueCodeableConcept"]["coding"][0] == {
        "system": "http://fhir.org/argonaut/CodeSystem/pama-rating",
        "code": "not-appropriate",
    }
    assert isinstance(consulted["valueString"], str)
    assert consult_id["valueUri"].startswith("urn:uuid:")


@pytest.mark.parametrize("name", ["answer_missing_candidate", "not_rated_contrast_matters", "not_rated_not_recognised"])
def test_an_order_without_a_rating_is_not_annotated(name):  # PAMA-2
    assert cards(CASES[name]).system_actions == ()


def test_a_draft_with_nulls_and_empties_leaves_without_them():
    untidy: dict[str, Any] = {
        "note": [],
        "performer": [{"reference": "Organization/1", "display": ""}, None],
        "insurance": None,
        "supportingInfo": [{}],
    }
    answer = cards_for([advised(advise(), **untidy)], CALL, DEFAULT, TERMINOLOGY, GUIDELINES)
    for resource in resources(answer):
        assert '""' not in json.dumps(resource)
        assert "null" not in json.dumps(resource)
        assert "[]" not in json.dumps(resource)
        assert "{}" not in json.dumps(resource)
    assert rated(answer)["performer"] == [{"reference": "Organization/1"}]


def test_nulls_that_pad_a_list_against_its_extensions_stay():
    padded = {"instantiatesUri": [None, "https://site.example/p"], "_instantiatesUri": [{"id": "a"}, None], "note": []}
    answer = cards_for([advised(advise(), **padded)], CALL, DEFAULT, TERMINOLOGY, GUIDELINES)
    resource = rated(answer)
    assert resource["instantiatesUri"] == padded["instantiatesUri"]
    assert resource["_instantiatesUri"] == padded["_instantiatesUri"]


@pytest.mark.parametrize("rendering", [DEFAULT, UPDATE_ONLY], ids=["any action", "updates only"])
@pytest.mark.parametrize("shapeless", [7, True, 1.5, "text", {"text": "text"}, [None, 7]], ids=repr)
@pytest.mark.parametrize("part", ["note", "reasonCode", "reasonReference", "supportingInfo", "orderDetail"])
def test_a_part_of_the_draft_in_another_shape_than_fhir_gives_it_costs_no_card(part, shapeless, rendering):
    for name, recommendation in CASES.items():
        usual, odd = advised(recommendation), advised(recommendation, **{part: shapeless})
        said = [cards_for([each], CALL, rendering, TERMINOLOGY, GUIDELINES).cards[0].summary for each in (usual, odd)]
        assert said[0] == said[1], name


def test_a_single_reason_that_is_no_list_stays_with_the_referral_and_with_the_changed_order():
    given = advised(CASES["not_appropriate_red_flags_not_recorded"], reasonCode=TEXT_REASON)
    deferral = cards_for([given], CALL, DEFAULT, TERMINOLOGY, GUIDELINES).cards[0].suggestions[0]
    (referral,) = [action.resource for action in deferral.actions if action.type == "create"]
    assert referral is not None
    assert referral["reasonCode"][0] == TEXT_REASON
    update = cards_for([given], CALL, UPDATE_ONLY, TERMINOLOGY, GUIDELINES).cards[0].suggestions[0].actions[0].resource
    assert update is not None
    assert TEXT_REASON["text"] in str(update["reasonCode"])


@pytest.mark.parametrize("none", [7, True, "text"])
def test_what_is_no_reason_at_all_is_not_put_among_the_reasons(none):
    given = advised(CASES["not_appropriate_red_flags_not_recorded"], reasonCode=none)
    for rendering in (DEFAULT, UPDATE_ONLY):
        for suggestion in cards_for([given], CALL, rendering, TERMINOLOGY, GUIDELINES).cards[0].suggestions:
            for action in suggestion.actions:
                reasons = (action.resource or {}).get("reasonCode", none)
                assert reasons is none or all(isinstance(each, dict) for each in reasons), suggestion.label


def test_pregnancy_offers_the_safer_study_and_says_why():
    answer = cards(
        advise(
            answers(fracture_risk=OSTEOPOROSIS, safety=safety(pregnancy=PREGNANT)),
            an_order(Procedure.RADIOGRAPHY),
            a_picture(41),
        )
    )
    assert answer.cards[0].summary == "Pregnancy on record: change X-ray to MRI without contrast"
    assert codes_of([updated(answer, "Change")["code"]]) == ["72148"]


def test_a_site_can_name_its_own_mechanism():
    answer = cards(
        advise(answers(candidate=PLANNED, conservative_care=adequate_care())),
        rendering=Rendering(mechanism="G9999-site"),
    )
    consulted = [each for each in rated(answer)["extension"] if each["url"] == CONSULTED]
    assert consulted == [{"url": CONSULTED, "valueString": "G9999-site"}]


@pytest.mark.parametrize("name", CASES)
def test_the_rating_on_a_suggested_study_is_the_one_it_will_get(name):
    advice = CASES[name]
    if advice.better is None or advice.better.procedure is None:
        return
    promised = updated(cards(advice), "Change")["extension"][0]["valueCodeableConcept"]["coding"][0]["code"]
    priority = advice.better.priority or advice.order.priority
    accepted = an_order(advice.better.procedure, priority=priority)
    age = 15 if name == "emergency_child" else 45
    again = advise(advice.findings, accepted, a_picture(age))
    assert again.rating is not None
    assert again.rating.pama.value == promised
