"""An address makes a choice, and the choice makes the same address."""

from __future__ import annotations

from datetime import date
from urllib.parse import parse_qsl

import pytest

from audit_pages.filters import read_filters
from audit_trail.selection import InCommon

TODAY = date(2026, 11, 25)


def test_without_a_choice_it_is_the_last_thirty_days():
    found = read_filters({}, TODAY)
    assert (found.first, found.last) == (date(2026, 10, 27), TODAY)


def test_a_choice_makes_the_address_that_makes_it():
    asked = {
        "from": "2026-11-01",
        "to": "2026-11-20",
        "study": "ct",
        "rule": "acute",
        "clinician": "clinician-1",
        "gap": "Condition: failed",
    }
    found = read_filters(asked, TODAY)
    assert dict(parse_qsl(found.query())) == asked
    assert dict(parse_qsl(found.query(rule=""))) == {name: value for name, value in asked.items() if name != "rule"}


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ({"from": "yesterday", "to": "x"}, date(2026, 10, 27), TODAY),
        ({"from": "2026-11-20", "to": "2026-11-01"}, date(2026, 11, 1), date(2026, 11, 20)),
        ({"to": "2099-01-01"}, date(2026, 10, 27), TODAY),
        ({"to": "0001-01-01"}, date(1999, 12, 3), date(2000, 1, 1)),
        ({"from": "0001-01-01", "to": "9999-12-31"}, date(2016, 11, 17), TODAY),
    ],
)
def test_days_that_cannot_be_are_put_right(asked: dict[str, str], first: date, last: date):
    found = read_filters(asked, TODAY)
    assert (found.first, found.last) == (first, last)


def test_all_that_calls_have_in_common_can_be_asked_for_by_address():
    names = {"procedure": "study", "rule_row": "rule", "indicator": "card"}
    asked = {names.get(member, member): f"a {member}" for member in InCommon.__struct_fields__}
    found = read_filters(asked, TODAY)
    assert found.narrowed == asked
    selection = found.selection(lambda _: ())
    assert {member: getattr(selection, member) for member in InCommon.__struct_fields__} == {
        member: f"a {member}" for member in InCommon.__struct_fields__
    }


def test_nobody_answers_to_a_pseudonym_that_is_not_known():
    found = read_filters({"clinician": "clinician-0"}, TODAY).selection(lambda _: ())
    assert found.people == ()


def test_the_last_day_is_whole():
    found = read_filters({"from": "2026-11-20", "to": "2026-11-20"}, TODAY).selection(lambda _: ())
    assert (found.until - found.since).total_seconds() == 86_400


def test_what_no_database_can_be_asked_for_is_not_asked():
    assert read_filters({"client": "a\0b", "clinician": "\0"}, TODAY).narrowed == {"client": "ab"}
