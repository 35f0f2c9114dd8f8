"""Properties of reading text: an unknown word, spelling, hostile input, and stems of red-flag words."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_mappings.code_rows import TerminologyError
from fhir_mappings.plain_text import LONGEST
from fhir_mappings.text_reading import has_red_flag_stem, read_text
from fhir_mappings.text_vocabulary import read_vocabulary, vocabulary
from fhir_mappings.text_words import folded, words_of
from tests.fhir_mappings.test_text_reading import READ


@pytest.mark.parametrize("text", [text for text, _ in READ])
def test_one_word_that_is_not_understood_makes_any_text_unread(text):
    assert read_text(f"{text} qwertzu") is None
    assert read_text(f"qwertzu {text}") is None


@pytest.mark.parametrize("text", [text for text, _ in READ])
def test_spelling_case_and_invisible_characters_change_nothing(text):
    plain = read_text(text)
    assert read_text(text.upper()) == plain
    assert read_text(f"  {text.lower()}\u200b  ") == plain
    assert read_text(text.replace(" ", "\u00a0")) == plain


@pytest.mark.parametrize(
    ("british", "american"),
    [
        ("saddle anaesthesia", "saddle anesthesia"),
        ("faecal incontinence", "fecal incontinence"),
        ("tumour", "tumor"),
        ("bacteraemia", "bacteremia"),
        ("paraesthesia of left leg", "paresthesia of left leg"),
        ("slipped disc", "slipped disk"),
        ("home exercise programme", "home exercise program"),
    ],
)
def test_british_and_american_spellings_are_one(british, american):
    assert read_text(british) == read_text(american)
    assert read_text(british) is not None


@pytest.mark.parametrize(
    "text",
    [
        "LBP and funny feeling down below, incontnent? urine",
        "numbness everywhere",
        "possible tumour at T8",
        "hit by a falling tree, trauma",
        "Temp 39 and rigors all night",
        "was incontinent",
        "weird saddle thing",
        "no fever, saddle numbness",
        "on PREDNISOLONE again",
        "lost 10 kg weight loss",
        "s\u200baddle thing",
        "red flags discussed",
    ],
)
def test_an_unread_text_with_the_stem_of_a_red_flag_word_is_known_as_such(text):
    assert has_red_flag_stem(text)


@pytest.mark.parametrize("text", ["pre-op planning", "follow up of known condition", "knee pain", "see letter", ""])
def test_a_text_without_such_a_stem_is_none(text):
    assert not has_red_flag_stem(text)


def test_a_text_too_long_to_search_cannot_be_ruled_out():
    assert has_red_flag_stem("a" * 1_000_000)


@pytest.mark.parametrize(
    "text",
    [
        "no " * 300_000,
        "numb " * 200_000,
        "a" * 1_000_000,
        "(" * 1_000_000,
        "?" * 1_000_000,
        "4/5 " * 250_000,
        "\u200b" * 1_000_000,
    ],
    ids=["no", "numb", "letters", "brackets", "question marks", "grades", "invisible"],
)
def test_a_hostile_text_is_not_gone_through_and_says_nothing(text):
    """A reader that went through it again and again would not come back in the time of a test run."""
    assert read_text(text) is None
    has_red_flag_stem(text)


@pytest.mark.parametrize(
    "unit", ["no ", "left ", "and ", "numb bottom ", "? ", "4/5 ", "l5 ", ", ", "x 3 ", "can't ", "-"]
)
def test_the_longest_text_of_like_pieces_with_an_unknown_word_is_unread(unit):
    text = (unit * LONGEST)[: LONGEST - 8] + " abcdefg"
    assert read_text(text) is None


@given(st.text(max_size=120))
def test_any_text_is_read_or_unread_and_never_fails(text):
    reading = read_text(text)
    assert reading is None or isinstance(reading.mentions, tuple)
    assert has_red_flag_stem(text) in (True, False)


KNOWN_WORDS = re.split(
    " ",
    "no denies and or , . with left right 4/5 numbness saddle LBP weakness fever since yesterday ? h/o family history "
    "worse but has absent : ( ) l5 foot drop EHL cant pee after post new not without neither",
)


@given(
    st.lists(
        st.sampled_from(KNOWN_WORDS),
        max_size=12,
    )
)
def test_any_row_of_known_words_is_read_or_unread_and_never_fails(words):
    reading = read_text(" ".join(words))
    assert reading is None or all(mention.concept for mention in reading.mentions)


@given(st.sampled_from([text for text, _ in READ]), st.from_regex(r"[b-df-hj-np-tv-xz]{6}", fullmatch=True))
def test_adding_an_unknown_word_makes_a_text_unread(text, word):
    assert read_text(f"{text}, {word}") is None


def test_every_phrase_is_folded_as_a_text_is():
    for phrase, _ in vocabulary().named:
        assert folded(phrase) == " ".join(words_of(phrase) or ()), phrase


_KINDS_OF_WORDS = (
    "muscles", "side", "acuity", "course", "severity", "suspicion", "negation", "affirmation",
    "history", "family", "filler", "cause", "limb", "no-flags",
)  # fmt: skip


def test_a_phrase_under_two_entries_stops_the_start():
    text = """
[[term]]
concept = "fever"
phrases = ["hot"]
[[term]]
concept = "fall"
phrases = ["hots"]
"""
    tables = "".join(f"[{kind}]\n" for kind in _KINDS_OF_WORDS)
    with pytest.raises(TerminologyError, match=re.escape("'hots' stands under fever already")):
        read_vocabulary(text + tables + "[[compound]]\nheads=[]\nparts=[]\n")
