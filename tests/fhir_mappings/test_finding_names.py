"""Names and results of examination findings, as records write them without a code."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_mappings.answers import answer_words, read_answer, read_grade
from fhir_mappings.finding_names import FindingName, finding_names, read_finding_name
from fhir_mappings.terminology import load_terminology

OWN = load_terminology().own
CONCEPTS = load_terminology().concepts


def strength(muscle, side="", fraction_only=False):
    return FindingName(f"mrc-{muscle}", "muscle-strength", side, muscle, fraction_only=fraction_only)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Muscle power (MRC 0-5), left ankle dorsiflexion", strength("ankle-dorsiflexion", "left")),
        ("Straight leg raise, right", FindingName("straight-leg-raise", side="right")),
        ("SLR left", FindingName("straight-leg-raise", side="left")),
        ("Crossed straight leg raise", FindingName("crossed-straight-leg-raise")),
        ("EHL power left", strength("great-toe-extension", "left")),
        ("Strength - right hip flexion", strength("hip-flexion", "right")),
        ("Motor strength, left quadriceps", strength("knee-extension", "left")),
        ("Ankle plantarflexion strength R", strength("ankle-plantarflexion", "right")),
        ("EHL left", strength("great-toe-extension", "left")),
        ("Knee extension, left", strength("knee-extension", "left", fraction_only=True)),
        ("Ankle dorsiflexion left", strength("ankle-dorsiflexion", "left", fraction_only=True)),
        ("saddle sensation", FindingName("perianal-sensation")),
        ("Perianal sensation", FindingName("perianal-sensation")),
        ("Anal tone", FindingName("anal-tone")),
        ("Ankle jerk, left", FindingName("ankle-reflex", side="left")),
        ("Achilles reflex (right)", FindingName("ankle-reflex", side="right")),
        ("Right knee reflex", FindingName("knee-reflex", side="right")),
        ("Sensation L5 left", FindingName("sensation-l5", "dermatomal-sensory-loss", "left", "l5")),
        ("Light touch, S1 dermatome, right", FindingName("sensation-s1", "dermatomal-sensory-loss", "right", "s1")),
        ("Heel walking", FindingName("heel-walk")),
        ("Bladder scan volume", FindingName("post-void-residual-volume")),
        ("Temperature", FindingName(concept="body-temperature", measure=True)),
        ("ESR", FindingName(concept="esr", measure=True)),
        ("Pain score (0-10)", FindingName(concept="pain-severity-nrs", measure=True)),
        ("Saddle anaesthesia", FindingName("saddle-anaesthesia")),
        ("Foot drop, left", FindingName(concept="foot-drop", side="left")),
        ("Fever", FindingName(concept="fever")),
    ],
)
def test_what_a_name_asks_for(name, expected):
    assert read_finding_name(name) == expected
    assert read_finding_name(name.upper()) == expected


@pytest.mark.parametrize(
    "name",
    [
        "Muscle strength",
        "Heart rate",
        "Left and right",
        "Straight leg raise and ankle jerk",
        "Power of attorney",
        "Sensation",
        "Sensation C6 left",
        "Hip flexion and knee extension power",
        "No fever",
        "History of foot drop",
        "Visual acuity, left",
        "",
        "Muscle power left shoulder",
        "x" * 5000,
        "?",
    ],
)
def test_a_name_that_is_not_understood_whole_is_unread(name):
    assert read_finding_name(name) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("4", 4),
        ("4/5", 4),
        ("4-", 4),
        ("4+/5", 4),
        ("4 / 5", 4),
        ("grade 4", 4),
        ("MRC 3", 3),
        ("MRC grade 3/5", 3),
        ("0", 0),
        ("5/5", 5),
        ("3 out of 5", 3),
        ("power 2/5", 2),
        ("4.0", 4),
        ("6", None),
        ("45", None),
        ("4/10", None),
        ("4.5", None),
        ("-4", None),
        ("normal", None),
        ("", None),
        ("4 kg", None),
        ("n/a", None),
    ],
)
def test_an_mrc_grade_is_read_from_its_usual_forms_only(text, expected):
    assert read_grade(text) == expected


@pytest.mark.parametrize(("text", "expected"), [("4/5", 4), ("3 out of 5", 3), ("0", None), ("4", None)])
def test_a_bare_number_beside_a_movement_may_be_degrees(text, expected):
    assert read_grade(text, fraction_only=True) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Yes", "yes"),
        ("N", "no"),
        ("+ve", "positive"),
        ("NEGATIVE.", "negative"),
        ("Reduced", "reduced"),
        ("NAD", "normal"),
        ("intact", "normal"),
        ("Nil", "no"),
        ("brisk", "increased"),
        ("unable", "unable"),
        ("something else", "something else"),
        ("", ""),
    ],
)
def test_a_result_in_words_is_an_answer_word_or_itself(text, expected):
    assert read_answer(text) == expected


def test_every_name_leads_to_one_of_our_codes_or_to_a_concept():
    for code in finding_names().by_code:
        assert code in OWN.codes or code in CONCEPTS


def test_every_answer_word_is_known_to_a_question_or_to_the_course():
    known = {word for observable in OWN.observables for word, _ in observable.answers}
    assert set(answer_words().values()) <= known | {"worsening", "improving", "unchanged"}


@given(st.text())
def test_any_name_and_result_can_be_read(text):
    read_finding_name(text)
    read_answer(text)
    assert read_grade(text) in (None, 0, 1, 2, 3, 4, 5)
