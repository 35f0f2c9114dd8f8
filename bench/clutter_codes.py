"""Codes of the everyday entries that fill a chart and decide nothing, each with the public example it was seen in."""

import csv
from functools import cache
from importlib.resources import files

from msgspec import Struct


class ClutterCode(Struct, frozen=True):
    """One code of ``codes.csv``; unit and range only for results that are numbers."""

    kind: str
    system: str
    code: str
    display: str
    unit: str
    low: str
    high: str
    source: str

    @property
    def decimals(self) -> int:
        """How many decimals a result of this kind is reported with."""
        return len(self.low.partition(".")[2])


@cache
def clutter_codes(kind: str) -> tuple[ClutterCode, ...]:
    """The codes of one kind (vital, lab, condition, medication and so on), in the order of the file."""
    text = files("bench").joinpath("codes.csv").read_text(encoding="utf-8")
    found = tuple(ClutterCode(**row) for row in csv.DictReader(text.splitlines()) if row["kind"] == kind)
    if not found:
        raise KeyError(kind)
    return found
