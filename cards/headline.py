"""The first thing read: the summary, and the bold line that repeats it."""

from collections.abc import Callable

from msgspec import Struct

from cards.card import CardError
from cards.detail import act_key, gaps_in_words, hidden_sources
from cards.escape import date_as_recorded
from cards.kind import Kind, once_for_each_kind, summaries_around
from cards.phrases import capitalised, duration, is_known
from cards.speaking import AT_ONCE, Speaking
from cards.wording import longest_that_fits
from rules.recommendation import PamaRating, Situation, Urgency

INDICATORS = {
    Situation.EMERGENCY: "critical",
    Situation.IMMEDIATE: "critical",
    Situation.POSSIBLE_CAUDA_EQUINA: "warning",
    Situation.SAFETY: "warning",
    Situation.SOURCE_NOT_READ: "warning",
    Situation.WRONG_TEST: "warning",
    Situation.ANSWER_MISSING: "info",
    Situation.PRIOR_IMAGING: "warning",
    Situation.NOT_APPROPRIATE: "warning",
    Situation.DEFERRED: "warning",
    Situation.NOT_RATED: "info",
    Situation.APPROPRIATE: "info",
}


class Headline(Struct, frozen=True, gc=False):
    """What a card says first."""

    summary: str
    lead: str
    indicator: str


def headline_of(speaking: Speaking) -> Headline:
    """The summary, the bold line and how loud they are."""
    summary, lead = _said(speaking)
    if speaking.overridden is not None and speaking.settled_by_override:
        return Headline(speaking.summary("overridden", said=summary, time=speaking.overridden.at), lead, "info")
    if speaking.settled_by_keeping:
        return Headline(summary, lead, "info")
    return Headline(summary, lead, "critical" if speaking.is_critical else _indicator(speaking.kind))


def _said(speaking: Speaking) -> tuple[str, str]:
    kind = speaking.kind
    if speaking.settled_by_keeping:
        return speaking.summary("kept"), speaking.lead("kept")
    if kind.situation not in _SAME_FOR_ALL:
        return _WORDED[kind.situation](speaking)
    # The name of an order among several is part of the summary, and none of the kind of case.
    return _SAME_FOR_ALL[kind.situation](kind, speaking.order_named) if speaking.order_named else _alone(kind)


@once_for_each_kind
def _alone(kind: Kind) -> tuple[str, str]:
    return _SAME_FOR_ALL[kind.situation](kind, "")


@once_for_each_kind
def _indicator(kind: Kind) -> str:
    if kind.situation in (Situation.NOT_RATED, Situation.ANSWER_MISSING) and _is_pressing(kind):
        return "warning"
    return INDICATORS[kind.situation]


def _is_pressing(kind: Kind) -> bool:
    """A red flag asks for haste, or a source that could hide one was not read."""
    return kind.urgency is not Urgency.ROUTINE or any(gap.hides_red_flags for gap in kind.gaps)


def _at_once(kind: Kind, order: str) -> tuple[str, str]:
    better = kind.better
    start = "emergency" if kind.situation is Situation.EMERGENCY else "immediate"
    act = kind.wording.act[act_key(kind)].summary
    if better is not None and better.procedure is not None:
        how, lead = "change", kind.lead("change-at-once", at=_at(kind))
    elif better is not None:
        how, lead = "raise", kind.lead("raise-at-once")
    elif kind.rating is not None and kind.rating.pama is PamaRating.APPROPRIATE:
        how, lead = "right", kind.lead("right")
    else:
        how, lead = "other", ""
    return kind.summary(f"{start}-{how}", order, act=act), lead


def _at(kind: Kind) -> str:
    if kind.better is None or not kind.better.priority:
        return ""
    return kind.wording.note["at"].format(priority=kind.priority)


def _possible_cauda_equina(kind: Kind, order: str) -> tuple[str, str]:
    return kind.summary("possible-cauda-equina", order), kind.lead("possible-cauda-equina")


def _safety(speaking: Speaking) -> tuple[str, str]:
    notes = [note for note in speaking.advice.safety if not note.ask]
    if not notes:
        raise CardError("a safety card needs a safety row")
    hazards = speaking.wording.hazard
    hazard = hazards.get(notes[0].row) or hazards.get(notes[0].domain) or hazards["other"]
    return speaking.summary("safety", hazard=hazard), capitalised(notes[0].says)


def _for_safety(speaking: Speaking) -> tuple[str, str]:
    """A change that the patient's safety asks for, not the rating."""
    ordered = speaking.advice.order.procedure
    notes = [note for note in speaking.advice.safety if not note.ask and note.applies_to is ordered]
    short = speaking.wording.hazard_short
    hazard = short.get(notes[0].domain, short["other"]) if notes else short["other"]
    summary = speaking.summary("change-for-safety", hazard=hazard)
    return summary, speaking.lead("change-for-safety", hazard=hazard, at=_at(speaking.kind))


def _source_not_read(kind: Kind, order: str) -> tuple[str, str]:
    return (
        kind.summary("source-not-read", order, sources=hidden_sources(kind)),
        kind.lead("source-not-read", sources=gaps_in_words(kind)),
    )


def _wrong_test(speaking: Speaking) -> tuple[str, str]:
    better = speaking.advice.better
    if better is not None and better.procedure is not None and better.why == "safety":
        return _for_safety(speaking)
    return _changed(speaking.kind, speaking.order_named) if speaking.order_named else _changed_alone(speaking.kind)


@once_for_each_kind
def _changed_alone(kind: Kind) -> tuple[str, str]:
    return _changed(kind, "")


def _changed(kind: Kind, order: str) -> tuple[str, str]:
    better = kind.better
    if better is None:
        raise CardError("a change card needs a change")
    if better.procedure is None and kind.contrast_open:
        best = kind.wording.study[kind.alternatives[0].procedure.value].short
        return kind.summary("raise-contrast", order, better=best), kind.lead("raise-contrast", better=best)
    if better.procedure is None:
        return kind.summary("raise-priority", order), kind.lead("raise")
    if _is_age_alone(kind):
        return kind.summary("age-alone-change", order), kind.lead("age-alone-change")
    key = "change-study" if better.priority else "change-study-routine"
    return kind.summary(key, order), kind.lead("change", at=_at(kind))


def _answer_missing(kind: Kind, order: str) -> tuple[str, str]:
    wording = kind.wording
    asked = kind.asked or "other"
    lead = kind.lead(f"ask-{asked}" if f"ask-{asked}" in wording.lead else "ask")
    if kind.urgency is not Urgency.ROUTINE and asked == "indication":
        return kind.summary("ask-urgent", order, urgency=wording.urgency[kind.urgency.value]), lead
    return kind.summary(f"ask-{asked}" if f"ask-{asked}" in wording.summary else "ask-other", order), lead


def _prior_imaging(speaking: Speaking) -> tuple[str, str]:
    day = prior_day(speaking)
    key = "prior-imaging" if day else "prior-imaging-undated"
    return speaking.summary(key, date=day), speaking.lead(key, date=day)


def prior_day(speaking: Speaking) -> str:
    """The date of the earlier study's report, as recorded."""
    reports = speaking.advice.findings.prior_imaging.because
    return date_as_recorded(reports[0].dated) if reports else ""


def _not_appropriate(speaking: Speaking) -> tuple[str, str]:
    advice = speaking.advice
    story = _story(speaking)
    if advice.findings.weakness.level == "mild" and advice.findings.weakness.yes:
        lead = "re-examine" if speaking.flags_not_recorded else "re-examine-checked"
        return _telling(_story(speaking, flags=False), "re-examine", speaking), speaking.lead(lead)
    if not advice.may_defer:
        unsure = "low-unsure" if advice.unread or advice.gaps else "not-appropriate"
        return _telling(story, unsure, speaking), speaking.lead(unsure)
    key = "defer-after-check" if speaking.statement_needed else "defer-checked"
    return _telling(story, key, speaking), speaking.lead(key)


def _telling(story: str, key: str, speaking: Speaking) -> str:
    wordings = summaries_around(speaking.kind, "story", key)
    return longest_that_fits([story.join(pieces) for pieces in wordings], speaking.order_named)


def _story(speaking: Speaking, *, flags: bool = True) -> str:
    """The case in a few words: how long, what is known of red flags (where the summary speaks of them), which way."""
    wording, findings = speaking.wording, speaking.advice.findings
    parts = []
    if is_known(findings.episode.days):
        parts.append(wording.story["weeks"].format(duration=duration(findings.episode.days, wording)))
    if flags and speaking.flags_not_recorded:
        parts.append(wording.story["none-recorded"])
    elif findings.checked_none_on is not None:
        parts.append(wording.story["checked"])
    if findings.trend.level in ("improving", "worse"):
        parts.append(wording.story[findings.trend.level])
    elif findings.conservative_care.level == "adequate":
        parts.append(wording.story["care-adequate"])
    return ", ".join(parts) or wording.story["as-documented"]


def _deferred(speaking: Speaking) -> tuple[str, str]:
    day = speaking.recheck_day
    key = "deferred" if day else "deferred-undated"
    return speaking.summary(key, date=day), speaking.lead("deferred")


def _not_rated(kind: Kind, order: str) -> tuple[str, str]:
    wording, why = kind.wording, kind.not_rated_because
    if why == "contrast-matters" and kind.alternatives:
        better = wording.study[kind.alternatives[0].procedure.value].short
        return kind.summary("not-rated-contrast", order, better=better), kind.lead("contrast")
    key = f"not-rated-{why}"
    if key not in wording.summary or key not in wording.lead:
        key = "not-rated-other"
    if kind.urgency is not Urgency.ROUTINE:
        because = wording.why_not_rated.get(why, wording.why_not_rated["other"])
        urgency = wording.urgency[kind.urgency.value]
        return kind.summary("not-rated-urgent", order, urgency=urgency, why=because), kind.lead(key)
    return kind.summary(key, order), kind.lead(key)


def _appropriate(kind: Kind, order: str) -> tuple[str, str]:
    leading = kind.leading
    if leading is None:
        return kind.summary("appropriate", order, row=""), kind.lead("appropriate-no-row")
    if _is_age_alone(kind):
        return kind.summary("age-alone", order), kind.lead("age-alone")
    # A red flag is named by its own words; six weeks of care and candidacy by their row, which says both.
    row = leading.label if leading.variant in (None, 1, 2, 3) else kind.cause_words
    return kind.summary("appropriate", order, row=row), kind.lead("appropriate", row=row)


def _is_age_alone(kind: Kind) -> bool:
    """Age alone leads: a weak reason, so ACP's deferral comes first in the text."""
    return (kind.cause, kind.cause_level) == ("fracture_risk", "age-alone")


# Summary and bold line that say the same of every case of a kind; the string names the order among several.
_SAME_FOR_ALL: dict[Situation, Callable[[Kind, str], tuple[str, str]]] = {
    **dict.fromkeys(AT_ONCE, _at_once),
    Situation.POSSIBLE_CAUDA_EQUINA: _possible_cauda_equina,
    Situation.SOURCE_NOT_READ: _source_not_read,
    Situation.ANSWER_MISSING: _answer_missing,
    Situation.NOT_RATED: _not_rated,
    Situation.APPROPRIATE: _appropriate,
}
# Those that name a date, a duration or a safety row.
_WORDED: dict[Situation, Callable[[Speaking], tuple[str, str]]] = {
    Situation.SAFETY: _safety,
    Situation.WRONG_TEST: _wrong_test,
    Situation.PRIOR_IMAGING: _prior_imaging,
    Situation.NOT_APPROPRIATE: _not_appropriate,
    Situation.DEFERRED: _deferred,
}
