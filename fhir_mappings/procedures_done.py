"""Procedures to facts: operations, injections, therapy sessions, dialysis."""

from __future__ import annotations

from fhir_mappings.body_sites import side_in
from fhir_mappings.codes import CodeReading
from fhir_mappings.elements import period_in
from fhir_mappings.encounter_and_user import encounter_of
from fhir_mappings.fhir_records import NOTHING, Procedure
from fhir_mappings.page import Page, evidence_of
from fhir_mappings.reasons import states_another_reason
from fhir_mappings.status_codes import OlderFhir
from rules.dates import DateInterval
from rules.facts import Fact, FactKind

# Procedure.status to Fact.state. A procedure that was stopped was under way; "unknown" is doubt, not denial.
_STATES = {
    "preparation": "planned",
    "in-progress": "ongoing",
    "not-done": "not-done",
    "on-hold": "planned",
    "stopped": "done",
    "completed": "done",
    "unknown": "done",
}
_PROCEDURE = FactKind.PROCEDURE
_OLDER_STATUSES = frozenset({"aborted", "suspended"})


def procedure_facts(procedure: Procedure, reading: CodeReading, page: Page) -> list[Fact]:
    """What one Procedure says, ``reading`` its code."""
    if is_older_procedure(procedure):
        raise OlderFhir
    state = _STATES.get(procedure.status or "")
    if state is None:  # entered in error, or no status of R4
        return []
    page.tally.count_code(reading)
    if reading.contradicted:
        return []
    began, ended, dated = _performed(procedure, state, page)
    side = "" if procedure.body_site is NOTHING else side_in(procedure.body_site, page.codes)
    status, facts = procedure.status, list[Fact]()
    stands = status if state != "done" else ""
    for statement in reading.statements:
        suspected = statement.suspected or status == "unknown"
        marks: tuple[str | None, ...] = statement.marks
        if suspected or stands:
            marks = ("suspected" if suspected else "", stands, *marks)
        another = states_another_reason(procedure.reason_code, procedure.reason_reference, procedure, page)
        facts.append(
            Fact(
                statement.concept,
                _PROCEDURE,
                evidence_of(procedure, reading.says, dated, marks),
                statement.present and state != "not-done",
                suspected,
                status not in ("on-hold", "not-done"),
                began,
                ended,
                None,
                "",
                None,
                side or statement.side,
                statement.site,
                "",
                state,
                encounter_of(procedure.encounter),
                another,
            )
        )
    return facts


def is_older_procedure(procedure: Procedure) -> bool:
    """DSTU2 and STU3 have other statuses, and say in a member of its own that a procedure was not done."""
    if procedure.not_done is not None or procedure.not_performed is not None:
        return True
    return procedure.status in _OLDER_STATUSES


def _performed(
    procedure: Procedure, state: str, page: Page
) -> tuple[DateInterval | None, DateInterval | None, str | None]:
    """Begin, end and the date as the record gives it. A planned procedure may lie in the future, a done one not."""
    day = page.day if state == "planned" else page.past_day
    if procedure.performed_date_time:
        return day(procedure.performed_date_time), None, procedure.performed_date_time
    period = period_in(procedure.performed_period)
    if period is None:
        return None, None, None
    return day(period.start), page.day(period.end), period.start or period.end
