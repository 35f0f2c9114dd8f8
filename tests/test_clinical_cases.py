"""Clinical cases, end to end: a hook request goes in, cards and ratings come out."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from functools import cache

import pytest

from tests.acr_grid import acr_cells
from tests.answer_reading import ratings
from tests.case_checks import problems
from tests.case_reader import Case, read_cases
from tests.clinic import HttpClinic, ask_case, http_clinic

CASES = [*read_cases(), *acr_cells()]
HTTP_SAMPLE = 12  # every how-manieth case is asked over a socket too


def _name(case: Case) -> str:
    return f"{case.file.removesuffix('.toml')}: {case.name}"


@pytest.mark.parametrize("case", CASES, ids=_name)
def test_the_service_answers_as_the_case_expects(case: Case):
    wrong = problems(ask_case(case), case.drafts, case.expect)
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("case", CASES, ids=_name)
def test_the_rating_on_the_order_is_the_rating_that_was_decided(case: Case):  # PAMA-1
    reply = ask_case(case)
    decided = {
        each.order.reference.rpartition("/")[2]: each.rating.pama.value
        for each in reply.advice or ()
        if each.rating is not None
    }
    assert {order: codes[0] for order, codes in ratings(reply.body).items()} == decided


@pytest.fixture(scope="module")
def clinic() -> Iterator[HttpClinic]:
    with http_clinic() as running:
        yield running


@cache
def _cases_on(day: date) -> dict[str, Case]:
    """The cases that mean the same on any day, moved to ``day``: a server reads its own clock."""
    return {_name(case): case for case in (*read_cases(as_of=day), *acr_cells(day)) if case.relative}


@pytest.mark.parametrize("name", [_name(case) for case in CASES if case.relative and not case.settings][::HTTP_SAMPLE])
def test_the_same_case_over_a_real_socket(name: str, clinic: HttpClinic):
    today = datetime.now(UTC).date()
    case = _cases_on(today)[name]
    wrong = problems(clinic.ask(case.request), case.drafts, case.expect)
    assert not wrong or datetime.now(UTC).date() != today, "\n".join(wrong)


def test_the_grid_has_every_cell_of_seven_variants_and_eleven_procedures():
    assert len({case.name for case in acr_cells()}) == 77
