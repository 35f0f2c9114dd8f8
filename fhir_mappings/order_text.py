"""Which study an order's text names, read through a closed vocabulary: modality, region and contrast words.

Every word must be understood, else the text is at best known to name lumbar imaging, never which.
"""

import re
import tomllib
from functools import lru_cache
from importlib.resources import files

from msgspec import Struct

from fhir_mappings.phrases import Phrases, gather
from fhir_mappings.plain_text import LONGEST, plain

_SHORTHAND: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), spelt_out)
    for pattern, spelt_out in (
        (r"x[- ]ray", "xray"),
        (r"\+ ?/ ?- ?|±", " plusminus "),
        (r"\bc ?\+", " with contrast "),
        (r"\bw ?/ ?o(?![a-z])\.?|\bw ?/ ?out\b|\bwo\b|\bwout\b|\bwithou\b", " without "),
        (r"\bwwo\b|\bw_wo\b|\bwow\b|\bwandwo\b", " with without "),
        (r"\bw ?/|\bw\b", " with "),
        (r"\+ ?(?=con|gad|iv\b|dye)", " with "),
        (r"\bnon?[- ]?(?:iv[- ])?con(?:trast)?\b|\bunenhanced\b|\bnon[- ]?enhanced\b", " without contrast "),
        (r"\b(?:contrast[- ])?enhanced\b", " with contrast "),
        (r"\bpre[- ]?(?:and|&|\+|/)[- ]?post\b|\bpre and post\b", " with without "),
        (r"\bpre[- ]contrast\b", " without contrast "),
        (r"\bpost[- ]contrast\b", " with contrast "),
        (r"&|\+", " and "),
    )
)
_WORD = re.compile(r"[a-z]+[0-9]*[a-z]*|[0-9]+[a-z]*")
_LEVEL = re.compile(r"([ctls])([0-9]{1,2})")
_LEVELS = {"c": ("cervical", 8), "t": ("thoracic", 12), "l": ("lumbar", 6), "s": ("sacral", 5)}
_SEARCHED = 2000  # characters of a text that is too long to be read
_NUMBER_OR_ID = re.compile(r"[0-9]{1,2}(?:st|nd|rd|th|t)?|img[0-9]*")
_JOINING = {
    "with": "with",
    "without": "without",
    "no": "without",
    "and": "and",
    "or": "or",
    "plusminus": "or",
    "plain": "plain",
}

# Enough to know that a text speaks of lumbar imaging, even where it cannot be read.
_NAMES_LUMBAR = re.compile(r"lumb|\bl[- ]?s?[- ]?spine|\bls spine|\bl[1-5]\b|low(?:er)? back")
_NAMES_IMAGING = re.compile(
    r"\bmri?\b|magnetic|\bct\b|tomogra|x[- ]?ray|\bxr\b|radiogr|myelo|dis[ck]ogra|imaging|\bscan|\bviews?\b|\bvws?\b"
)


class OrderWords(Struct, frozen=True):
    """What a text names. ``contrast``: none, without, with, both, open (contrast named, but not which), given."""

    modalities: frozenset[str] = frozenset()
    regions: frozenset[str] = frozenset()
    asides: frozenset[str] = frozenset()
    contrast: str = ""
    limited: bool = False
    understood: bool = True


def _vocabulary() -> Phrases[tuple[str, str]]:
    tables: dict[str, dict[str, list[str]]] = tomllib.loads(
        files("fhir_mappings").joinpath("order_words.toml").read_text(encoding="utf-8")
    )
    return Phrases(
        gather(
            (((kind, name), phrases) for kind, table in tables.items() for name, phrases in table.items()),
            "order_words.toml",
        )
    )


_WORDS = _vocabulary()


def read_order_words(text: str) -> OrderWords:
    """The words of an order, understood or not."""
    return _read(text) if len(text) <= LONGEST else _named_only(text[:_SEARCHED].lower())


@lru_cache(maxsize=2048)
def _read(text: str) -> OrderWords:
    simple = plain(text)
    if simple is None:
        return _named_only(text.lower())
    for pattern, spelt_out in _SHORTHAND:
        simple = pattern.sub(spelt_out, simple)
    words = _WORD.findall(simple)
    named: dict[str, set[str]] = {"modality": set(), "region": set(), "aside": set()}
    contrast: list[str] = []  # joining words and agents in order, with "" where something else stands between
    understood, limited = True, False
    place = 0
    while place < len(words):
        kind, name, count = _word_at(words, place)
        if kind in named:
            named[kind].add(name)
        if kind in ("joining", "contrast"):
            contrast.append(name)
        else:
            contrast.append("")
        understood = understood and kind != "unknown"
        limited = limited or name == "limited"
        place += count
    stated = _contrast_of(contrast)
    if "plain" in contrast and stated == "" and named["modality"] & {"mri", "ct"}:
        stated = "without"
    return OrderWords(
        frozenset(named["modality"]), frozenset(named["region"]), frozenset(named["aside"]), stated, limited, understood
    )


def _word_at(words: list[str], place: int) -> tuple[str, str, int]:
    """Kind, name and length of the longest phrase that begins here."""
    word = words[place]
    found = _WORDS.at(words, place)
    if found is not None:
        (kind, name), count = found
        return kind, name, count
    if word in _JOINING:
        return "joining", _JOINING[word], 1
    region = _region_of_level(word)
    if region:
        return "region", region, 1
    return ("number" if _NUMBER_OR_ID.fullmatch(word) else "unknown"), "", 1


def _named_only(text: str) -> OrderWords:
    return OrderWords(
        modalities=frozenset({"unstated"}) if _NAMES_IMAGING.search(text) else frozenset(),
        regions=frozenset({"lumbar"}) if _NAMES_LUMBAR.search(text) else frozenset(),
        understood=False,
    )


def _region_of_level(word: str) -> str:
    match = _LEVEL.fullmatch(word)
    if match is None:
        return ""
    region, highest = _LEVELS[match[1]]
    return region if 1 <= int(match[2]) <= highest else ""


def _contrast_of(marks: list[str]) -> str:
    """Fold runs such as ``with, and, without, agent`` into what they say of contrast."""
    said: set[str] = set()
    run: list[str] = []
    for mark in [*marks, "end"]:
        if mark in ("with", "without", "and", "or", "agent"):
            run.append(mark)
            continue
        if mark == "open":
            said.add("open")
        said.update(_run_of(run, at_end=mark == "end"))
        run = []
    if "open" in said:
        return "open"
    if "both" in said or {"with", "without"} <= said:
        return "both"
    if said == {"given"}:
        return "given"
    return next(iter(said - {"given"}), "")


def _run_of(run: list[str], at_end: bool) -> set[str]:
    named = {"with", "without"} & set(run)
    if not named:
        given = "open" if "or" in run else "given"  # "+/- contrast" leaves it open
        return {given} if "agent" in run else set()
    if "agent" not in run and not (at_end or len(named) == 2):
        return set()  # "with flexion and extension", "without sedation"
    if "or" in run:
        return {"open"}
    return {"both"} if len(named) == 2 else named
