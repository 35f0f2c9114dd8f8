"""The chart as prefetched, completed from the EHR's own server: what is absent, cut short or failed is read there.

Nothing is asked where nothing is missing, where the call names no server that this caller is registered with, or after
the call's time is up. What could not be had stays a gap, which the card names.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import lru_cache, partial
from typing import Final

from msgspec import Struct

from cds_service.chart_source import NOTHING_FETCHED, ChartRefused, FetchRecord, Gathered, Wave, expected_of
from cds_service.computing import TURN
from cds_service.deadline import Deadline
from cds_service.egress import BadAddress, Egress, HostRule, normal_base
from cds_service.fetched_values import REFERRED, completed, usable, user_not_read
from cds_service.fhir_addresses import reference_on
from cds_service.fhir_client import FetchLimits, FhirClient, Found
from cds_service.fhir_servers import FhirServer, FhirServers
from cds_service.prefetch_queries import Query, queries_for, safe_id
from cds_service.trust import Caller
from fhir_mappings.chart import gap, unread_keys
from fhir_mappings.decode import HookCall
from fhir_mappings.errors import PatientMissing, WrongPatient
from fhir_mappings.picture import Chart, chart_from_prefetch
from fhir_mappings.prefetch_values import FAILED, State
from fhir_mappings.referred import medicines_referred_to, still_missing, user_referred_to

_REASONS: Final = frozenset({"Condition", "Observation"})
_MEDICINES: Final = frozenset({"Medication"})
_USERS: Final = frozenset({"Practitioner", "PractitionerRole"})
_MOST_REFERENCES: Final = 40
_FOR_THE_DECISION: Final = 0.1  # part of the call's time that is kept for everything after the reading
_MOST_FOR_THE_DECISION: Final = 0.2  # seconds
_SILENT: Final = "server silent"  # of late, so that this call did not wait for it; another one does
_VERSION_WAIT: Final = 0.5  # seconds that a server gets, beside its answers, to say which FHIR it speaks


class _Asked(Struct):
    """One call while its chart is being completed."""

    call: HookCall
    client: FhirClient
    server: FhirServer
    base: str
    deadline: Deadline
    expected: dict[str, str]
    keys: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    references: set[str] = set()  # asked for already
    queries: int = 0
    troubles: list[str] = []
    waves: list[Wave] = []
    user_unread: bool = False
    started: float = 0.0

    def record(self) -> FetchRecord:
        """What was asked up to now."""
        if not self.queries:
            return NOTHING_FETCHED
        milliseconds = round((time.perf_counter() - self.started) * 1000, 2)
        return FetchRecord(self.queries, milliseconds, tuple(sorted(self.troubles)), tuple(self.waves))


class FhirChartSource:
    """Prefetch first, then the FHIR server. One for each process."""

    def __init__(
        self, limits: FetchLimits, threads: int, open_egress: Callable[[HostRule], Egress] = Egress.to
    ) -> None:
        self._limits = limits
        self._servers = FhirServers(open_egress)
        # Its threads start with the first query, so after a fork; each query ends with its call's time.
        self._pool = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="fhir")

    def gather(self, call: HookCall, caller: Caller, deadline: Deadline, reasons: tuple[str, ...] = ()) -> Gathered:
        """The prefetched chart; then what is missing, in one wave; then what the answers refer to, in another."""
        expected = expected_of(call)
        base = _base_for(call, caller)
        chart = _prefetched(call, expected, patient_needed=not base)
        if chart is not None and not base:
            return Gathered(chart, call)
        asked = self._asked(call, caller, base, deadline, expected)
        asked.keys = chart.unread_keys if chart is not None else ("patient", *unread_keys(call.prefetch, expected))
        asked.reasons = reasons
        try:
            chart = self._completed_chart(asked, chart)
        except (PatientMissing, WrongPatient) as problem:
            raise ChartRefused(problem, asked.record()) from None
        if asked.user_unread:
            chart.gaps = (*chart.gaps, gap("Practitioner", "failed"))
        return Gathered(chart, asked.call, asked.record())

    def _completed_chart(self, asked: _Asked, chart: Chart | None) -> Chart:
        wanted = {**queries_for(asked.call.context, asked.keys), **_references(asked, chart, asked.keys)}
        while wanted:
            self._complete(asked, wanted)
            chart = chart_from_prefetch(asked.call, asked.expected)
            wanted = {} if asked.server.is_unsupported else _references(asked, chart, ())
        if chart is None:
            chart = chart_from_prefetch(asked.call, asked.expected)  # no Patient, and no way to ask for one
        return chart

    def with_reasons(
        self, call: HookCall, caller: Caller, deadline: Deadline, reasons: tuple[str, ...]
    ) -> tuple[HookCall, FetchRecord]:
        """Asked before it is known whether an order is ours: nothing but the entries that would tell."""
        base = _base_for(call, caller)
        if not base:
            return call, NOTHING_FETCHED
        asked = self._asked(call, caller, base, deadline, {})
        wanted = _reads(asked, reasons, _REASONS)
        if wanted:
            self._complete(asked, wanted, for_reasons=True)
        return asked.call, asked.record()

    def _asked(self, call: HookCall, caller: Caller, base: str, deadline: Deadline, expected: dict[str, str]) -> _Asked:
        server = self._servers.at(base, caller.private_networks)
        kept = min(_MOST_FOR_THE_DECISION, _FOR_THE_DECISION * deadline.remaining())
        reading = deadline.sooner(kept)
        client = FhirClient(base, server, call.access, reading, self._limits)
        return _Asked(call, client, server, base, reading, expected, started=time.perf_counter())

    def _complete(self, asked: _Asked, wanted: dict[str, Query], for_reasons: bool = False) -> None:
        """Ask for all of it at once, and put what came into the call as if it had been prefetched."""
        wave = Wave(self._ask(asked, wanted), asked.server.is_unsupported, for_reasons)
        found = usable(wave, asked.expected)
        asked.waves.append(wave)
        asked.queries += len(wanted)
        asked.troubles += [f"{_recorded(key)}: {each.trouble}" for key, each in found.items() if each.trouble]
        asked.user_unread = asked.user_unread or user_not_read(found, asked.expected)
        asked.call = completed(asked.call, found, asked.expected)

    def _ask(self, asked: _Asked, wanted: dict[str, Query]) -> dict[str, Found]:
        if asked.server.is_unsupported:  # known from an earlier call: only who the patient is can be taken from it
            wanted_now = {key: query for key, query in wanted.items() if query.resource_type == "Patient"}
        else:
            wanted_now = wanted
        if not asked.server.begin():
            return {key: Found(FAILED, _SILENT) for key in wanted}
        silent = False
        try:
            found = self._answers(asked, wanted_now)
            silent = bool(found) and all(each.value is FAILED and each.trouble == "timeout" for each in found.values())
        finally:
            asked.server.end(silent)
        return found | {key: Found(FAILED) for key in wanted if key not in found}

    def _answers(self, asked: _Asked, wanted: dict[str, Query]) -> dict[str, Found]:
        version = self._ask_version(asked)
        waiting = {key: self._pool.submit(_question(asked, key, query)) for key, query in wanted.items()}
        TURN.while_waiting(partial(wait, waiting.values(), timeout=asked.deadline.remaining()))
        found = {key: _outcome(each) for key, each in waiting.items()}
        self._hear_version(asked, version, found)
        return found

    def _ask_version(self, asked: _Asked) -> Future[str | None] | None:
        if not asked.server.version_is_due:
            return None
        return self._pool.submit(asked.client.version)

    def _hear_version(self, asked: _Asked, version: Future[str | None] | None, found: dict[str, Found]) -> None:
        if any(each.value.state is State.OLDER for each in found.values()):
            asked.server.learn_version("older")
        elif version is not None:
            TURN.while_waiting(partial(wait, [version], timeout=asked.deadline.within(_VERSION_WAIT).remaining()))
            asked.server.learn_version(version.result() if version.done() and not version.cancelled() else None)


def _prefetched(call: HookCall, expected: dict[str, str], patient_needed: bool) -> Chart | None:
    try:
        return chart_from_prefetch(call, expected)
    except PatientMissing:
        if patient_needed:
            raise
        return None


def _question(asked: _Asked, key: str, query: Query) -> partial[Found]:
    at_hand = asked.call.prefetch.get(key)
    if at_hand is None or key not in asked.expected:
        return partial(asked.client.ask, query)
    return partial(asked.client.rest_of, at_hand, query)


def _outcome(future: Future[Found]) -> Found:
    if future.cancel() or not future.done():
        return Found(FAILED, "timeout")
    return future.result()


def _references(asked: _Asked, chart: Chart | None, coming: tuple[str, ...]) -> dict[str, Query]:
    """Reads of what the chart refers to and does not hold; what may come with the keys that are asked for can wait."""
    if chart is None:
        return {}
    wanted: dict[str, Query] = {}
    if "conditions" not in coming:
        wanted |= _reads(asked, still_missing(chart, asked.reasons), _REASONS)
    if "medications" not in coming:
        wanted |= _reads(asked, medicines_referred_to(chart), _MEDICINES)
    # No template asks for the person; a client that answered the one about the role has said what it knows.
    if "userRole" not in coming and ("userRole" in asked.keys or "userRole" not in asked.expected):
        wanted |= _reads(asked, (user_referred_to(chart),), _USERS)
    return wanted


def _reads(asked: _Asked, references: tuple[str, ...], types: frozenset[str]) -> dict[str, Query]:
    """Reads on this server; each reference once in a call."""
    found: dict[str, Query] = {}
    for reference in references:
        local = reference_on(asked.base, reference, types)
        if local and local not in asked.references and len(asked.references) < _MOST_REFERENCES:
            asked.references.add(local)
            resource_type, _, own_id = local.partition("/")
            found[f"{REFERRED}{local}"] = Query(resource_type, own_id)
    return found


def _recorded(key: str) -> str:
    """As the record names it: a key of ours, or the type alone of an entry that was referred to."""
    return key.removeprefix(REFERRED).partition("/")[0]


def _base_for(call: HookCall, caller: Caller) -> str:
    """The server that this call may be completed from: the one it names, if the caller is registered with it."""
    if not caller.fhir_servers or not call.fhir_server or not call.access.usable:
        return ""
    if not safe_id(call.context.patient_id):
        return ""
    base = _normal(call.fhir_server)
    return base if base and base in _registered(caller.fhir_servers) else ""


@lru_cache(maxsize=1024)
def _normal(address: str) -> str:
    try:
        return normal_base(address)
    except BadAddress:
        return ""


@lru_cache(maxsize=1024)
def _registered(addresses: frozenset[str]) -> frozenset[str]:
    return frozenset(_normal(each) for each in addresses) - {""}
