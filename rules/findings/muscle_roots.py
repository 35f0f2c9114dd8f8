"""Can one nerve root explain every weak muscle of a leg? A published muscle-to-root table answers."""

import tomllib
from collections.abc import Iterable, Mapping
from importlib.resources import files

import msgspec
from msgspec import Struct


class MuscleRootError(ValueError):
    """A muscle-to-root table that cannot be used."""


class _File(Struct, frozen=True, forbid_unknown_fields=True):
    cites: tuple[str, ...]
    roots: dict[str, frozenset[str]]


def read_roots(text: str) -> Mapping[str, frozenset[str]]:
    """The table from TOML; an unknown key, a missing citation or a muscle without a root stops the start."""
    try:
        table = msgspec.convert(tomllib.loads(text), _File, strict=True)
    except (msgspec.ValidationError, tomllib.TOMLDecodeError) as problem:
        raise MuscleRootError(f"muscle_roots.toml: {problem}") from problem
    if not table.cites or not table.roots or not all(table.roots.values()):
        raise MuscleRootError("muscle_roots.toml: every muscle needs a root, and the table a citation")
    return table.roots


ROOTS: Mapping[str, frozenset[str]] = read_roots(
    files("rules.findings").joinpath("muscle_roots.toml").read_text(encoding="utf-8")
)


def one_root_explains(muscles: Iterable[str]) -> bool:
    """Is there a root that supplies every one of these muscle groups? Unknown muscle groups say nothing."""
    common: frozenset[str] | None = None
    for muscle in muscles:
        roots = ROOTS.get(muscle)
        if roots is not None:
            common = roots if common is None else common & roots
    return common is None or bool(common)
