"""The facts that decided, what was presumed, and what would change the advice."""

from collections.abc import Iterator

from cards.phrases import RED_FLAGS, duration, entries, finding_words, listed, red_flags, words_of
from cards.speaking import AT_ONCE, RED_FLAG_NAMES, Speaking
from rules.finding import Answer, Episode, Finding
from rules.recommendation import Change

MOST_LINES = 6
_CONSIDERED = (*RED_FLAGS, "conservative_care")
# Shown when nothing urgent leads: what the six-weeks-of-care rule turns on.
_COURSE = ("radiculopathy", "trend", "conservative_care", "candidate")


def because(speaking: Speaking) -> str:
    """The facts that decided, each with the entry that says it and its date."""
    lines = list(_because_lines(speaking))[:MOST_LINES]
    return "\n".join([speaking.wording.detail["because"], "", *(f"- {line}" for line in lines)]) if lines else ""


def _because_lines(speaking: Speaking) -> Iterator[str]:
    findings = speaking.advice.findings
    flags = red_flags(findings)
    if findings.cauda_equina.level == "possible":
        flags = [findings.cauda_equina, *flags]
    for finding in flags:
        yield _line(finding, speaking)
        yield from _beside(finding, speaking)
    if findings.prior_imaging.answer is Answer.YES and speaking.advice.situation not in AT_ONCE:
        yield _line(findings.prior_imaging, speaking)
    if speaking.advice.situation in AT_ONCE:
        return
    if findings.indication.because and not flags:
        yield from _reason(findings.indication, speaking)
    yield _pain(findings.episode, speaking)
    for name in _COURSE:
        yield from _course(getattr(findings, name), speaking)


def _line(finding: Finding, speaking: Speaking) -> str:
    words = finding_words(finding, speaking.wording).is_
    if not finding.because:
        return words
    return f"{words}: {entries(finding.because, speaking.wording)}"


def _beside(finding: Finding, speaking: Speaking) -> Iterator[str]:
    """Entries that say the opposite, or were named but not counted: shown, never resolved silently."""
    wording = speaking.wording
    if finding.against:
        yield wording.detail["against"].format(entries=entries(finding.against, wording))


def _reason(indication: Finding, speaking: Speaking) -> Iterator[str]:
    if indication.answer is not Answer.UNKNOWN:
        yield _line(indication, speaking)


def _pain(episode: Episode, speaking: Speaking) -> str:
    wording = speaking.wording
    if episode.days is None:
        return wording.detail["pain-unknown"]
    says = wording.detail["pain"].format(duration=duration(episode.days, wording))
    return f"{says}: {entries(episode.because, wording, shown=1)}" if episode.because else says


def _course(finding: Finding, speaking: Speaking) -> Iterator[str]:
    words = speaking.wording.detail
    if finding.name == "conservative_care" and finding.level in ("", "none"):
        yield words["no-care"]
    elif finding.name == "candidate" and finding.answer is Answer.NO:
        yield words["no-candidate"] if not finding.because else _line(finding, speaking)
    elif finding.name == "candidate" and finding.answer is Answer.UNKNOWN and not finding.because:
        yield words["candidate-unknown"]
    elif finding.answer is Answer.YES or (finding.level and finding.because):
        yield _line(finding, speaking)


def considered(speaking: Speaking) -> str:
    """Entries that were named but not counted: an old stable deficit, a fever before the look-back."""
    wording = speaking.wording
    findings = speaking.advice.findings
    named = [each for name in _CONSIDERED for each in getattr(findings, name).considered]
    return wording.detail["considered"].format(entries=entries(named, wording, shown=3)) if named else ""


def presumed(speaking: Speaking) -> str:
    """What is read as absent because nothing is on record."""
    names = presumed_words(speaking)
    return speaking.wording.detail["presumed"].format(findings=names) if names else ""


def presumed_words(speaking: Speaking) -> str:
    """Red flags whose "no" is only silence."""
    words = [
        words_of(name, "", speaking.wording).absent
        for name in speaking.advice.presumed
        if name in RED_FLAG_NAMES and words_of(name, "", speaking.wording).absent
    ]
    return listed(words)


def would_change(speaking: Speaking) -> str:
    """At most three answers that would change the advice, or that none of those tried would."""
    wording, advice = speaking.wording, speaking.advice
    if not advice.would_change:
        return wording.detail["robust"] if advice.robust else ""
    lines = [f"- {_change(change, speaking)}" for change in advice.would_change]
    return "\n".join([wording.detail["would-change"], "", *lines])


def _change(change: Change, speaking: Speaking) -> str:
    wording = speaking.wording
    conditions = listed(words_of(name, to, wording).if_ for name, to in zip(change.findings, change.to, strict=True))
    return wording.detail["change-line"].format_map({"if": conditions, "effect": _effect(change, speaking)})


def _effect(change: Change, speaking: Speaking) -> str:
    wording, advice = speaking.wording, speaking.advice
    effects = []
    if change.urgency is not advice.urgency:
        effects.append(wording.urgency[change.urgency.value])
    category = advice.ordered.category if advice.ordered is not None else None
    if change.category is not None and (change.category is not category or advice.rating is None):
        effects.append(
            wording.detail["then-rated"].format(study=speaking.study, category=wording.category[change.category.value])
        )
    elif change.category is None and change.pama is not None:
        effects.append(wording.detail["then-other"])
    elif not effects and change.pama is not None:
        effects.append(
            wording.detail["then-rated"].format(study=speaking.study, category=wording.pama[change.pama.value])
        )
    return ", ".join(effects)
