"""Overrides that are remembered: the same advice, to the same clinician, on the same facts, not long after.

What is remembered is worked out from the records, away from the path of an answer: feedback that a card was overridden,
and the decision that the card came from. A call asks only whether this clinician overrode anything for this patient.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final, Protocol

import msgspec
from msgspec import Struct

from audit_trail.feedback import outcome_moment
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


class _Known(Struct, frozen=True):
    whose: Whose
    key: AdviceKey


class OverrideMemory:
    """What is remembered at the moment. Replaced as a whole, so that readers need no lock."""

    def __init__(self) -> None:
        self._by_person: Mapping[Whose, Mapping[AdviceKey, RememberedOverride]] = {}
        self._known: dict[tuple[str, str], _Known | None] = {}  # decision and card: worked out once

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

    def learn(self, reports: Iterable[Reported]) -> None:
        """Remembers these outcomes and nothing else: of each card the last one."""
        last: dict[tuple[str, str], tuple[datetime, Reported]] = {}
        for report in reports:
            moment = outcome_moment(report.item, report.received)
            card = (report.decision.decision, report.item.card)
            before = last.get(card)
            if before is None or (before[0], before[1].received) <= (moment, report.received):
                last[card] = (moment, report)
        known = {card: self._known[card] if card in self._known else _known(each) for card, (_, each) in last.items()}
        by_person: dict[Whose, dict[AdviceKey, RememberedOverride]] = {}
        for card, (moment, report) in sorted(last.items(), key=lambda entry: entry[1][0]):
            found = known[card]
            if found is None:
                continue
            theirs = by_person.setdefault(found.whose, {})
            if report.item.outcome == "overridden":
                theirs[found.key] = _remembered(report, moment)
            else:
                theirs.pop(found.key, None)  # taken back: the advice was followed after all
        self._known, self._by_person = known, by_person

    def __len__(self) -> int:
        return sum(len(theirs) for theirs in self._by_person.values())


def _remembered(report: Reported, moment: datetime) -> RememberedOverride:
    item = report.item
    return RememberedOverride(
        order="", card=item.card, decision=report.decision.decision, at=moment, reason=item.reason_code
    )


def _known(report: Reported) -> _Known | None:
    """Whose advice the card held, and its key; nothing where that cannot be told any more, or nobody is named."""
    decision = report.decision
    if decision.silent or not decision.user or not decision.patient:
        return None
    try:
        details = msgspec.json.decode(unpacked(decision.details), type=Details)
    except (msgspec.DecodeError, NotPacked):  # pruned, or written by a version that thought in other terms
        return None
    ids = ids_of_call(decision.client, decision.service, decision.hook_instance, decision.body_digest)
    for advice in details.advice:
        if details.picture is not None and card_id(ids, as_shown(advice)) == report.item.card:
            whose = Whose(decision.client, decision.tenant, decision.user, decision.patient, decision.encounter)
            return _Known(whose, advice_key(advice, details.picture))
    return None  # a card about several orders is no advice on one
