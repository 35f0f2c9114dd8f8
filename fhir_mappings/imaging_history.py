"""Imaging studies that were done: DiagnosticReports and ImagingStudies to facts of kind REPORT."""

from __future__ import annotations

import msgspec
from msgspec import Raw, Struct

from fhir_mappings.elements import CodeableConcept, Coding, Unreadable, concept_in, concepts_in, period_in
from fhir_mappings.encounter_and_user import encounter_of
from fhir_mappings.fhir_records import DiagnosticReport, ImagingStudy
from fhir_mappings.page import Page, evidence_of
from fhir_mappings.partial_dates import since_at_least
from fhir_mappings.record_text import shown
from fhir_mappings.status_codes import OlderFhir
from rules.dates import DateInterval
from rules.facts import Fact, FactKind

_STATES = {
    "final": "final",
    "amended": "final",
    "corrected": "final",
    "appended": "final",
    "preliminary": "preliminary",
    "partial": "preliminary",
}


class Series(Struct, frozen=True, gc=False, rename="camel"):
    body_site: Coding | None = None


_SERIES = msgspec.json.Decoder(list[Series | None] | None)
_TEXT = msgspec.json.Decoder(str | None)


def report_facts(report: DiagnosticReport, _: None, page: Page) -> list[Fact]:
    """A lumbar imaging report, final or preliminary; what it concludes is never read."""
    state = _STATES.get(report.status or "")
    if state is None:
        return []
    concepts = page.codes.studies.of(report.code)
    if not concepts:
        return []
    began, dated = _reported(report, page)
    says = concept_in(report.code)
    evidence = evidence_of(report, shown(says.words) if says else "", dated, ("" if state == "final" else state,))
    return [
        Fact(
            concept=concept,
            kind=FactKind.REPORT,
            evidence=evidence,
            began=began,
            state=state,
            encounter=encounter_of(report.encounter),
        )
        for concept in concepts
    ]


def study_facts(study: ImagingStudy, _: None, page: Page) -> list[Fact]:
    """A lumbar imaging study whose pictures exist. It is no report: what it showed is not said."""
    if study.patient is not None and study.subject is None:
        raise OlderFhir
    if study.status not in ("available", "registered", None):
        return []
    codes = concepts_in(study.procedure_code)
    description = _text_in(study.description)
    sites = _series_sites(study.series)
    several = codes or (CodeableConcept(text=description),)
    found = {concept for code in several for concept in page.codes.study_concepts(code, sites)}
    if not found and codes and description:
        found = set(page.codes.study_concepts(CodeableConcept(text=description), sites))
    began = page.past_day(study.started)
    says = next((code.words for code in codes if code.words), description)
    return [
        Fact(
            concept=concept,
            kind=FactKind.REPORT,
            evidence=evidence_of(study, shown(says), study.started, ("pictures, no report",)),
            began=began,
            state="preliminary",
            encounter=encounter_of(study.encounter),
        )
        for concept in sorted(found)
    ]


def _reported(report: DiagnosticReport, page: Page) -> tuple[DateInterval | None, str | None]:
    """When the study was done; an issue date only says that it was done by then."""
    if report.effective_date_time:
        return page.past_day(report.effective_date_time), report.effective_date_time
    period = period_in(report.effective_period)
    if period is not None and period.start:
        return page.past_day(period.start), period.start
    return since_at_least(page.past_day(report.issued)), report.issued


def _text_in(raw: Raw) -> str:
    try:
        return (_TEXT.decode(raw) or "") if len(raw) else ""
    except msgspec.DecodeError:
        raise Unreadable from None


def _series_sites(raw: Raw) -> tuple[CodeableConcept, ...]:
    if not len(raw):
        return ()
    try:
        several = _SERIES.decode(raw) or []
    except msgspec.DecodeError:
        raise Unreadable from None
    sites = {each.body_site for each in several if each is not None and each.body_site is not None}
    return tuple(CodeableConcept(coding=[site]) for site in sorted(sites, key=repr))
