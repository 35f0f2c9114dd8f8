"""The closed vocabulary of record text, loaded once from ``vocabulary.toml``."""

import tomllib
from functools import lru_cache
from importlib.resources import files

import msgspec
from msgspec import Struct

from fhir_mappings.code_rows import TerminologyError
from fhir_mappings.medicines import medicines
from fhir_mappings.phrases import Phrases
from fhir_mappings.text_words import folded

_KINDS = (
    "side", "acuity", "course", "severity", "suspicion", "negation", "affirmation", "history", "family", "filler",
    "cause", "limb", "no_flags",
)  # fmt: skip
_SUBSTANCES = ("-substance", "-substance-unspecified")  # a reaction to them is a finding, naming them is none


class Term(Struct, frozen=True):
    """What a phrase names. ``denies``: the concepts that a denial of it denies. See ``vocabulary.toml``."""

    concepts: tuple[str, ...]
    denies: tuple[str, ...]
    site: str = ""
    says_absent: bool = False
    vague: bool = False


class Word(Struct, frozen=True):
    """What a phrase does in a text: ``kind`` is term, muscle, side, acuity, course, ... and ``name`` which one."""

    kind: str
    name: str = ""
    term: Term | None = None


class _Entry(Struct, frozen=True, forbid_unknown_fields=True):
    phrases: tuple[str, ...] = ()
    heads: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    concept: str = ""
    also: tuple[str, ...] = ()
    denies: tuple[str, ...] = ()
    site: str = ""
    says_absent: bool = False
    vague: bool = False


class _File(Struct, frozen=True, forbid_unknown_fields=True):
    term: tuple[_Entry, ...]
    compound: tuple[_Entry, ...]
    muscles: dict[str, tuple[str, ...]]
    side: dict[str, tuple[str, ...]]
    acuity: dict[str, tuple[str, ...]]
    course: dict[str, tuple[str, ...]]
    severity: dict[str, tuple[str, ...]]
    suspicion: dict[str, tuple[str, ...]]
    negation: dict[str, tuple[str, ...]]
    affirmation: dict[str, tuple[str, ...]]
    history: dict[str, tuple[str, ...]]
    family: dict[str, tuple[str, ...]]
    filler: dict[str, tuple[str, ...]]
    cause: dict[str, tuple[str, ...]]
    limb: dict[str, tuple[str, ...]]
    no_flags: dict[str, tuple[str, ...]] = msgspec.field(name="no-flags")


class Vocabulary(Struct, frozen=True):
    """The vocabulary, and every phrase by the concept it names (for the coverage page)."""

    phrases: Phrases[Word]
    sides: Phrases[Word]
    named: tuple[tuple[str, Term], ...]


@lru_cache(maxsize=1)
def vocabulary() -> Vocabulary:
    """The packaged vocabulary."""
    return read_vocabulary(files("fhir_mappings").joinpath("vocabulary.toml").read_text(encoding="utf-8"))


def read_vocabulary(text: str) -> Vocabulary:
    """A vocabulary from TOML text; a phrase under two entries is refused."""
    try:
        file = msgspec.convert(tomllib.loads(text), _File, strict=True)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as problem:
        raise TerminologyError(f"vocabulary.toml: {problem}") from problem
    words: dict[str, Word] = {}
    named: list[tuple[str, Term]] = []
    for entry in file.term:
        _add_term(words, named, entry)
    for entry in file.compound:
        _add_compound(words, named, entry)
    for muscle, phrases in file.muscles.items():
        for phrase in phrases:
            _add(words, phrase, Word("muscle", muscle))
    for kind in _KINDS:
        for name, phrases in getattr(file, kind).items():
            for phrase in phrases:
                _add(words, phrase, Word(kind, name))
    _add_medicines(words, named)
    sides = {phrase: word for phrase, word in words.items() if word.kind == "side"}
    return Vocabulary(Phrases(words), Phrases(sides), tuple(named))


def _add_term(words: dict[str, Word], named: list[tuple[str, Term]], entry: _Entry) -> None:
    term = _term(entry)
    for phrase in entry.phrases:
        named.append((phrase, term))
        _add(words, phrase, Word("term", entry.concept, term))


def _add_compound(words: dict[str, Word], named: list[tuple[str, Term]], entry: _Entry) -> None:
    term = _term(entry)
    word = Word("term", entry.concept, term)
    heads, parts = [folded(head) for head in entry.heads], [folded(part) for part in entry.parts]
    named += [(f"{head} {entry.parts[0]}", term) for head in entry.heads]
    for head in heads:  # a phrase that stands as a term of its own keeps its meaning
        for part in parts:
            words.setdefault(f"{head} {part}", word)
            words.setdefault(f"{part} {head}", word)


def _add_medicines(words: dict[str, Word], named: list[tuple[str, Term]]) -> None:
    """Ingredients are words of a reason too ("osteoporosis, on alendronate")."""
    for concept, group in medicines().groups.items():
        term = Term((concept,), (concept,))
        for ingredient in group.ingredients if not concept.endswith(_SUBSTANCES) else ():
            named.append((ingredient, term))
            words.setdefault(folded(ingredient), Word("term", concept, term))


def _term(entry: _Entry) -> Term:
    concepts = (entry.concept, *entry.also) if entry.concept else ()
    return Term(concepts, entry.denies or concepts, entry.site, entry.says_absent, entry.vague)


def _add(words: dict[str, Word], phrase: str, word: Word) -> None:
    key = folded(phrase)
    if not key:
        raise TerminologyError(f"vocabulary.toml: {phrase!r} is nothing but little words")
    earlier = words.setdefault(key, word)
    if earlier != word:
        raise TerminologyError(f"vocabulary.toml: {phrase!r} stands under {earlier.name or earlier.kind} already")
