"""For a code that no list knows: its name in the record it came with, and the known concept that is nearest to it.

A help for whoever maps a site's codes, never an input of a decision.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from math import log
from typing import Any, Final

import msgspec
from msgspec import Struct

from audit_trail.packing import NotPacked, unpacked
from audit_trail.record import DecisionRecord
from fhir_mappings.code_rows import CATEGORY_SYSTEM
from fhir_mappings.terminology import Terminology

_WORD: Final = re.compile(r"[a-z0-9]+")
_LEAST: Final = 0.5  # our choice: of what the unknown name says, the known one must say half at least
_SUBCATEGORY: Final = (
    4  # characters of an ICD-10-CM subcategory, without the point; a category alone (M54) says too little
)
# What ontologies write behind a name, and words that tell no two things apart.
_STOP: Final = frozenset(
    {
        "a", "and", "at", "by", "disorder", "due", "finding", "for", "in", "left", "nos", "observable", "of", "on",
        "or", "other", "procedure", "right", "side", "situation", "the", "to", "unspecified", "x1",
    }
)  # fmt: skip
_SAME: Final = {
    "mr": "mri",
    "xray": "xr",
    "radiograph": "xr",
    "wo": "without",
    "no": "without",
    "not": "without",
    "w": "with",
}
# One of these in one name and not in the other makes another thing of it: "family history of" is no illness.
_TURNS: Final = frozenset(
    {
        "absence", "absent", "ct", "denies", "excluded", "family", "father", "fear", "history", "maternal", "mother",
        "mri", "neonatal", "prevention", "prophylaxis", "ray", "risk", "screening", "suspected", "ultrasound",
        "vaccination", "with", "without", "xr",
    }
)  # fmt: skip


class Nearest(Struct, frozen=True, gc=False):
    """The nearest known concept, and by what it is near."""

    concept: str
    because: str


class Neighbours:
    """Known codes by their names; built when it is first asked. It would rather say nothing than something odd."""

    def __init__(self, terminology: Terminology) -> None:
        self._rows = terminology.rows
        self._names = [
            (row, name)
            for row in self._rows
            for name in {_words(row.display), _words(row.concept)}
            if name and not row.absent  # a code that says "none" is not near to what it denies
        ]
        used = Counter(word for _, words in self._names for word in words)
        self._weight = {word: log(1 + len(self._names) / count) for word, count in used.items()}
        self._of_unknown = log(1 + len(self._names))  # a word that no list has says the most

    def of(self, system: str, code: str, display: str) -> Nearest | None:
        """The nearest concept by the code's subcategory, else by its name; ``None`` where nothing is near."""
        return self._by_category(system, code) or self._by_name(display)

    def _by_category(self, system: str, code: str) -> Nearest | None:
        if system != CATEGORY_SYSTEM:
            return None
        plain = code.upper().replace(".", "")
        shared = [(_shared(plain, row.code.replace(".", "")), row) for row in self._rows if row.system == system]
        most = max((length for length, _ in shared), default=0)
        nearest = [row for length, row in shared if length == most]
        if most < _SUBCATEGORY or len({row.concept for row in nearest}) != 1:
            return None
        return Nearest(nearest[0].concept, f"{nearest[0].code} is in the same subcategory")

    def _by_name(self, display: str) -> Nearest | None:
        words = _words(display)
        turns = words & _TURNS
        # A known name that says more than this one is another thing: hypertension is no "maternal hypertension".
        fitting = [(self._weigh(name), row) for row, name in self._names if name <= words and name & _TURNS == turns]
        most = max((weight for weight, _ in fitting), default=0.0)
        if not most or most < _LEAST * self._weigh(words):
            return None
        # Where lists give one name to two concepts, neither is nearer.
        concepts = {row.concept for weight, row in fitting if weight == most}
        return Nearest(concepts.pop(), "the names are alike") if len(concepts) == 1 else None

    def _weigh(self, words: frozenset[str]) -> float:
        return sum(self._weight.get(each, self._of_unknown) for each in sorted(words))


def name_in_record(record: DecisionRecord, system: str, code: str) -> str:
    """How the record itself calls that code."""
    for document in _documents(record):
        for coding in _codings(document):
            if coding.get("code") == code and (coding.get("system") or "") == system:
                display = coding.get("display")
                if isinstance(display, str) and display.strip():
                    return display.strip()[:120]
    return ""


def _documents(record: DecisionRecord) -> Iterator[Any]:
    packed = [record.request]
    packed += [page for wave in record.fetched for answer in wave.answers for page in answer.pages]
    for each in packed:
        try:
            yield msgspec.json.decode(unpacked(each)) if each else None
        except (NotPacked, msgspec.DecodeError):
            continue


def _codings(document: Any) -> Iterator[dict[str, Any]]:
    waiting: list[Any] = [document]
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            if isinstance(each.get("code"), str):
                yield each
            waiting += each.values()
        elif isinstance(each, list):
            waiting += each


def _words(text: str) -> frozenset[str]:
    plain = text.lower().replace("-ray", "ray").replace("w/o", "without")
    words = (_SAME.get(word, word) for word in _WORD.findall(plain))
    return frozenset(_stem(word) for word in words if word not in _STOP)


def _stem(word: str) -> str:
    return word[:-1] if len(word) > 4 and word.endswith("s") and not word.endswith(("ss", "us", "is")) else word


def _shared(one: str, other: str) -> int:
    count = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        count += 1
    return count
