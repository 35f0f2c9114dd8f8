"""Where the chart of a call comes from. Today: what the call brings along; a FHIR server's answers can join it here."""

from __future__ import annotations

from typing import Protocol

from cds_service.service_catalogue import expected_sources
from fhir_mappings.decode import HookCall
from fhir_mappings.picture import Chart, chart_from_prefetch


class ChartSource(Protocol):
    """Gathers everything that can be had about the patient of one call."""

    def gather(self, call: HookCall) -> Chart:
        """The chart; parts that could not be had are gaps in it, never silence."""
        ...


class PrefetchChartSource:
    """The chart as prefetched by the caller; what is missing stays missing, and is named on the card."""

    def gather(self, call: HookCall) -> Chart:
        expected = expected_sources(
            encounter_named=bool(call.context.encounter_id),
            user_is_practitioner=call.context.user_id.rpartition("/")[0].endswith("Practitioner"),
        )
        return chart_from_prefetch(call, expected)
