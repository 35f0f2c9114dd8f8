"""A recommendation in, CDS Hooks cards, suggestions and ratings out; pure."""

from collections.abc import Sequence

from cards.card import Action, Answer, Card
from cards.ids import ids_of_call
from cards.rendering import Advised, CallIds, Rendering
from cards.several import cards_of, speaking_about
from cards.speaking import Call
from cards.wording import wording as wordings
from fhir_mappings.terminology import Terminology
from rules.guideline_tables import Guidelines
from rules.recommendation import Situation

__all__ = ["Advised", "Answer", "CallIds", "Card", "Rendering", "cards_for"]

_NOT_OURS = Situation.NOT_OURS  # a member of an enumeration is slow to reach


def cards_for(
    advice: Sequence[Advised], call: CallIds, rendering: Rendering, terminology: Terminology, guidelines: Guidelines
) -> Answer:
    """The cards to show and the ratings to write for the orders of one call."""
    ours = [each for each in advice if each.recommendation.situation is not _NOT_OURS]
    if not ours:
        return Answer()
    ids = ids_of_call(call.client, call.service, call.hook_instance, call.body_digest)
    shared = Call(ids, call.decided_on.isoformat(), rendering, terminology, guidelines, wordings())
    speaking = speaking_about(ours, shared)
    places = rendering.profile.ratings_in
    rated = [Action("update", resource=each.rated) for each in speaking if each.advice.rating is not None]
    return Answer(cards_of(speaking), tuple(rated) if places else (), "extension.systemActions" in places)
