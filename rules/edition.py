"""The ACR table of one edition: seven variants, eleven procedures, checked cell by cell at load."""

from collections.abc import Mapping
from datetime import date

from msgspec import Struct

from rules.conditions import TableError
from rules.procedures import Procedure
from rules.recommendation import Category, Study

# ACR prints the category of a 1-9 rating: 7-9 usually, 4-6 may be, 1-3 usually not (category_scale of the edition).
_SCORES = {
    Category.USUALLY: range(7, 10),
    Category.MAY_BE: range(4, 7),
    Category.MAY_BE_DISAGREEMENT: range(5, 6),
    Category.USUALLY_NOT: range(1, 4),
}
# Best first; "may be appropriate (disagreement)" ranks with "may be appropriate".
RANK = {Category.USUALLY: 3, Category.MAY_BE: 2, Category.MAY_BE_DISAGREEMENT: 2, Category.USUALLY_NOT: 1}


class EditionInfo(Struct, frozen=True):
    """Whose table, where to read it, in force from when, compared with its source on which day."""

    id: str
    title: str
    url: str
    effective_from: date
    reviewed_on: date
    caution: str = ""


class Variant(Struct, frozen=True):
    """One row of the table: a clinical scenario and its rating of every procedure."""

    number: int
    id: str
    label: str
    cites: str
    studies: Mapping[Procedure, Study]


class AcrEdition(Struct, frozen=True):
    """One edition of the ACR low back pain table."""

    info: EditionInfo
    variants: Mapping[int, Variant]


def read_edition(table: Mapping[str, object], where: str) -> AcrEdition:
    """Build and check the edition; raises :class:`TableError` naming the file and the cell."""
    info = read_info(_mapping(table, "edition", where), where)
    radiation = _radiation(_mapping(table, "radiation", where), where)
    variants = [_variant(entry, radiation, where) for entry in _entries(table, "variant", where)]
    numbers = [variant.number for variant in variants]
    if numbers != [1, 2, 3, 4, 5, 6, 7]:
        raise TableError(f"{where}: variants must be 1 to 7 in order, not {numbers}")
    return AcrEdition(info, {variant.number: variant for variant in variants})


def read_info(entry: Mapping[str, object], where: str) -> EditionInfo:
    """The head of an edition file; every field but ``caution`` is required."""
    for name in ("id", "title", "url"):
        if not isinstance(entry.get(name), str) or not entry[name]:
            raise TableError(f"{where}: edition needs {name}")
    for name in ("effective_from", "reviewed_on"):
        if not isinstance(entry.get(name), date):
            raise TableError(f"{where}: edition needs {name} as a date")
    return EditionInfo(
        id=str(entry["id"]),
        title=str(entry["title"]),
        url=str(entry["url"]),
        effective_from=entry["effective_from"],  # type: ignore[arg-type]
        reviewed_on=entry["reviewed_on"],  # type: ignore[arg-type]
        caution=str(entry.get("caution", "")),
    )


def _radiation(entry: Mapping[str, object], where: str) -> dict[Procedure, int]:
    levels: dict[Procedure, int] = {}
    for procedure in Procedure:
        cell = entry.get(procedure.value)
        level = cell.get("adult") if isinstance(cell, Mapping) else None
        if not isinstance(level, int) or not 0 <= level <= 5:
            raise TableError(f"{where}: radiation.{procedure.value} needs adult = 0 to 5")
        levels[procedure] = level
    unknown = set(entry) - {procedure.value for procedure in Procedure}
    if unknown:
        raise TableError(f"{where}: radiation names an unknown procedure {sorted(unknown)[0]!r}")
    return levels


def _variant(entry: Mapping[str, object], radiation: Mapping[Procedure, int], where: str) -> Variant:
    number = entry.get("number")
    label, cites, identifier = entry.get("label"), entry.get("cites"), entry.get("id")
    if not (
        isinstance(number, int) and isinstance(label, str) and isinstance(cites, str) and isinstance(identifier, str)
    ):
        raise TableError(f"{where}: variant {number!r} needs number, id, label and cites")
    ratings = entry.get("ratings")
    if not isinstance(ratings, Mapping) or set(ratings) != {procedure.value for procedure in Procedure}:
        raise TableError(f"{where}: variant {number} must rate each of the eleven procedures once")
    studies = {
        procedure: _study(
            procedure, ratings[procedure.value], radiation[procedure], cites, f"{where}: variant {number}"
        )
        for procedure in Procedure
    }
    return Variant(number, identifier, label, cites, studies)


def _study(procedure: Procedure, cell: object, radiation: int, cites: str, where: str) -> Study:
    if not isinstance(cell, Mapping) or set(cell) != {"category", "score", "evidence"}:
        raise TableError(f"{where}: {procedure.value} needs category, score and evidence")
    try:
        category = Category(cell["category"])
    except ValueError as problem:
        raise TableError(f"{where}: {procedure.value} has an unknown category {cell['category']!r}") from problem
    score = cell["score"]
    if not isinstance(score, int) or score not in _SCORES[category]:
        raise TableError(f"{where}: {procedure.value}: score {score!r} does not fit {category.value}")
    return Study(procedure, category, score, radiation, (cites,))


def _mapping(table: Mapping[str, object], name: str, where: str) -> Mapping[str, object]:
    value = table.get(name)
    if not isinstance(value, Mapping):
        raise TableError(f"{where}: [{name}] is missing")
    return value


def _entries(table: Mapping[str, object], name: str, where: str) -> list[Mapping[str, object]]:
    value = table.get(name)
    if not isinstance(value, list) or not all(isinstance(entry, Mapping) for entry in value):
        raise TableError(f"{where}: [[{name}]] is missing")
    return value
