"""The log line of a hook call: what of it may be said where everyone reads it."""

from __future__ import annotations

from audit_trail.record import DecisionRecord
from cds_service.audit import CallLine, CallLog
from cds_service.consultation import Consultation
from cds_service.record_of_call import Arrival, gaps_of, milliseconds, time_to_decide
from rules.recommendation import Recommendation

_Words = tuple[str, ...]


def line_of_answer(arrival: Arrival, consultation: Consultation, decision: str, record: str, log: CallLog) -> CallLine:
    """Of a call that was answered, or left alone; straight from what was decided, as most lines are of these.

    ``decision`` and ``record`` are the ids of both; the record's is empty where none was kept.
    """
    caller, progress, picture, cards = arrival.caller, arrival.progress, consultation.picture, consultation.shown.cards
    call, fetched, person = progress.call, progress.fetched, log.person
    situations, ratings, rows, variants, urgencies = _words(consultation.advice)
    return CallLine(  # in the order of the fields: with so many, naming each would take several times as long
        arrival.service,
        200,
        "left alone" if picture is None else "answered",
        milliseconds(arrival.started, arrival.ended),
        len(arrival.body),
        decision,
        record,
        consultation.hook_differs,
        caller.silent,
        caller.client if caller.registered else "",
        "" if call is None else person(caller.client, call.context.patient_id),
        "" if call is None else person(caller.client, call.context.user_id),
        len(situations),
        situations,
        ratings,
        rows,
        variants,
        urgencies,
        tuple([card.uuid for card in cards]),
        tuple([card.indicator for card in cards]),
        () if picture is None else gaps_of(picture),
        0 if picture is None else picture.dropped_entries,
        0 if picture is None else picture.foreign_entries,
        0 if picture is None else picture.unread_texts,
        0 if picture is None else len(picture.unmapped_codes),
        milliseconds(progress.began, progress.read),
        time_to_decide(progress),
        milliseconds(progress.decided, progress.answered),
        fetched.milliseconds,
        fetched.queries,
        fetched.troubles,
    )


def _words(advice: tuple[Recommendation, ...]) -> tuple[_Words, _Words, _Words, tuple[int, ...], _Words]:
    """Situations, ratings, rows, variants and urgencies of the orders that were judged."""
    situations, ratings, rows, variants, urgencies = [], [], [], [], []
    for each in advice:
        situations.append(each.situation.value)
        urgencies.append(each.urgency.value)
        if each.rating is not None:
            ratings.append(each.rating.pama.value)
        if (row := each.leading) is not None:
            if row.id:
                rows.append(row.id)
            if row.variant is not None:
                variants.append(row.variant)
    return tuple(situations), tuple(ratings), tuple(rows), tuple(variants), tuple(urgencies)


def line_of_failure(record: DecisionRecord, name: str, log: CallLog) -> CallLine:
    """Of a call that got an OperationOutcome: no order of it was judged, and no card shown."""
    timings = record.timings
    return CallLine(
        service=record.service,
        status=record.status,
        outcome=record.outcome,
        milliseconds=timings.whole,
        body_bytes=record.request_bytes,
        decision=record.decision,
        record=name,
        silent=record.silent,
        client=record.client if record.registered else "",
        patient=log.person(record.client, record.patient),
        user=log.person(record.client, record.user),
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
