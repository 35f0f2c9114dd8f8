"""The concepts that the rules read, by group: one list, loaded strictly, that the terminology layer has to supply."""

import tomllib
from collections.abc import Iterable, Mapping
from importlib.resources import files

import msgspec
from msgspec import Struct

from rules.facts import Fact


class ConceptGroupError(ValueError):
    """A file of concept groups that cannot be used; the message names the group and what is wrong."""


class ConceptGroup(Struct, frozen=True, forbid_unknown_fields=True):
    """Concepts that a question reads together, and what they mean in the clinic."""

    meaning: str
    concepts: tuple[str, ...]


class _File(Struct, frozen=True, forbid_unknown_fields=True):
    group: dict[str, ConceptGroup]


def read_groups(text: str) -> Mapping[str, ConceptGroup]:
    """Concept groups from TOML; anything unknown, empty or repeated is refused."""
    try:
        groups = msgspec.convert(tomllib.loads(text), _File, strict=True).group
    except (msgspec.ValidationError, tomllib.TOMLDecodeError) as problem:
        raise ConceptGroupError(f"concept_groups.toml: {problem}") from problem
    for name, group in groups.items():
        if not group.meaning.strip():
            raise ConceptGroupError(f"concept_groups.toml: group {name!r} has no meaning")
        if not group.concepts:
            raise ConceptGroupError(f"concept_groups.toml: group {name!r} is empty")
        if len(set(group.concepts)) != len(group.concepts):
            raise ConceptGroupError(f"concept_groups.toml: group {name!r} names a concept twice")
    return groups


def _groups_by_concept(groups: Mapping[str, ConceptGroup]) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for name, group in groups.items():
        for concept in group.concepts:
            found.setdefault(concept, []).append(name)
    return {concept: tuple(names) for concept, names in found.items()}


GROUPS: Mapping[str, ConceptGroup] = read_groups(
    files("rules").joinpath("concept_groups.toml").read_text(encoding="utf-8")
)
GROUPS_OF: Mapping[str, tuple[str, ...]] = _groups_by_concept(GROUPS)
CONCEPTS: frozenset[str] = frozenset(GROUPS_OF)

FactsByGroup = dict[str, list[Fact]]
_EMPTY: tuple[str, ...] = ()


def by_group(facts: Iterable[Fact]) -> FactsByGroup:
    """The facts of one patient by concept group, in one pass; facts that no rule reads fall away."""
    found: FactsByGroup = {}
    groups_of = GROUPS_OF.get
    for fact in facts:
        for group in groups_of(fact.concept, _EMPTY):
            entry = found.get(group)
            if entry is None:
                found[group] = [fact]
            else:
                entry.append(fact)
    return found
