"""Where the chart of a call comes from: what the call brings along, and what else can be had in its time."""

from __future__ import annotations

from functools import lru_cache
from typing import Protocol

from msgspec import Struct

from cds_service.deadline import Deadline
from cds_service.fhir_client import Found
from cds_service.service_catalogue import expected_sources
from cds_service.trust import Caller
from fhir_mappings.decode import HookCall
from fhir_mappings.errors import PatientMissing, WrongPatient
from fhir_mappings.picture import Chart, chart_from_prefetch


class Wave(Struct, frozen=True):
    """Queries that were sent together, and what came of each, by prefetch key.

    ``unsupported``: by the end of it the server was known to speak another version of FHIR. ``for_reasons``: asked
    before it was known whether an order is ours.
    """

    found: dict[str, Found]
    unsupported: bool = False
    for_reasons: bool = False


class FetchRecord(Struct, frozen=True):
    """What was asked of the EHR's server during one call: counts, words of ours, and what came."""

    queries: int = 0
    milliseconds: float = 0.0
    troubles: tuple[str, ...] = ()  # "conditions: timeout"
    waves: tuple[Wave, ...] = ()

    def followed_by(self, later: FetchRecord) -> FetchRecord:
        """Both together."""
        if not self.queries:
            return later
        return FetchRecord(
            self.queries + later.queries,
            self.milliseconds + later.milliseconds,
            (*self.troubles, *later.troubles),
            (*self.waves, *later.waves),
        )


NOTHING_FETCHED = FetchRecord()


class ChartRefused(Exception):
    """There can be no chart of this patient; and what was asked for it all the same, for the record."""

    def __init__(self, problem: PatientMissing | WrongPatient, fetched: FetchRecord) -> None:
        super().__init__(str(problem))
        self.problem = problem
        self.fetched = fetched


class Gathered(Struct, frozen=True):
    """The chart, and the call as it would have been had it brought along what was fetched."""

    chart: Chart
    call: HookCall
    record: FetchRecord = NOTHING_FETCHED


class ChartSource(Protocol):
    """Gathers everything that can be had about the patient of one call."""

    def gather(self, call: HookCall, caller: Caller, deadline: Deadline, reasons: tuple[str, ...] = ()) -> Gathered:
        """The chart; parts that could not be had are gaps in it, never silence.

        ``reasons`` are entries that the orders refer to and the call does not hold.
        """
        ...

    def with_reasons(
        self, call: HookCall, caller: Caller, deadline: Deadline, reasons: tuple[str, ...]
    ) -> tuple[HookCall, FetchRecord]:
        """The call and these entries, where they can be had; the same call where they cannot."""
        ...


class PrefetchChartSource:
    """The chart as prefetched by the caller; what is missing stays missing, and is named on the card."""

    def gather(self, call: HookCall, caller: Caller, deadline: Deadline, reasons: tuple[str, ...] = ()) -> Gathered:
        return Gathered(chart_from_prefetch(call, expected_of(call)), call)

    def with_reasons(
        self, call: HookCall, caller: Caller, deadline: Deadline, reasons: tuple[str, ...]
    ) -> tuple[HookCall, FetchRecord]:
        return call, NOTHING_FETCHED


def expected_of(call: HookCall) -> dict[str, str]:
    """The prefetch keys that this call should hold, with the resource type of each."""
    context = call.context
    return _expected(bool(context.encounter_id), context.user_id.rpartition("/")[0].endswith("Practitioner")).copy()


@lru_cache(maxsize=4)
def _expected(encounter_named: bool, user_is_practitioner: bool) -> dict[str, str]:
    return expected_sources(encounter_named, user_is_practitioner)
