"""Overrides that are remembered: the same advice, to the same clinician, on the same facts, not long after.

What is remembered is worked out from the records, away from the path of an answer: feedback that a card was overridden,
and the decision that the card came from. A call asks only whether this clinician overrode anything for this patient.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final, Protocol

import msgspec
from msgspec import Struct

from audit_trail.packing import NotPacked, unpacked
from audit_trail.record import DecisionRecord, Details, FeedbackItem, RememberedOverride
from cards.ids import card_id, ids_of_call
from cards.several import as_shown
from rules.advice_key import AdviceKey, advice_key
from rules.facts import ClinicalPicture
from rules.recommendation import Recommendation


class Whose(Struct, frozen=True, gc=False):
    """Whom advice is given to, and about whom."""

    client: str
    tenant: str
    user: str
    patient: str
    encounter: str


class Overrides(Protocol):
    """Overrides that a decision has to respect."""

    def respected(
        self, whose: Whose, advice: Recommendation, picture: ClinicalPicture, now: datetime, hours: int
    ) -> RememberedOverride | None:
        """The override of this very advice within the last ``hours``."""
        ...


class NoOverrides:
    """Where nothing is remembered."""

    def respected(
        self, whose: Whose, advice: Recommendation, picture: ClinicalPicture, now: datetime, hours: int
    ) -> RememberedOverride | None:
        return None


NO_OVERRIDES: Final = NoOverrides()


class Reported(Struct, frozen=True):
    """An outcome of one card, when its report arrived, and the decision that the card came from."""

    item: FeedbackItem
    received: datetime
    decision: DecisionRecord


class CardOutcome(Struct, frozen=True, gc=False):
    """What became of a card of a client, when, and when the report of it arrived."""

    client: str
    card: str
    outcome: str
    at: datetime
    received: datetime
    reason: str = ""


Card = tuple[str, str]  # client and card
DecisionsOf = Callable[[frozenset[Card]], Mapping[Card, DecisionRecord]]


class _Known(Struct, frozen=True):
    whose: Whose
    key: AdviceKey
    decision: str


class OverrideMemory:
    """What is remembered at the moment. Replaced as a whole, so that readers need no lock."""

    def __init__(self) -> None:
        self._by_person: Mapping[Whose, Mapping[AdviceKey, RememberedOverride]] = {}
        self._known: dict[Card, _Known | None] = {}  # worked out once

    def respected(
        self, whose: Whose, advice: Recommendation, picture: ClinicalPicture, now: datetime, hours: int
    ) -> RememberedOverride | None:
        theirs = self._by_person.get(whose)
        if theirs is None:  # as nearly always: no digest of the facts is made
            return None
        found = theirs.get(advice_key(advice, picture))
        if found is None or not timedelta(0) <= now - found.at < timedelta(hours=hours):
            return None
        return msgspec.structs.replace(found, order=advice.order.reference)

    def learn(self, outcomes: Iterable[CardOutcome], decisions_of: DecisionsOf) -> None:
        """Remembers these outcomes and nothing else: of each card the last one.

        ``decisions_of`` is asked for the decisions behind cards that were not met before.
        """
        last: dict[Card, CardOutcome] = {}
        overridden: set[Card] = set()
        for each in outcomes:
            card = (each.client, each.card)
            before = last.get(card)
            if before is None or (before.at, before.received) <= (each.at, each.received):
                last[card] = each
            if each.outcome == "overridden":
                overridden.add(card)
        known = {card: self._known[card] for card in overridden & self._known.keys()}
        unmet = frozenset(overridden - known.keys())
        if unmet:
            known |= {card: _known(card[1], decision) for card, decision in decisions_of(unmet).items()}
        self._known, self._by_person = known, _by_person(last, known)

    def __len__(self) -> int:
        return sum(len(theirs) for theirs in self._by_person.values())


def _by_person(
    last: Mapping[Card, CardOutcome], known: Mapping[Card, _Known | None]
) -> dict[Whose, dict[AdviceKey, RememberedOverride]]:
    """In the order of what happened: what was followed after all is not overridden any more."""
    found: dict[Whose, dict[AdviceKey, RememberedOverride]] = {}
    for card, outcome in sorted(last.items(), key=lambda entry: (entry[1].at, entry[1].received)):
        about = known.get(card)
        if about is None:
            continue
        theirs = found.setdefault(about.whose, {})
        if outcome.outcome == "overridden":
            theirs[about.key] = RememberedOverride(
                order="", card=outcome.card, decision=about.decision, at=outcome.at, reason=outcome.reason
            )
        else:
            theirs.pop(about.key, None)
    return found


def _known(card: str, decision: DecisionRecord) -> _Known | None:
    """Whose advice the card held, and its key; nothing where that cannot be told any more, or nobody is named."""
    if decision.silent or not decision.user or not decision.patient:
        return None
    try:
        details = msgspec.json.decode(unpacked(decision.details), type=Details)
    except (msgspec.DecodeError, NotPacked):  # pruned, or written by a version that thought in other terms
        return None
    ids = ids_of_call(decision.client, decision.service, decision.hook_instance, decision.body_digest)
    for advice in details.advice:
        if details.picture is not None and card_id(ids, as_shown(advice)) == card:
            whose = Whose(decision.client, decision.tenant, decision.user, decision.patient, decision.encounter)
            return _Known(whose, advice_key(advice, details.picture), decision.decision)
    return None  # a card about several orders is no advice on one
