"""Everything that the parts of one card share: worked out once, handed from part to part."""

from typing import Any

from msgspec import Struct

from cards.card import Resource
from cards.ids import Ids
from cards.phrases import (
    RED_FLAGS,
    category_words,
    cause_of,
    cause_words,
    finding_words,
    is_category,
    iso,
    study_name,
    study_short,
)
from cards.rendering import Advised, Overridden, Rendering
from cards.wording import Wording
from fhir_mappings.order_annotations import Consult
from fhir_mappings.terminology import Terminology
from fhir_mappings.tidy import tidy
from rules.draft_order import Recognition
from rules.finding import Finding
from rules.guideline_tables import Guidelines
from rules.procedures import MRI
from rules.recommendation import Recommendation, Situation, Study, Urgency
from rules.safety_rules import hazards

RED_FLAG_NAMES = frozenset(RED_FLAGS)
# What the clinician's statement covers; the other red flags are diagnoses and operations, usually on record.
_CHECKED_AT_THE_BEDSIDE = frozenset(
    {"cauda_equina", "weakness", "infection", "cancer", "fracture_risk", "major_trauma"}
)
_SETTLED_BY_KEEPING = frozenset({Situation.WRONG_TEST, Situation.PRIOR_IMAGING, Situation.NOT_APPROPRIATE})
AT_ONCE = frozenset({Situation.EMERGENCY, Situation.IMMEDIATE})
# Possibly an emergency; and what is one line already.
_NEVER_SETTLED = frozenset({Situation.POSSIBLE_CAUDA_EQUINA, Situation.APPROPRIATE})


class Call(Struct, frozen=True):
    """What all cards of one answer share."""

    ids: Ids
    day: str
    rendering: Rendering
    terminology: Terminology
    guidelines: Guidelines
    wording: Wording


class Speaking(Struct, frozen=True):
    """One order's advice with the words that several parts need."""

    call: Call
    wording: Wording
    advice: Recommendation
    order: Resource  # the draft, tidied
    consult: Consult  # how this consultation is named on the order
    study: str
    name: str
    better: str
    cause: Finding | None
    cause_words: str
    category: str
    priority: str  # in words
    kept: bool  # the clinician kept this order with a reason
    order_named: str  # which order the card is about, when several were selected
    statement_needed: bool  # a deferral begins with the statement that red flags and strength were checked
    flags_not_recorded: bool  # red flags are presumed absent
    overridden: Overridden | None = None

    @property
    def is_category(self) -> str:
        """The category as what the study is said to be."""
        return is_category(self.category)

    @property
    def recheck_day(self) -> str:
        """The day of the recheck, or nothing."""
        return iso(self.advice.recheck.on) if self.advice.recheck is not None else ""

    @property
    def settled_by_keeping(self) -> bool:
        """The clinician's reason settles it; an emergency, a safety row or haste is said again all the same."""
        routine = self.advice.urgency is Urgency.ROUTINE
        return self.kept and routine and self.advice.situation in _SETTLED_BY_KEEPING

    @property
    def is_critical(self) -> bool:
        """What must not wait, and what must not be done: said in full every time."""
        advice = self.advice
        if advice.situation in AT_ONCE:
            return True
        return any(note.severity == "contraindicated" and not note.ask for note in advice.safety)

    @property
    def settled_by_override(self) -> bool:
        """The clinician's "no" to the same advice on the same facts is respected: one line says that it stands.

        Never where the card is critical, nor where an emergency is possible and only an answer can rule it out.
        """
        if self.overridden is None or self.is_critical:
            return False
        return self.advice.situation not in _NEVER_SETTLED

    @property
    def ways_around_mri(self) -> tuple[Study, ...]:
        """ACR's alternatives while an MRI waits for a device to be cleared; none that meets a hazard in its stead."""
        advice = self.advice
        if not advice.alternatives or advice.order.procedure not in MRI:
            return ()
        limit = hazards(advice.order.procedure, advice.findings)
        return tuple(study for study in advice.alternatives if hazards(study.procedure, advice.findings) < limit)

    @property
    def contrast_open(self) -> bool:
        """The order does not state its contrast, and the choices do not rate alike."""
        unstated = self.advice.order.recognition is Recognition.CONTRAST_NOT_STATED
        return unstated and bool(self.advice.alternatives) and self.advice.rating is None

    def lead(self, key: str, **more: str) -> str:
        """A bold first line."""
        return self.wording.lead[key].format_map({**self.fields(), **more})

    def summary(self, key: str, **more: str) -> str:
        """A summary that fits."""
        return self.wording.summarised(key, order=self.order_named, **{**self.fields(), **more})

    def fields(self) -> dict[str, Any]:
        """What every template may name."""
        return {
            "study": self.study,
            "better": self.better,
            "cause": self.cause_words,
            "category": self.category,
            "is_category": self.is_category,
            "priority": self.priority,
        }


def speaking_of(advised: Advised, call: Call, order_named: str = "") -> Speaking:
    """The words of one order's advice."""
    advice = advised.recommendation
    wording = call.wording
    better = advice.better
    priority = (better.priority if better is not None else "") or advice.urgency_priority
    silent = not _CHECKED_AT_THE_BEDSIDE.isdisjoint(advice.presumed)
    not_recorded = silent and advice.findings.checked_none_on is None
    cause = cause_of(advice)
    return Speaking(
        call=call,
        wording=wording,
        advice=advice,
        order=tidy(advised.raw_draft),
        consult=Consult(
            call.rendering.mechanism, call.ids.of("consult", advice.order.reference), call.terminology.own.url
        ),
        study=study_short(advice.order, wording),
        name=study_name(advice.order, wording),
        better=wording.study[better.procedure.value].short if better is not None and better.procedure else "",
        cause=cause,
        cause_words=finding_words(cause, wording).cause if cause is not None else cause_words(advice, wording),
        category=category_words(advice.rating, advice.ordered, wording),
        priority=wording.priority.get(priority, priority),
        order_named=order_named,
        kept=any(reason.concept == "order-kept-with-reason" for reason in advice.order.reasons),
        # With a weakness on record, "strength checked, none" would be untrue.
        statement_needed=not_recorded and not advice.findings.weakness.yes,
        flags_not_recorded=not_recorded,
        overridden=advised.overridden,
    )
