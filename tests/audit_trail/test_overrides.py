"""What is remembered of overrides: whose, which advice, how long, and what ends it."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from importlib.resources import files
from typing import Any

import msgspec
import pytest
from msgspec import Struct
from msgspec.structs import replace

from audit_trail.overrides import Card, CardOutcome, OverrideMemory, Whose
from audit_trail.packing import packed
from audit_trail.record import DecisionRecord, Details, RememberedOverride
from cards.ids import card_id, ids_of_call
from cards.several import as_shown
from rules.facts import ClinicalPicture
from rules.parameters import ParameterError, parameters_on
from rules.recommendation import Recommendation
from tests.cards.builders import a_picture, advise
from tests.cards.situations import situations

NOON = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
PICTURE = a_picture()
ADVICE = advise()
WHOSE = Whose("st-anna", "north", "Practitioner/7", "patient-1", "encounter-1")
HOURS = 8


def decision(advice: tuple[Recommendation, ...] = (ADVICE,), picture: ClinicalPicture = PICTURE, **more: Any) -> Any:
    """The record of a call that was answered with this advice."""
    whose: dict[str, Any] = msgspec.structs.asdict(WHOSE)
    return DecisionRecord(
        **{
            "decision": "d-1",
            "at": NOON - timedelta(minutes=5),
            "outcome": "answered",
            "status": 200,
            "service": "lumbar-imaging-order-select",
            "hook_instance": "h-1",
            "body_digest": "abc",
            "details": packed(msgspec.json.encode(Details(picture=picture, advice=advice))),
            **whose,
            **more,
        }
    )


def card(record: DecisionRecord, advice: Recommendation = ADVICE) -> str:
    """The id of the card that told this advice."""
    ids = ids_of_call(record.client, record.service, record.hook_instance, record.body_digest)
    return card_id(ids, as_shown(advice))


class Report(Struct, frozen=True):
    """What the clinician did with a card, reported at once; and the decision that the card came from."""

    outcome: CardOutcome
    decision: DecisionRecord


def report(outcome: str = "overridden", at: datetime = NOON, record: Any = None, **more: Any) -> Report:
    record = record or decision()
    told = {"client": record.client, "card": card(record), "reason": "planned-procedure", **more}
    return Report(CardOutcome(outcome=outcome, at=at, received=at + timedelta(seconds=1), **told), record)


def learned(reports: Iterable[Report]) -> OverrideMemory:
    """A memory that was told all that."""
    told = list(reports)
    decisions = {(each.outcome.client, each.outcome.card): each.decision for each in told}
    memory = OverrideMemory()
    memory.learn([each.outcome for each in told], lambda cards: {each: decisions[each] for each in cards})
    return memory


def asked(
    *reports: Report,
    whose: Whose = WHOSE,
    advice: Recommendation = ADVICE,
    picture: ClinicalPicture = PICTURE,
    after: timedelta = timedelta(hours=1),
) -> RememberedOverride | None:
    return learned(reports).respected(whose, advice, picture, NOON + after, HOURS)


def test_the_same_advice_to_the_same_clinician_is_remembered_with_its_reason() -> None:
    found = asked(report())
    assert found == RememberedOverride(
        order=ADVICE.order.reference, card=card(decision()), decision="d-1", at=NOON, reason="planned-procedure"
    )


@pytest.mark.parametrize("name", situations())
def test_every_kind_of_advice_is_the_same_after_its_way_through_the_record(name: str) -> None:
    advice = situations()[name]
    record = decision((advice,))
    assert asked(report(record=record, card=card(record, advice)), advice=advice) is not None


NOT_REMEMBERED: dict[str, dict[str, Any]] = {
    "another client": {"whose": replace(WHOSE, client="st-bea")},
    "another tenant": {"whose": replace(WHOSE, tenant="south")},
    "another clinician": {"whose": replace(WHOSE, user="Practitioner/8")},
    "another patient": {"whose": replace(WHOSE, patient="patient-2")},
    "another encounter": {"whose": replace(WHOSE, encounter="encounter-2")},
    "a fact has changed": {"picture": replace(PICTURE, unread_texts=1)},
    "other advice": {"advice": situations()["wrong_test_fever_xray"]},
    "eight hours later": {"after": timedelta(hours=8)},
    "before it happened": {"after": timedelta(seconds=-1)},
}


@pytest.mark.parametrize("question", NOT_REMEMBERED.values(), ids=list(NOT_REMEMBERED))
def test_anything_else_is_said_in_full(question: dict[str, Any]) -> None:
    assert asked(report(), **question) is None


def test_it_is_remembered_until_the_last_second_of_the_eighth_hour_and_at_once() -> None:
    assert asked(report(), after=timedelta(hours=8, microseconds=-1)) is not None
    assert asked(report(), after=timedelta(0)) is not None


LATER = NOON + timedelta(minutes=10)
ENDED = {
    "followed after all": ([report(), report("accepted", LATER)], False),
    "followed, then overridden": ([report("accepted"), report(at=LATER)], True),
    "told in the wrong order": ([report("accepted", LATER), report()], False),
    "told twice": ([report(), report()], True),
    "told by another client of the same card": ([report(client="st-bea", record=decision(client="st-bea"))], False),
    "nobody is named": ([report(record=decision(user=""))], False),
    "the client is silent": ([report(record=decision(silent=True))], False),
    "the content was pruned": ([report(record=decision(details=b""))], False),
    "written by a version that thought otherwise": ([report(record=decision(details=packed(b'{"advice":7}')))], False),
    "the content is damaged": ([report(record=decision(details=b"damaged"))], False),
    "the card is of several orders": ([report(card="4e0a3a1e-3283-4575-ab82-028d55fe2719")], False),
}


@pytest.mark.parametrize(("reports", "remembered"), ENDED.values(), ids=list(ENDED))
def test_the_last_outcome_of_a_card_counts(reports: list[Report], remembered: bool) -> None:
    assert (asked(*reports) is not None) is remembered


def test_the_next_day_counts_as_the_same_while_advice_and_facts_are() -> None:
    late = datetime(2026, 11, 25, 23, 0, tzinfo=UTC)
    tomorrow = replace(PICTURE, as_of=date(2026, 11, 26))
    memory = learned([report(at=late)])
    assert memory.respected(WHOSE, ADVICE, tomorrow, late + timedelta(hours=2), HOURS) is not None


def test_what_is_learned_replaces_what_was_and_asks_once_for_each_card() -> None:
    asked_for: list[frozenset[Card]] = []
    told = report()

    def decisions_of(cards: frozenset[Card]) -> dict[Card, DecisionRecord]:
        asked_for.append(cards)
        return dict.fromkeys(cards, told.decision)

    memory = OverrideMemory()
    for _ in range(3):
        memory.learn([told.outcome], decisions_of)
    assert len(memory) == 1
    assert asked_for == [frozenset({("st-anna", told.outcome.card)})]
    memory.learn([], decisions_of)
    assert len(memory) == 0


def test_a_decision_that_is_stored_after_its_feedback_is_found_the_next_time() -> None:
    told = report()
    memory = OverrideMemory()
    memory.learn([told.outcome], lambda cards: {})
    assert len(memory) == 0
    memory.learn([told.outcome], lambda cards: dict.fromkeys(cards, told.decision))
    assert len(memory) == 1


@pytest.mark.parametrize(("hours", "remembered"), [(0, False), (1, False), (2, True), (168, True)])
def test_a_site_decides_how_long_or_that_nothing_is_remembered(hours: int, remembered: bool) -> None:
    parameters = parameters_on(NOON.date(), {"override_memory_hours": hours})
    found = learned([report()]).respected(
        WHOSE, ADVICE, PICTURE, NOON + timedelta(hours=1), parameters.override_memory_hours
    )
    assert (found is not None) is remembered


def test_eight_hours_stand_in_the_parameters_with_where_they_come_from() -> None:
    assert parameters_on(NOON.date()).override_memory_hours == HOURS
    text = files("rules").joinpath("parameters.toml").read_text(encoding="utf-8")
    (entry,) = tomllib.loads(text)["parameter"]["override_memory_hours"]
    assert "working day" in entry["our_choice"]
    with pytest.raises(ParameterError):
        parameters_on(NOON.date(), {"override_memory_hours": 169})
