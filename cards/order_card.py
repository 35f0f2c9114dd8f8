"""One order's advice as one card."""

from cards.card import Card
from cards.detail import detail_of
from cards.headline import headline_of
from cards.ids import card_id
from cards.override_reasons import override_reasons
from cards.source import links_of, source_of
from cards.speaking import Speaking
from cards.suggestions import suggestions_of


def card_of(speaking: Speaking) -> Card:
    """The card of one order."""
    advice = speaking.advice
    headline = headline_of(speaking)
    lead = ": ".join(part for part in (speaking.order_named, headline.lead) if part)
    settled = speaking.settled_by_override
    suggestions = () if settled else suggestions_of(speaking)
    own_system = speaking.call.terminology.own.url
    reasons = () if settled or speaking.settled_by_keeping else override_reasons(advice.situation, own_system)
    return Card(
        summary=headline.summary,
        indicator=headline.indicator,
        detail=detail_of(speaking, lead),
        source=source_of(speaking),
        suggestions=suggestions,
        selection_behavior="at-most-one" if suggestions else "",
        links=() if settled else links_of(speaking),
        override_reasons=reasons,
        uuid=card_id(speaking.call.ids, advice),
    )
