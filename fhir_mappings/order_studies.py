"""What an order concept, a single code, or the words of an order text can be among the eleven rated procedures."""

import tomllib
from collections.abc import Iterable
from functools import lru_cache
from importlib.resources import files

import msgspec
from msgspec import Struct

from fhir_mappings.code_rows import Manifest, TerminologyError
from fhir_mappings.order_text import OrderWords
from rules.procedures import Procedure

_MRI = frozenset({Procedure.MRI_WITHOUT, Procedure.MRI_WITHOUT_AND_WITH, Procedure.MRI_WITH})
_CT = frozenset({Procedure.CT_WITHOUT, Procedure.CT_WITH, Procedure.CT_WITHOUT_AND_WITH})
_BY_CONTRAST: dict[str, dict[str, frozenset[Procedure]]] = {
    "mri": {
        "": _MRI,
        "open": _MRI,
        "without": frozenset({Procedure.MRI_WITHOUT}),
        "with": frozenset({Procedure.MRI_WITH}),
        "both": frozenset({Procedure.MRI_WITHOUT_AND_WITH}),
        "given": frozenset({Procedure.MRI_WITH, Procedure.MRI_WITHOUT_AND_WITH}),
    },
    "ct": {
        "": _CT,
        "open": _CT,
        "without": frozenset({Procedure.CT_WITHOUT}),
        "with": frozenset({Procedure.CT_WITH}),
        "both": frozenset({Procedure.CT_WITHOUT_AND_WITH}),
        "given": frozenset({Procedure.CT_WITH, Procedure.CT_WITHOUT_AND_WITH}),
    },
}
_SPINE_SURROUNDINGS = frozenset({"lumbar", "thoracolumbar", "thoracic", "sacral", "sacroiliac", "spine"})


class Study(Struct, frozen=True):
    """What an order can be. ``ours`` without candidates or ``not_rated``: lumbar imaging, but which is unclear."""

    ours: bool = True
    candidates: frozenset[Procedure] = frozenset()
    level_not_stated: bool = False
    not_rated: bool = False
    only_for_back_pain: bool = False

    @property
    def uncertain(self) -> bool:
        """It names lumbar imaging, but not for certain which."""
        return self.ours and not self.candidates and not self.not_rated


NOT_OURS = Study(ours=False)
UNCERTAIN = Study()
NOT_RATED = Study(not_rated=True)


class ProcedureNames(Struct, frozen=True, forbid_unknown_fields=True):
    """One rated procedure: our name for it, and its order concept."""

    id: str
    name: str
    concept: str


class _StudyEntry(Struct, frozen=True, forbid_unknown_fields=True):
    concepts: tuple[str, ...]
    candidates: tuple[str, ...] = ()
    level_not_stated: bool = False
    not_rated: bool = False
    only_for_back_pain: bool = False


class _CodeEntry(Struct, frozen=True, forbid_unknown_fields=True):
    system: str
    codes: tuple[str, ...]
    candidates: tuple[str, ...] = ()
    level_not_stated: bool = False
    not_rated: bool = False
    only_for_back_pain: bool = False


class _Together(Struct, frozen=True, forbid_unknown_fields=True):
    first: tuple[str, ...]
    second: tuple[str, ...]
    candidates: tuple[str, ...]
    only_for_back_pain: bool = False


class _File(Struct, frozen=True, forbid_unknown_fields=True):
    not_ours: tuple[str, ...]
    procedure: tuple[ProcedureNames, ...]
    study: tuple[_StudyEntry, ...]
    code: tuple[_CodeEntry, ...]
    together: tuple[_Together, ...]


class OrderStudies:
    """The order table, checked and indexed."""

    def __init__(self, file: _File) -> None:
        self.procedures: dict[Procedure, ProcedureNames] = {}
        self.by_concept: dict[str, Study] = dict.fromkeys(file.not_ours, NOT_OURS)
        self.by_code: dict[tuple[str, str], Study] = {}
        self.together: list[tuple[frozenset[str], frozenset[str], Study]] = []
        for names in file.procedure:
            self.procedures[Procedure(names.id)] = names
        for entry in file.study:
            for concept in entry.concepts:
                if concept in self.by_concept:
                    raise TerminologyError(f"orders.toml: {concept} stands twice")
                self.by_concept[concept] = _study(entry)
        for code_entry in file.code:
            for code in code_entry.codes:
                if (code_entry.system, code) in self.by_code:
                    raise TerminologyError(f"orders.toml: {code} stands twice")
                self.by_code[code_entry.system, code] = _study(code_entry)
        for pair in file.together:
            study = Study(candidates=_procedures(pair.candidates), only_for_back_pain=pair.only_for_back_pain)
            self.together.append((frozenset(pair.first), frozenset(pair.second), study))
        if set(self.procedures) != set(Procedure):
            raise TerminologyError("orders.toml: every rated procedure needs its names")


def _study(entry: _StudyEntry | _CodeEntry) -> Study:
    return Study(
        candidates=_procedures(entry.candidates),
        level_not_stated=entry.level_not_stated,
        not_rated=entry.not_rated,
        only_for_back_pain=entry.only_for_back_pain,
    )


def _procedures(ids: Iterable[str]) -> frozenset[Procedure]:
    return frozenset(Procedure(name) for name in ids)


@lru_cache(maxsize=1)
def order_studies() -> OrderStudies:
    """The packaged order table."""
    return read_order_studies(files("fhir_mappings").joinpath("orders.toml").read_text(encoding="utf-8"))


def read_order_studies(text: str) -> OrderStudies:
    """An order table from TOML text; raises ``TerminologyError`` on anything unknown, missing or twice."""
    try:
        return OrderStudies(msgspec.convert(tomllib.loads(text), _File, strict=True))
    except (tomllib.TOMLDecodeError, msgspec.ValidationError, ValueError) as problem:
        raise TerminologyError(f"orders.toml: {problem}") from problem


def check_order_studies(studies: OrderStudies, manifest: Manifest, codes: set[tuple[str, str]]) -> None:
    """Every order concept is placed, and every named code stands in a table (``codes``: those of all tables)."""
    orders = set(manifest.groups["order"])
    if orders != set(studies.by_concept):
        odd = sorted(orders ^ set(studies.by_concept))[0]
        raise TerminologyError(f"orders.toml: {odd} must stand in exactly one study, and in the group `order`")
    for system, code in sorted(set(studies.by_code) - codes):
        raise TerminologyError(f"orders.toml: {code} of {system} stands in no table")


def study_of_words(words: OrderWords) -> Study | None:
    """What an order text names; ``None`` when it names no imaging that could concern us."""
    if "never" in words.asides:
        return NOT_OURS
    lumbar = bool(words.regions & {"lumbar", "thoracolumbar"})
    pictures = words.modalities - {"unstated"}
    if not lumbar:
        return _without_lumbar(words)
    if "plexus" in words.regions:
        return NOT_OURS
    if {"cervical", "thoracic", "lumbar"} <= words.regions:
        return NOT_OURS  # the whole spine, region by region
    names_imaging = bool(words.modalities) or bool(words.contrast)
    if words.asides and not pictures & {"mri", "ct", "xr", "views"}:
        return NOT_OURS  # an injection, a referral, a brace
    if not words.understood:
        return UNCERTAIN if names_imaging else None
    if words.asides or words.regions - _SPINE_SURROUNDINGS:
        return UNCERTAIN
    return _lumbar_study(words)


def _without_lumbar(words: OrderWords) -> Study | None:
    if "bone-scan" in words.modalities or {"spect", "pet"} & words.modalities:
        return _nuclear_study(words)
    elsewhere = words.regions - {"spine"}
    if elsewhere:
        return NOT_OURS
    if "spine" not in words.regions or not (words.modalities or words.contrast) or not words.understood:
        return None
    study = _lumbar_study(words)
    return Study(True, study.candidates, True, study.not_rated)


def _lumbar_study(words: OrderWords) -> Study:
    pictures = words.modalities - {"unstated", "views"}
    if "views" in words.modalities and not pictures:
        pictures = frozenset({"xr"})
    if pictures & {"bone-scan", "spect", "pet"}:
        return UNCERTAIN
    if "myelography" in pictures:
        if pictures - {"myelography", "ct", "mri", "xr"} or {"ct", "mri"} <= pictures:
            return UNCERTAIN
        return Study(candidates=frozenset({Procedure.CT_MYELOGRAPHY})) if "ct" in pictures else NOT_RATED
    if "discography" in pictures:
        allowed = not pictures - {"discography", "ct", "xr", "other"}
        return Study(candidates=frozenset({Procedure.DISCOGRAPHY})) if allowed else UNCERTAIN
    if pictures == {"xr"}:
        return UNCERTAIN if words.contrast else Study(candidates=frozenset({Procedure.RADIOGRAPHY}))
    if pictures in ({"mri"}, {"ct"}):
        return Study(candidates=_BY_CONTRAST[next(iter(pictures))][words.contrast])
    return NOT_RATED if pictures == {"other"} else UNCERTAIN


def _nuclear_study(words: OrderWords) -> Study | None:
    """Bone scan, SPECT and PET: the rated ones are of the whole body, and ours only for back pain."""
    if words.asides or not words.understood:
        return None
    if words.regions - {"whole-body", "spine", "whole-spine"}:
        return NOT_OURS
    whole = "whole-body" in words.regions
    if "pet" in words.modalities:
        rated = whole and "ct" in words.modalities and not words.limited
        found = frozenset({Procedure.FDG_PET_CT}) if rated else frozenset[Procedure]()
    else:
        if "bone-scan" not in words.modalities:
            return None  # SPECT of what?
        rated = (whole or "spect" in words.modalities) and not words.limited
        found = frozenset({Procedure.BONE_SCAN}) if rated else frozenset[Procedure]()
    return Study(candidates=found, not_rated=not found, only_for_back_pain=True)


def name_of(procedure: Procedure) -> str:
    """What we call a rated study, in our own words."""
    return order_studies().procedures[procedure].name


def concept_of(procedure: Procedure) -> str:
    """The order concept of a rated study."""
    return order_studies().procedures[procedure].concept
