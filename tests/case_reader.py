"""Reads clinical cases (tests/cases/*.toml), strictly: a word it does not know is a mistake, never ignored.

    [background.three-weeks-of-pain]          # patient, chart and order that several cases start from
    patient = { age = 45, sex = "male" }
    chart   = [{ problem = "low-back-pain", began = "21 days ago" }]

    [[case]]
    name       = "numbness of the saddle area for two days"
    background = "three-weeks-of-pain"
    chart      = [{ exam = "saddle-anaesthesia", on = "2 days ago" }]   # added to the background's
    order      = "xr-lumbar for low-back-pain"
    expect     = { situation = "emergency", suggests = "mri-lumbar-without-contrast stat" }

A case with ``rows`` is run once for each row: ``{word}`` in any text of the case is replaced from the row, and a
row's own ``expect`` adds to the case's. ``as_of`` is the day of the call.
"""

from __future__ import annotations

import copy
import re
import tomllib
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from tests.builders import Resource, a_draft, a_patient
from tests.case_checks import EXPECTATIONS
from tests.case_dates import fhir_date, is_relative
from tests.chart_lines import chart_of
from tests.concept_codes import UnknownConceptError, coding
from tests.hook_requests import Request, a_request

CASES = Path(__file__).parent / "cases"
DEFAULT_DAY = date(2026, 11, 23)

_BACKGROUND_WORDS = frozenset({"patient", "chart", "order", "as_of"})
_CASE_WORDS = _BACKGROUND_WORDS | {
    "name", "background", "orders", "selected", "hook", "sources", "rows", "expect", "settings", "context", "touches"
}  # fmt: skip
_PATIENT_WORDS = frozenset({"age", "sex", "born", "id", "extra", "missing"})
_ORDER_WORDS = frozenset(
    {"study", "text", "reasons", "priority", "status", "body_site", "refers_to", "authored", "note"}
)
_DEFAULT_ORDER = "mri-lumbar-without-contrast"


class CaseError(ValueError):
    """A case that cannot be run as written; the message names the file and the case."""


class Case(NamedTuple):
    """One clinical case, ready to be asked."""

    name: str
    file: str
    as_of: date
    request: Request
    drafts: list[Resource]
    expect: Mapping[str, Any]
    settings: Mapping[str, Any]
    touches: frozenset[str]
    relative: bool  # means the same on any day: only relative dates


def read_cases(folder: Path = CASES, as_of: date | None = None) -> list[Case]:
    """Every case of every file, in order; ``as_of`` moves them all to another day."""
    cases = [case for path in sorted(folder.rglob("*.toml")) for case in read_file(path, folder, as_of)]
    seen: set[str] = set()
    for case in cases:
        key = f"{case.file}: {case.name}"
        if key in seen:
            raise CaseError(f"{key}: two cases with this name")
        seen.add(key)
    return cases


def read_file(path: Path, folder: Path = CASES, as_of: date | None = None) -> Iterator[Case]:
    """The cases of one file."""
    file = str(path.relative_to(folder))
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    unknown = set(table) - {"background", "case", "about"}
    if unknown:
        raise CaseError(f"{file}: unknown table {sorted(unknown)[0]!r}")
    backgrounds = table.get("background", {})
    for name, background in backgrounds.items():
        _only(background, _BACKGROUND_WORDS, f"{file}: background {name}")
    for entry in table.get("case", []):
        yield from cases_in(entry, backgrounds, file, as_of)


def cases_in(
    entry: Mapping[str, Any], backgrounds: Mapping[str, Any] | None = None, file: str = "", as_of: date | None = None
) -> Iterator[Case]:
    """One entry as one case, or as one per row. ``as_of`` moves a case to another day."""
    where = f"{file}: {entry.get('name', 'a case without a name')}"
    _only(entry, _CASE_WORDS, where)
    if not entry.get("name") or (not entry.get("expect") and "rows" not in entry):
        raise CaseError(f"{where}: a case needs a name and an expectation")
    for row in entry.get("rows", [{}]):
        filled = _filled({key: value for key, value in entry.items() if key != "rows"}, row, where)
        yield _case(filled, backgrounds or {}, file, as_of)


def _filled(entry: Mapping[str, Any], row: Mapping[str, Any], where: str) -> dict[str, Any]:
    filled: dict[str, Any] = {key: _substitute(value, row, where) for key, value in entry.items()}
    if row:
        if "expect" in row:
            filled["expect"] = {**filled.get("expect", {}), **_substitute(row["expect"], row, where)}
        if "row" in row:
            filled["name"] += f" [{row['row']}]"
        elif filled["name"] == entry["name"]:
            raise CaseError(f"{where}: a row needs a name of its own: use {{word}} in the name, or row = ...")
    return filled


def _substitute(value: Any, row: Mapping[str, Any], where: str) -> Any:
    if isinstance(value, str):
        if whole := re.fullmatch(r"\{(\w+)\}", value):
            return copy.deepcopy(_word(whole[1], row, where))
        return re.sub(r"\{(\w+)\}", lambda found: str(_word(found[1], row, where)), value)
    if isinstance(value, list):
        return [_substitute(each, row, where) for each in value]
    if isinstance(value, dict):
        return {key: _substitute(each, row, where) for key, each in value.items()}
    return value


def _word(word: str, row: Mapping[str, Any], where: str) -> Any:
    if word not in row:
        raise CaseError(f"{where}: {{{word}}} is not in the row {dict(row)!r}")
    return row[word]


def _case(entry: Mapping[str, Any], backgrounds: Mapping[str, Any], file: str, moved_to: date | None) -> Case:
    where = f"{file}: {entry['name']}"
    background: Mapping[str, Any] = {}
    if name := entry.get("background"):
        if name not in backgrounds:
            raise CaseError(f"{where}: no background {name!r}")
        background = backgrounds[name]
    expect = entry.get("expect", {})
    _only_expectations(expect, where)
    as_of = moved_to or entry.get("as_of") or background.get("as_of") or DEFAULT_DAY
    lines = [*_flat(background.get("chart", [])), *_flat(entry.get("chart", []))]
    stated = {**background.get("patient", {}), **entry.get("patient", {})}
    if not lines and "chart" not in entry:
        raise CaseError(f"{where}: no chart; an empty one is written as chart = []")
    try:
        drafts = _drafts(entry, background, as_of)
        request = a_request(
            drafts,
            patient=_patient(stated, as_of, where),
            chart=chart_of(lines, as_of),
            selected=_selected(entry, drafts),
            hook=entry.get("hook", "order-select"),
            sources=entry.get("sources"),
            more_context=entry.get("context"),
        )
    except (ValueError, LookupError, TypeError) as problem:
        raise CaseError(f"{where}: {problem}") from problem
    return Case(
        name=entry["name"],
        file=file,
        as_of=as_of,
        request=request,
        drafts=drafts,
        expect=expect,
        settings=entry.get("settings", {}),
        touches=frozenset(entry.get("touches", ())),
        relative="as_of" not in entry and "as_of" not in background and _only_relative([lines, stated, entry]),
    )


def _flat(lines: Any) -> list[Mapping[str, Any]]:
    """A list of lines; a row may hand in several lines at once."""
    flat: list[Mapping[str, Any]] = []
    for line in lines:
        flat += line if isinstance(line, list) else [line]
    return flat


def _only_relative(value: Any) -> bool:
    if isinstance(value, str):
        return not re.search(r"\b(19|20)\d\d-\d\d|\b(19|20)\d\d\b", value) or is_relative(value)
    if isinstance(value, Mapping):
        return all(_only_relative(each) for key, each in value.items() if key not in ("name", "expect"))
    if isinstance(value, list):
        return all(_only_relative(each) for each in value)
    return True


def _patient(stated: Mapping[str, Any], as_of: date, where: str) -> Resource | None:
    _only(stated, _PATIENT_WORDS, where)
    if stated.get("missing"):
        return None
    words = {key: value for key, value in stated.items() if key in ("age", "sex", "born")}
    if words.get("age") == "unknown":
        words["age"] = None
    if born := words.get("born"):
        words["born"] = fhir_date(born, as_of)
    patient = a_patient(as_of=as_of, **words)
    return {**patient, **({"id": stated["id"]} if "id" in stated else {}), **stated.get("extra", {})}


def _drafts(entry: Mapping[str, Any], background: Mapping[str, Any], as_of: date) -> list[Resource]:
    if "orders" in entry and "order" in entry:
        raise CaseError("either order or orders")
    orders = entry.get("orders") or [entry.get("order", background.get("order", _DEFAULT_ORDER))]
    return [_draft(order, number, as_of) for number, order in enumerate(orders, start=1)]


def _draft(order: str | Mapping[str, Any], number: int, as_of: date) -> Resource:
    """``STUDY``, ``STUDY for REASON; REASON``, ``STUDY for REASON at PRIORITY``, or a table."""
    if isinstance(order, str):
        named, _, priority = order.partition(" at ")
        study, _, reasons = named.partition(" for ")
        order = {"study": study, "priority": priority}
        if reasons:
            order["reasons"] = [] if reasons == "no reason" else [each.strip() for each in reasons.split(";")]
    _only(order, _ORDER_WORDS, "order")
    words = {key: order[key] for key in ("priority", "status", "body_site", "refers_to") if key in order}
    if "authored" in order:
        words["authoredOn"] = fhir_date(order["authored"], as_of)
    if "note" in order:
        words["note"] = [{"text": order["note"]}]
    code = {"text": order["text"]} if "text" in order else {"coding": [_order_coding(order["study"])]}
    if "study" in order and "text" in order:
        code = {"coding": [_order_coding(order["study"])], "text": order["text"]}
    return a_draft(code, order.get("reasons", ("low-back-pain",)), order_id=f"order-{number}", **words)


def _order_coding(study: str) -> dict[str, str]:
    """The study's CPT code, else LOINC, else what there is; a local code is written system|code|display."""
    if "|" in study:
        system, code, display = [*study.split("|"), "", ""][:3]
        return {"system": system, "code": code, **({"display": display} if display else {})}
    if "@" in study or "(" in study:
        return coding(study)
    for system in ("@cpt", "@loinc", ""):
        try:
            return coding(study + system)
        except UnknownConceptError:
            continue
    raise UnknownConceptError(f"no code for the study {study!r}")


def _selected(entry: Mapping[str, Any], drafts: list[Resource]) -> list[str] | None:
    if "selected" not in entry:
        return None
    return [f"ServiceRequest/{drafts[number - 1]['id']}" for number in entry["selected"]]


def _only_expectations(expect: Mapping[str, Any], where: str) -> None:
    _only(expect, frozenset(EXPECTATIONS) | {"orders"}, f"{where}: expect")
    for each in expect.get("orders", ()):
        _only(each, frozenset(EXPECTATIONS), f"{where}: expect.orders")


def _only(table: Mapping[str, Any], known: frozenset[str], where: str) -> None:
    unknown = set(table) - known
    if unknown:
        raise CaseError(f"{where}: unknown word {sorted(unknown)[0]!r}; known are {', '.join(sorted(known))}")
