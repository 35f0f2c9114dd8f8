"""Everything that the parts of one card share: worked out once, handed from part to part."""

from msgspec import Struct

from cards.card import Resource
from cards.ids import Ids
from cards.kind import Kind, kind_for
from cards.phrases import cause_of, level_of, red_flags
from cards.rendering import Advised, Overridden, Rendering
from cards.wording import Wording
from fhir_mappings.order_annotations import Consult, annotated, rating_extensions
from fhir_mappings.terminology import Terminology
from fhir_mappings.tidy import tidy
from rules.finding import Answer, Finding
from rules.guideline_tables import Guidelines
from rules.procedures import MRI
from rules.recommendation import Recommendation, Situation, Study, Urgency
from rules.safety_rules import hazards

_SETTLED_BY_KEEPING = frozenset({Situation.WRONG_TEST, Situation.PRIOR_IMAGING, Situation.NOT_APPROPRIATE})
AT_ONCE = frozenset({Situation.EMERGENCY, Situation.IMMEDIATE})
# Possibly an emergency; and what is one line already.
_NEVER_SETTLED = frozenset({Situation.POSSIBLE_CAUDA_EQUINA, Situation.APPROPRIATE})
_YES = Answer.YES  # a member of an enumeration is slow to reach
_NO_CAUSE = ("", "")


class Call(Struct, frozen=True, gc=False):
    """What all cards of one answer share."""

    ids: Ids
    day: str
    rendering: Rendering
    terminology: Terminology
    guidelines: Guidelines
    wording: Wording


class Speaking(Struct, frozen=True, gc=False):
    """One order's advice with the words that several parts need."""

    call: Call
    wording: Wording
    kind: Kind  # what is said to everyone whose case is of this kind
    advice: Recommendation
    order: Resource  # the draft, tidied
    consult: Consult  # how this consultation is named on the order
    rated: Resource  # the draft with its rating, and nothing else changed
    flags: list[Finding]  # the red flags that are answered yes
    recheck_day: str  # the day of the recheck, or nothing
    kept: bool  # the clinician kept this order with a reason
    order_named: str  # which order the card is about, when several were selected
    statement_needed: bool  # a deferral begins with the statement that red flags and strength were checked
    flags_not_recorded: bool  # red flags are presumed absent
    is_critical: bool  # what must not wait, and what must not be done: said in full every time
    settled_by_keeping: bool  # the clinician's reason settles it
    settled_by_override: bool  # the clinician's "no" is respected: one line says that it stands
    overridden: Overridden | None = None

    @property
    def ways_around_mri(self) -> tuple[Study, ...]:
        """ACR's alternatives while an MRI waits for a device to be cleared; none that meets a hazard in its stead."""
        advice = self.advice
        if not advice.alternatives or advice.order.procedure not in MRI:
            return ()
        limit = hazards(advice.order.procedure, advice.findings)
        return tuple(study for study in advice.alternatives if hazards(study.procedure, advice.findings) < limit)

    def lead(self, key: str, **more: str) -> str:
        """A bold first line."""
        return self.kind.lead(key, **more)

    def summary(self, key: str, **more: str) -> str:
        """A summary that fits."""
        return self.kind.summary(key, self.order_named, **more)


def speaking_of(advised: Advised, call: Call, order_named: str = "") -> Speaking:
    """The words of one order's advice."""
    advice, overridden = advised.recommendation, advised.overridden
    findings, reference = advice.findings, advice.order.reference
    rendering, terminology = call.rendering, call.terminology
    flags = red_flags(findings)
    cause = cause_of(flags, findings)
    named = (cause.name, level_of(cause)) if cause is not None else _NO_CAUSE
    kind = kind_for(advice, named, call.wording, rendering.profile, terminology, call.guidelines)
    not_recorded = kind.silent and findings.checked_none_on is None
    reasons = advice.order.reasons
    kept = bool(reasons) and "order-kept-with-reason" in [reason.concept for reason in reasons]
    critical = _is_critical(advice)
    consult = Consult(rendering.mechanism, call.ids.of("consult", reference), terminology.own.url)
    order = tidy(advised.raw_draft)
    extensions = rating_extensions(advice.rating, consult) if advice.rating is not None else ()
    return Speaking(  # in the order of the fields: with so many, naming each would take four times as long
        call,
        call.wording,
        kind,
        advice,
        order,
        consult,
        annotated(order, extensions),
        flags,
        advice.recheck.on.isoformat() if advice.recheck is not None else "",
        kept,
        order_named,
        # With a weakness on record, "strength checked, none" would be untrue.
        not_recorded and findings.weakness.answer is not _YES,
        not_recorded,
        critical,
        kept and _settles(advice),
        # Never where an emergency is possible and only an answer can rule it out.
        overridden is not None and not critical and advice.situation not in _NEVER_SETTLED,
        overridden,
    )


def _is_critical(advice: Recommendation) -> bool:
    if advice.situation in AT_ONCE:
        return True
    return bool(advice.safety) and "contraindicated" in [note.severity for note in advice.safety if not note.ask]


def _settles(advice: Recommendation) -> bool:
    """Does a reason for keeping the order settle it? An emergency, a safety row or haste is said again all the same."""
    return advice.urgency is Urgency.ROUTINE and advice.situation in _SETTLED_BY_KEEPING
