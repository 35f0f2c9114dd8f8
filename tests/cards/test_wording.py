"""The wording file: strict, complete, and equal to the lists that the rules use."""

from importlib.resources import files

import pytest

from cards import suggestions
from cards.phrases import is_category
from cards.wording import WordingError, read_wording, wording
from rules import clarify
from rules.finding import Safety
from rules.findings.questions import QUESTIONS
from rules.procedures import Procedure
from rules.recommendation import Category, PamaRating, Urgency
from tests.cards.builders import GUIDELINES

TEXT = files("cards").joinpath("wording.toml").read_text(encoding="utf-8")


def test_the_file_loads_and_says_its_version():
    assert wording().version


@pytest.mark.parametrize(
    ("old", "new", "names"),
    [
        ("{study} is deferred. Recheck", "{name} is deferred. Recheck", "name"),
        ("Do not sign: {study} is deferred. Recheck by {date}", "Do not sign: {study", "deferred"),
        ('stat = "stat"', 'stat = ""', "priority.stat"),
        ('stat = "stat"', 'stat = "stat "', "priority.stat"),
        ('stat = "stat"', "stat = 1", "priority"),
        ("[priority]", "[priorities]", "priorit"),
        ("https://www.nice.org.uk/guidance/ng234", "http://www.nice.org.uk/guidance/ng234", "link.nice-ng234"),
        ('link = "idsa"', 'link = "nowhere"', "nowhere"),
        ("Record: new or worse", "Record: new or worse, or of unknown age and so on", "answer.new-or-worse-yes"),
        ("A procedure is planned", "A procedure is planned, or at least somebody has said that it is", "override"),
    ],
)
def test_wording_that_would_fail_before_a_clinician_does_not_load(old, new, names):
    assert old in TEXT
    with pytest.raises(WordingError, match=names):
        read_wording(TEXT.replace(old, new, 1))


def test_a_missing_study_does_not_load():
    with pytest.raises(WordingError, match="radiography"):
        read_wording(TEXT.replace("[study.radiography_lumbar_spine]", "[study.x]"))


def test_every_closed_list_has_its_words():
    words = wording()
    assert set(words.study) == {procedure.value for procedure in Procedure}
    assert set(words.category) == {category.value for category in Category}
    assert set(words.pama) == {rating.value for rating in PamaRating} | {"none"}
    assert set(words.urgency) == {urgency.value for urgency in Urgency}
    assert {level.priority for level in GUIDELINES.urgencies} <= set(words.priority)
    assert {verdict.verdict for verdict in GUIDELINES.nice_rows} <= set(words.verdict)
    assert {row.domain for row in GUIDELINES.safety_rows if not row.ask} <= set(words.hazard) | {"mri_tolerance"}


@pytest.mark.parametrize(
    ("category", "said"),
    [
        ("usually appropriate", "is usually appropriate"),
        ("may be appropriate (panel disagreed)", "may be appropriate (panel disagreed)"),
        ("not appropriate by ACP", "is not appropriate by ACP"),
    ],
)
def test_a_category_is_said_of_a_study_in_plain_english(category, said):
    assert is_category(category) == said


def test_no_wording_puts_is_before_a_category():
    assert "is {category}" not in TEXT


def test_every_answer_that_can_be_asked_for_has_a_button():
    words = wording()
    codes = {option.code for options in clarify._OPTIONS.values() for option in options}
    assert codes | set(suggestions._ANSWERS_TO_CHANGE.values()) <= set(words.answer)
    assert {f"ask-{finding}" for finding in ("candidate", "indication")} <= set(words.summary) & set(words.lead)


def test_every_finding_level_note_and_flip_has_its_words():
    words = wording()
    safety = set(Safety.__struct_fields__)
    for name, question in QUESTIONS.items():
        assert set(question.notes) <= set(words.finding_note), name
        if name in safety or name == "episode":
            continue
        assert name in words.finding, name
    for flip in GUIDELINES.flips:
        assert flip.finding in words.finding
    for preference in GUIDELINES.preferences:
        assert not preference.contrast_note or f"contrast-{preference.contrast_note}" in words.detail


@pytest.mark.parametrize("why", sorted(wording().gap))
def test_why_a_source_was_not_read_follows_one_source_or_many(why):
    first, *_ = wording().gap[why].split()
    assert first in {"did", "could", "came"}, "a verb that fits 'the problem list' and 'allergies' alike"
