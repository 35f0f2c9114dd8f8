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
from cds_service.consultation import Consultation, decision_of
from cds_service.drain_duty import DrainDuty
from cds_service.errors import CallFailed, NotAuthenticated, TemporarilyUnavailable, operation_outcome, status_of
from cds_service.line_of_call import line_of_answer, line_of_failure
from cds_service.metrics import Metrics, gauges
from cds_service.operator_log import OperatorLog
from cds_service.record_of_call import Arrival, Ended, answered, failed
from cds_service.strangers import RECORDED_A_MINUTE, Strangers
from cds_service.tracing import NO_TRACES, Traces
from cds_service.versions_recorded import VersionsRecorded
from rules.recommendation import Recommendation

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
        self._writes_records = journal is not None or traces is not NO_TRACES
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
            arrival.ended = time.perf_counter()
            decision, name, record = decision_of(consultation) or str(uuid4()), "", None
            if self._writes_records:
                record = answered(arrival, consultation, decision, whole=self.keeps)
                name = self._kept(record, NOT_RECORDED if self._required else "")
            line = line_of_answer(arrival, consultation, decision, name, self._log)
            self._tell(line, consultation.advice, record, arrival)
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
            line = line_of_failure(record, self._kept(record) if keeps else "", self._log)
            self._tell(line, (), record, arrival)
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
        if self._journal is None:
            return {"state": "off"}
        said, failed = self._journal.health(), self.metrics.records_failed_lately()
        return {**said, "recordsNotKept": failed} if failed else said

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
            self.metrics.record_failed()
            now = time.monotonic()
            if now - self._complained > SECONDS_BETWEEN_COMPLAINTS:
                self._complained = now
                self._operator.write("error", "audit-journal", f"a record was not kept: {problem}")
            raise
        self.metrics.record_kept()
        return number

    def _tell(
        self, line: CallLine, advice: tuple[Recommendation, ...], record: DecisionRecord | None, arrival: Arrival
    ) -> None:
        self._log.call(line)
        self.metrics.call(line, advice)
        if record is not None:
            self._traces.call(record, arrival.trace_parent, time.time_ns())

    def _defect(self, problem: Exception) -> None:
        self._operator.write("error", "audit-record", f"not kept: {type(problem).__name__} at {places(problem)}")
        self.metrics.record_failed()
