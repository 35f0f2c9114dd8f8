"""A recorded call, decided again: the same code as for a live call, fed from the record instead of the network.

Everything that a decision depends on comes from the record: the request, what the EHR's server had answered, the day,
the client, remembered overrides; and from the contents it was made by, or others in their place.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Final

import msgspec
from msgspec import Struct

from audit_trail.overrides import Whose
from audit_trail.packing import NotPacked, unpacked
from audit_trail.record import DecisionRecord, Details, FetchedAnswer, FetchedWave, RememberedOverride
from cards.profiles import DEFAULT_PROFILE, PROFILES
from cds_service.chart_source import FetchRecord, Gathered, Wave, expected_of
from cds_service.collaborators import Collaborators
from cds_service.consultation import consult
from cds_service.deadline import Deadline
from cds_service.errors import CallFailed, operation_outcome, status_of
from cds_service.fetched_values import completed, usable, user_not_read
from cds_service.fhir_client import Found
from cds_service.progress import Progress
from cds_service.service_catalogue import SERVICE_BY_ID
from cds_service.trust import Caller
from fhir_mappings.chart import chart_from_prefetch, gap
from fhir_mappings.decode import HookCall
from fhir_mappings.prefetch_values import PrefetchValue, State, read_body
from rules.facts import ClinicalPicture
from rules.guideline_tables import Guidelines
from rules.recommendation import Recommendation

# Failures that depend on the call and not on the moment: these come out again.
_OF_THE_CALL: Final = frozenset({400, 412, 413, 422})


class CannotDecideAgain(ValueError):
    """It cannot be decided again; the message tells an auditor why, ``technical`` whoever maintains the software."""

    technical = ""


class ContentsOfAnotherVersion(CannotDecideAgain):
    """What it was made by is kept and whole, and the code of this version cannot work with it."""

    def __init__(self, which: Iterable[str], technical: str) -> None:
        names = " and the ".join(which)
        said = f"this version of the software cannot work with the {names} of then"
        super().__init__(f"what it was made by is kept and whole, but {said}")
        self.technical = technical


class Decided(Struct, frozen=True):
    """What came out: the body of the answer, and picture and advice as JSON."""

    status: int
    answer: bytes
    details: bytes = b""
    failure: str = ""


class AlwaysOn(Struct, frozen=True):
    """The guidelines of one day, whatever the day of the call: what today's rules say of an earlier call."""

    tables: Guidelines
    site_values: Mapping[str, float]

    def on(self, day: date) -> Guidelines:
        return self.tables


def require_enough(record: DecisionRecord) -> None:
    """A call can be decided again if its request was kept, and if it was the call itself that decided its outcome."""
    if not record.request:
        why = {"not kept": "the request was not kept: it was never read whole, or was no JSON"}
        raise CannotDecideAgain(why.get(record.request_kept, "the request was deleted when its time had come"))
    if record.outcome == "failed" and record.status not in _OF_THE_CALL:
        raise CannotDecideAgain(f"it failed with status {record.status}, which the call's content did not decide")
    if record.profile and record.profile not in PROFILES:
        raise CannotDecideAgain(f"this version knows no clients of the kind {record.profile!r}")
    if record.service not in SERVICE_BY_ID:
        raise CannotDecideAgain("it was not sent to a service of ours")


def decide_again(record: DecisionRecord, tools: Collaborators) -> Decided:
    """The outcome of the recorded call with these tools. Their chart source and their memory are not used."""
    require_enough(record)
    try:
        body = unpacked(record.request)
        source = RecordedChart(tuple(map(_wave, record.fetched)))
    except NotPacked as problem:
        raise CannotDecideAgain(f"the record is damaged: {problem}") from None
    progress = Progress()
    progress.digest = record.body_digest
    tools.overrides = RecordedOverrides(record)
    tools.own_pages = True  # else there were no record
    try:
        consultation = consult(
            body, SERVICE_BY_ID[record.service], caller_of(record), record.at, tools, source, progress
        )
    except CallFailed as failure:
        return Decided(status_of(failure), operation_outcome(failure), b"", type(failure).__name__)
    details = Details(picture=consultation.picture, advice=consultation.advice)
    encoded = msgspec.json.encode(details, order="deterministic") if consultation.picture is not None else b""
    return Decided(200, consultation.answer, encoded)


def caller_of(record: DecisionRecord) -> Caller:
    """The caller as it was known then; its servers are not needed, as nothing is asked of them."""
    return Caller(
        record.client,
        profile=record.profile or DEFAULT_PROFILE,
        registered=record.registered,
        silent=record.silent,
        issuer=record.issuer,
        token_id=record.token_id,
        tenant=record.tenant,
    )


class RecordedOverrides(Struct, frozen=True):
    """The overrides that the decision respected: again, as long as the same is advised."""

    record: DecisionRecord

    def respected(
        self, whose: Whose, advice: Recommendation, picture: ClinicalPicture, now: datetime, hours: int
    ) -> RememberedOverride | None:
        order = advice.order
        for override in self.record.overrides:
            if override.order == order.reference and self._was_advised(advice):
                return override
        return None

    def _was_advised(self, advice: Recommendation) -> bool:
        """Other rules may advise something else, and to that nobody has said no."""
        now = (advice.situation.value, "" if advice.leading is None else advice.leading.id)
        return any(
            (each.situation, each.row) == now for each in self.record.orders if each.reference == advice.order.reference
        )


class RecordedChart:
    """The chart as it was gathered then: prefetched, and completed by what the EHR's server had answered."""

    def __init__(self, waves: tuple[tuple[FetchedWave, Wave], ...]) -> None:
        self._waves = waves

    def with_reasons(
        self, call: HookCall, caller: Caller, deadline: Deadline, reasons: tuple[str, ...]
    ) -> tuple[HookCall, FetchRecord]:
        return self._completed(call, {}, for_reasons=True)[0], FetchRecord()

    def gather(self, call: HookCall, caller: Caller, deadline: Deadline, reasons: tuple[str, ...] = ()) -> Gathered:
        expected = expected_of(call)
        call, user_unread = self._completed(call, expected, for_reasons=False)
        chart = chart_from_prefetch(call, expected)
        if user_unread:
            chart.gaps = (*chart.gaps, gap("Practitioner", "failed"))
        return Gathered(chart, call)

    def _completed(self, call: HookCall, expected: dict[str, str], for_reasons: bool) -> tuple[HookCall, bool]:
        unread = False
        for kept, wave in self._waves:
            if kept.for_reasons is not for_reasons:
                continue
            whole = msgspec.structs.replace(wave, found={**_continued(kept, wave, call)})
            found = usable(whole, expected)
            unread = unread or user_not_read(found, expected)
            call = completed(call, found, expected)
        return call, unread


def _wave(kept: FetchedWave) -> tuple[FetchedWave, Wave]:
    found = {answer.key: _found(answer) for answer in kept.answers}
    return kept, Wave(found, kept.unsupported, kept.for_reasons)


def _found(answer: FetchedAnswer) -> Found:
    """The value that the pages were read as; entries are read from them again, the rest is as it was."""
    pages = tuple(map(unpacked, answer.pages))
    value = PrefetchValue(
        State(answer.state),
        [entry for page in pages for entry in read_body(page).entries],
        incomplete=answer.incomplete,
        next_link=answer.next_link,
        issue_codes=answer.issue_codes,
        dropped=answer.dropped,
        alone=answer.alone,
        total=answer.total,
    )
    return Found(value, answer.trouble, answer.gone, pages, answer.continues)


def _continued(kept: FetchedWave, wave: Wave, call: HookCall) -> dict[str, Found]:
    """Where pages followed one that the call itself had brought, that one stands before them."""
    found = dict(wave.found)
    for answer in kept.answers:
        first = call.prefetch.get(answer.key)
        if answer.continues and first is not None:
            value = found[answer.key].value
            joined = msgspec.structs.replace(value, entries=[*first.entries, *value.entries])
            found[answer.key] = msgspec.structs.replace(found[answer.key], value=joined)
    return found
