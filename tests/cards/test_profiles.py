"""The same card as each kind of client gets it, one file each; UPDATE_GOLDEN=1 writes them anew."""

import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from msgspec.structs import replace

from cards import Answer, Rendering, cards_for
from cards.answer_json import answer_as_dict
from cards.buttons import Button
from cards.card import Action, CardError
from cards.drawing import as_plain
from cards.escape import escaped
from cards.ids import ids_of_call
from cards.lint import losses
from cards.profiles import PROFILES, Profile, read_profiles
from cards.several import speaking_about
from cards.speaking import Call
from cards.suggestions import suggestions_of
from cards.wording import wording
from fhir_mappings.terminology import TerminologyOptions, load_terminology
from rules.draft_order import Recognition
from rules.recommendation import Situation
from tests.cards.builders import CALL, GUIDELINES, advise, advised, an_order, answers, entry, yes
from tests.cards.situations import FEVER, SADDLE, situations

GOLDEN = Path(__file__).parent / "golden" / "profiles"
TABLES = Path(__file__).parent.parent / "tables"
CASES = situations()
# One card of every kind, and the changes that a client may not be able to make.
KINDS = (
    "emergency_with_pacemaker",
    "immediate_worsening",
    "possible_cauda_equina",
    "safety_pacemaker",
    "source_not_read",
    "wrong_test_fever_xray",
    "wrong_test_cancer_priority",
    "answer_missing_candidate",
    "prior_imaging",
    "not_appropriate_red_flags_not_recorded",
    "deferred",
    "not_rated_contrast_matters",
    "appropriate_planned_injection",
)
PREFERENCE_LIST = "urn:com.epic.cdshooks.action.code.system.preference-list-item"


@cache
def site_terminology(catalogue: str = "preference_list.csv"):
    """The code lists of a site that names its own orderables."""
    return load_terminology(TerminologyOptions(order_catalogues=(str(TABLES / catalogue),)))


def answer_in(profile: str, recommendation, **draft) -> Answer:
    rendering = Rendering(profile=PROFILES[profile])
    return cards_for([advised(recommendation, **draft)], CALL, rendering, site_terminology(), GUIDELINES)


def actions_of(answer: Answer):
    return [action for card in answer.cards for each in card.suggestions for action in each.actions]


def readable(answer: Answer) -> str:
    """An answer as text, with everything in which profiles differ."""
    lines: list[str] = []
    for card in answer.cards:
        lines += [f"[{card.indicator}] {card.summary}", "", card.detail, ""]
        lines += [f"{name}: {value}" for name, value in (card.extension or {}).items()]
        if card.suggestions:
            lines.append(f"choose: {card.selection_behavior}")
        for suggestion in card.suggestions:
            lines.append(f"{'(*)' if suggestion.is_recommended else '( )'} {suggestion.label}")
            for action in suggestion.actions:
                lines.append(f"      {action.type}: {action.description}")
                if action.resource is not None:
                    codings = action.resource["code"].get("coding", [])
                    lines.append(f"        code: {', '.join(coding['code'] for coding in codings)}")
                    lines.append(f"        with: {', '.join(sorted(action.resource))}")
        lines += [f"-> {link.label}: {link.url}" for link in card.links]
        lines += [f"disagree: {reason.display}" for reason in card.override_reasons]
        assert card.source is not None
        assert card.source.topic is not None
        lines += [f"source: {card.source.label}", f"topic: {card.source.topic.code}", ""]
    places = ["systemActions", *(["extension.systemActions"] if answer.also_in_extension else [])]
    lines.append(f"ratings in: {', '.join(places) if answer.system_actions else 'none'}")
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("name", KINDS)
def test_a_card_reads_as_agreed_in_every_profile(name, profile):
    path = GOLDEN / profile / f"{name}.md"
    text = readable(answer_in(profile, CASES[name]))
    if os.environ.get("UPDATE_GOLDEN") == "1":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == text, text


def test_every_profile_has_a_golden_card_of_every_kind_and_none_is_left_over():
    assert {CASES[name].situation for name in KINDS} == set(Situation) - {Situation.NOT_OURS}
    written = {str(path.relative_to(GOLDEN)) for path in GOLDEN.rglob("*.md")}
    assert written == {f"{profile}/{name}.md" for profile in PROFILES for name in KINDS}


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("name", CASES)
def test_a_client_drops_nothing_of_an_answer_that_was_written_for_it(name, profile):  # CAP-1
    found = losses(answer_as_dict(answer_in(profile, CASES[name])), PROFILES[profile])
    assert [loss for loss in found if loss.consequence != "note"] == []


@pytest.mark.parametrize("name", CASES)
def test_epic_gets_one_create_or_delete_a_suggestion_named_by_the_preference_list(name):
    for card in answer_in("epic", CASES[name]).cards:
        assert card.extension == {"com.epic.cdshooks.card.detail.content-type": "text/markdown; variant=GitHub"}
        assert card.selection_behavior in ("", "any")
        for suggestion in card.suggestions:
            (action,) = suggestion.actions
            assert action.type in ("create", "delete")
            if action.resource is not None:
                assert action.resource["code"]["coding"][0]["system"] == PREFERENCE_LIST
                assert "priority" not in action.resource


def test_a_priority_that_a_new_order_cannot_carry_is_said_where_it_is_read():
    (card,) = answer_in("epic", CASES["wrong_test_fever_xray"]).cards
    create, remove = (suggestion.actions[0] for suggestion in card.suggestions)
    assert create.type == "create"
    assert "set its priority to urgent and give it the reasons of the order" in create.description
    assert (remove.type, card.suggestions[1].is_recommended) == ("delete", False)


def test_what_a_new_order_cannot_carry_is_not_claimed():
    (card,) = answer_in("epic", CASES["not_appropriate_red_flags_not_recorded"]).cards
    refer = card.suggestions[1].actions[0]
    assert refer.description == "Refer to physiotherapy. Recheck by 2026-12-23."
    parallel = answer_in("epic", CASES["emergency_with_pacemaker"]).cards[0].suggestions[1].actions[0]
    assert parallel.description.startswith("Add an order for lumbar spine CT without contrast beside this one. Before")


def test_in_an_emergency_epic_offers_the_right_study_and_takes_none_away():
    for name in (name for name in CASES if CASES[name].situation in (Situation.EMERGENCY, Situation.IMMEDIATE)):
        assert {action.type for action in actions_of(answer_in("epic", CASES[name]))} <= {"create"}, name


def test_a_statement_is_never_ticked_before_the_clinician_has_read_it():
    (card,) = answer_in("epic", CASES["not_appropriate_red_flags_not_recorded"]).cards
    assert [suggestion.actions[0].type for suggestion in card.suggestions] == ["delete", "create"]
    assert not any(suggestion.is_recommended for suggestion in card.suggestions)
    (card,) = answer_in("epic", CASES["not_appropriate_checked"]).cards
    assert [suggestion.is_recommended for suggestion in card.suggestions] == [True, True]


def test_without_a_code_that_places_the_order_nothing_is_offered_and_nothing_taken_away():
    rendering = Rendering(profile=PROFILES["epic"])
    bare = load_terminology()
    answer = cards_for([advised(CASES["wrong_test_fever_xray"])], CALL, rendering, bare, GUIDELINES)
    assert actions_of(answer) == []
    assert "**By hand:** change the order to lumbar spine MRI without and with contrast, priority urgent." in (
        answer.cards[0].detail
    )


def test_an_order_with_a_long_id_of_a_vendor_can_be_taken_away():
    order = an_order(reference=f"ServiceRequest/{'e' * 90}.x-Y3")
    (card,) = answer_in("epic", advise(order=order), id="e" * 90 + ".x-Y3").cards
    assert [action.resource_id for action in actions_of(answer_in("epic", advise(order=order))) if action.resource_id]
    assert card.suggestions


@pytest.mark.parametrize("name", CASES)
def test_a_topic_is_the_same_for_the_same_advice_and_alphanumeric(name):
    first, again = (answer_in("epic", CASES[name]).cards for _ in range(2))
    for card, same in zip(first, again, strict=True):
        assert card.source is not None
        assert card.source.topic is not None
        assert card.source == same.source
        assert card.source.topic.code.isalnum()
        assert card.source.topic.code.isascii()
        assert len(card.source.topic.code) <= 100


def topic(findings, order=None) -> str:
    (card,) = answer_in("epic", advise(findings, order)).cards
    assert card.source is not None
    assert card.source.topic is not None
    return card.source.topic.code


def test_an_override_in_epic_never_silences_a_red_flag_that_comes_to_light_later():
    fever = topic(answers(infection=FEVER))
    assert topic(answers(days=25, infection=FEVER)) == fever, "the same advice on the same red flag"
    again = yes(
        "infection", *FEVER.because, entry("Temperature 39.4", "2026-11-25", "Observation/t2"), marks=("fever",)
    )
    assert len({fever, topic(answers(infection=again)), topic(answers()), topic(answers(cauda_equina=SADDLE))}) == 4
    aorta = yes("aortic", entry("Abdominal aortic aneurysm"), marks=("aneurysm",))
    assert topic(answers(aortic=aorta)) != topic(answers(cauda_equina=SADDLE)), "two emergencies, two topics"


@pytest.mark.parametrize("name", CASES)
def test_plain_text_holds_no_markup_and_no_button(name):
    for card in answer_in("plain", CASES[name]).cards:
        assert card.suggestions == ()
        assert not set("*`|<>[]") & set(card.detail)
        assert "&lt;" not in card.detail
        assert "\\" not in card.detail


@pytest.mark.parametrize(
    "text",
    ["<img src=x onerror=alert(1)>", "[a](http://evil.example)", "**bold** _x_ `code`", "a | b ~~c~~ \\* # !x", "- x"],
)
def test_record_text_stays_text_in_plain_cards_even_where_markdown_is_drawn(text):
    shown = as_plain(f"**Because**\n\n- “{escaped(text)}”")
    assert not set("<>[]`*\\|") & set(shown), shown
    assert "_x_" not in shown


def test_an_order_without_contrast_stated_gets_one_choice_where_suggestions_do_not_exclude_each_other():
    order = an_order(
        None,
        recognition=Recognition.CONTRAST_NOT_STATED,
        candidates=CASES["not_rated_contrast_matters"].order.candidates,
    )
    assert order.candidates
    created = [
        each for each in actions_of(answer_in("epic", CASES["not_rated_contrast_matters"])) if each.type == "create"
    ]
    assert len(created) == 1


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (
            ("markdown = true\ntables = true\ncontent_type", "markdown = false\ntables = true\ncontent_type"),
            "tables are",
        ),
        (('content_type_in = "com.epic.cdshooks.card.detail.content-type"\n', ""), "go together"),
        (("suggestions = false", "suggestions = true"), "need actions"),
        (('about = "Epic', 'abuot = "Epic'), "abuot"),
    ],
)
def test_a_table_that_contradicts_itself_is_refused(change, says):
    text = (Path(__file__).parent.parent.parent / "cards" / "profiles.toml").read_text(encoding="utf-8")
    assert change[0] in text
    with pytest.raises(CardError, match=says):
        read_profiles(text.replace(*change))


def test_a_profile_that_applies_one_action_is_never_sent_two():
    broken = Rendering(profile=replace(PROFILES["cds-hooks-2.0"], one_action=True))
    call = Call(ids_of_call("c", "s", "h", "b"), "2026-11-25", broken, site_terminology(), GUIDELINES, wording())
    (speaking,) = speaking_about([advised(CASES["prior_imaging"])], call)
    two = (Action("delete", "x", resource_id="ServiceRequest/1"), Action("create", "y", {"resourceType": "X"}))
    with pytest.raises(CardError, match="one action"):
        suggestions_of(speaking, (Button("defer", "Defer", two),))


def _changed(profile: Profile) -> Iterator[tuple[str, Profile]]:
    """The profile with one column another way, by the column's name."""
    for name in ("one_action", "preselects", "keeps_details", "first_coding_only", "tables", "markdown"):
        yield name, replace(profile, **{name: not getattr(profile, name)})
    for kind in ("create", "update", "delete"):
        yield "actions", replace(profile, actions=profile.actions ^ {kind})
    yield "suggestions", replace(profile, suggestions=not profile.suggestions)
    yield "selection", replace(profile, selection="any" if profile.selection == "at-most-one" else "at-most-one")
    yield "created_by", replace(profile, created_by=() if profile.created_by else ("urn:oid:2.999.9",))
    yield "content_type", replace(profile, content_type="text/plain", content_type_in="org.example.type")
    yield "content_type_in", replace(profile, content_type_in="org.example.type")
    yield "ratings_in", replace(profile, ratings_in=profile.ratings_in[1:])
    yield "topic", replace(profile, topic="advice" if profile.topic == "kind" else "kind")
    yield "system_actions", replace(profile, system_actions=frozenset({"create Condition"}))
    yield "needs_topic", replace(profile, needs_topic="x")
    yield "shown", replace(profile, shown={})


def _seen(profile: Profile) -> object:
    """Every answer in a profile, and what lint says of the usual answers for it."""
    answers_in: list[object] = []
    lint: list[object] = []
    for recommendation in CASES.values():
        rendering = Rendering(profile=profile)
        try:
            own = cards_for([advised(recommendation)], CALL, rendering, site_terminology(), GUIDELINES)
            answers_in.append(answer_as_dict(own))
        except CardError as problem:
            answers_in.append(str(problem))
        lint.append(losses(answer_as_dict(answer_in("cds-hooks-2.0", recommendation)), profile))
    return answers_in, lint


COLUMNS = sorted(set(Profile.__struct_fields__) - {"name", "about", "source"})


def test_every_column_of_the_table_matters():
    noticed = set()
    for profile in (PROFILES["epic"], PROFILES["sandbox"]):
        usual = _seen(profile)
        noticed |= {name for name, other in _changed(profile) if name not in noticed and _seen(other) != usual}
    assert sorted(noticed) == COLUMNS
