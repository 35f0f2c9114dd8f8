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
from fhir_mappings.code_rows import CATEGORY_SYSTEM, CodeRow
from fhir_mappings.terminology import Terminology

_WORD: Final = re.compile(r"[a-z]{3,}")
_LEAST: Final = 0.34  # our choice: below it, two names have next to nothing in common
_PREFIX: Final = 3  # characters of an ICD-10-CM category
_STOP: Final = frozenset(
    {"and", "the", "with", "without", "for", "unspecified", "other", "not", "due", "disorder", "left", "right"}
)


class Nearest(Struct, frozen=True, gc=False):
    """The nearest known concept, and by what it is near."""

    concept: str
    because: str


class Neighbours:
    """Known codes by their names; built when it is first asked."""

    def __init__(self, terminology: Terminology) -> None:
        self._rows = terminology.rows
        self._words = [(row, _words(f"{row.display} {row.concept}")) for row in self._rows]
        used = Counter(word for _, words in self._words for word in words)
        self._weight = {word: log(1 + len(self._words) / count) for word, count in used.items()}

    def of(self, system: str, code: str, display: str) -> Nearest | None:
        """The nearest concept by the code's category, else by its name; ``None`` where nothing is near."""
        return self._by_category(system, code) or self._by_name(display)

    def _by_category(self, system: str, code: str) -> Nearest | None:
        if system != CATEGORY_SYSTEM:
            return None
        plain = code.upper().replace(".", "")
        shared, row = max(
            ((_shared(plain, row.code.replace(".", "")), row) for row in self._rows if row.system == system),
            key=lambda item: item[0],
            default=(0, None),
        )
        if row is None or shared < _PREFIX:
            return None
        return Nearest(row.concept, f"{row.code} is in the same category")

    def _by_name(self, display: str) -> Nearest | None:
        words = _words(display)
        best: tuple[float, CodeRow] | None = None
        for row, others in self._words:
            score = self._likeness(words, others)
            if score > (best[0] if best else _LEAST):
                best = score, row
        return None if best is None else Nearest(best[1].concept, "the names are alike")

    def _likeness(self, one: frozenset[str], other: frozenset[str]) -> float:
        common = one & other
        if not common:
            return 0.0
        unknown = self._weight.get
        return sum(unknown(each, 3.0) for each in common) / sum(unknown(each, 3.0) for each in one | other)


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
    return frozenset(_stem(word) for word in _WORD.findall(text.lower().replace("-", " ")) if word not in _STOP)


def _stem(word: str) -> str:
    return word.rstrip("s") if len(word) > 4 else word


def _shared(one: str, other: str) -> int:
    count = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        count += 1
    return count
