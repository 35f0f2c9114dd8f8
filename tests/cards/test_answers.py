"""Several orders, ids, and the JSON that leaves."""

import json
from importlib.resources import files
from uuid import UUID, uuid5

import jsonschema
import msgspec
import pytest
from msgspec.structs import replace

from cards import Rendering, cards_for
from cards.answer_json import answer_as_dict, answer_as_json
from cards.ids import ids_of_call
from cards.profiles import PROFILES
from cards.wording import about_order, wording
from rules.advice import recommend_on
from rules.draft_order import Recognition
from rules.guidelines import load_guidelines
from rules.procedures import Procedure
from rules.recommendation import Situation
from tests.cards.builders import (
    CALL,
    GUIDELINES,
    NO_TABLES,
    TERMINOLOGY,
    TODAY,
    UPDATE_ONLY,
    a_picture,
    a_reason,
    adequate_care,
    advise,
    advised,
    an_order,
    answers,
    cards,
    safety,
    yes,
)
from tests.cards.situations import FEVER, OSTEOPOROSIS, PLANNED, SADDLE, situations

SCHEMA = json.loads(files("cds_service").joinpath("schemas", "response.json").read_text(encoding="utf-8"))
CASES = situations()
# A safety card cites the row's own source by name and has no page.
PUBLIC_PAGES = {"", *(each.url for each in wording().link.values())}


def order(number: int, procedure: Procedure = Procedure.MRI_WITHOUT, **changes: object):
    return an_order(procedure, reference=f"ServiceRequest/{number}", **changes)


def walk(value, path=""):
    yield path, value
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, child in children:
        yield from walk(child, f"{path}/{name}")


@pytest.mark.parametrize("rendering", [Rendering(), UPDATE_ONLY, NO_TABLES])
@pytest.mark.parametrize("name", CASES)
# CARD-5, CARD-6, CARD-8, CARD-9, CARD-10, CARD-11, SRC-1, SUG-1, SUG-3, ACT-1, ACT-2, LINK-1, LINK-2, LINK-3
def test_the_answer_is_what_the_specification_describes(name, rendering):
    answer = cards(CASES[name], rendering=rendering)
    document = json.loads(answer_as_json(answer))
    assert document == answer_as_dict(answer)
    jsonschema.validate(document, SCHEMA)
    for path, value in walk(document):
        assert value is not None, path
        if path not in ("/cards",):
            assert value not in ("", [], {}), path


@pytest.mark.parametrize("name", CASES)
def test_ratings_stand_where_both_specifications_look_for_them(name):
    document = answer_as_dict(cards(CASES[name]))
    assert document.get("systemActions") == document.get("extension", {}).get("systemActions")


def test_an_order_that_is_not_ours_gets_nothing():
    advice = advise(order=an_order(None, recognition=Recognition.NOT_OURS))
    assert answer_as_dict(cards(advice)) == {"cards": []}


def test_the_same_call_gives_the_same_answer_to_the_byte():
    for advice in CASES.values():
        assert answer_as_json(cards(advice)) == answer_as_json(cards(advice))


@pytest.mark.parametrize("part", ["client", "service", "hook_instance", "body_digest"])
def test_two_calls_share_no_id(part):
    def ids(call):
        answer = cards(CASES["not_appropriate_red_flags_not_recorded"], call=call)
        found = {card.uuid for card in answer.cards}
        found |= {each.uuid for card in answer.cards for each in card.suggestions}
        written = answer.system_actions[0].resource or {}
        return found | {each["valueUri"] for each in written["extension"] if "valueUri" in each}

    assert not ids(CALL) & ids(replace(CALL, **{part: "other"}))


def test_parts_of_a_call_cannot_be_shifted_into_each_other():
    first = cards(advise(), call=replace(CALL, client="a", service="b|c"))
    second = cards(advise(), call=replace(CALL, client="a|b", service="c"))
    assert first.cards[0].uuid != second.cards[0].uuid


def test_ids_are_version_5_uuids():
    namespace = UUID("33ad2577-46f8-5d60-9c46-84d1fd348856")
    call = uuid5(namespace, '["a","s","h","d"]')
    assert ids_of_call("a", "s", "h", "d").of("card", "ServiceRequest/1") == str(
        uuid5(call, '["card","ServiceRequest/1"]')
    )


def test_ids_are_uuids_of_version_five_whatever_they_name():
    call = ids_of_call("clinic-a", "service", "instance", "digest")
    for at in range(300):
        parts = ("suggestion", f"ServiceRequest/{at}", "ü")
        assert call.of(*parts) == str(uuid5(UUID(bytes=call.call), f'["suggestion","ServiceRequest/{at}","ü"]'))


def test_ids_are_unique_within_an_answer():
    advice = [advise(order=order(number)) for number in (1, 2, 3)]
    answer = cards(*advice)
    ids = [card.uuid for card in answer.cards] + [each.uuid for card in answer.cards for each in card.suggestions]
    assert len(ids) == len(set(ids))


def test_the_most_urgent_order_comes_first_and_each_card_names_its_order():
    answer = cards(
        advise(order=order(1)),
        advise(answers(infection=FEVER), order(2, Procedure.RADIOGRAPHY)),
    )
    assert [card.indicator for card in answer.cards] == ["warning", "warning"]
    assert "Change X-ray to MRI" in answer.cards[0].summary
    assert "MRI without contrast" in answer.cards[1].summary
    for card, order_named in zip(answer.cards, ("X-ray", "MRI without contrast"), strict=True):
        assert card.summary.count(order_named) == 1, "named, and not said twice"
        assert order_named in card.detail.splitlines()[0]


@pytest.mark.parametrize(
    ("text", "order_named", "expected"),
    [
        ("Act now: call surgery", "X-ray", "X-ray: Act now: call surgery"),
        ("Change X-ray to MRI without contrast", "X-ray", "Change X-ray to MRI without contrast"),
        (
            "Change X-ray to MRI without contrast",
            "Order 2 (X-ray)",
            "Order 2 (X-ray): Change X-ray to MRI without contrast",
        ),
        ("Act now: suspected fracture", "CT", "CT: Act now: suspected fracture"),
        ("Change this order to CT without contrast", "CT", "CT: Change this order to CT without contrast"),
        ("Change CT to MRI without contrast", "MRI", "MRI: Change CT to MRI without contrast"),
        ("Infection: MRI without and with contrast", "X-ray", "X-ray: Infection: MRI without and with contrast"),
        ("A FDG-PET/CT without contrast", "CT without contrast", "CT without contrast: A FDG-PET/CT without contrast"),
        ("Say more about this imaging order", "This imaging order", "Say more about this imaging order"),
        ("Right study, make it stat", "MRI without contrast", "MRI without contrast: Right study, make it stat"),
    ],
)
def test_a_card_that_names_its_order_itself_is_not_headed_by_the_name_again(text, order_named, expected):
    assert about_order(text, order_named) == expected


def test_two_orders_of_the_same_study_are_told_apart():
    answer = cards(advise(order=order(1)), advise(order=order(2)))
    assert [card.summary.split(":")[0] for card in answer.cards] == [
        "Order 1 (MRI without contrast)",
        "Order 2 (MRI without contrast)",
    ]


def test_past_three_cards_the_rest_are_lines_of_one():
    answer = cards(
        advise(order=order(1)),
        advise(order=order(2, Procedure.CT_WITHOUT)),
        advise(order=order(3, Procedure.CT_WITH)),
        advise(answers(infection=FEVER), order(4, Procedure.RADIOGRAPHY)),
        advise(order=order(5, Procedure.RADIOGRAPHY)),
    )
    assert len(answer.cards) == 3
    assert answer.cards[0].summary.startswith("Order 4 (X-ray): Change X-ray")
    last = answer.cards[2]
    assert last.suggestions == ()
    assert last.indicator == "warning"
    assert last.summary == "3 more imaging orders of this session: see each line below"
    lines = [line for line in last.detail.splitlines() if line.startswith("- ")]
    for line, order_named in zip(lines, ("CT without contrast", "CT with contrast", "Order 5 (X-ray)"), strict=True):
        assert line.count(order_named) == 1, line
    assert len(answer.system_actions) == 5, "every order keeps its rating"


def test_no_card_to_wait_stands_beside_an_emergency_but_the_order_is_named():
    answer = cards(
        advise(order=order(1)),
        advise(answers(cauda_equina=SADDLE), order(2, Procedure.RADIOGRAPHY)),
    )
    (card,) = answer.cards
    assert card.indicator == "critical"
    assert "Other imaging orders of this session can wait" in card.detail
    assert "MRI without contrast" in card.detail.splitlines()[-1]


APPROPRIATE = answers(candidate=PLANNED, conservative_care=adequate_care(), days=90)
SILENT = Rendering(show_appropriate=False)


@pytest.mark.parametrize(
    ("advice", "shown"),
    [
        (advise(APPROPRIATE), False),
        (advise(APPROPRIATE, others=(order(2),)), True),
        (advise(replace(APPROPRIATE, safety=safety(mr_device=yes("mr_device", marks=("mr_neurostimulator",))))), True),
        (advise(APPROPRIATE, picture=a_picture(unread_current_problems=OSTEOPOROSIS.because)), True),
    ],
    ids=["nothing to add", "a duplicate", "a device", "something not read"],
)
def test_an_appropriate_order_is_silent_where_asked_unless_there_is_something_to_do(advice, shown):
    answer = cards(advice, rendering=SILENT)
    assert bool(answer.cards) is shown
    assert len(answer.system_actions) == 1
    assert cards(advice).cards


def test_a_client_that_takes_no_annotations_gets_none():
    document = answer_as_dict(cards(advise(), rendering=Rendering(profile=replace(PROFILES["epic"], ratings_in=()))))
    assert document.keys() == {"cards"}


@pytest.mark.parametrize("name", CASES)
def test_topics_are_static_and_links_are_public_pages(name):  # PX-9, SRC-2, CARD-7
    for card in cards(CASES[name]).cards:
        assert card.source is not None
        assert card.source.topic is not None
        assert card.source.topic.code.isalnum()
        assert card.source.topic.code in TERMINOLOGY.own.codes
        assert card.source.label
        assert card.source.url in PUBLIC_PAGES, "the guidance, the same for every patient"
        for link in card.links:
            assert link.type == "absolute"
            assert link.url.startswith("https://")
            assert "patient" not in link.url


@pytest.mark.parametrize("name", CASES)
def test_a_card_names_no_one(name):
    document = json.dumps([msgspec.to_builtins(card.detail + card.summary) for card in cards(CASES[name]).cards])
    for identifier in ("patient-1", "mri-1", "Condition/", "Observation/", "ServiceRequest/"):
        assert identifier not in document


def test_every_own_code_that_cards_write_is_published():
    written = set()
    for name in CASES:
        for rendering in (Rendering(), UPDATE_ONLY):
            for path, value in walk(answer_as_dict(cards(CASES[name], rendering=rendering))):
                if path.endswith("/system") and value == TERMINOLOGY.own.url:
                    written.add(path)
            for _, value in walk(answer_as_dict(cards(CASES[name], rendering=rendering))):
                if isinstance(value, dict) and value.get("system") == TERMINOLOGY.own.url:
                    assert value["code"] in TERMINOLOGY.own.codes, value["code"]
    assert written


def test_every_situation_has_a_case():
    assert {advice.situation for advice in CASES.values()} == set(Situation) - {Situation.NOT_OURS}


def test_without_tables_the_guidelines_are_a_list():
    answer = cards_for_no_tables = cards(CASES["wrong_test_fever_xray"], rendering=NO_TABLES)
    assert cards_for_no_tables is answer
    assert "|" not in answer.cards[0].detail
    assert "- ACP: No imaging" in answer.cards[0].detail


def test_no_advice_gives_an_empty_answer():
    assert cards_for([], CALL, Rendering(), TERMINOLOGY, GUIDELINES).cards == ()


def test_a_red_flag_is_said_although_the_order_was_deferred_before():
    deferred = order(1, Procedure.RADIOGRAPHY, reasons=(a_reason("deferred-by-clinician"),))
    (card,) = cards(advise(answers(infection=FEVER, deferred=True), deferred)).cards
    assert card.summary.startswith("Change X-ray to MRI without and with contrast, urgent")


@pytest.mark.parametrize("rates", ["acp", "nice"])
@pytest.mark.parametrize("name", CASES)
def test_another_guideline_can_rate(name, rates):
    guidelines = load_guidelines(TODAY, rates=rates)
    findings, draft = CASES[name].findings, CASES[name].order
    advice = recommend_on(draft, findings, a_picture(gaps=CASES[name].gaps), guidelines)
    answer = cards_for([advised(advice)], CALL, Rendering(), TERMINOLOGY, guidelines)
    jsonschema.validate(answer_as_dict(answer), SCHEMA)
    if advice.rating is not None and advice.rating.guideline == rates:
        written = answer.system_actions[0].resource or {}
        (coding,) = written["extension"][0]["valueCodeableConcept"]["coding"]
        assert coding["code"] == advice.rating.pama.value, "ACR's finer codings do not stand beside another rating"
