"""The source attributes that US rule 45 CFR 170.315(b)(11) asks of evidence-based decision support, from the rules."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from datetime import date
from functools import lru_cache
from importlib.resources import files
from typing import Any, Final

import msgspec
from msgspec import Struct

from rules.concepts import GROUPS
from rules.findings.questions import QUESTIONS, Question
from rules.guideline_tables import Guidelines

# Questions that are answered from scores and statuses which USCDI files under health status assessments: function and
# pain, pregnancy, and the concerns that a problem list holds.
_ASSESSED: Final = ("trend", "pregnancy", "conservative_care")


class DsiSources(Struct, frozen=True, kw_only=True):
    """What the running service adds: its version, its services, what they ask for, and the tables in force."""

    version: str
    services: tuple[tuple[str, str, str], ...]  # id, hook, title
    prefetch: tuple[tuple[str, str, str], ...]  # key, query, resource type
    guidelines: Guidelines
    terminology: str  # content hash of the code lists
    not_recognised: tuple[str, ...] = ()  # code lists that were left out
    on: date


class Attribute(Struct, frozen=True, rename="camel"):
    """One attribute of the rule, and what is said of it."""

    paragraph: str
    attribute: str
    value: tuple[str, ...]


class _Text(Struct, frozen=True):
    regulation: dict[str, str]
    product: dict[str, str]
    attribute: tuple[dict[str, str], ...]
    limits: dict[str, tuple[str, ...]]


@lru_cache(maxsize=1)
def text() -> _Text:
    """What cannot be read from the rules."""
    read = tomllib.loads(files("audit_pages").joinpath("dsi.toml").read_text(encoding="utf-8"))
    return msgspec.convert(read, _Text, strict=True)


@lru_cache(maxsize=1)
def parameter_entries() -> Mapping[str, list[dict[str, Any]]]:
    """Every dated number with its source, as the rules hold it."""
    read = tomllib.loads(files("rules").joinpath("parameters.toml").read_text(encoding="utf-8"))
    found: Mapping[str, list[dict[str, Any]]] = read["parameter"]
    return found


def attributes(sources: DsiSources) -> tuple[Attribute, ...]:
    """The thirteen attributes, in the order of the rule."""
    written: Mapping[str, Callable[[], tuple[str, ...]]] = {
        "citations": lambda: _citations(sources),
        "developer": lambda: (text().product["developer"],),
        "funding": lambda: (text().product["funding"],),
        "dates": lambda: _dates(sources),
        "unused": lambda: (
            "Not used: it is not read from the record, and no question, parameter or row refers to it.",
        ),
        "sex": lambda: _by_parameters(sources, "Used", "pregnancy_age", "only to ask about pregnancy"),
        "age": lambda: _by_parameters(sources, "Used, as completed years", "_years", ""),
        "assessments": _assessments,
    }
    return tuple(Attribute(each["paragraph"], each["name"], written[each["data"]]()) for each in text().attribute)


def editions(sources: DsiSources) -> tuple[dict[str, str], ...]:
    """The guideline editions in force, with their dates and cautions."""
    tables = sources.guidelines
    return tuple(
        {
            "id": info.id,
            "title": info.title,
            "url": info.url,
            "effectiveFrom": info.effective_from.isoformat(),
            "reviewedOn": info.reviewed_on.isoformat(),
            **({"caution": info.caution} if info.caution else {}),
        }
        for info in (tables.acr.info, tables.acp, tables.nice)
    )


def further_citations(sources: DsiSources) -> tuple[str, ...]:
    """Every other source that a row of the tables names, once."""
    tables = sources.guidelines
    rows: list[str] = []
    for criterion in tables.criteria:
        rows += criterion.row.cites
    for acp in tables.acp_rows:
        rows += acp.row.cites
    for nice in tables.nice_rows:
        rows += nice.row.cites
    for timing in tables.nice_timings:
        rows.append(timing.cites)
    for safety in tables.safety_rows:
        rows += safety.cites
    return tuple(sorted(dict.fromkeys(each for each in rows if not each.startswith("our choice"))))


def parameters(sources: DsiSources) -> tuple[dict[str, Any], ...]:
    """Every number in force: its value (a site's own, if it has one), since when, and where it comes from."""
    found = []
    for name, entries in parameter_entries().items():
        entry = [each for each in entries if each["from"] <= sources.on][-1]
        value = getattr(sources.guidelines.parameters, name)
        found.append(
            {
                "name": name,
                "value": value,
                "from": entry["from"].isoformat(),
                "cites": entry.get("cites", ""),
                "ourChoice": entry.get("our_choice", ""),
                "siteValue": value != entry["value"],
            }
        )
    return tuple(found)


def questions() -> tuple[dict[str, Any], ...]:
    """Every question that is asked of a record, what silence means, and which concepts answer it."""
    return tuple(
        {
            "name": name,
            "asks": question.asks,
            "silence": _SILENCE[question.silence],
            "why": question.why,
            "reads": tuple(sorted(question.groups)),
            "concepts": len({each for group in question.groups for each in GROUPS[group].concepts}),
            "also": question.also,
            "cites": question.cites,
        }
        for name, question in QUESTIONS.items()
    )


_SILENCE: Final = {
    "no": "presumed absent, and said so",
    "ask": "asked, where the answer would change the advice",
    "unknown": "unknown; both readings are shown",
}


def limits(sources: DsiSources) -> tuple[str, ...]:
    """Known limits: what no table says, the editions' own cautions, and code lists that were left out here."""
    cautions = (f"{each['title']}: {each['caution']}" for each in editions(sources) if "caution" in each)
    missing = (f"Not recognised on this installation: {each}." for each in sources.not_recognised)
    return (*text().limits["says"], *cautions, *missing)


def document(sources: DsiSources) -> dict[str, Any]:
    """Everything, for machines."""
    return {
        "regulation": text().regulation,
        "intervention": {
            **{key: value for key, value in text().product.items() if key not in ("developer", "funding")},
            "version": sources.version,
            "services": [{"id": each, "hook": hook, "title": title} for each, hook, title in sources.services],
        },
        "sourceAttributes": attributes(sources),
        "ruleTables": {"version": sources.guidelines.version, "rates": sources.guidelines.rates},
        "codeLists": {"version": sources.terminology},
        "editions": editions(sources),
        "furtherCitations": further_citations(sources),
        "fieldsUsed": [{"key": key, "query": query, "resourceType": kind} for key, query, kind in sources.prefetch],
        "questions": questions(),
        "parameters": parameters(sources),
        "knownLimits": limits(sources),
        "asOf": sources.on.isoformat(),
    }


def _citations(sources: DsiSources) -> tuple[str, ...]:
    return (*(f"{each['title']}. {each['url']}" for each in editions(sources)), *further_citations(sources))


def _dates(sources: DsiSources) -> tuple[str, ...]:
    ours = (
        f"This software: version {sources.version}; rule tables {sources.guidelines.version[:12]}, "
        f"code lists {sources.terminology[:12]}"
    )
    guidance = (
        f"{each['title']}: in force here from {each['effectiveFrom']}, "
        f"last compared with its source on {each['reviewedOn']}"
        for each in editions(sources)
    )
    return (ours, *guidance)


def _by_parameters(sources: DsiSources, says: str, part: str, only: str) -> tuple[str, ...]:
    """What of the patient is used, shown by the numbers that it is compared with and the questions that use them."""
    used = [each for each in parameters(sources) if part in each["name"]]
    lines = [
        f"{each['name'].replace('_', ' ')}: {each['value']:g} ({each['cites'] or 'our choice: ' + each['ourChoice']})"
        for each in used
    ]
    names = {each["name"] for each in used}
    asked = [question.asks for question in QUESTIONS.values() if names & set(question.parameters)]
    head = f"{says}{', ' + only if only else ''}. Questions: {' '.join(asked)}"
    return (head, *lines)


def _assessments() -> tuple[str, ...]:
    found: list[tuple[str, Question]] = [(name, QUESTIONS[name]) for name in _ASSESSED]
    lines = (f"{question.asks} ({', '.join(sorted(question.groups))})" for _, question in found)
    return ("Used: scores of pain and function, pregnancy status, and the health concerns on the problem list.", *lines)
