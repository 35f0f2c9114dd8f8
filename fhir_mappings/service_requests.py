"""Orders that were placed before: referrals, therapy, planned operations and injections, earlier imaging orders."""

from __future__ import annotations

from fhir_mappings.body_sites import side_in
from fhir_mappings.codes import CodeReading
from fhir_mappings.elements import period_in
from fhir_mappings.encounter_and_user import encounter_of
from fhir_mappings.fhir_records import NOTHING, ServiceRequest
from fhir_mappings.page import Page, evidence_of
from fhir_mappings.reasons import states_another_reason
from rules.dates import DateInterval
from rules.facts import Fact, FactKind

# ServiceRequest.status to (Fact.state, does it still stand?).
_STATES = {
    "draft": ("draft", True),
    "active": ("planned", True),
    "on-hold": ("planned", False),
    "revoked": ("not-done", False),
    "completed": ("done", True),
    "unknown": ("planned", False),
}
_TENTATIVE = frozenset({"proposal", "option"})


def request_facts(request: ServiceRequest, reading: CodeReading, page: Page) -> list[Fact]:
    """What one ServiceRequest of the chart says, ``reading`` its code."""
    stated = _STATES.get(request.status or "")
    if stated is None:
        return []
    state, current = stated
    denied = state == "not-done" or request.do_not_perform is True
    page.tally.count_code(reading)
    if reading.contradicted:
        return []
    began, dated = _placed(request, page)
    side = "" if request.body_site is NOTHING else side_in(request.body_site, page.codes)
    tentative = request.intent in _TENTATIVE
    statements = reading.statements or tuple(
        statement for each in page.codes.lists.of(request.performer_type) for statement in each.statements
    )
    facts: list[Fact] = []
    for statement in statements:
        fact = Fact(
            statement.concept,
            FactKind.REQUEST,
            evidence_of(request, reading.says, dated, _marks(request, tentative, statement.marks)),
            statement.present and not denied,
            tentative or statement.suspected,
            current and not denied,
            began,
            side=side or statement.side,
            site=statement.site,
            state="not-done" if denied else state,
            encounter=encounter_of(request.encounter),
            stated_other_indication=states_another_reason(request.reason_code, request.reason_reference, request, page),
        )
        facts.append(fact)
    return facts


def _marks(request: ServiceRequest, tentative: bool, more: tuple[str, ...]) -> tuple[str, ...]:
    stands = request.status in ("active", "completed")
    return ("" if stands else request.status or "", request.intent or "" if tentative else "", *more)


def _placed(request: ServiceRequest, page: Page) -> tuple[DateInterval | None, str | None]:
    """When it was ordered; where that is not said, when it is to happen."""
    if request.authored_on:
        return page.past_day(request.authored_on), request.authored_on
    if request.occurrence_date_time:
        return page.day(request.occurrence_date_time), request.occurrence_date_time
    period = period_in(request.occurrence_period)
    return (None, None) if period is None else (page.day(period.start), period.start)
