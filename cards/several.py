"""Several orders in one answer: which cards are shown, in which order, and what becomes of the rest."""

from collections import Counter
from collections.abc import Sequence

from msgspec import structs

from cards.card import Card
from cards.drawing import drawn, extension_of
from cards.headline import headline_of
from cards.order_card import card_of
from cards.phrases import listed, study_short
from cards.rendering import Advised
from cards.source import links_of, source_of
from cards.speaking import AT_ONCE, Call, Speaking, speaking_of
from cards.wording import Wording
from rules.recommendation import Recommendation, Situation, Urgency

MOST_CARDS = 3
_RANK = {situation: rank for rank, situation in enumerate(Situation)}
# Nothing that could be read as "wait" or "cancel" stands beside an emergency.
_NOT_BESIDE_EMERGENCY = frozenset(
    {Situation.PRIOR_IMAGING, Situation.NOT_APPROPRIATE, Situation.DEFERRED, Situation.ANSWER_MISSING}
)
_DEFERRED, _APPROPRIATE = Situation.DEFERRED, Situation.APPROPRIATE  # a member of an enumeration is slow to reach
_LOUDNESS = {"critical": 0, "warning": 1, "info": 2}


def cards_of(speaking: Sequence[Speaking]) -> tuple[Card, ...]:
    """One card for each order, the most urgent first; past three, the rest as lines of one summary card."""
    shown = [each for each in speaking if _is_shown(each)]
    if len(shown) == 1:
        return (card_of(shown[0]),)
    shown.sort(key=lambda each: (each.settled_by_override, _RANK[each.advice.situation]))
    waiting: list[Speaking] = []
    if any(each.advice.situation in AT_ONCE for each in shown):
        waiting = [each for each in shown if each.advice.situation in _NOT_BESIDE_EMERGENCY]
        shown = [each for each in shown if each not in waiting]
    if len(shown) <= MOST_CARDS:
        cards = [card_of(each) for each in shown]
    else:
        cards = [card_of(each) for each in shown[: MOST_CARDS - 1]]
        cards.append(_summary_card(shown[MOST_CARDS - 1 :]))
    if waiting:
        cards[0] = _with_waiting(cards[0], waiting)
    return tuple(cards)


def speaking_about(advice: Sequence[Advised], call: Call) -> list[Speaking]:
    """Every order's advice with its words, as the orders came."""
    if len(advice) == 1:
        return [speaking_of(_escalated(advice[0]), call)]
    names = _names(advice, call.wording)
    return [speaking_of(_escalated(each), call, name) for each, name in zip(advice, names, strict=True)]


def as_shown(advice: Recommendation) -> Recommendation:
    """The advice as its card has it: a deferral made earlier does not hide a red flag that has come to light since."""
    if advice.situation is not _DEFERRED or advice.urgency is Urgency.ROUTINE or not advice.secondary:
        return advice
    first, *rest = advice.secondary
    return structs.replace(advice, situation=first, secondary=tuple(rest))


def _escalated(advised: Advised) -> Advised:
    shown = as_shown(advised.recommendation)
    return advised if shown is advised.recommendation else structs.replace(advised, recommendation=shown)


def _names(advice: Sequence[Advised], wording: Wording) -> list[str]:
    """What each order is called when several were selected: its study, numbered where two are alike."""
    studies = [study_short(each.recommendation.order, wording) for each in advice]
    count = Counter(studies)
    return [
        wording.detail["numbered-order"].format(count=at, name=study)
        if count[study] > 1
        else study[0].upper() + study[1:]
        for at, study in enumerate(studies, start=1)
    ]


def _is_shown(speaking: Speaking) -> bool:
    """The one-line card of an appropriate order is a setting, unless it has something to do on it."""
    advice = speaking.advice
    if advice.situation is not _APPROPRIATE or speaking.call.rendering.show_appropriate:
        return True
    if advice.duplicates or advice.gaps or advice.unread or advice.order.level_not_stated:
        return True
    return any(note.severity != "info" and not note.ask for note in advice.safety)


def _summary_card(rest: list[Speaking]) -> Card:
    """The orders past the third card, one line each."""
    first = rest[0]
    wording, profile = first.wording, first.call.rendering.profile
    headlines = [headline_of(each) for each in rest]
    lines = [f"- {headline.summary}" for headline in headlines]
    lead = wording.detail["several"].format(count=len(rest))
    indicator = min((headline.indicator for headline in headlines), key=_LOUDNESS.__getitem__)
    return Card(
        summary=wording.summarised("several", count=str(len(rest))),
        indicator=indicator,
        detail=drawn("\n\n".join([f"**{lead}**", "\n".join(lines), wording.detail["several-end"]]), profile),
        source=source_of(first),
        links=links_of(first),
        uuid=first.call.ids.of("card", "summary", *(each.advice.order.reference for each in rest)),
        extension=extension_of(profile),
    )


def _with_waiting(card: Card, waiting: list[Speaking]) -> Card:
    first = waiting[0]
    names = listed(each.order_named or each.kind.study for each in waiting)
    line = drawn(first.wording.detail["other-orders"].format(orders=names), first.call.rendering.profile)
    return structs.replace(card, detail=f"{card.detail}\n\n{line}")
