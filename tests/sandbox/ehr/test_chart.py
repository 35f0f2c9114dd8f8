"""The chart as it is shown: dates, values, trends, and what is left out."""

from __future__ import annotations

from datetime import date

import pytest

from sandbox.ehr.chart import chart_of, person_of
from sandbox.ehr.days import dated
from sandbox.ehr.trends import HEIGHT, WIDTH, trends_of
from sandbox.ehr.values import number_of, value_text

TODAY = date(2026, 11, 25)
ACTIVE = {"coding": [{"code": "active"}]}


@pytest.mark.parametrize(
    ("text", "words", "ago"),
    [
        ("2026-11-25", "25 Nov 2026", "today"),
        ("2026-11-24T23:10:00Z", "24 Nov 2026", "yesterday"),
        ("2026-11-05", "5 Nov 2026", "20 days ago"),
        ("2026-11-04", "4 Nov 2026", "3 weeks ago"),
        ("2026-06-25", "25 Jun 2026", "5 months ago"),
        ("2026-09", "Sep 2026", "2 months ago"),
        ("2019", "2019", "7 years ago"),
        ("2026", "2026", "this year"),
        ("2026-12-09", "9 Dec 2026", "in 14 days"),
        ("last spring", "last spring", ""),
        ("2026-02-30", "2026-02-30", ""),
        ("2026-13", "2026-13", ""),
    ],
)
def test_a_date_is_shown_as_a_day_and_how_long_ago(text: str, words: str, ago: str) -> None:
    shown = dated(text, TODAY)
    assert (shown.words, shown.ago) == (words, ago)


@pytest.mark.parametrize(
    ("observation", "words"),
    [
        ({"valueQuantity": {"value": 38.6, "code": "Cel"}}, "38.6 °C"),
        ({"valueQuantity": {"value": 7, "unit": "{score}"}}, "7"),
        ({"valueQuantity": {"value": 30, "comparator": "<", "unit": "mL/min"}}, "<30 mL/min"),
        ({"valueBoolean": False}, "no"),
        ({"valueInteger": 4}, "4"),
        ({"valueString": "4/5"}, "4/5"),
        ({"valueCodeableConcept": {"coding": [{"code": "positive", "display": "Positive"}]}}, "Positive"),
        ({"dataAbsentReason": {"text": "not performed"}}, "not performed"),
        (
            {
                "component": [
                    {"code": {"text": "Systolic blood pressure"}, "valueQuantity": {"value": 128, "unit": "mmHg"}},
                    {"code": {"text": "Diastolic blood pressure"}, "valueQuantity": {"value": 80, "unit": "mmHg"}},
                ]
            },
            "128/80 mmHg",
        ),
        ({"component": [{"code": {"text": "Left"}, "valueInteger": 4}]}, "Left 4"),
        ({}, ""),
    ],
)
def test_a_value_is_shown_as_people_write_it(observation: dict, words: str) -> None:
    assert value_text(observation) == words


@pytest.mark.parametrize(
    ("text", "number"), [("4", 4.0), ("4/5", 4.0), ("4-", 4.0), ("4+ / 5", 4.0), ("weak", None), ("45", None)]
)
def test_a_strength_written_as_text_can_be_drawn(text: str, number: float | None) -> None:
    assert number_of({"valueString": text}) == number


def _score(value: float, day: str, **more: object) -> dict:
    return {
        "resourceType": "Observation",
        "id": f"o{day}",
        "status": "final",
        "code": {"text": "Pain score (0-10)"},
        "effectiveDateTime": day,
        "valueQuantity": {"value": value},
        **more,
    }


def test_what_was_measured_twice_is_a_line_from_old_to_new() -> None:
    (trend,) = trends_of([_score(4, "2026-11-25"), _score(7, "2026-11-05"), _score(5, "2026-11-15")], TODAY)
    assert [point.value for point in trend.points] == ["7", "5", "4"]
    assert [point.x for point in trend.points] == sorted(point.x for point in trend.points)
    assert [point.y for point in trend.points] == sorted(point.y for point in trend.points), "less pain is drawn lower"
    assert all(0 <= point.x <= WIDTH and 0 <= point.y <= HEIGHT for point in trend.points)
    assert trend.described == "Pain score (0-10): 7 on 5 Nov 2026, 5 on 15 Nov 2026, 4 on 25 Nov 2026"


def test_a_scale_that_the_name_states_is_the_scale_of_the_drawing() -> None:
    """A fall of strength from 5 to 4 must not look like one from 5 to 0."""
    grades = [_score(5, "2026-11-05", code={"text": "Muscle power (MRC 0-5), left ankle"})]
    grades.append(_score(4, "2026-11-25", code={"text": "Muscle power (MRC 0-5), left ankle"}))
    (trend,) = trends_of(grades, TODAY)
    assert trend.points[1].y - trend.points[0].y < HEIGHT / 4


@pytest.mark.parametrize(("unit", "before", "now"), [("/min", 72, 74), ("kg", 80, 79), ("Cel", 36.6, 36.9)])
def test_a_small_change_is_drawn_as_a_small_one(unit: str, before: float, now: float) -> None:
    def measured(value: float, day: str) -> dict:
        return _score(value, day, code={"text": "Measured"}, valueQuantity={"value": value, "unit": unit})

    (trend,) = trends_of([measured(before, "2026-11-05"), measured(now, "2026-11-25")], TODAY)
    assert 0 < abs(trend.points[0].y - trend.points[1].y) < HEIGHT / 5


@pytest.mark.parametrize(
    "observations",
    [
        [_score(4, "2026-11-25")],
        [_score(4, "2026-11-25"), _score(7, "2026-11")],
        [_score(4, "2026-11-25"), _score(7, "2026-11-05", bodySite={"text": "Left leg"})],
        [_score(4, "2026-11-25"), _score(7, "2026-11-05", valueQuantity={"value": 7, "unit": "mm"})],
        [_score(4, "2026-11-25"), _score(7, "2026-11-05", dataAbsentReason={"text": "unknown"})],
    ],
    ids=["one", "without a day", "another side", "another unit", "absent"],
)
def test_what_cannot_be_compared_makes_no_line(observations: list[dict]) -> None:
    assert trends_of(observations, TODAY) == ()


def test_equal_values_make_a_level_line() -> None:
    (trend,) = trends_of([_score(6, "2026-11-05"), _score(6, "2026-11-25")], TODAY)
    assert trend.points[0].y == trend.points[1].y


def _problem(what: str, **more: object) -> dict:
    return {"resourceType": "Condition", "id": what, "code": {"text": what}, "clinicalStatus": ACTIVE, **more}


def test_problems_are_listed_newest_first_and_those_that_are_over_last() -> None:
    chart = chart_of(
        [
            _problem("old", onsetDateTime="2020"),
            _problem("over", onsetDateTime="2026-11-20", clinicalStatus={"coding": [{"code": "resolved"}]}),
            _problem("new", onsetDateTime="2026-11-01"),
        ],
        TODAY,
    )
    assert [entry.what for entry in chart.problems] == ["new", "old", "over"]
    assert [entry.past for entry in chart.problems] == [False, False, True]


def test_doubt_is_shown_beside_a_problem() -> None:
    chart = chart_of([_problem("discitis", verificationStatus={"coding": [{"code": "provisional"}]})], TODAY)
    assert chart.problems[0].remark == "provisional"


def test_what_was_entered_in_error_is_on_no_chart() -> None:
    error = {"coding": [{"code": "entered-in-error"}]}
    chart = chart_of(
        [_problem("wrong", verificationStatus=error), _score(9, "2026-11-25", status="entered-in-error")], TODAY
    )
    assert chart.problems == ()
    assert chart.examination == chart.results == ()


def test_the_newest_result_stands_for_the_older_ones_and_says_how_many_there_are() -> None:
    chart = chart_of([_score(7, "2026-11-05"), _score(4, "2026-11-25")], TODAY)
    (entry,) = chart.examination
    assert (entry.value, entry.earlier) == ("4", 1)


@pytest.mark.parametrize(("birth", "age"), [("1988-11-25", "38"), ("1988-11-26", "37"), ("1988", "38"), ("", "")])
def test_age_counts_completed_years(birth: str, age: str) -> None:
    assert person_of({"birthDate": birth}, TODAY).age == age
