"""What makes two pieces of advice the same: what is advised, by which row, on which facts.

A clinician's "no" holds for this advice only. One fact more, one fact corrected or one source less that could be read,
and it is another advice. The order's own id and the day are not part of it: a draft that is begun again is the same
order, and where the day changes the answer, the row or the advice changes with it.
"""

from collections.abc import Iterable
from hashlib import blake2b

import msgspec
from msgspec import Struct, structs

from rules.draft_order import DraftOrder
from rules.facts import ClinicalPicture, Fact, FactKind
from rules.recommendation import Recommendation

_encode = msgspec.msgpack.Encoder(order="deterministic").encode
# Of these the reference names a draft, which gets another id whenever it is begun again.
_IN_DRAFTS = frozenset({FactKind.REASON, FactKind.DRAFT})


class AdviceKey(Struct, frozen=True, gc=False):
    """The same for the same advice on the same facts, and different otherwise."""

    study: str
    row: str
    says: str
    facts: str


def advice_key(advice: Recommendation, picture: ClinicalPicture) -> AdviceKey:
    """The key of one order's advice."""
    order = advice.order
    return AdviceKey(
        study=order.procedure.value if order.procedure is not None else f"{order.recognition.value}: {order.name}",
        row=advice.leading.id if advice.leading is not None else "",
        says=_digest((_said(advice),)),
        facts=_digest((*_facts(picture.facts), *_facts(order.reasons), *_around(picture), _encode(_asked(order)))),
    )


def _said(advice: Recommendation) -> bytes:
    """What is advised: situation, urgency, rating, change, safety rows, questions and duplicates."""
    better = advice.better
    return _encode(
        (
            advice.situation,
            advice.urgency,
            advice.rating,
            None if better is None else (better.procedure, better.priority),
            sorted(note.row for note in advice.safety),
            [question.finding for question in advice.questions],
            sorted(advice.duplicates),
        )
    )


def _facts(facts: Iterable[Fact]) -> list[bytes]:
    """Each fact, in no order: servers list records as they like."""
    return sorted(_encode(_without_draft(fact) if fact.kind in _IN_DRAFTS else fact) for fact in facts)


def _without_draft(fact: Fact) -> Fact:
    return structs.replace(fact, evidence=structs.replace(fact.evidence, reference=""))


def _around(picture: ClinicalPicture) -> tuple[bytes, ...]:
    """Everything else that was read, and all that could not be."""
    unread = sorted(_encode(each) for each in picture.unread_current_problems)
    rest = (
        picture.age,
        picture.sex,
        sorted(picture.requester_specialties),
        picture.encounter_specialist,
        sorted((gap.source, gap.why) for gap in picture.gaps),
        sorted(picture.unmapped_codes),
        picture.unread_texts,
        picture.dropped_entries,
        picture.foreign_entries,
    )
    return (*unread, _encode(rest))


def _asked(order: DraftOrder) -> tuple[object, ...]:
    """What the order itself says, beside its study and its reasons."""
    return (
        [candidate.value for candidate in order.candidates],
        order.priority,
        sorted(order.reason_references),
        sorted(order.unread_reasons),
        order.level_not_stated,
    )


def _digest(parts: Iterable[bytes]) -> str:
    """One short text for all parts; each is led by its length, so that no two lists of parts read alike."""
    digest = blake2b(digest_size=16)
    for part in parts:
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.hexdigest()
