"""The first thing read: the summary, and the bold line that repeats it."""

from msgspec import Struct

from cards.card import CardError
from cards.detail import act_key, gaps_in_words, hidden_sources
from cards.escape import date_as_recorded
from cards.phrases import capitalised, duration, is_known, key_of
from cards.speaking import AT_ONCE, Speaking
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


class Headline(Struct, frozen=True):
    """What a card says first."""

    summary: str
    lead: str
    indicator: str


def headline_of(speaking: Speaking) -> Headline:
    """The summary, the bold line and how loud they are."""
    situation = speaking.advice.situation
    summary, lead = _kept(speaking) if speaking.settled_by_keeping else _WORDED[situation](speaking)
    if speaking.overridden is not None and speaking.settled_by_override:
        said = speaking.summary("overridden", said=summary, time=speaking.overridden.at)
        return Headline(said, lead, "info")
    return Headline(summary, lead, _indicator(speaking))


def _indicator(speaking: Speaking) -> str:
    advice = speaking.advice
    if speaking.settled_by_keeping:
        return "info"
    if speaking.is_critical:
        return "critical"
    if advice.situation in (Situation.NOT_RATED, Situation.ANSWER_MISSING) and _is_pressing(speaking):
        return "warning"
    return INDICATORS[advice.situation]


def _is_pressing(speaking: Speaking) -> bool:
    """A red flag asks for haste, or a source that could hide one was not read."""
    advice = speaking.advice
    return advice.urgency is not Urgency.ROUTINE or any(gap.hides_red_flags for gap in advice.gaps)


def _kept(speaking: Speaking) -> tuple[str, str]:
    return speaking.summary("kept"), speaking.lead("kept")


def _at_once(speaking: Speaking) -> tuple[str, str]:
    advice = speaking.advice
    better = advice.better
    start = "emergency" if advice.situation is Situation.EMERGENCY else "immediate"
    act = speaking.wording.act[act_key(speaking)].summary
    if better is not None and better.procedure is not None:
        how, lead = "change", speaking.lead("change-at-once", at=_at(speaking))
    elif better is not None:
        how, lead = "raise", speaking.lead("raise-at-once")
    elif advice.rating is not None and advice.rating.pama is PamaRating.APPROPRIATE:
        how, lead = "right", speaking.lead("right")
    else:
        how, lead = "other", ""
    return speaking.summary(f"{start}-{how}", act=act), lead


def _at(speaking: Speaking) -> str:
    better = speaking.advice.better
    if better is None or not better.priority:
        return ""
    return speaking.wording.note["at"].format(priority=speaking.priority)


def _possible_cauda_equina(speaking: Speaking) -> tuple[str, str]:
    return speaking.summary("possible-cauda-equina"), speaking.lead("possible-cauda-equina")


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
    return summary, speaking.lead("change-for-safety", hazard=hazard, at=_at(speaking))


def _source_not_read(speaking: Speaking) -> tuple[str, str]:
    sources = hidden_sources(speaking)
    return (
        speaking.summary("source-not-read", sources=sources),
        speaking.lead("source-not-read", sources=gaps_in_words(speaking)),
    )


def _wrong_test(speaking: Speaking) -> tuple[str, str]:
    better = speaking.advice.better
    if better is None:
        raise CardError("a change card needs a change")
    if better.procedure is None and speaking.contrast_open:
        best = speaking.wording.study[speaking.advice.alternatives[0].procedure.value].short
        return speaking.summary("raise-contrast", better=best), speaking.lead("raise-contrast", better=best)
    if better.procedure is None:
        return speaking.summary("raise-priority"), speaking.lead("raise")
    if better.why == "safety":
        return _for_safety(speaking)
    if _is_age_alone(speaking):
        return speaking.summary("age-alone-change"), speaking.lead("age-alone-change")
    key = "change-study" if better.priority else "change-study-routine"
    return speaking.summary(key), speaking.lead("change", at=_at(speaking))


def _answer_missing(speaking: Speaking) -> tuple[str, str]:
    wording = speaking.wording
    asked = speaking.advice.questions[0].finding if speaking.advice.questions else "other"
    lead = speaking.lead(f"ask-{asked}" if f"ask-{asked}" in wording.lead else "ask")
    if speaking.advice.urgency is not Urgency.ROUTINE and asked == "indication":
        return speaking.summary("ask-urgent", urgency=wording.urgency[speaking.advice.urgency.value]), lead
    return speaking.summary(f"ask-{asked}" if f"ask-{asked}" in wording.summary else "ask-other"), lead


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
        return speaking.summary("re-examine", story=_story(speaking, flags=False)), speaking.lead(lead)
    if not advice.may_defer:
        unsure = "low-unsure" if advice.unread or advice.gaps else "not-appropriate"
        return speaking.summary(unsure, story=story), speaking.lead(unsure)
    key = "defer-after-check" if speaking.statement_needed else "defer-checked"
    return speaking.summary(key, story=story), speaking.lead(key)


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


def _not_rated(speaking: Speaking) -> tuple[str, str]:
    advice, wording = speaking.advice, speaking.wording
    if advice.not_rated_because == "contrast-matters" and advice.alternatives:
        better = wording.study[advice.alternatives[0].procedure.value].short
        return speaking.summary("not-rated-contrast", better=better), speaking.lead("contrast")
    key = f"not-rated-{advice.not_rated_because}"
    if key not in wording.summary or key not in wording.lead:
        key = "not-rated-other"
    if advice.urgency is not Urgency.ROUTINE:
        why = wording.why_not_rated.get(advice.not_rated_because, wording.why_not_rated["other"])
        urgency = wording.urgency[advice.urgency.value]
        return speaking.summary("not-rated-urgent", urgency=urgency, why=why), speaking.lead(key)
    return speaking.summary(key), speaking.lead(key)


def _appropriate(speaking: Speaking) -> tuple[str, str]:
    leading = speaking.advice.leading
    if leading is None:
        return speaking.summary("appropriate", row=""), speaking.lead("appropriate-no-row")
    if _is_age_alone(speaking):
        return speaking.summary("age-alone"), speaking.lead("age-alone")
    # A red flag is named by its own words; six weeks of care and candidacy by their row, which says both.
    row = leading.label if leading.variant in (None, 1, 2, 3) else speaking.cause_words
    return speaking.summary("appropriate", row=row), speaking.lead("appropriate", row=row)


def _is_age_alone(speaking: Speaking) -> bool:
    """Age alone leads: a weak reason, so ACP's deferral comes first in the text."""
    return speaking.cause is not None and key_of(speaking.cause) == "fracture_risk:age-alone"


_WORDED = {
    **dict.fromkeys(AT_ONCE, _at_once),
    Situation.POSSIBLE_CAUDA_EQUINA: _possible_cauda_equina,
    Situation.SAFETY: _safety,
    Situation.SOURCE_NOT_READ: _source_not_read,
    Situation.WRONG_TEST: _wrong_test,
    Situation.ANSWER_MISSING: _answer_missing,
    Situation.PRIOR_IMAGING: _prior_imaging,
    Situation.NOT_APPROPRIATE: _not_appropriate,
    Situation.DEFERRED: _deferred,
    Situation.NOT_RATED: _not_rated,
    Situation.APPROPRIATE: _appropriate,
}
