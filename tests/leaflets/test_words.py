"""The words of the patient's page: plain, the same in both languages, and true to their sources."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.resources import files

import pytest

from leaflets.facts import facts, read_facts
from leaflets.texts import LANGUAGES, Sentence, TextError, Texts, read_texts, texts
from tests.leaflets.readability import measured, spanish_syllables

MOST_GRADE = 6.0
LEAST_EASE = 80.0  # INFLESZ: very easy; for a single part 65, fairly easy
LEAST_EASE_OF_A_PART = 65.0
PARTS = ("now", "today", "next", "usual", "why", "when", "ask", "map", "about")


def said(words: Texts, part: str) -> str:
    """Everything that a part of the page says, as sentences."""
    return " ".join(f"{text.rstrip('.:')}." if text[-1] not in "?!" else text for text in _texts(words, part))


def _texts(words: Texts, part: str) -> Iterator[str]:
    section = getattr(words, part)
    for name in section.__struct_fields__:
        value = getattr(section, name)
        if isinstance(value, str) and value and name != "version":
            yield value
        elif isinstance(value, tuple):
            yield from (each.says if hasattr(each, "says") else each for each in value)


def whole(words: Texts) -> str:
    return f"{words.page.title}. {words.page.lead} " + " ".join(said(words, part) for part in PARTS)


@pytest.mark.parametrize("part", PARTS)
def test_every_part_in_english_is_for_readers_of_grade_six(part: str):
    assert measured(said(texts("en"), part), "en").grade <= MOST_GRADE


def test_the_whole_page_in_english_is_for_readers_of_grade_six():
    assert measured(whole(texts("en")), "en").grade <= MOST_GRADE


@pytest.mark.parametrize("part", PARTS)
def test_every_part_in_spanish_is_fairly_easy(part: str):
    assert measured(said(texts("es"), part), "es").szigriszt >= LEAST_EASE_OF_A_PART


def test_the_whole_page_in_spanish_is_very_easy_by_both_formulas():
    page = measured(whole(texts("es")), "es")
    assert page.szigriszt >= LEAST_EASE
    assert page.fernandez_huerta >= LEAST_EASE


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sentence_is_long(language: str):
    for sentence in re.split(r"[.!?:]+", whole(texts(language))):
        assert len(sentence.split()) <= 26, sentence


# The measures themselves.


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("The cat sat on the mat. It was fat.", -3, 1),
        ("Radiculopathy unresponsive to conservative management necessitates multidisciplinary evaluation.", 18, 40),
    ],
)
def test_the_english_measure_tells_hard_from_easy(text: str, low: float, high: float):
    assert low <= measured(text, "en").grade <= high


@pytest.mark.parametrize(
    ("word", "syllables"),
    [
        ("espalda", 3),
        ("pierna", 2),
        ("ciática", 3),
        ("energía", 4),
        ("caída", 3),
        ("que", 1),
        ("guía", 2),
        ("cuidado", 3),
        ("y", 1),
        ("hoy", 1),
        ("veo", 2),
        ("radiografía", 5),
        ("pingüino", 3),
    ],
)
def test_spanish_syllables_are_counted_as_they_are_spoken(word: str, syllables: int):
    assert spanish_syllables(word) == syllables


def test_hard_spanish_is_found_hard():
    hard = "La radiculopatía refractaria al tratamiento conservador requiere una evaluación multidisciplinaria."
    assert measured(hard, "es").szigriszt < 40


# The same page in both languages.


def test_both_languages_say_the_same_by_the_same_sources():
    english, spanish = texts("en"), texts("es")
    assert [each.facts for each in english.sentences()] == [each.facts for each in spanish.sentences()]
    for part in PARTS:
        ours, theirs = getattr(english, part), getattr(spanish, part)
        for name in ours.__struct_fields__:
            one, other = getattr(ours, name), getattr(theirs, name)
            assert bool(one) == bool(other), (part, name)
            if isinstance(one, tuple):
                assert len(one) == len(other), (part, name)


def test_both_languages_use_the_same_numbers():
    for ours, theirs in zip(texts("en").sentences(), texts("es").sentences(), strict=True):
        assert sorted(re.findall(r"\d+", ours.says)) == sorted(re.findall(r"\d+", theirs.says)), ours.says


# True to the sources.


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_warning_sign_and_every_claim_names_its_source(language: str):
    words = texts(language)
    claims = (*words.now.items, *words.usual.items, *words.why.items, *words.why.imaged, *words.when.items)
    # "The pain gets much worse" is a reason to call, not a fact about a disease.
    for each in (*claims, *words.today.items[:-1]):
        assert each.facts, each.says
    for each in words.sentences():
        for name in each.facts:
            assert name in facts().fact, name


def test_no_fact_is_kept_that_no_page_states():
    used = {name for each in texts("en").sentences() for name in each.facts}
    assert used == set(facts().fact)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_number_on_the_page_is_a_figure_of_its_fact(language: str):
    for each in texts(language).sentences():
        known = {figure for name in each.facts for figure in facts().fact[name].figures}
        for number in _numbers(each):
            assert number in known or _rounded(number, known), (each.says, number, sorted(known))


def _numbers(sentence: Sentence) -> Iterator[int]:
    """The numbers of a sentence; "7 in 10" and "95 in 100" are shares."""
    text = re.sub(r"(\d+) o(?:r)? (\d+) (?:in|de cada) 10\b", r"\g<1>0 \g<2>0", sentence.says)
    text = re.sub(r"\b(\d) (?:in|de cada) 10\b", r"\g<1>0", text)
    text = re.sub(r"(\d+) (?:in|de cada) 100\b", r"\1", text)
    yield from map(int, re.findall(r"\d+", re.sub(r"911|112", "", text)))


def _rounded(number: int, known: set[int]) -> bool:
    """ "about 7 in 10" stands for 68 %."""
    return number % 10 == 0 and any(round(figure, -1) == number for figure in known)


@pytest.mark.parametrize(
    ("says", "fits"),
    [("About 2 or 3 in 10 people.", True), ("About 5 in 10 people.", False), ("77 in 100 people.", False)],
)
def test_a_number_that_no_source_gives_is_found(says: str, fits: bool):
    known = set(facts().fact["koes-2007"].figures)
    numbers = list(_numbers(Sentence(says, ("koes-2007",))))
    assert numbers
    assert all(number in known or _rounded(number, known) for number in numbers) is fits


# The warning signs that the contract asks for: bladder, bowel, saddle, sex, both legs, weakness; injury; aorta.


@pytest.mark.parametrize(
    "sign", ["pee", "stool", "between your legs", "sex", "both legs", "weak", "fall", "belly", "weaker", "drags"]
)
def test_the_signs_of_an_emergency_come_first(sign: str):
    assert sign in said(texts("en"), "now")


@pytest.mark.parametrize("sign", ["fever", "cancer", "lose weight", "steroid", "inject", "germs"])
def test_what_cannot_wait_for_the_visit_comes_next(sign: str):
    assert sign in said(texts("en"), "today")


def test_the_question_to_ask_stands_there_word_for_word():
    asked = "What are we ruling out, and what will we do differently depending on what the imaging shows?"
    assert texts("en").ask.question == asked


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_never_says_that_all_is_well(language: str):
    text = whole(texts(language)).casefold()
    for claim in ("you are safe", "nothing is wrong", "nothing serious", "no es nada", "está a salvo", "no tiene nada"):
        assert claim not in text


# What cannot be shown stops the start.


def _file(name: str) -> str:
    return files("leaflets").joinpath(name).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (('heading = "Get help now"', ""), "heading"),
        (('"Sunday"', ""), "7 days"),
        (("{weekday}", "{weekend}"), "weekend"),
        (("[now]", "[nowhere]"), "nowhere"),
        (("[now]", "[now"), "Expected"),
    ],
)
def test_a_text_that_lacks_something_is_refused(change: tuple[str, str], says: str):
    text = _file("texts/en.toml")
    assert change[0] in text
    with pytest.raises(TextError, match=says):
        read_texts(text.replace(*change, 1), "en.toml")


def test_a_fact_without_an_address_is_refused():
    with pytest.raises(TextError, match="koes-2007"):
        read_facts(_file("facts.toml").replace("https://www.ncbi.nlm.nih.gov/pmc/articles/PMC1895638/", "BMJ"))
