"""Appropriateness ratings on an order: the Argonaut extensions for PAMA.

Addresses and value types: argonautproject.github.io/cds-hooks-for-pama, table "Argonaut FHIR extensions for PAMA"
(rating: CodeableConcept; qcdsm-consulted: string; consult-id: uri). The Argonaut coding comes first, because clients
read the first coding; the finer ACR category and the 1-9 rating follow in our own code system.
"""

from functools import lru_cache
from typing import Any

from msgspec import Struct

from rules.recommendation import Category, PamaRating, Rating, Study

RATING = "http://fhir.org/argonaut/Extension/pama-rating"
CONSULTED = "http://fhir.org/argonaut/Extension/pama-rating-qcdsm-consulted"
CONSULT_ID = "http://fhir.org/argonaut/Extension/pama-rating-consult-id"
RATING_SYSTEM = "http://fhir.org/argonaut/CodeSystem/pama-rating"
_OURS = frozenset({RATING, CONSULTED, CONSULT_ID})

_CATEGORY_DISPLAYS = {
    Category.USUALLY: "Usually appropriate",
    Category.MAY_BE: "May be appropriate",
    Category.MAY_BE_DISAGREEMENT: "May be appropriate (disagreement)",
    Category.USUALLY_NOT: "Usually not appropriate",
}

Resource = dict[str, Any]


class Consult(Struct, frozen=True, gc=False):
    """Who was consulted, and under which id the consultation can be found again."""

    mechanism: str
    consult_id: str
    own_system: str


def rating_of(study: Study) -> Rating:
    """The rating that a study has in the leading row: what a suggested order will be rated."""
    fits = study.category is not Category.USUALLY_NOT
    pama = PamaRating.APPROPRIATE if fits else PamaRating.NOT_APPROPRIATE
    return Rating(pama, study.procedure, study.category, study.score)


def rating_extensions(rating: Rating, consult: Consult) -> tuple[Resource, ...]:
    """The three extensions that the guide requires beside each other."""
    # The finer codings are ACR's; another guideline's rating does not carry them.
    category, score = (rating.category, rating.score) if rating.guideline == "acr" else (None, None)
    return (_rating(rating.pama, category, score, consult.own_system), *_consulted(consult))


def pending_extensions(consult: Consult) -> tuple[Resource, ...]:
    """For clients that cannot apply an update without a rating extension: says that the rating follows the answer."""
    coding = {"system": consult.own_system, "code": "rating-pending", "display": "Rating follows this answer"}
    return ({"url": RATING, "valueCodeableConcept": {"coding": [coding]}}, *_consulted(consult))


def annotated(order: Resource, extensions: tuple[Resource, ...]) -> Resource:
    """The order with these rating extensions in place of older ones; everything else as it came."""
    came = order.get("extension")
    if came is None and extensions:
        return {**order, "extension": list(extensions)}
    kept = without_ratings(came)
    if kept or extensions:
        return {**order, "extension": [*kept, *extensions]}
    return {name: value for name, value in order.items() if name != "extension"}


def without_ratings(extensions: object) -> list[Any]:
    """The extensions of the order that are not a rating."""
    if not isinstance(extensions, list):
        return []
    return [each for each in extensions if not (isinstance(each, dict) and each.get("url") in _OURS)]


def _consulted(consult: Consult) -> tuple[Resource, Resource]:
    return (
        {"url": CONSULTED, "valueString": consult.mechanism},
        {"url": CONSULT_ID, "valueUri": f"urn:uuid:{consult.consult_id}"},
    )


@lru_cache(maxsize=256)
def _rating(pama: PamaRating, category: Category | None, score: int | None, own_system: str) -> Resource:
    """Shared between answers and never changed: encoders only read it."""
    codings = [{"system": RATING_SYSTEM, "code": pama.value}]
    if category is not None:
        codings.append({"system": own_system, "code": category.value, "display": _CATEGORY_DISPLAYS[category]})
    if score is not None:
        codings.append({"system": own_system, "code": f"acr-rating-{score}", "display": f"ACR rating {score} of 9"})
    return {"url": RATING, "valueCodeableConcept": {"coding": codings}}
