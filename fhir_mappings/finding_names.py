"""Names of examination findings as text, such as "Muscle power (MRC 0-5), left ankle dorsiflexion"."""

import tomllib
from collections.abc import Iterable
from functools import lru_cache
from importlib.resources import files

import msgspec
from msgspec import Struct

from fhir_mappings.code_rows import TerminologyError
from fhir_mappings.phrases import Phrases
from fhir_mappings.plain_text import LONGEST
from fhir_mappings.text_reading import read_text
from fhir_mappings.text_vocabulary import vocabulary
from fhir_mappings.text_words import folded, words_of

_MOVEMENT = ("flexion", "extension")
_LEVELS = frozenset({"l4", "l5", "s1"})


class FindingName(Struct, frozen=True):
    """What the name of an examination finding asks for; the result says what was found.

    ``code``: one of our own codes, whose ``Observable`` reads the result. Without one: ``concept``, read as a plain
    yes-or-no finding (``measure`` False) or as a number with its unit (``measure`` True).
    ``fraction_only``: the name is of a movement and does not say that strength is graded ("Knee extension, left"): only
    a result such as "4/5" is a grade then, for a bare number may be degrees.
    """

    code: str = ""
    concept: str = ""
    side: str = ""
    site: str = ""
    measure: bool = False
    fraction_only: bool = False


class _File(Struct, frozen=True, forbid_unknown_fields=True):
    finding: dict[str, tuple[str, ...]]
    measure: dict[str, tuple[str, ...]]
    muscles: tuple[str, ...]
    sensation: tuple[str, ...]
    filler: tuple[str, ...]


class FindingNames(Struct, frozen=True):
    """The names, and for the coverage page those of each own code or measurement."""

    phrases: Phrases[tuple[str, str]]
    by_code: dict[str, tuple[str, ...]]


@lru_cache(maxsize=1)
def finding_names() -> FindingNames:
    """The packaged names."""
    text = files("fhir_mappings").joinpath("finding_names.toml").read_text(encoding="utf-8")
    try:
        file = msgspec.convert(tomllib.loads(text), _File, strict=True)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as problem:
        raise TerminologyError(f"finding_names.toml: {problem}") from problem
    phrases: dict[str, tuple[str, str]] = {}
    tables: list[tuple[str, str, Iterable[str]]] = [
        *(("finding", code, names) for code, names in file.finding.items()),
        *(("measure", concept, names) for concept, names in file.measure.items()),
        ("strength", "", file.muscles),
        ("sensation", "", file.sensation),
        ("filler", "", file.filler),
    ]
    for kind, name, names in tables:
        for phrase in names:
            if phrases.setdefault(folded(phrase), (kind, name)) != (kind, name):
                raise TerminologyError(f"finding_names.toml: {phrase!r} stands twice")
    return FindingNames(Phrases(phrases), {**file.finding, **file.measure})


def read_finding_name(text: str) -> FindingName | None:
    """What the name of a finding asks for; ``None`` where one word is not understood."""
    return None if len(text) > LONGEST else _read_name(text)


@lru_cache(maxsize=2048)
def _read_name(text: str) -> FindingName | None:
    words = words_of(text)
    if not words:
        return None
    return _examined(words) or _symptom(text)


def _examined(words: list[str]) -> FindingName | None:
    found: list[tuple[str, str]] = []
    sides: set[str] = set()
    sites: set[str] = set()
    movement = False
    place = 0
    while place < len(words):
        word = words[place]
        named = finding_names().phrases.at(words, place)
        general = vocabulary().phrases.at(words, place)
        if general is not None and general[0].kind in ("muscle", "side") and (named is None or general[1] >= named[1]):
            (sides if general[0].kind == "side" else sites).add(general[0].name)
            movement = movement or words[place + general[1] - 1].endswith(_MOVEMENT)
            place += general[1]
        elif named is not None:
            found += [named[0]] if named[0][0] != "filler" else []
            place += named[1]
        elif word in _LEVELS:
            sites.add(word)
            place += 1
        elif word in ("l", "r"):
            sides.add("left" if word == "l" else "right")
            place += 1
        elif word in (",", ":", "(", ")", "-", "/", ".", "0", "5", "10", "100"):
            place += 1
        else:
            return None
    return _asked(list(dict.fromkeys(found)), sides, sites, movement)


def _asked(found: list[tuple[str, str]], sides: set[str], sites: set[str], movement: bool) -> FindingName | None:
    side = "bilateral" if len(sides) > 1 else next(iter(sides), "")
    kinds = {kind for kind, _ in found}
    if len(sites) > 1 or len(kinds) > 1 or len(found) > 1:
        return None
    site = next(iter(sites), "")
    if kinds <= {"strength"} and site and site not in _LEVELS:
        return FindingName(f"mrc-{site}", "muscle-strength", side, site, fraction_only=movement and not kinds)
    if kinds == {"sensation"} and site in _LEVELS:
        return FindingName(f"sensation-{site}", "dermatomal-sensory-loss", side, site)
    if not found or site:
        return None
    kind, name = found[0]
    if kind == "finding":
        return FindingName(name, "", side)
    return FindingName("", name, side, measure=True) if kind == "measure" else None


def _symptom(text: str) -> FindingName | None:
    """A finding named like a problem ("Saddle numbness"): one thing, plainly named."""
    reading = read_text(text)
    if reading is None or len(reading.mentions) != 1:
        return None
    (mention,) = reading.mentions
    plain_name = mention.present and not (mention.suspected or mention.history or mention.family or mention.course)
    if not plain_name or mention.grade is not None or mention.days_ago is not None or mention.since:
        return None
    return FindingName("", mention.concept, mention.side, mention.site)
