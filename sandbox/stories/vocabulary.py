"""The words of the stories: each a CodeableConcept as EHRs send it, with its codes and the text that people read."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

from msgspec import Struct

SYSTEMS = {
    "snomed": "http://snomed.info/sct",
    "icd10": "http://hl7.org/fhir/sid/icd-10-cm",
    "loinc": "http://loinc.org",
    "rxnorm": "http://www.nlm.nih.gov/research/umls/rxnorm",
    "cpt": "http://www.ama-assn.org/go/cpt",
    "nucc": "http://nucc.org/provider-taxonomy",
    "own": "https://lumbar-imaging-cds.github.io/fhir/CodeSystem/lumbar-cds",
    "ours": "https://sandbox.example.org/orderables",  # the pretend EHR's own codes, which nobody else knows
}


class UnknownWord(LookupError):
    """A word that the vocabulary lacks."""


class Orderable(Struct, frozen=True):
    """What can be ordered in the pretend EHR: its key, the name in the menu, its group there, and its concept."""

    key: str
    label: str
    group: str
    concept: dict[str, Any]


def concept(word: str) -> dict[str, Any]:
    """The CodeableConcept of a word; ``text:...`` is text without a code."""
    if word.startswith("text:"):
        return {"text": word.removeprefix("text:").strip()}
    entry = _words().get(word)
    if entry is None:
        raise UnknownWord(f"{word!r} is not in the vocabulary; text without a code is written text:...")
    return {**({"coding": [dict(each) for each in entry["coding"]]} if entry["coding"] else {}), "text": entry["text"]}


@cache
def orderables() -> tuple[Orderable, ...]:
    """The order menu, lumbar studies first."""
    return tuple(
        Orderable(key, entry["text"], entry["menu"], concept(key)) for key, entry in _words().items() if entry["menu"]
    )


@cache
def reasons() -> tuple[tuple[str, dict[str, Any]], ...]:
    """Reasons for an order that the pretend EHR offers: key and concept."""
    return tuple((key, concept(key)) for key, entry in _words().items() if entry["reason"])


@cache
def _words() -> dict[str, dict[str, Any]]:
    table = tomllib.loads(files("sandbox.stories").joinpath("vocabulary.toml").read_text(encoding="utf-8"))
    words: dict[str, dict[str, Any]] = {}
    for section in table.values():
        for key, entry in section.items():
            if key in words:
                raise UnknownWord(f"{key!r} stands twice in the vocabulary")
            words[key] = {
                "text": entry["text"],
                "coding": [_coding(each) for each in entry.get("codes", ())],
                "menu": entry.get("menu", ""),
                "reason": entry.get("reason", False),
            }
    return words


def _coding(line: str) -> dict[str, str]:
    """``icd10 M54.32 Sciatica, left side``"""
    system, code, display = line.split(" ", 2)
    return {"system": SYSTEMS[system], "code": code, "display": display}
