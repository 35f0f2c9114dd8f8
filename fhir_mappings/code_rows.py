"""Reviewed code tables, read strictly: a row that cannot be right stops the start, with its file and line."""

import csv
import io
import re
import tomllib
from collections.abc import Iterable
from importlib.resources import files

import msgspec
from msgspec import Struct

from fhir_mappings.check_digits import SHAPES
from fhir_mappings.code_systems import CodeSystem

COLUMNS = ("concept", "code", "display", "match", "polarity", "detail", "source", "note")
MAY_BE_EMPTY = ("detail", "note")
_DETAIL = re.compile(r"(side:(?P<side>left|right|bilateral))?( ?site:(?P<site>[a-z0-9-]+))?")
OPTIONS = ("cpt", "licensed_snomed")  # files that an operator without the licence leaves out
CATEGORY_SYSTEM = "http://hl7.org/fhir/sid/icd-10-cm"  # whose `descendants` rows match by prefix


class TerminologyError(ValueError):
    """A terminology file that cannot be used; the message names the file, the line and what is wrong."""


class CodeRow(Struct, frozen=True, gc=False):
    """One reviewed row: this code says that this concept is present (or, ``absent``, that it is not)."""

    concept: str
    system: str
    code: str
    display: str
    descendants: bool
    absent: bool
    side: str  # stated by the code itself: left, right, bilateral
    site: str  # stated by the code itself: a muscle group or a root
    source: str
    note: str
    file: str
    line: int
    licence: str
    show_display: bool


class CodeFile(Struct, frozen=True, forbid_unknown_fields=True):
    """One file of the manifest: its code system (none: a column says it), its licence, and the option it hangs on."""

    name: str
    licence: str
    system: str = ""
    option: str = ""
    show_displays: bool = True


class Exclusion(Struct, frozen=True, forbid_unknown_fields=True):
    """A code that means ``concept`` cannot mean one of ``others``."""

    concept: str
    others: tuple[str, ...]


class Phase(Struct, frozen=True, forbid_unknown_fields=True):
    """What a code of an injury means once its seventh character speaks of a later phase of care."""

    concepts: tuple[str, ...]
    phases: tuple[str, ...]
    becomes: str = ""
    chapters: tuple[str, ...] = ()

    def reaches(self, concept: str, phase: str, code: str) -> bool:
        """Does this code, in this phase, no longer mean this concept?"""
        in_chapter = not self.chapters or code.startswith(self.chapters)
        return concept in self.concepts and phase in self.phases and in_chapter


class Manifest(Struct, frozen=True, forbid_unknown_fields=True):
    """What is loaded: code systems, files, concept groups, and the concepts that exclude each other."""

    system: tuple[CodeSystem, ...]
    file: tuple[CodeFile, ...]
    notices: dict[str, str]
    excludes: tuple[Exclusion, ...]
    phase: tuple[Phase, ...]
    derived: dict[str, tuple[str, ...]]
    groups: dict[str, tuple[str, ...]]

    def group_of(self) -> dict[str, str]:
        """Every concept with the group it stands in."""
        found: dict[str, str] = {}
        for group, concepts in self.groups.items():
            for concept in concepts:
                if concept in found:
                    raise TerminologyError(f"manifest.toml: {concept} stands in {found[concept]} and in {group}")
                found[concept] = group
        return found

    def shapes(self) -> dict[str, str]:
        """Every code system with the shape of its codes."""
        return {system.uri: system.shape for system in self.system}


def read_packaged(name: str) -> str:
    """The text of one packaged terminology file."""
    return files("fhir_mappings").joinpath("value_sets").joinpath(name).read_text(encoding="utf-8")


def load_manifest(text: str) -> Manifest:
    """The manifest, checked: every system has a known shape, every named concept stands in a group."""
    try:
        manifest = msgspec.convert(tomllib.loads(text), Manifest, strict=True)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as problem:
        raise TerminologyError(f"manifest.toml: {problem}") from problem
    known = manifest.group_of()
    for system in manifest.system:
        if system.shape not in SHAPES:
            raise TerminologyError(f"manifest.toml: {system.uri}: unknown shape {system.shape!r}")
    for file in manifest.file:
        if file.licence not in manifest.notices:
            raise TerminologyError(f"manifest.toml: {file.name}: no notice for the licence {file.licence!r}")
        if file.option and file.option not in OPTIONS:
            raise TerminologyError(f"manifest.toml: {file.name}: unknown option {file.option!r}")
    named = [concept for exclusion in manifest.excludes for concept in (exclusion.concept, *exclusion.others)]
    named += [concept for phase in manifest.phase for concept in (*phase.concepts, phase.becomes or phase.concepts[0])]
    named += [concept for result, sources in manifest.derived.items() for concept in (result, *sources)]
    for concept in named:
        if concept not in known:
            raise TerminologyError(f"manifest.toml: {concept} stands in no group")
    return manifest


def read_rows(file: CodeFile, text: str, manifest: Manifest) -> list[CodeRow]:
    """The rows of one file; the first row that cannot be right raises ``TerminologyError``."""
    known = manifest.group_of()
    shapes = manifest.shapes()
    columns = COLUMNS if file.system else ("concept", "system", *COLUMNS[1:])
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    if tuple(next(reader, ())) != columns:
        raise TerminologyError(f"{file.name}:1: the columns must be {','.join(columns)}")
    rows: list[CodeRow] = []
    try:
        for cells in reader:
            rows.append(_row(file, reader.line_num, columns, cells))
    except csv.Error as problem:
        raise TerminologyError(f"{file.name}:{reader.line_num}: {problem}") from problem
    for row in rows:
        _check(row, known, shapes)
    return rows


def _row(file: CodeFile, line: int, columns: tuple[str, ...], cells: list[str]) -> CodeRow:
    where = f"{file.name}:{line}"
    if len(cells) != len(columns):
        raise TerminologyError(f"{where}: {len(cells)} cells, expected {len(columns)}")
    at = dict(zip(columns, cells, strict=True))
    for column in columns:
        if column not in MAY_BE_EMPTY and not at[column].strip():
            raise TerminologyError(f"{where}: {column} is empty")
        if at[column] != at[column].strip():
            raise TerminologyError(f"{where}: {column} has blanks at an end")
    if at["match"] not in ("exact", "descendants"):
        raise TerminologyError(f"{where}: match must be exact or descendants, not {at['match']!r}")
    if at["polarity"] not in ("present", "absent"):
        raise TerminologyError(f"{where}: polarity must be present or absent, not {at['polarity']!r}")
    detail = _DETAIL.fullmatch(at["detail"])
    if detail is None:
        raise TerminologyError(f"{where}: detail must be like 'side:left site:l5', not {at['detail']!r}")
    return CodeRow(
        concept=at["concept"],
        system=file.system or at["system"],
        code=at["code"],
        display=at["display"],
        descendants=at["match"] == "descendants",
        absent=at["polarity"] == "absent",
        side=detail["side"] or "",
        site=detail["site"] or "",
        source=at["source"],
        note=at["note"],
        file=file.name,
        line=line,
        licence=file.licence,
        show_display=file.show_displays,
    )


def _check(row: CodeRow, known: dict[str, str], shapes: dict[str, str]) -> None:
    where = f"{row.file}:{row.line}"
    if row.concept not in known:
        raise TerminologyError(f"{where}: unknown concept {row.concept!r} (it stands in no group of manifest.toml)")
    if row.system not in shapes:
        raise TerminologyError(f"{where}: unknown code system {row.system!r}")
    holds, complaint = SHAPES[shapes[row.system]]
    if not holds(row.code):
        raise TerminologyError(f"{where}: {row.code} {complaint}")


def check_together(rows: Iterable[CodeRow], exclusions: tuple[Exclusion, ...]) -> None:
    """No row twice, no code that is both present and absent, no code with two concepts that exclude each other."""
    apart: dict[str, set[str]] = {}
    for exclusion in exclusions:
        for other in exclusion.others:
            apart.setdefault(exclusion.concept, set()).add(other)
            apart.setdefault(other, set()).add(exclusion.concept)
    seen: dict[tuple[str, str], list[CodeRow]] = {}
    for row in rows:
        earlier = seen.setdefault((row.system, row.code), [])
        for other_row in earlier:
            where = f"{row.file}:{row.line}: {row.code}"
            if other_row.concept == row.concept:
                raise TerminologyError(f"{where}: {row.concept} again (first at {other_row.file}:{other_row.line})")
            if other_row.concept in apart.get(row.concept, ()):
                raise TerminologyError(
                    f"{where}: {row.concept} and {other_row.concept} exclude each other "
                    f"({other_row.file}:{other_row.line})"
                )
        earlier.append(row)
