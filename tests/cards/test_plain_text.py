"""Cards in a terminal."""

import pytest

from cards import Answer
from cards.plain_text import WIDTH, markdown_as_text, plain_text
from rules.draft_order import Recognition
from tests.cards.builders import advise, an_order, cards
from tests.cards.situations import situations

CASES = situations()


@pytest.mark.parametrize("name", CASES)
def test_every_card_reads_as_text_of_eighty_columns(name):
    text = plain_text(cards(CASES[name]))
    for line in text.splitlines():
        assert len(line) <= WIDTH or line.startswith(" -> "), line
        assert "**" not in line
        assert "|--" not in line
    assert text.endswith("\n")


def test_the_table_stands_in_columns():
    text = plain_text(cards(CASES["wrong_test_fever_xray"]))
    rows = [line.split(" | ") for line in text.splitlines() if " | " in line]
    assert [row[0].strip() for row in rows if row[0].strip()] == [
        "Guideline",
        "ACR: X-ray",
        "ACR: MRI without and with contrast",
        "ACP",
        "NICE",
    ]
    assert len({len(row[0]) for row in rows}) == 1


def test_record_text_is_shown_as_it_was_written():
    order = an_order(None, recognition=Recognition.NOT_RECOGNISED, name="XR *spine* | <b> \\ [x]")
    assert "“XR *spine* | <b> \\ [x]”" in plain_text(cards(advise(order=order)))


def test_bold_words_of_the_record_stay():
    assert markdown_as_text("**Bold** \\*\\*not bold\\*\\*") == ["Bold **not bold**"]


def test_an_answer_without_cards_says_so():
    assert plain_text(Answer()) == "No card: nothing here needs saying at this point.\n"
