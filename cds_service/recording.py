"""Every call on record before its answer leaves: the journal, the log line and the counts.

A record that cannot be written costs nobody an answer, unless the operator has decided otherwise; `GET /health`, the
metrics and the log say that it is so.
"""

from __future__ import annotations

import time
from typing import Final, Protocol
from uuid import uuid4

from audit_trail.journal import JournalError
from audit_trail.record import DecisionRecord, Record, Versions, record_id
from audit_trail.record import FeedbackRecord as FeedbackReport
from cds_service.audit import CallLine, CallLog, FeedbackRecord, places
from cds_service.collaborators import Collaborators
from cds_service.consultation import Consultation
from cds_service.drain_duty import DrainDuty
from cds_service.errors import CallFailed, NotAuthenticated, TemporarilyUnavailable, operation_outcome, status_of
from cds_service.metrics import Metrics, gauges
from cds_service.operator_log import OperatorLog
from cds_service.record_of_call import Arrival, Ended, answered, failed
from cds_service.strangers import RECORDED_A_MINUTE, Strangers
from cds_service.tracing import NO_TRACES, Traces
from cds_service.versions_recorded import VersionsRecorded

NOT_RECORDED: Final = "calls cannot be recorded at the moment, and are not answered unrecorded; nothing was assessed"
FEEDBACK_NOT_RECORDED: Final = "feedback cannot be recorded at the moment; nothing was taken, send it again later"
SECONDS_BETWEEN_COMPLAINTS: Final = 10.0


class Journal(Protocol):
    """What records are written to; see ``JournalOfWorker``."""

    @property
    def writer(self) -> str: ...
    @property
    def given_up(self) -> bool: ...
    def append(self, record: Record) -> int: ...
    def start(self) -> None: ...
    def new_duty(self) -> DrainDuty: ...
    def stop(self) -> None: ...
    def health(self) -> dict[str, object]: ...
    def numbers(self) -> dict[str, tuple[str, float]]: ...


class Recorder:
    """One for each application; shared by its threads, and by the workers that fork from it."""

    def __init__(
        self,
        log: CallLog,
        operator: OperatorLog,
        metrics: Metrics,
        journal: Journal | None = None,
        required: bool = False,
        traces: Traces = NO_TRACES,
    ) -> None:
        self.metrics = metrics
        self._log = log
        self._operator = operator
        self._journal = journal
        self._required = required
        self._traces = traces
        self._versions = None if journal is None else VersionsRecorded(self.keep)
        self._usual: Collaborators | None = None
        self._complained = -SECONDS_BETWEEN_COMPLAINTS
        self._strangers = Strangers()
        self._strangers_told = -SECONDS_BETWEEN_COMPLAINTS
        if journal is not None:
            metrics.also(gauges(journal.numbers))

    @property
    def keeps(self) -> bool:
        """Are calls recorded at all?"""
        return self._journal is not None

    def person(self, client: str, identifier: str) -> str:
        """The pseudonym of a patient or user of that client: the same as in the log."""
        return self._log.person(client, identifier)

    def prepare(self, tools: Collaborators) -> None:
        """Before the workers fork: what is the same for all calls is worked out once."""
        self._usual = tools
        if self._versions is not None:
            self._versions.prepare(tools)

    def start(self) -> None:
        """In a worker, before its first call."""
        if self._journal is None:
            return
        try:
            self._journal.start()
        except JournalError as problem:  # tried again with each record
            self._operator.write("error", "audit-journal", f"no journal can be begun: {problem}")
        if self._usual is not None:
            self.versions(self._usual)

    def stop(self) -> None:
        """At the end of a worker: stores and sends what can be in a few seconds; the rest is found by the next one."""
        if self._journal is not None:
            self._journal.stop()
        self._traces.close()

    def new_duty(self) -> DrainDuty | None:
        """The draining of the journals into the store, for a process of its own."""
        return None if self._journal is None else self._journal.new_duty()

    def versions(self, tools: Collaborators) -> Versions:
        """By what these tools make answers."""
        if self._versions is None:
            return Versions()
        try:
            return self._versions.of(tools)
        except JournalError:  # the contents are written with a later call
            return self._versions.prepare(tools).versions

    def require_store(self) -> None:
        """Refuses a call that must be recorded where the store has been out of reach for too long."""
        if self._required and self._journal is not None and self._journal.given_up:
            raise TemporarilyUnavailable(NOT_RECORDED, "audit-store")

    def answered(self, arrival: Arrival, consultation: Consultation) -> None:
        """Records a call that gets cards, or none because no order is ours. Raises where it may not be answered."""
        try:
            made_up = "" if consultation.ids is not None else str(uuid4())
            record = answered(arrival, consultation, made_up, whole=self.keeps)
            self._tell(arrival, record, self._kept(record, NOT_RECORDED if self._required else ""))
        except CallFailed:
            raise
        except Exception as problem:  # noqa: BLE001  a defect in the record must not take a card from a clinician
            self._defect(problem)
            if self._required:
                raise TemporarilyUnavailable(NOT_RECORDED, "audit-record") from None

    def failed(self, arrival: Arrival, failure: CallFailed, name: str, where: str = "") -> None:
        """Records a call that gets an OperationOutcome; of callers whom nobody knows, no more than a disk can take."""
        failure.recorded = True
        try:
            keeps = self.keeps and (not isinstance(failure, NotAuthenticated) or self._strangers.take())
            record = failed(arrival, Ended(failure, name, where), operation_outcome(failure), str(uuid4()), whole=keeps)
            self._tell(arrival, record, self._kept(record) if keeps else "")
            self._tell_of_strangers()
        except Exception as problem:  # noqa: BLE001  the caller is to hear of the first failure, not of this one
            self._defect(problem)

    def _tell_of_strangers(self) -> None:
        now = time.monotonic()
        if now - self._strangers_told > SECONDS_BETWEEN_COMPLAINTS and (left_out := self._strangers.left_out()):
            self._strangers_told = now
            said = (
                f"calls without a valid token, beyond {RECORDED_A_MINUTE} a minute, are logged only: {left_out} of late"
            )
            self._operator.write("warning", "audit-record", said)

    def refused(self, failure: CallFailed, name: str, body_bytes: int, where: str = "") -> None:
        """Logs a request that was no hook call."""
        line = CallLine(
            service="",
            status=status_of(failure),
            outcome="failed",
            milliseconds=0.0,
            body_bytes=body_bytes,
            client=failure.client,
            failure=name,
            check=failure.check,
            where=where,
        )
        self._log.call(line)

    def feedback(self, report: FeedbackReport, counts: FeedbackRecord) -> None:
        """Records a feedback report, as far as it is taken. Raises where it could not be: it can be sent again."""
        self._kept(report, FEEDBACK_NOT_RECORDED)
        self._log.feedback(counts)
        self.metrics.outcomes(report.client if report.registered else "", report.items)

    def keep(self, record: Record) -> str:
        """Writes a record of any other kind (a page view, an access), and returns its name. May raise JournalError."""
        if self._journal is None:
            return ""
        number = self._append(self._journal, record)
        return record_id(self._journal.writer, number)

    def records_wait(self) -> bool:
        """Are there records that are written, and not yet in the store?"""
        return self._journal is not None and self._journal.numbers()["audit_journal_bytes_waiting"][1] > 0

    def health(self) -> dict[str, object]:
        """What `GET /health` says of the audit record."""
        return {"state": "off"} if self._journal is None else self._journal.health()

    def _kept(self, record: Record, or_refuse: str = "") -> str:
        """The record's name; nothing where it could not be kept, unless the call is refused for it."""
        try:
            return self.keep(record)
        except JournalError:
            if or_refuse:
                raise TemporarilyUnavailable(or_refuse, "audit-journal") from None
            return ""

    def _append(self, journal: Journal, record: Record) -> int:
        try:
            number = journal.append(record)
        except JournalError as problem:
            self.metrics.records_failed.inc()
            now = time.monotonic()
            if now - self._complained > SECONDS_BETWEEN_COMPLAINTS:
                self._complained = now
                self._operator.write("error", "audit-journal", f"a record was not kept: {problem}")
            raise
        self.metrics.records_kept.inc()
        return number

    def _tell(self, arrival: Arrival, record: DecisionRecord, name: str) -> None:
        self._log.call(line_of(record, name, self._log))
        self.metrics.call(record)
        self._traces.call(record, arrival.trace_parent, time.time_ns())

    def _defect(self, problem: Exception) -> None:
        self.metrics.records_failed.inc()
        self._operator.write("error", "audit-record", f"not kept: {type(problem).__name__} at {places(problem)}")


def line_of(record: DecisionRecord, name: str, log: CallLog) -> CallLine:
    """The log line of a call: what of its record may be said where everyone reads it."""
    timings, orders = record.timings, record.orders
    return CallLine(
        service=record.service,
        status=record.status,
        outcome=record.outcome,
        milliseconds=timings.whole,
        body_bytes=record.request_bytes,
        decision=record.decision,
        record=name,
        hook_differs=record.hook_differs,
        silent=record.silent,
        client=record.client if record.registered else "",
        patient=log.person(record.client, record.patient),
        user=log.person(record.client, record.user),
        judged_orders=len(orders),
        situations=tuple(order.situation for order in orders),
        ratings=tuple(order.rating for order in orders if order.rating),
        rows=tuple(order.row for order in orders if order.row),
        variants=tuple(order.variant for order in orders if order.variant is not None),
        urgencies=tuple(order.urgency for order in orders),
        cards=tuple(card.uuid for card in record.cards),
        indicators=tuple(card.indicator for card in record.cards),
        gaps=record.gaps,
        dropped_entries=record.dropped_entries,
        foreign_entries=record.foreign_entries,
        unread_texts=record.unread_texts,
        unmapped_codes=len(record.unmapped_codes),
        reading_milliseconds=timings.reading,
        deciding_milliseconds=timings.deciding,
        cards_milliseconds=timings.cards,
        fetch_milliseconds=timings.fetching,
        fetch_queries=record.fetch_queries,
        fetch_troubles=record.fetch_troubles,
        failure=record.failure,
        check=record.check,
        where=record.where,
    )
