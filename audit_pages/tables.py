"""Tables of the pages: sorted by a click on a heading, and the same rows as a CSV file."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Final

from msgspec import Struct, structs

from audit_trail.per_cent import per_cent

Value = str | int | float | None
_ACTS: Final = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet takes a cell that starts so for a formula


class Cell(Struct, frozen=True, gc=False):
    """One cell: what is read, what is sorted by and written to a file, where it leads."""

    said: str
    value: Value = None
    href: str = ""
    look: str = ""
    sub: str = ""

    @property
    def raw(self) -> Value:
        """What a file holds."""
        return self.said if self.value is None else self.value


class Heading(Struct, frozen=True):
    """The heading of a column."""

    key: str
    title: str
    number: bool = False
    wide: bool = False  # holds sentences


class TableView(Struct, frozen=True):
    """One table. ``sorted_by``: key of a column, with a minus in front for the largest first."""

    id: str
    caption: str
    headings: tuple[Heading, ...]
    rows: tuple[tuple[Cell, ...], ...]
    sorted_by: str = ""
    more: int = 0  # rows that are not shown here, and are in the file

    def by(self, wanted: str) -> TableView:
        """The same, sorted as asked; an unknown key changes nothing."""
        key = wanted.removeprefix("-")
        place = next((at for at, each in enumerate(self.headings) if each.key == key), None)
        if place is None:
            return self
        rows = sorted(self.rows, key=lambda row: _rank(row[place]), reverse=wanted.startswith("-"))
        return structs.replace(self, rows=tuple(rows), sorted_by=wanted)

    def first(self, most: int) -> TableView:
        """The first rows only."""
        return structs.replace(self, rows=self.rows[:most], more=max(0, len(self.rows) - most))

    def next_sort(self, heading: Heading) -> str:
        """What a click on that heading asks for: numbers begin with the largest."""
        start = f"-{heading.key}" if heading.number else heading.key
        other = heading.key if heading.number else f"-{heading.key}"
        return other if self.sorted_by == start else start

    def direction(self, heading: Heading) -> str:
        """For `aria-sort`."""
        if self.sorted_by.removeprefix("-") != heading.key:
            return ""
        return "descending" if self.sorted_by.startswith("-") else "ascending"


def _rank(cell: Cell) -> tuple[int, float, str]:
    """Nothing comes before numbers, numbers before words."""
    value = cell.raw
    if isinstance(value, int | float):
        return 1, float(value), ""
    return (0, 0.0, "") if not value or value == "–" else (2, 0.0, str(value).lower())


def csv_of(headings: Sequence[Heading], rows: Iterable[Sequence[Cell]]) -> bytes:
    """A CSV file (RFC 4180) that spreadsheets open as UTF-8; no cell of it acts as a formula."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([each.title for each in headings])
    for row in rows:
        writer.writerow([_inert(cell.raw) for cell in row])
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def _inert(value: Value) -> Value:
    if isinstance(value, str) and value.startswith(_ACTS):
        return f"'{value}"
    return f"{value:.10g}" if isinstance(value, float) else value


def count(number: int, href: str = "") -> Cell:
    """A count."""
    return Cell(f"{number:,}", number, href)


def share(percent: float | None, number: int, of: int) -> Cell:
    """A share in per cent, with what it is of."""
    if percent is None:
        return Cell(per_cent(percent), "")
    return Cell(per_cent(percent), percent, sub=f"{number:,} of {of:,}")


def milliseconds(value: float | None) -> Cell:
    """A time."""
    return Cell("–", "") if value is None else Cell(f"{value:.1f} ms" if value < 100 else f"{value:.0f} ms", value)
