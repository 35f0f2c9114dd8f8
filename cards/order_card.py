"""One order's advice as one card."""

from cards.card import Card
from cards.detail import detail_of
from cards.drawing import drawn, extension_of
from cards.headline import headline_of
from cards.ids import card_id
from cards.override_reasons import override_reasons
from cards.source import links_of, source_of
from cards.speaking import Speaking
from cards.suggestions import offered_on, suggestions_of
from cards.wording import about_order


def card_of(speaking: Speaking) -> Card:
    """The card of one order."""
    advice, profile = speaking.advice, speaking.kind.profile
    headline = headline_of(speaking)
    lead = headline.lead
    if speaking.order_named:
        lead = about_order(lead, speaking.order_named) if lead else speaking.order_named
    settled = speaking.settled_by_override
    offered = offered_on(speaking)
    suggestions = suggestions_of(speaking, offered.buttons)
    own_system = speaking.call.terminology.own.url
    reasons = () if settled or speaking.settled_by_keeping else override_reasons(advice.situation, own_system)
    return Card(
        headline.summary,
        headline.indicator,
        drawn(detail_of(speaking, lead, offered.by_hand), profile),
        source_of(speaking),
        suggestions,
        profile.selection if suggestions else "",
        () if settled else links_of(speaking),
        reasons,
        card_id(speaking.call.ids, advice),
        extension_of(profile),
    )
