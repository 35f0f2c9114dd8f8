"""The page that shows what can answer each question: up to date, and without an empty cell."""

import pytest

from fhir_mappings.terminology import load_terminology
from rules.findings.questions import QUESTIONS
from tools.finding_coverage import PAGE, EmptyCellError, Supply, page


@pytest.fixture(scope="module")
def supply():
    return Supply(load_terminology())


def test_the_page_is_up_to_date(supply):
    assert PAGE.read_text(encoding="utf-8") == page(supply)


def test_every_question_stands_on_the_page(supply):
    text = page(supply)
    for question in QUESTIONS.values():
        assert question.asks in text


def test_a_concept_that_nothing_can_supply_fails(supply):
    with pytest.raises(EmptyCellError, match="no-such-concept: no code, own code or word can supply it"):
        supply.row("no-such-concept", absent=False)


def test_a_concept_that_loses_its_only_code_fails(supply):
    only = supply.codes.pop("lumbar-annular-defect")
    try:
        with pytest.raises(EmptyCellError, match="lumbar-annular-defect"):
            page(supply)
    finally:
        supply.codes["lumbar-annular-defect"] = only
