"""A site's own codes: a map to our concepts, and a catalogue of orderables that is read in both directions.

Code map, CSV with the columns ``system,code,display,concept,polarity``: what a local code means. ``polarity`` is
``present`` or ``absent``.

Order catalogue, CSV with the columns ``system,code,display,concept,emit``: what can be ordered locally. ``concept`` is
a concept of the group ``order``; ``emit`` is ``yes`` on the one local code that a suggestion for this concept uses,
``no`` on the others.
"""

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from fhir_mappings.check_digits import SHAPES
from fhir_mappings.code_rows import CodeRow, Manifest, TerminologyError
from fhir_mappings.code_systems import SystemNames

MAP_COLUMNS = ("system", "code", "display", "concept", "polarity")
CATALOGUE_COLUMNS = ("system", "code", "display", "concept", "emit")


class CatalogueEntry(Struct, frozen=True, gc=False):
    """One local orderable, and whether a suggestion names it."""

    system: str
    code: str
    display: str
    concept: str
    emit: bool


class OrderCatalogue:
    """The orderables of a site, by what they are."""

    def __init__(self, entries: tuple[CatalogueEntry, ...]) -> None:
        self.entries = entries
        self._to_emit: dict[str, tuple[CatalogueEntry, ...]] = {}
        for entry in entries:
            if entry.emit:
                self._to_emit[entry.concept] = (*self._to_emit.get(entry.concept, ()), entry)
        self.systems = frozenset(entry.system for entry in entries)

    def orderables_for(self, concept: str) -> tuple[CatalogueEntry, ...]:
        """The local codes that a suggestion for this study carries, one for each local code system."""
        return self._to_emit.get(concept, ())

    def with_more(self, entries: tuple[CatalogueEntry, ...]) -> "OrderCatalogue":
        """This catalogue and further entries."""
        return OrderCatalogue(self.entries + entries)


def read_site_code_map(path: str, manifest: Manifest, names: SystemNames) -> tuple[tuple[CodeRow, ...], str]:
    """The rows of a site's code map, checked, and the file's text."""
    text = _text(path)
    rows = tuple(
        _code_row(path, line, at, manifest, names, absent=_choice(path, line, at, "polarity", "absent", "present"))
        for line, at in _lines(path, text, MAP_COLUMNS)
    )
    return rows, text


def read_order_catalogue(
    path: str, manifest: Manifest, names: SystemNames
) -> tuple[tuple[CatalogueEntry, ...], tuple[CodeRow, ...], str]:
    """The orderables of a catalogue, checked, the same as code rows, and the file's text."""
    text = _text(path)
    orders = frozenset(manifest.groups.get("order", ()))
    entries: list[CatalogueEntry] = []
    rows: list[CodeRow] = []
    concept_of: dict[tuple[str, str], str] = {}
    emitted: dict[tuple[str, str], str] = {}
    for line, at in _lines(path, text, CATALOGUE_COLUMNS):
        emit = _choice(path, line, at, "emit", "yes", "no")
        row = _code_row(path, line, at, manifest, names, absent=False)
        if row.concept not in orders:
            raise TerminologyError(f"{path}:{line}: {row.concept} is no study or other order")
        earlier = concept_of.setdefault((row.system, row.code), row.concept)
        if earlier != row.concept:
            raise TerminologyError(f"{path}:{line}: {row.code} is {earlier} already, it cannot be {row.concept} too")
        if emit and emitted.setdefault((row.system, row.concept), row.code) != row.code:
            first = emitted[row.system, row.concept]
            raise TerminologyError(f"{path}:{line}: {row.concept} has two codes to emit, {first} and {row.code}")
        entries.append(CatalogueEntry(row.system, row.code, row.display, row.concept, emit))
        rows.append(row)
    return tuple(entries), tuple(rows), text


def _text(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as problem:
        raise TerminologyError(f"{path}: {problem}") from problem


def _lines(path: str, text: str, columns: tuple[str, ...]) -> Iterator[tuple[int, dict[str, str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        if tuple(next(reader, ())) != columns:
            raise TerminologyError(f"{path}:1: the columns must be {','.join(columns)}")
        for cells in reader:
            if len(cells) != len(columns):
                raise TerminologyError(f"{path}:{reader.line_num}: {len(cells)} cells, expected {len(columns)}")
            yield reader.line_num, dict(zip(columns, cells, strict=True))
    except csv.Error as problem:
        raise TerminologyError(f"{path}:{reader.line_num}: {problem}") from problem


def _choice(path: str, line: int, at: dict[str, str], column: str, yes: str, no: str) -> bool:
    if at[column] not in (yes, no):
        raise TerminologyError(f"{path}:{line}: {column} must be {yes} or {no}, not {at[column]!r}")
    return at[column] == yes


def _code_row(
    path: str, line: int, at: dict[str, str], manifest: Manifest, names: SystemNames, absent: bool
) -> CodeRow:
    for column in ("system", "code", "display", "concept"):
        if not at[column].strip() or at[column] != at[column].strip():
            raise TerminologyError(f"{path}:{line}: {column} is empty or has blanks at an end")
    if at["concept"] not in manifest.group_of():
        raise TerminologyError(f"{path}:{line}: unknown concept {at['concept']!r}")
    system = names.uri_of(at["system"])
    shape = manifest.shapes().get(system)
    if shape is not None and not SHAPES[shape][0](at["code"]):
        raise TerminologyError(f"{path}:{line}: {at['code']} {SHAPES[shape][1]}")
    return CodeRow(
        concept=at["concept"],
        system=system,
        code=at["code"],
        display=at["display"],
        descendants=False,
        absent=absent,
        side="",
        site="",
        source=f"site file {Path(path).name}",
        note="",
        file=Path(path).name,
        line=line,
        licence="site",
        show_display=True,
    )
