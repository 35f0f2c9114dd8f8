"""Medicines by ingredient: by the ingredient's code, or by its name as a whole word of a display or text."""

import re
import tomllib
from collections.abc import Iterable, Sequence
from functools import lru_cache
from importlib.resources import files

import msgspec
from msgspec import Struct

from fhir_mappings.code_rows import TerminologyError
from fhir_mappings.phrases import Phrases
from fhir_mappings.plain_text import simplified
from fhir_mappings.terminology import Terminology

LONGEST = 2000  # characters of all displays and the text together; the rest is not read
_WORD = re.compile(r"[a-z][a-z0-9]*|[0-9]+")


class _Group(Struct, frozen=True, forbid_unknown_fields=True):
    ingredients: tuple[str, ...]
    systemic_only: bool = False  # a form that acts where it is put does not count


class _File(Struct, frozen=True, forbid_unknown_fields=True):
    medicine: dict[str, _Group]
    local_forms: tuple[str, ...]
    eye_ear_nose: tuple[str, ...]
    of_local_products: tuple[str, ...]


class Medicines(Struct, frozen=True):
    """Ingredient names, and the words of forms that act only where they are put."""

    names: Phrases[tuple[str, ...]]
    groups: dict[str, _Group]
    local_forms: frozenset[str]
    eye_ear_nose: frozenset[str]
    of_local_products: frozenset[str]


@lru_cache(maxsize=1)
def medicines() -> Medicines:
    """The packaged ingredient names."""
    text = files("fhir_mappings").joinpath("medicines.toml").read_text(encoding="utf-8")
    try:
        file = msgspec.convert(tomllib.loads(text), _File, strict=True)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as problem:
        raise TerminologyError(f"medicines.toml: {problem}") from problem
    names: dict[str, tuple[str, ...]] = {}
    for concept, group in file.medicine.items():
        for ingredient in group.ingredients:
            names[ingredient] = (*names.get(ingredient, ()), concept)
    return Medicines(
        names=Phrases(names),
        groups=file.medicine,
        local_forms=frozenset(file.local_forms),
        eye_ear_nose=frozenset(file.eye_ear_nose),
        of_local_products=frozenset(file.of_local_products),
    )


def concepts_of_medicine(
    codings: Sequence[tuple[str, str, str]], text: str, terminology: Terminology
) -> tuple[str, ...]:
    """The groups that a medicine's ingredients belong to; empty: none that a rule reads.

    ``codings`` are (system, code, display); ``text`` holds the medicine's text and the words of form and route, for a
    steroid that is inhaled, or put into nose, eye or onto the skin, is not a systemic one.
    """
    known = medicines()
    words = _words([*(display for _, _, display in codings), text])
    coded = [
        meaning.concept
        for system, code, _ in codings
        for meaning in terminology.meanings(system, code)
        if meaning.concept in known.groups
    ]
    named = _named(words, known)
    found = dict.fromkeys([*coded, *named])
    if not found:
        return ()
    form = set(words)
    local = not form.isdisjoint(known.local_forms) or not form.isdisjoint(known.of_local_products)
    outside = not form.isdisjoint(known.eye_ear_nose)
    return tuple(concept for concept in found if _counts(known.groups[concept], local, outside))


def _counts(group: _Group, local: bool, outside: bool) -> bool:
    return not (local if group.systemic_only else outside)


def _words(texts: Iterable[str]) -> list[str]:
    joined = " ; ".join(text for text in texts if text)[:LONGEST]
    return _WORD.findall(simplified(joined))


def _named(words: list[str], known: Medicines) -> list[str]:
    found: list[str] = []
    place = 0
    while place < len(words):
        name = known.names.at(words, place)
        if name is not None:
            found += name[0]
        place += 1 if name is None else name[1]
    return found
