"""Our own CodeSystem: bedside examination and the clinician's answers, for which no standard code was found.

How a record entry with one of these codes is read:

- As a bare statement (reasonCode, Condition.code, AllergyIntolerance.code): ``OwnCodes.says(code)``, which
  ``Terminology.meanings`` returns too.
- As an Observation: ``Terminology.observable(system, code)`` gives an ``Observable``; turn the value into an answer
  word and ask ``Observable.read(word)``. Words: a boolean is "yes" or "no"; a coded value is the code itself when it is
  one of ours, else ``ANSWER_WORDS[concept]`` of its meaning; an interpretation likewise; text goes through
  ``fhir_mappings.text_reading.read_answer``. ``None``: this answer is not understood here, the entry is unread.
- ``how == "grade"``: the value is an MRC grade (integer, Quantity, or text through ``read_grade``), concept
  ``muscle-strength`` with ``site``. ``how == "number"``: the value is a number in ``unit`` (UCUM), times ``factor``.
- ``how == "marker"``: a qualifier or value of another entry, never a finding by itself.
"""

import tomllib
from importlib.resources import files

import msgspec
from msgspec import Struct

from fhir_mappings.code_rows import TerminologyError

# What a coded value or an interpretation of a standard system answers.
ANSWER_WORDS: dict[str, str] = {
    "value-yes": "yes",
    "value-no": "no",
    "value-present": "present",
    "value-absent": "absent",
    "interpretation-positive": "positive",
    "interpretation-negative": "negative",
    "interpretation-normal": "normal",
    "interpretation-abnormal": "abnormal",
    "interpretation-low": "reduced",
    "interpretation-high": "increased",
    "no-abnormality-detected": "normal",
    "finding-absent": "absent",
    "course-worsening": "worsening",
    "course-improving": "improving",
    "course-unchanged": "unchanged",
}

HOWS = ("answer", "grade", "number", "marker")
VALUE_TYPES = ("boolean", "CodeableConcept", "Quantity", "integer", "string")


class Said(Struct, frozen=True, gc=False):
    """What an entry says: this concept is present, or is not."""

    concept: str
    present: bool = True
    site: str = ""


class Observable(Struct, frozen=True):
    """What is looked at, and what each answer means (see the module's text for how to read one)."""

    code: str
    concept: str
    how: str
    site: str = ""
    unit: str = ""
    factor: float = 1.0
    sided: bool = False
    answers: tuple[tuple[str, tuple[Said, ...]], ...] = ()

    def read(self, word: str) -> tuple[Said, ...] | None:
        """What an answer word says; ``None``: not an answer to this question."""
        for known, said in self.answers:
            if known == word:
                return said
        return None


class OwnCode(Struct, frozen=True):
    """One of our codes as it is published: meaning, value types, and a worked example."""

    code: str
    display: str
    definition: str
    how: str
    concept: str
    scale: str
    values: tuple[str, ...]
    site: str
    unit: str
    factor: float
    sided: bool
    as_reason: bool
    example: str


class _Entry(Struct, frozen=True, forbid_unknown_fields=True):
    code: str
    display: str
    definition: str
    how: str
    example: str
    concept: str = ""
    scale: str = ""
    values: tuple[str, ...] = ()
    site: str = ""
    unit: str = ""
    factor: float = 1.0
    sided: bool = False
    as_reason: bool = False
    says_absent: bool = False


class _Scale(Struct, frozen=True, forbid_unknown_fields=True):
    """Answer words that mean the concept is present, or that it is not; further concepts on single words."""

    present: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    also: dict[str, str] = {}


class _File(Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    title: str
    description: str
    code: tuple[_Entry, ...]
    scale: dict[str, _Scale]


class OwnCodes:
    """Our CodeSystem, loaded: definitions for publishing, meanings for reading."""

    def __init__(self, file: _File, base: str, text: str) -> None:
        self.base = base.rstrip("/")
        self.name = file.name
        self.title = file.title
        self.description = file.description
        self.url = f"{self.base}/CodeSystem/{file.name}"
        self.text = text
        self.codes: dict[str, OwnCode] = {entry.code: _published(entry) for entry in file.code}
        self._says: dict[str, tuple[Said, ...]] = {
            entry.code: (Said(entry.concept, not entry.says_absent, entry.site),) if entry.as_reason else ()
            for entry in file.code
        }
        self._observables: dict[str, Observable] = {
            entry.code: _observable(entry, file.scale) for entry in file.code if entry.values
        }

    def says(self, code: str) -> tuple[Said, ...]:
        """What the bare code states (as a reason, condition or allergy); empty for a code that needs a value."""
        return self._says.get(code, ())

    def observable(self, code: str) -> Observable | None:
        """The question that an Observation with this code answers with its value."""
        return self._observables.get(code)

    @property
    def observables(self) -> tuple[Observable, ...]:
        """Every question that an Observation with one of our codes can answer."""
        return tuple(self._observables.values())


def load_own_codes(base: str, concepts: frozenset[str]) -> OwnCodes:
    """Our CodeSystem from its packaged file, checked strictly."""
    return read_own_codes(files("fhir_mappings").joinpath("own_codes.toml").read_text(encoding="utf-8"), base, concepts)


def read_own_codes(text: str, base: str, concepts: frozenset[str]) -> OwnCodes:
    """Our CodeSystem from TOML text; ``concepts`` are the ids that may be used."""
    try:
        file = msgspec.convert(tomllib.loads(text), _File, strict=True)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as problem:
        raise TerminologyError(f"own_codes.toml: {problem}") from problem
    seen: set[str] = set()
    for entry in file.code:
        _check(entry, file.scale, concepts)
        if entry.code in seen:
            raise TerminologyError(f"own_codes.toml: {entry.code} twice")
        seen.add(entry.code)
    return OwnCodes(file, base, text)


def _check(entry: _Entry, scales: dict[str, _Scale], concepts: frozenset[str]) -> None:
    where = f"own_codes.toml: {entry.code}"
    if entry.how not in HOWS:
        raise TerminologyError(f"{where}: how must be one of {', '.join(HOWS)}")
    if not set(entry.values) <= set(VALUE_TYPES):
        raise TerminologyError(f"{where}: value types are {', '.join(VALUE_TYPES)}")
    if entry.how != "marker" and entry.concept not in concepts:
        raise TerminologyError(f"{where}: unknown concept {entry.concept!r}")
    if entry.how == "answer" and entry.values and entry.scale not in scales:
        raise TerminologyError(f"{where}: unknown scale {entry.scale!r}")
    if entry.how == "number" and not entry.unit:
        raise TerminologyError(f"{where}: a number needs its unit")
    if entry.how in ("answer", "marker") and not (entry.values or entry.as_reason or entry.how == "marker"):
        raise TerminologyError(f"{where}: says nothing, neither as a reason nor with a value")
    for word, concept in (scales[entry.scale].also if entry.scale in scales else {}).items():
        if concept not in concepts:
            raise TerminologyError(f"own_codes.toml: scale {entry.scale}: {word}: unknown concept {concept!r}")


def _published(entry: _Entry) -> OwnCode:
    return OwnCode(
        code=entry.code,
        display=entry.display,
        definition=entry.definition,
        how=entry.how,
        concept=entry.concept,
        scale=entry.scale,
        values=entry.values,
        site=entry.site,
        unit=entry.unit,
        factor=entry.factor,
        sided=entry.sided,
        as_reason=entry.as_reason,
        example=entry.example,
    )


def _observable(entry: _Entry, scales: dict[str, _Scale]) -> Observable:
    answers: list[tuple[str, tuple[Said, ...]]] = []
    if entry.how == "answer":
        scale = scales[entry.scale]
        # An own code that names the absence ("slr-negative") turns yes and no around.
        present, absent = (scale.absent, scale.present) if entry.says_absent else (scale.present, scale.absent)
        for word in present:
            more = (Said(scale.also[word]),) if word in scale.also else ()
            answers.append((word, (Said(entry.concept, True, entry.site), *more)))
        for word in absent:
            more = (Said(scale.also[word]),) if word in scale.also else ()
            answers.append((word, (Said(entry.concept, False, entry.site), *more)))
    return Observable(
        code=entry.code,
        concept=entry.concept,
        how=entry.how,
        site=entry.site,
        unit=entry.unit,
        factor=entry.factor,
        sided=entry.sided,
        answers=tuple(answers),
    )
