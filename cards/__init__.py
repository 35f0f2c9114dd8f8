"""A recommendation in, CDS Hooks cards, suggestions and ratings out; pure."""

from collections.abc import Sequence

from cards.card import Action, Answer, Card
from cards.ids import ids_of_call
from cards.rendering import Advised, CallIds, Rendering
from cards.several import cards_of
from cards.speaking import Call
from cards.wording import wording as wordings
from fhir_mappings.order_annotations import Consult, annotated, rating_extensions
from fhir_mappings.terminology import Terminology
from fhir_mappings.tidy import tidy
from rules.guidelines import Guidelines
from rules.recommendation import Situation

__all__ = ["Advised", "Answer", "CallIds", "Card", "Rendering", "cards_for"]


def cards_for(
    advice: Sequence[Advised], call: CallIds, rendering: Rendering, terminology: Terminology, guidelines: Guidelines
) -> Answer:
    """The cards to show and the ratings to write for the orders of one call."""
    ours = [each for each in advice if each.recommendation.situation is not Situation.NOT_OURS]
    if not ours:
        return Answer()
    shared = Call(
        ids=ids_of_call(call.client, call.service, call.hook_instance, call.body_digest),
        day=call.decided_on.isoformat(),
        rendering=rendering,
        terminology=terminology,
        guidelines=guidelines,
        wording=wordings(),
    )
    actions = tuple(_annotation(each, shared) for each in ours if each.recommendation.rating is not None)
    return Answer(cards_of(ours, shared), actions if rendering.annotate else ())


def _annotation(advised: Advised, call: Call) -> Action:
    """The submitted order with its rating, and nothing else changed."""
    rating, order = advised.recommendation.rating, advised.recommendation.order
    if rating is None:
        raise ValueError("an order without a rating is not annotated")
    consult = Consult(call.rendering.mechanism, call.ids.of("consult", order.reference), call.terminology.own.url)
    return Action("update", resource=annotated(tidy(advised.raw_draft), rating_extensions(rating, consult)))
