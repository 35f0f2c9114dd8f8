"""Our own CodeSystem: what each code and each answer says."""

import json
import re
from importlib.resources import files

import pytest

from fhir_mappings.code_rows import TerminologyError
from fhir_mappings.own_codes import ANSWER_WORDS, Said, load_own_codes, read_own_codes
from fhir_mappings.terminology import Meaning, TerminologyOptions, load_terminology
from rules.concepts import CONCEPTS

TERMINOLOGY = load_terminology()
OWN = TERMINOLOGY.own
TEXT = files("fhir_mappings").joinpath("own_codes.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("code", "answer", "expected"),
    [
        ("straight-leg-raise", "positive", [Said("straight-leg-raise")]),
        ("straight-leg-raise", "negative", [Said("straight-leg-raise", False)]),
        ("slr-positive", "yes", [Said("straight-leg-raise")]),
        ("slr-positive", "no", [Said("straight-leg-raise", False)]),
        ("slr-negative", "yes", [Said("straight-leg-raise", False)]),
        ("slr-negative", "no", [Said("straight-leg-raise")]),
        ("crossed-straight-leg-raise", "positive", [Said("crossed-straight-leg-raise")]),
        ("ankle-reflex", "absent", [Said("ankle-reflex-reduced")]),
        ("ankle-reflex", "reduced", [Said("ankle-reflex-reduced")]),
        ("ankle-reflex", "normal", [Said("ankle-reflex-reduced", False)]),
        ("knee-reflex", "increased", [Said("knee-reflex-reduced", False), Said("upper-motor-neuron-sign")]),
        ("heel-walk", "unable", [Said("heel-walk-unable")]),
        ("heel-walk", "no", [Said("heel-walk-unable")]),
        ("toe-walk", "able", [Said("toe-walk-unable", False)]),
        ("sensation-l5", "reduced", [Said("dermatomal-sensory-loss", True, "l5")]),
        ("sensation-s1", "absent", [Said("dermatomal-sensory-loss", True, "s1")]),
        ("sensation-l4", "normal", [Said("dermatomal-sensory-loss", False, "l4")]),
        ("perianal-sensation", "reduced", [Said("saddle-anaesthesia")]),
        ("perianal-sensation", "normal", [Said("saddle-anaesthesia", False)]),
        ("anal-tone", "reduced", [Said("reduced-anal-tone")]),
        ("anal-tone", "normal", [Said("reduced-anal-tone", False)]),
        ("neuro-exam-normal", "yes", [Said("neuro-exam-normal")]),
        ("neuro-exam-normal", "no", [Said("neuro-exam-normal", False)]),
        ("lower-limb-strength-normal", "normal", [Said("lower-limb-strength-normal")]),
        ("urinary-retention", "absent", [Said("urinary-retention", False)]),
        ("cauda-equina-features", "yes", [Said("cauda-equina-features")]),
        ("weakness-features", "no", [Said("weakness-features", False)]),
        ("course-worsening", "yes", [Said("course-worsening")]),
        ("red-flags-checked-none", "yes", [Said("red-flags-checked-none")]),
    ],
)
def test_an_answer_says_what_was_found(code, answer, expected):
    observable = TERMINOLOGY.observable(OWN.url, code)
    assert observable is not None
    assert list(observable.read(answer) or ()) == expected


@pytest.mark.parametrize(
    ("code", "answer"),
    [
        ("ankle-reflex", "yes"),
        ("sensation-l5", "no"),  # no sensation, or no loss of it?
        ("slr-negative", "negative"),  # a negative negative?
        ("straight-leg-raise", "reduced"),
        ("red-flags-checked-none", "negative"),
        ("anal-tone", "purple"),
    ],
)
def test_an_answer_that_could_mean_two_things_is_unread(code, answer):
    observable = TERMINOLOGY.observable(OWN.url, code)
    assert observable is not None
    assert observable.read(answer) is None


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("slr-positive", Meaning("straight-leg-raise")),
        ("slr-negative", Meaning("straight-leg-raise", absent=True)),
        ("red-flags-checked-none", Meaning("red-flags-checked-none")),
        ("intervention-candidate-no", Meaning("intervention-candidate-no")),
        ("gbca-allergy", Meaning("gbca-allergy")),
        ("cauda-equina-features", Meaning("cauda-equina-features")),
    ],
)
def test_a_bare_code_is_a_statement(code, expected):
    assert TERMINOLOGY.meanings(OWN.url, code) == (expected,)


@pytest.mark.parametrize(
    "code", ["anal-tone", "ankle-reflex", "mrc-knee-extension", "sensation-l5", "normal", "root-l5", "nothing"]
)
def test_a_code_that_needs_a_value_states_nothing_by_itself(code):
    assert TERMINOLOGY.meanings(OWN.url, code) == ()


@pytest.mark.parametrize(
    "muscle", ["hip-flexion", "knee-extension", "ankle-dorsiflexion", "great-toe-extension", "ankle-plantarflexion"]
)
def test_strength_is_a_grade_of_one_muscle_group(muscle):
    observable = TERMINOLOGY.observable(OWN.url, f"mrc-{muscle}")
    assert observable is not None
    assert (observable.how, observable.concept, observable.site, observable.sided) == (
        "grade",
        "muscle-strength",
        muscle,
        True,
    )


def test_weeks_become_days():
    observable = TERMINOLOGY.observable(OWN.url, "symptom-duration-weeks")
    assert observable is not None
    assert (observable.concept, observable.unit, observable.factor) == ("symptom-duration", "wk", 7)


def test_every_clinicians_answer_can_stand_as_a_reason_and_as_an_observation():
    for concept in TERMINOLOGY.manifest.groups["answers"]:
        assert TERMINOLOGY.meanings(OWN.url, concept) == (Meaning(concept),)
        observable = TERMINOLOGY.observable(OWN.url, concept)
        assert observable is not None
        assert observable.read("yes") == (Said(concept),)
        assert observable.read("no") == (Said(concept, False),)
        assert concept in CONCEPTS


@pytest.mark.parametrize("code", OWN.codes.values(), ids=lambda code: code.code)
def test_every_code_is_defined_and_has_an_example_that_parses(code):
    assert code.definition.endswith(".")
    assert len(code.display) <= 80
    example = json.loads(code.example.replace("$SYSTEM", OWN.url))
    assert example
    if code.how == "grade":
        assert "integer" in code.values


def test_every_coded_value_of_an_example_is_a_known_answer():
    for code in OWN.codes.values():
        example = json.loads(code.example.replace("$SYSTEM", OWN.url))
        for coding in example.get("valueCodeableConcept", {}).get("coding", []):
            assert coding["code"] in OWN.codes
            observable = OWN.observable(code.code)
            if observable is not None and observable.how == "answer":
                assert observable.read(coding["code"]) is not None, code.code


def test_every_standard_answer_word_is_understood_by_some_question():
    words = {word for observable in OWN.observables for word, _ in observable.answers}
    assert set(ANSWER_WORDS.values()) - {"worsening", "improving", "unchanged"} <= words


def test_the_canonical_base_is_a_setting():
    other = load_terminology(TerminologyOptions(canonical_base="https://example.org/terms/"))
    url = "https://example.org/terms/CodeSystem/lumbar-cds"
    assert other.own.url == url
    assert other.meanings(url, "slr-positive")
    assert other.meanings(OWN.url, "slr-positive") == ()
    assert other.observable(f"{url}|1.0", "anal-tone") is not None


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ('code = "slr-negative"', 'code = "slr-positive"', "slr-positive twice"),
        ('concept = "reduced-anal-tone"', 'concept = "anal-tone-low"', "unknown concept 'anal-tone-low'"),
        ('scale = "tone"', 'scale = "tones"', "unknown scale 'tones'"),
        ('how = "grade"', 'how = "graded"', "how must be one of"),
        ('values = ["Quantity", "integer"]', 'values = ["Quantity", "number"]', "value types are"),
        ('unit = "mL"\n', "", "a number needs its unit"),
        ('increased = "upper-motor-neuron-sign"', 'increased = "brisk"', "unknown concept 'brisk'"),
        ("sided = true", "sides = true", "unknown field `sides`"),
    ],
)
def test_a_corrupt_file_stops_the_start(old, new, complaint):
    assert old in TEXT
    with pytest.raises(TerminologyError, match=re.escape(complaint)):
        read_own_codes(TEXT.replace(old, new, 1), "https://example.org", frozenset(TERMINOLOGY.concepts))


def test_loading_reads_the_packaged_file():
    assert load_own_codes("https://example.org", frozenset(TERMINOLOGY.concepts)).text == TEXT
