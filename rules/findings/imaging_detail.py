"""Which earlier study is the same as, or more detailed than, an ordered one: a table with a reason for each row."""

import tomllib
from collections.abc import Mapping
from importlib.resources import files

import msgspec
from msgspec import Struct

from rules.concepts import GROUPS
from rules.procedures import Procedure


class ImagingDetailError(ValueError):
    """A table of studies that cannot be used."""


class StudyRow(Struct, frozen=True, forbid_unknown_fields=True):
    """The earlier studies (concepts) that answer for one ordered procedure, and why."""

    ordered: Procedure
    answered_by: tuple[str, ...]
    reason: str


class _File(Struct, frozen=True, forbid_unknown_fields=True):
    study: tuple[StudyRow, ...]


def read_studies(text: str) -> Mapping[Procedure, frozenset[str]]:
    """The table from TOML; every procedure once, with known studies and a reason."""
    try:
        rows = msgspec.convert(tomllib.loads(text), _File, strict=True).study
    except (msgspec.ValidationError, tomllib.TOMLDecodeError) as problem:
        raise ImagingDetailError(f"imaging_detail.toml: {problem}") from problem
    known = set(GROUPS["lumbar-study"].concepts)
    table: dict[Procedure, frozenset[str]] = {}
    for row in rows:
        unknown = set(row.answered_by) - known
        if unknown or row.ordered in table or not row.answered_by or not row.reason.strip():
            wrong = f"unknown study {sorted(unknown)[0]!r}" if unknown else "repeated, empty, or without a reason"
            raise ImagingDetailError(f"imaging_detail.toml: {row.ordered.value}: {wrong}")
        table[row.ordered] = frozenset(row.answered_by)
    missing = set(Procedure) - table.keys()
    if missing:
        raise ImagingDetailError(f"imaging_detail.toml: no row for {min(each.value for each in missing)}")
    return table


ANSWERED_BY: Mapping[Procedure, frozenset[str]] = read_studies(
    files("rules.findings").joinpath("imaging_detail.toml").read_text(encoding="utf-8")
)
