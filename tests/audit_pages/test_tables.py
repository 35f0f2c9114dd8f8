"""Tables sort as asked, and their files are safe to open."""

from __future__ import annotations

import csv
import io

import pytest

from audit_pages.tables import Cell, Heading, TableView, count, csv_of, milliseconds, share

TABLE = TableView(
    "t",
    "T",
    (Heading("name", "Name"), Heading("n", "Count", True)),
    ((Cell("b"), count(10)), (Cell("a"), count(9)), (Cell("C"), Cell("–", ""))),
)


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        ("name", ["a", "b", "C"]),
        ("-name", ["C", "b", "a"]),
        ("n", ["C", "a", "b"]),
        ("-n", ["b", "a", "C"]),
        ("x", ["b", "a", "C"]),
    ],
)
def test_rows_are_sorted_by_value_and_not_by_digits(wanted: str, names: list[str]):
    assert [row[0].said for row in TABLE.by(wanted).rows] == names


def test_a_second_click_turns_the_order_round():
    name, number = TABLE.headings
    assert (TABLE.next_sort(name), TABLE.next_sort(number)) == ("name", "-n")
    assert (TABLE.by("name").next_sort(name), TABLE.by("-n").next_sort(number)) == ("-name", "n")


def test_what_is_not_shown_is_counted():
    assert (len(TABLE.first(2).rows), TABLE.first(2).more, TABLE.first(9).more) == (2, 1, 0)


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1"])
def test_no_cell_of_a_file_acts_as_a_formula(text: str):
    body = csv_of((Heading("a", "A"),), [(Cell(text),)]).decode("utf-8-sig")
    assert list(csv.reader(io.StringIO(body, newline="")))[1] == [f"'{text}"]


def test_a_file_holds_plain_numbers():
    row = (count(1234), share(50.0, 1, 2), milliseconds(12.346), share(None, 0, 0))
    body = csv_of([Heading("x", "X")] * 4, [row]).decode("utf-8-sig")
    assert list(csv.reader(io.StringIO(body, newline="")))[1] == ["1234", "50", "12.346", ""]


def test_a_page_rounds_shares_and_a_file_does_not():
    cells = (share(100 / 2449, 1, 2449), share(100 * 2448 / 2449, 2448, 2449))
    assert [(each.said, each.sub) for each in cells] == [("<1 %", "1 of 2,449"), (">99 %", "2,448 of 2,449")]
    body = csv_of([Heading("x", "X")] * 2, [cells]).decode("utf-8-sig")
    exact = list(csv.reader(io.StringIO(body, newline="")))[1]
    assert [round(float(each) * 2449 / 100, 6) for each in exact] == [1, 2448]
