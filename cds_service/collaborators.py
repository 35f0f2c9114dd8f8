"""What every call uses, built once at the start: code lists, guideline tables, the reader of charts."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from copy import copy
from datetime import UTC, date, datetime
from importlib.metadata import version
from pathlib import Path
from threading import Lock
from typing import Protocol

import msgspec

from audit_trail.overrides import NO_OVERRIDES, Overrides
from cds_service.chart_source import ChartSource
from cds_service.clients_file import ClientsFileError
from cds_service.egress import Egress, EgressPolicy, HostRule
from cds_service.fhir_chart_source import FhirChartSource
from cds_service.fhir_client import FetchLimits
from cds_service.settings import Settings, SettingsError
from fhir_mappings.code_rows import TerminologyError
from fhir_mappings.terminology import Terminology, TerminologyOptions, load_terminology
from rules.concepts import ConceptGroupError
from rules.conditions import TableError
from rules.guideline_tables import Guidelines
from rules.guidelines import load_guidelines
from rules.parameters import ParameterError

# A data file that cannot be used; the message names the file and the row.
DATA_PROBLEMS = (SettingsError, ClientsFileError, TerminologyError, ConceptGroupError, TableError, ParameterError)


class GuidelinesInForce(Protocol):
    """The tables and parameters that a decision goes by."""

    @property
    def site_values(self) -> Mapping[str, float]:
        """The site's own values of parameters."""
        ...

    def on(self, day: date) -> Guidelines:
        """Those in force on the day of a call."""
        ...


class GuidelinesByDay:
    """The tables and parameters in force on a day; the last few days are kept, as clocks differ between zones."""

    DAYS_KEPT = 4

    def __init__(self, settings: Settings) -> None:
        self._rating_guideline = settings.rating_guideline
        self.site_values = _site_parameters(settings.site_parameters)
        self._loaded: dict[date, Guidelines] = {}
        self._lock = Lock()

    def on(self, day: date) -> Guidelines:
        """The guidelines in force on ``day``."""
        found = self._loaded.get(day)
        if found is not None:
            return found
        with self._lock:
            found = self._load(day)
            kept = dict(sorted(self._loaded.items())[-(self.DAYS_KEPT - 1) :])
            self._loaded = {**kept, day: found}
            return found

    def _load(self, day: date) -> Guidelines:
        return load_guidelines(day, self._rating_guideline, self.site_values)


class Collaborators:
    """Everything a consultation needs beside the call itself."""

    def __init__(
        self,
        settings: Settings,
        terminology: Terminology,
        guidelines: GuidelinesInForce,
        chart_source: ChartSource,
        overrides: Overrides = NO_OVERRIDES,
    ) -> None:
        self.settings = settings
        self.terminology = terminology
        self.guidelines = guidelines
        self.chart_source = chart_source
        self.overrides = overrides
        self.own_pages = False

    def with_pages(self) -> Collaborators:
        """The same where decisions are kept, so that a card can link to a page about its own."""
        tools = copy(self)
        tools.own_pages = True
        return tools

    def of_site(self, terminology: Terminology) -> Collaborators:
        """The same with a site's own code lists."""
        tools = copy(self)
        tools.terminology = terminology
        return tools

    def health(self) -> dict[str, object]:
        """What `GET /health` says of them: what is loaded or left out."""
        status: dict[str, object] = {
            "version": version("lumbar-imaging-cds"),
            "terminology": self.terminology.version,
            "ratingGuideline": self.settings.rating_guideline,
        }
        if self.terminology.unavailable:
            status["notRecognised"] = msgspec.to_builtins(self.terminology.unavailable)
        return status


def load_code_lists(
    settings: Settings, client_maps: tuple[Path, ...] = (), client_catalogue: Path | None = None
) -> Terminology:
    """The code lists as the settings have them: ours, the site's, and what is left out.

    A client's own maps are read after the site's; its own catalogue takes the place of the site's.
    """
    catalogue = client_catalogue or settings.order_catalogue
    return load_terminology(
        TerminologyOptions(
            site_code_maps=tuple(str(path) for path in (*settings.site_codes, *client_maps)),
            order_catalogues=() if catalogue is None else (str(catalogue),),
            canonical_base=settings.canonical_base,
            without_cpt=settings.without_cpt,
            without_licensed_snomed=settings.without_licensed_snomed,
        )
    )


def build_collaborators(settings: Settings, today: date | None = None) -> Collaborators:
    """Loads and checks all data files; one that cannot be used stops the start."""
    terminology = load_code_lists(settings)
    guidelines = GuidelinesByDay(settings)
    guidelines.on(today or datetime.now(UTC).date())
    return Collaborators(settings, terminology, guidelines, _chart_source(settings))


def _chart_source(settings: Settings) -> ChartSource:
    limits = FetchLimits(
        pages=settings.fetch_pages,
        total_bytes=settings.fetch_mb * 1024 * 1024,
        resources=settings.fetch_resources,
    )
    threads = min(128, 16 * settings.threads)  # a call asks up to sixteen questions at once
    ca_file = None if settings.ca_file is None else str(settings.ca_file)

    def open_egress(rule: HostRule) -> Egress:
        return Egress(EgressPolicy(frozenset({rule})), ca_file=ca_file, connections=threads)

    return FhirChartSource(limits, threads, open_egress)


def _site_parameters(path: Path | None) -> Mapping[str, float]:
    if path is None:
        return {}
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as problem:
        raise SettingsError(f"LUMBAR_CDS_SITE_PARAMETERS: {problem}") from problem
    for name, value in values.items():
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise SettingsError(f"LUMBAR_CDS_SITE_PARAMETERS: {name}: expected a number")
    return values
