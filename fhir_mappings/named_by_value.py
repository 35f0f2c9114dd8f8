"""Results whose name says nothing and whose value says it all: "Presenting symptom: urinary incontinence".

The pattern is common ("ASSERTION" and "Symptom" as the code, the finding as the value). A name of this kind leaves the
value to speak. Under any other name that no table knows, the value of a red flag is shown as not read: what the name
makes of it is not known, and passed over it would look like an absence.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, Protocol

from msgspec import Raw

from fhir_mappings.codes import CodeReader, CodeReading
from fhir_mappings.elements import CodeableConcept
from fhir_mappings.fhir_records import NOTHING
from fhir_mappings.observation_values import Result
from fhir_mappings.plain_text import LONGEST
from rules.concepts import GROUPS

_RED_FLAGS: Final = frozenset(
    concept
    for group in (
        "cauda-equina-syndrome", "urinary-feature", "bowel-feature", "saddle-feature", "anal-tone",
        "bilateral-sciatica", "sexual-dysfunction", "cord-compression", "weakness-coded", "weakness-progression",
        "spinal-infection", "fever", "bloodstream-infection", "injecting-drug-use", "malignancy", "metastasis",
        "weight-loss", "vertebral-fracture", "fragility-fracture", "low-velocity-trauma", "major-trauma",
        "traumatic-spinal-fracture", "cord-injury", "aortic-aneurysm", "aortic-dissection",
    )
    for concept in GROUPS[group].concepts
)  # fmt: skip
_SAYS_NOTHING: Final = frozenset(
    {
        "assertion", "symptom", "symptoms", "sign", "signs", "complaint", "complaints", "finding", "findings",
        "feature", "features", "problem", "problems", "concern", "concerns", "diagnosis", "impression", "reason",
        "visit", "encounter", "consultation", "attendance", "admission", "presentation", "presenting", "presented",
        "chief", "main", "primary", "principal", "clinical", "physical", "exam", "examination", "neurological",
        "patient", "reported", "self", "noted", "observed", "current", "new", "associated", "other", "red", "flag",
        "flags", "narrative", "nominal", "list", "for", "of", "the", "by", "on", "and", "or", "with", "s",
    }
)  # fmt: skip
_CARRIES: Final = frozenset(
    {
        "assertion", "symptom", "symptoms", "sign", "signs", "complaint", "complaints", "finding", "findings",
        "feature", "features", "problem", "problems", "concern", "concerns", "diagnosis", "impression", "reason",
        "presentation", "flag", "flags",
    }
)  # fmt: skip
# Whose it is, or that it is denied: such a name turns the value round.
_TURNS: Final = re.compile(
    r"family|famil|relative|mother|father|parent|sibling|brother|sister|son\b|daughter|den(?:y|ies|ied)|absen|negative|"
    r"\bno\b|\bnot\b|without|ruled out|exclu",
    re.IGNORECASE,
)
_WORD: Final = re.compile(r"[a-z]+")


@lru_cache(maxsize=1024)
def is_neutral(name: str) -> bool:
    """Does the name only announce that a finding follows?"""
    words = _WORD.findall(name.casefold()) if len(name) <= LONGEST else []
    return bool(words) and _SAYS_NOTHING.issuperset(words) and not _CARRIES.isdisjoint(words)


def value_reading(name: str, result: Result, codes: CodeReader) -> CodeReading | None:
    """What the value says by itself, where the name leaves it to speak; None where it does not."""
    if not is_neutral(name):
        return None
    if result.concept is not None:
        return codes.of(result.concept)
    if result.text and len(result.text) <= LONGEST:
        return codes.of(CodeableConcept(text=result.text))
    return None


class _HasWords(Protocol):
    @property
    def value_codeable_concept(self) -> Raw: ...
    @property
    def value_string(self) -> Raw: ...


def value_may_speak(name: str, item: _HasWords, codes: CodeReader) -> bool:
    """Is a result under this name, which no table knows, worth reading for its value? Cheap: codes are remembered."""
    value = item.value_codeable_concept
    if value is not NOTHING:
        found = codes.memo.of(value)
        return speaks_of_a_red_flag(found) or ((not found.silent or found.may_matter) and is_neutral(name))
    return item.value_string is not NOTHING and is_neutral(name)


def may_hide_a_red_flag(name: str, value: CodeReading) -> bool:
    """A red flag by its code, under a name that no table knows and that does not turn it round."""
    return speaks_of_a_red_flag(value) and not _TURNS.search(name)


def speaks_of_a_red_flag(value: CodeReading) -> bool:
    """Does this code state something that a rule takes for a red flag?"""
    return any(each.present and each.concept in _RED_FLAGS for each in value.statements)
