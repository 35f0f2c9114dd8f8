"""What cards say to everyone whose case is of one kind, to one kind of client: worked out once, then looked up.

A :class:`Kind` holds nothing of a patient's: no entry of a record, no date, no order. What is said of those is put in
for each call (see ``speaking.py``). So whatever takes a ``Kind`` alone may be kept, and whatever needs a patient cannot
be: it takes a ``Speaking``.
"""

from collections.abc import Callable, Mapping
from functools import wraps
from operator import attrgetter
from string import Formatter
from typing import Any, TypeVar, TypeVarTuple

from msgspec import Struct

from cards.phrases import category_words, is_category, study_name, study_short, words_of
from cards.profiles import Profile
from cards.wording import Wording
from fhir_mappings.terminology import Terminology
from rules.draft_order import DraftOrder, Recognition
from rules.facts import SourceGap
from rules.guideline_tables import Guidelines
from rules.procedures import Procedure
from rules.recommendation import (
    AnswerOption,
    BetterTest,
    Change,
    GuidelineView,
    Rating,
    Recommendation,
    Row,
    Situation,
    Study,
    Urgency,
)

# What the clinician's statement covers; the other red flags are diagnoses and operations, usually on record.
_CHECKED_AT_THE_BEDSIDE = frozenset(
    {"cauda_equina", "weakness", "infection", "cancer", "fracture_risk", "major_trauma"}
)
MOST_KINDS = 1024  # kept at a time; as many as kinds of advice are kept
T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class Kind(Struct, frozen=True, eq=False):
    """One kind of case as one kind of client is told of it: the advice without the patient, and the words for it."""

    wording: Wording
    profile: Profile
    terminology: Terminology
    guidelines: Guidelines
    rests_on: tuple[object, ...]  # all that the rest follows from
    # The advice (see ``rules.recommendation``), as far as it is the same for every patient.
    situation: Situation
    urgency: Urgency
    urgency_priority: str
    rating: Rating | None
    leading: Row | None
    views: tuple[GuidelineView, ...]
    ordered: Study | None
    better: BetterTest | None
    alternatives: tuple[Study, ...]
    would_change: tuple[Change, ...]
    robust: bool
    presumed: tuple[str, ...]
    may_defer: bool
    gaps: tuple[SourceGap, ...]
    interpretations: tuple[str, ...]
    not_rated_because: str
    age_not_known: bool
    parallel: Study | None
    recognition: Recognition
    procedure: Procedure | None
    asked: str  # what the first question is about, or nothing
    questions: tuple[tuple[str, tuple[AnswerOption, ...]], ...]  # what each is about, and its answers
    cause: str  # the name of the finding that a summary names as the reason, or nothing
    cause_level: str
    silent: bool  # of what is checked at the bedside, something is read as absent because nothing is on record
    # What the client can do with an order: change it in place, add one, take one away.
    updates: bool
    creates: bool
    deletes: bool
    # In words.
    study: str
    name: str
    better_study: str
    cause_words: str
    category: str
    is_category: str  # the category as what the study is said to be
    priority: str
    fields: dict[str, str]  # what every template may name
    said: dict[Any, Any]  # what was worked out for this kind so far, by what worked it out

    @property
    def contrast_open(self) -> bool:
        """The order does not state its contrast, and the choices do not rate alike."""
        unstated = self.recognition is Recognition.CONTRAST_NOT_STATED
        return unstated and bool(self.alternatives) and self.rating is None

    def lead(self, key: str, **more: str) -> str:
        """A bold first line."""
        return self.wording.lead[key].format_map({**self.fields, **more}) if more else _lead(self, key)

    def summary(self, key: str, order: str = "", **more: str) -> str:
        """A summary that fits; ``order`` names the order, where several were selected."""
        return self.wording.summarised(key, order=order, **{**self.fields, **more})


def once_for_each_kind(work: Callable[[Kind, *Ts], T]) -> Callable[[Kind, *Ts], T]:
    """Works it out when it is first asked for, and keeps it with the kind, as long as that is kept.

    What it may be asked about beside the kind is something of the kind's own: one of its studies, one of its questions.
    """

    @wraps(work)
    def known(kind: Kind, *about: *Ts) -> T:
        key = (work, about) if about else work
        try:
            said: T = kind.said[key]
        except KeyError:
            said = kind.said[key] = work(kind, *about)
        return said

    return known


@once_for_each_kind
def _lead(kind: Kind, key: str) -> str:
    return kind.wording.lead[key].format_map(kind.fields)


@once_for_each_kind
def summaries_around(kind: Kind, field: str, key: str) -> tuple[tuple[str, ...], ...]:
    """The wordings of a summary, each as its pieces around one field."""
    return tuple(around(field, template, kind.fields) for template in kind.wording.summary[key])


def around(field: str, template: str, known: Mapping[str, object]) -> tuple[str, ...]:
    """The pieces of a template that stand around one field, the others filled in: ``value.join(pieces)`` says it."""
    pieces = [""]
    for literal, name, _, _ in Formatter().parse(template):
        pieces[-1] += literal
        if name == field:
            pieces.append("")
        elif name is not None:
            pieces[-1] += str(known[name])
    return tuple(pieces)


_OF_ADVICE = (
    "situation",
    "urgency",
    "urgency_priority",
    "rating",
    "leading",
    "views",
    "ordered",
    "better",
    "alternatives",
    "would_change",
    "robust",
    "presumed",
    "may_defer",
    "gaps",
    "interpretations",
    "not_rated_because",
    "age_not_known",
    "parallel",
)
_of_advice = attrgetter(*_OF_ADVICE)
_kinds: dict[tuple[object, ...], Kind] = {}


def kind_for(
    advice: Recommendation,
    cause: tuple[str, str],
    wording: Wording,
    profile: Profile,
    terminology: Terminology,
    guidelines: Guidelines,
) -> Kind:
    """The kind of this advice, for this client; ``cause``: name and level of the finding that a summary names.

    The parts of advice that are the same for a kind of case are the same objects each time: they are looked up by
    identity, and what else the words rest on is compared. A kept kind keeps them, so that no identity is used again.
    """
    order = advice.order
    rests_on = (
        *_of_advice(advice),
        order.recognition,
        order.procedure,
        order.candidates,
        tuple([(question.finding, question.options) for question in advice.questions]) if advice.questions else (),
        cause,
    )
    key = (
        advice.situation,
        order.procedure,
        id(advice.views),
        id(advice.would_change),
        id(advice.rating),
        id(advice.better),
        id(profile),
        id(wording),
        id(terminology),
        id(guidelines),
    )
    known = _kinds.get(key)
    if known is None or known.rests_on != rests_on:
        if len(_kinds) >= MOST_KINDS:
            _kinds.clear()
        known = _kinds[key] = _kind(rests_on, order, wording, profile, terminology, guidelines)
    return known


def _kind(
    rests_on: tuple[Any, ...],
    order: DraftOrder,
    wording: Wording,
    profile: Profile,
    terminology: Terminology,
    guidelines: Guidelines,
) -> Kind:
    advice: dict[str, Any] = dict(zip(_OF_ADVICE, rests_on, strict=False))
    recognition, procedure, _, questions, (cause, level) = rests_on[len(_OF_ADVICE) :]
    better: BetterTest | None = advice["better"]
    leading: Row | None = advice["leading"]
    priority = (better.priority if better is not None else "") or advice["urgency_priority"]
    category = category_words(advice["rating"], advice["ordered"], wording)
    if cause:
        why = words_of(cause, level, wording).cause
    else:
        why = leading.label if leading is not None else "as documented"
    words = {
        "study": study_short(order, wording),
        "better": better_words(better, wording),
        "cause": why,
        "category": category,
        "is_category": is_category(category),
        "priority": wording.priority.get(priority, priority),
    }
    return Kind(
        wording=wording,
        profile=profile,
        terminology=terminology,
        guidelines=guidelines,
        rests_on=rests_on,
        **advice,
        recognition=recognition,
        procedure=procedure,
        asked=questions[0][0] if questions else "",
        questions=questions,
        cause=cause,
        cause_level=level,
        silent=not _CHECKED_AT_THE_BEDSIDE.isdisjoint(advice["presumed"]),
        updates=profile.updates,
        creates=profile.creates,
        deletes=profile.deletes,
        study=words["study"],
        name=study_name(order, wording),
        better_study=words["better"],
        cause_words=why,
        category=category,
        is_category=words["is_category"],
        priority=words["priority"],
        fields=words,
        said={},
    )


def better_words(better: BetterTest | None, wording: Wording) -> str:
    """The better study in a few words; nothing where the study stays."""
    if better is None or better.procedure is None:
        return ""
    return wording.study[better.procedure.value].short
