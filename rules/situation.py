"""Which card an order gets, and what else is folded into it."""

from msgspec import Struct

from rules.decide import Assessment
from rules.draft_order import DraftOrder, Recognition
from rules.finding import Findings
from rules.recommendation import BetterTest, PamaRating, Rating, Situation, Urgency

_NOT_PLACED = frozenset({Recognition.NOT_RECOGNISED, Recognition.NOT_AMONG_ELEVEN})


class Circumstances(Struct, frozen=True):
    """Everything that decides the kind of card."""

    order: DraftOrder
    findings: Findings
    assessment: Assessment
    better: BetterTest | None
    asked: tuple[str, ...]
    hidden: bool  # something that was not read could hold a red flag
    contraindicated: bool
    hazard: bool
    not_rated_because: str
    rating: Rating | None
    silent: bool


def situations_of(case: Circumstances) -> tuple[Situation, ...]:
    """The leading situation first, then the ones folded into the same card. Never empty."""
    if case.silent:
        return (Situation.NOT_OURS,)
    urgency = case.assessment.urgency.urgency
    if urgency in (Urgency.EMERGENCY, Urgency.IMMEDIATE):
        lead = Situation.EMERGENCY if urgency is Urgency.EMERGENCY else Situation.IMMEDIATE
        # No deferral, prior-imaging or question card accompanies an emergency; safety is merged without lowering it.
        safety = (Situation.SAFETY,) if case.contraindicated or case.hazard else ()
        unread = (Situation.SOURCE_NOT_READ,) if case.hidden else ()
        return (lead, *safety, *unread)
    return tuple(_in_order(case))


def _in_order(case: Circumstances) -> list[Situation]:
    found: list[Situation] = []
    if case.findings.cauda_equina.level == "possible":
        found.append(Situation.POSSIBLE_CAUDA_EQUINA)
    if case.findings.deferred and case.assessment.urgency.urgency is Urgency.ROUTINE:
        found.append(Situation.DEFERRED)  # a deferral never covers a red flag that came to light since
    if case.contraindicated:
        found.append(Situation.SAFETY)
    found += _by_rating(case)
    if case.hazard and Situation.SAFETY not in found:
        # A hazard alone is worth a card of its own only where nothing else is to be said.
        at = 0 if found == [Situation.APPROPRIATE] else len(found)
        found.insert(at, Situation.SAFETY)
    return found


def _by_rating(case: Circumstances) -> list[Situation]:
    if case.order.recognition in _NOT_PLACED:
        return [Situation.NOT_RATED, *([Situation.SOURCE_NOT_READ] if case.hidden else [])]
    wrong_test = [Situation.WRONG_TEST] if case.better is not None else []
    rest = [_plain(case)]
    if case.hidden:
        # What can be done now comes first; the source that was not read is named beside it.
        return [*wrong_test, Situation.SOURCE_NOT_READ, *(rest if not wrong_test else [])]
    return wrong_test or rest


def _plain(case: Circumstances) -> Situation:
    if case.asked:
        return Situation.ANSWER_MISSING
    if case.not_rated_because and case.not_rated_because != "source-not-read":
        return Situation.NOT_RATED
    if case.rating is not None and case.rating.pama is PamaRating.NOT_APPROPRIATE:
        return Situation.PRIOR_IMAGING if case.assessment.rated_by == "acp" else Situation.NOT_APPROPRIATE
    if case.rating is None and case.assessment.pama is PamaRating.NOT_APPROPRIATE:
        return Situation.NOT_APPROPRIATE
    return Situation.APPROPRIATE
