"""Every guideline table, read once and checked strictly: an unknown key or a row without its source stops the start."""

import hashlib
import tomllib
from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from importlib.resources import files
from typing import TypeVar

import msgspec
from msgspec import Struct

from rules.conditions import Condition, TableError, compile_condition
from rules.edition import RANK, AcrEdition, read_edition, read_info
from rules.finding import Answer, Finding
from rules.guideline_tables import (
    AcpRow,
    Criterion,
    Flip,
    GroundRow,
    Guidelines,
    NiceRow,
    Preference,
    Remark,
    SafetyRow,
    Timing,
    UrgencyLevel,
)
from rules.parameters import Parameters, parameters_on
from rules.procedures import GADOLINIUM, IODINATED, IONISING, MRI, Procedure
from rules.recommendation import Row, Urgency

_T = TypeVar("_T")

FILES = (
    "acr_low_back_pain_2021.toml",
    "criteria.toml",
    "urgency.toml",
    "acp.toml",
    "nice.toml",
    "safety.toml",
    "better_test.toml",
    "flips.toml",
)
STUDY_GROUPS = {
    "mri": MRI,
    "gadolinium": GADOLINIUM,
    "iodinated": IODINATED,
    "ionising": IONISING,
    "ionising-or-gadolinium": IONISING | GADOLINIUM,
}


def load_guidelines(day: date, rates: str = "acr", site_parameters: Mapping[str, float] | None = None) -> Guidelines:
    """The tables in force on ``day``; raises :class:`TableError` or ``ParameterError`` naming file and row."""
    texts = {name: _text(name) for name in FILES}
    tables = {name: tomllib.loads(text) for name, text in texts.items()}
    digest = hashlib.sha256("\x00".join(texts[name] for name in FILES).encode()).hexdigest()[:16]
    return build_guidelines(tables, parameters_on(day, site_parameters), rates, digest)


def build_guidelines(
    tables: Mapping[str, Mapping[str, object]], parameters: Parameters, rates: str = "acr", version: str = ""
) -> Guidelines:
    """Check and compile tables that were read already (tests change single cells through this door)."""
    if rates not in ("acr", "acp", "nice"):
        raise TableError(f"the rating guideline must be acr, acp or nice, not {rates!r}")
    criteria, acp, nice, better = (
        tables[name] for name in ("criteria.toml", "acp.toml", "nice.toml", "better_test.toml")
    )
    edition = read_edition(tables["acr_low_back_pain_2021.toml"], "acr_low_back_pain_2021.toml")
    criteria_rows = tuple(_criterion(entry) for entry in _rows(criteria, "criterion", "criteria.toml"))
    urgencies = _urgencies(tables["urgency.toml"])
    guidelines = Guidelines(
        acr=edition,
        acp=read_info(_table(acp, "edition", "acp.toml"), "acp.toml"),
        nice=read_info(_table(nice, "edition", "nice.toml"), "nice.toml"),
        criteria=criteria_rows,
        ground={row.duration: row for row in map(_ground, _rows(criteria, "ground", "criteria.toml"))},
        remarks=tuple(_remark(entry) for entry in _rows(criteria, "remark", "criteria.toml")),
        urgencies=urgencies,
        acp_rows=tuple(_acp_row(entry) for entry in _rows(acp, "row", "acp.toml")),
        acp_says=_convert(_table(acp, "says", "acp.toml"), dict[str, str], "acp.toml: says"),
        nice_rows=tuple(_nice_row(entry) for entry in _rows(nice, "row", "nice.toml")),
        nice_timings=tuple(_timing(entry) for entry in _rows(nice, "timing", "nice.toml")),
        safety_rows=tuple(_safety_row(entry) for entry in _rows(tables["safety.toml"], "row", "safety.toml")),
        preferences=tuple(_preference(entry, edition) for entry in _rows(better, "preference", "better_test.toml")),
        other_topics=dict(_other_topic(entry) for entry in _rows(better, "other_topic", "better_test.toml")),
        no_mri=dict(_no_mri(entry, edition) for entry in _rows(better, "no_mri", "better_test.toml")),
        flips=tuple(_flip(entry) for entry in _rows(tables["flips.toml"], "flip", "flips.toml")),
        pairs=tuple(_pair(entry) for entry in _rows(tables["flips.toml"], "pair", "flips.toml")),
        criteria_reading=places_reading(criteria_rows),
        urgency_reading=_urgency_reading(urgencies),
        parameters=parameters,
        rates=rates,
        version=version,
    )
    _check_whole(guidelines)
    return guidelines


def places_reading(criteria: tuple[Criterion, ...]) -> dict[str, tuple[int, ...]]:
    """For each finding, the places of the criteria that read it."""
    names = {name for criterion in criteria for name in criterion.condition.reads}
    return {
        name: tuple(at for at, criterion in enumerate(criteria) if name in criterion.condition.reads) for name in names
    }


def _urgency_reading(urgencies: tuple[UrgencyLevel, ...]) -> dict[str, tuple[tuple[int, Condition], ...]]:
    rules = [(at, condition) for at, level in enumerate(urgencies) for condition in level.conditions]
    names = {name for _, condition in rules for name in condition.reads}
    return {name: tuple(rule for rule in rules if name in rule[1].reads) for name in names}


@lru_cache(maxsize=16)
def _text(name: str) -> str:
    return files("rules").joinpath("editions", name).read_text(encoding="utf-8")


def _check_whole(guidelines: Guidelines) -> None:
    if set(guidelines.ground) != {"acute", "longer", "unknown"}:
        raise TableError("criteria.toml: ground rows must be acute, longer and unknown")
    if [level.urgency for level in guidelines.urgencies] != list(Urgency):
        raise TableError("urgency.toml: levels must be complete and in falling order")
    for variant in (3, 4, 5, 6, 7):
        if not any(p.variant == variant and not p.condition.alternatives for p in guidelines.preferences):
            raise TableError(f"better_test.toml: variant {variant} needs a preference without a condition, last")
    if not guidelines.acp_rows or not guidelines.acp_rows[-1].ground:
        raise TableError("acp.toml: the last row must be the ground row")
    if not guidelines.nice_rows or guidelines.nice_rows[-1].condition.alternatives:
        raise TableError("nice.toml: the last row must hold for everybody")


class _CriterionEntry(Struct, frozen=True, forbid_unknown_fields=True):
    id: str
    label: str
    cites: tuple[str, ...]
    when: tuple[str, ...]
    variant: int | None = None
    topic: str = ""
    interpretation: str = ""


class _GroundEntry(Struct, frozen=True, forbid_unknown_fields=True):
    id: str
    variant: int
    duration: str
    label: str
    cites: tuple[str, ...]


class _RemarkEntry(Struct, frozen=True, forbid_unknown_fields=True):
    when: tuple[str, ...]
    says: str


class _UrgencyRuleEntry(Struct, frozen=True, forbid_unknown_fields=True):
    when: str
    cites: str = ""
    our_choice: str = ""


class _UrgencyEntry(Struct, frozen=True, forbid_unknown_fields=True):
    id: Urgency
    priority: str
    rules: tuple[_UrgencyRuleEntry, ...]


class _AcpEntry(Struct, frozen=True, forbid_unknown_fields=True):
    id: str
    action: str
    label: str
    when: tuple[str, ...]
    modality: tuple[str, ...]
    cites: tuple[str, ...]
    needs_candidate: bool = False
    ground: bool = False


class _NiceEntry(Struct, frozen=True, forbid_unknown_fields=True):
    id: str
    verdict: str
    label: str
    when: tuple[str, ...]
    cites: tuple[str, ...]


class _TimingEntry(Struct, frozen=True, forbid_unknown_fields=True):
    when: tuple[str, ...]
    says: str
    cites: str


class _SafetyEntry(Struct, frozen=True, forbid_unknown_fields=True):
    id: str
    domain: str
    severity: str
    studies: str
    when: tuple[str, ...]
    says: str
    cites: tuple[str, ...]
    ask: bool = False
    quiet: bool = False


class _PreferenceEntry(Struct, frozen=True, forbid_unknown_fields=True):
    variant: int
    procedure: Procedure
    cites: str
    when: tuple[str, ...] = ()
    contrast_note: str = ""


class _OtherTopicEntry(Struct, frozen=True, forbid_unknown_fields=True):
    topic: str
    procedure: Procedure
    cites: str


class _NoMriEntry(Struct, frozen=True, forbid_unknown_fields=True):
    variant: int
    procedures: tuple[Procedure, ...]
    cites: str


class _FlipEntry(Struct, frozen=True, forbid_unknown_fields=True):
    finding: str
    to: str
    answer: Answer


class _PairEntry(Struct, frozen=True, forbid_unknown_fields=True):
    findings: tuple[str, str]


def _criterion(entry: object) -> Criterion:
    read = _convert(entry, _CriterionEntry, "criteria.toml: criterion")
    where = f"criteria.toml: {read.id}"
    if not read.cites or not read.when:
        raise TableError(f"{where}: needs cites and when")
    if (read.variant is None) == (not read.topic):
        raise TableError(f"{where}: needs either a variant (3 to 7) or a topic")
    guideline = read.topic or "acr"
    row = Row(read.id, guideline, read.label, read.cites, read.variant, read.interpretation)
    return Criterion(row, compile_condition(read.when, where))


def _ground(entry: object) -> GroundRow:
    read = _convert(entry, _GroundEntry, "criteria.toml: ground")
    return GroundRow(Row(read.id, "acr", read.label, read.cites, read.variant), read.duration)


def _remark(entry: object) -> Remark:
    read = _convert(entry, _RemarkEntry, "criteria.toml: remark")
    return Remark(compile_condition(read.when, f"criteria.toml: remark {read.says[:30]!r}"), read.says)


def _urgencies(table: Mapping[str, object]) -> tuple[UrgencyLevel, ...]:
    levels = []
    for entry in _rows(table, "urgency", "urgency.toml"):
        read = _convert(entry, _UrgencyEntry, "urgency.toml: urgency")
        where = f"urgency.toml: {read.id.value}"
        if read.priority not in ("stat", "asap", "urgent", "routine"):
            raise TableError(f"{where}: unknown priority {read.priority!r}")
        for rule in read.rules:
            if not (rule.cites or rule.our_choice):
                raise TableError(f"{where}: {rule.when!r} needs cites or our_choice")
        conditions = tuple(compile_condition((rule.when,), where) for rule in read.rules)
        levels.append(UrgencyLevel(read.id, read.priority, conditions))
    return tuple(levels)


def _acp_row(entry: object) -> AcpRow:
    read = _convert(entry, _AcpEntry, "acp.toml: row")
    where = f"acp.toml: {read.id}"
    if read.action not in ("immediate", "defer", "none") or not read.cites:
        raise TableError(f"{where}: action must be immediate, defer or none, with cites")
    if not read.when and not read.ground:
        raise TableError(f"{where}: only the ground row has no condition")
    unknown = set(read.modality) - {"mri", "ct", "radiography"}
    if unknown:
        raise TableError(f"{where}: unknown modality {sorted(unknown)[0]!r}")
    row = Row(read.id, "acp", read.label, read.cites)
    condition = compile_condition(read.when, where)
    return AcpRow(row, read.action, condition, read.modality, read.needs_candidate, read.ground)


def _nice_row(entry: object) -> NiceRow:
    read = _convert(entry, _NiceEntry, "nice.toml: row")
    where = f"nice.toml: {read.id}"
    verdicts = ("serious-pathology", "image-if-changes-management", "not-in-this-setting", "depends-on-setting")
    if read.verdict not in verdicts or not read.cites:
        raise TableError(f"{where}: verdict must be one of {', '.join(verdicts)}, with cites")
    return NiceRow(Row(read.id, "nice", read.label, read.cites), read.verdict, compile_condition(read.when, where))


def _timing(entry: object) -> Timing:
    read = _convert(entry, _TimingEntry, "nice.toml: timing")
    return Timing(compile_condition(read.when, f"nice.toml: timing {read.says!r}"), read.says, read.cites)


def _safety_row(entry: object) -> SafetyRow:
    read = _convert(entry, _SafetyEntry, "safety.toml: row")
    where = f"safety.toml: {read.id}"
    if read.severity not in ("info", "warning", "high", "contraindicated") or not read.cites or not read.when:
        raise TableError(f"{where}: needs a known severity, when and cites")
    if read.studies not in STUDY_GROUPS:
        raise TableError(f"{where}: unknown studies {read.studies!r}")
    condition = compile_condition(read.when, where)
    studies = STUDY_GROUPS[read.studies]
    return SafetyRow(
        read.id, read.domain, read.severity, studies, condition, read.says, read.cites, read.ask, read.quiet
    )


def _preference(entry: object, edition: AcrEdition) -> Preference:
    read = _convert(entry, _PreferenceEntry, "better_test.toml: preference")
    where = f"better_test.toml: variant {read.variant} {read.procedure.value}"
    if read.variant not in edition.variants:
        raise TableError(f"{where}: no such variant")
    studies = edition.variants[read.variant].studies
    if RANK[studies[read.procedure].category] != max(RANK[study.category] for study in studies.values()):
        raise TableError(f"{where}: not in the highest category of its variant")
    return Preference(read.variant, compile_condition(read.when, where), read.procedure, read.contrast_note)


def _other_topic(entry: object) -> tuple[str, Procedure]:
    read = _convert(entry, _OtherTopicEntry, "better_test.toml: other_topic")
    return read.topic, read.procedure


def _no_mri(entry: object, edition: AcrEdition) -> tuple[int, tuple[Procedure, ...]]:
    read = _convert(entry, _NoMriEntry, "better_test.toml: no_mri")
    studies = edition.variants[read.variant].studies
    for procedure in read.procedures:
        if procedure in MRI or RANK[studies[procedure].category] == 1:
            raise TableError(f"better_test.toml: no_mri {read.variant}: {procedure.value} is no alternative")
    return read.variant, read.procedures


def _flip(entry: object) -> Flip:
    read = _convert(entry, _FlipEntry, "flips.toml: flip")
    compile_condition((read.finding,), f"flips.toml: {read.finding}")
    return Flip(read.finding, read.to, read.answer, Finding(read.finding, read.answer, read.to))


def _pair(entry: object) -> tuple[str, str]:
    return _convert(entry, _PairEntry, "flips.toml: pair").findings


def _table(table: Mapping[str, object], name: str, where: str) -> Mapping[str, object]:
    value = table.get(name)
    if not isinstance(value, Mapping):
        raise TableError(f"{where}: [{name}] is missing")
    return value


def _rows(table: Mapping[str, object], name: str, where: str) -> list[object]:
    value = table.get(name)
    if not isinstance(value, list) or not value:
        raise TableError(f"{where}: [[{name}]] is missing")
    return value


def _convert(entry: object, kind: type[_T], where: str) -> _T:
    try:
        return msgspec.convert(entry, kind, strict=True)
    except msgspec.ValidationError as problem:
        raise TableError(f"{where}: {problem}") from problem
