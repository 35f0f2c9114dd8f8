"""The facts that decided, what was presumed, and what would change the advice."""

from collections.abc import Iterator, Sequence
from functools import lru_cache

from cards.phrases import (
    RED_FLAGS,
    duration,
    entries,
    finding_words,
    is_category,
    is_known,
    listed,
    red_flags,
    words_of,
)
from cards.speaking import AT_ONCE, RED_FLAG_NAMES, Speaking
from cards.wording import wording as wordings
from rules.evidence import Evidence
from rules.finding import Answer, Episode, Finding
from rules.recommendation import Change

MOST_LINES = 6
_AGE_ALONE = "age-alone"
# Questions about one kind of entry: what was considered is that entry itself, only old, over or without new symptoms.
_OF_ONE_KIND = ("aortic", "major_trauma", "prior_surgery")
# Questions that several dated entries answer together, in the order of their dates.
_COURSES = ("weakness", "trend")
_ABOUT_WHAT_WAS_CONSIDERED = frozenset(
    {"stable-longer-than-episode", "older-and-stable", "explained-by-another-cause", "weight-loss-intended"}
)
# Where no criterion for imaging leads, what the six-weeks-of-care rule turns on.
_GROUND_VARIANTS = (1, 2, 3)


def because(speaking: Speaking) -> str:
    """The facts that decided, each with the entry that says it and its date."""
    lines = list(_lines(speaking))[:MOST_LINES]
    return "\n".join([speaking.wording.detail["because"], "", *(f"- {line}" for line in lines)]) if lines else ""


def because_line(speaking: Speaking) -> str:
    """The same in one line, for a card that has nothing to argue."""
    findings = speaking.advice.findings
    deciding = red_flags(findings) or [
        finding for finding in (findings.conservative_care, findings.candidate) if finding.answer is Answer.YES
    ]
    named = [each for finding in deciding for each in _most_telling_first(finding)]
    if not named:
        return ""
    return speaking.wording.detail["because-line"].format(entries=entries(named, speaking.wording, shown=3))


def _lines(speaking: Speaking) -> Iterator[str]:
    findings = speaking.advice.findings
    flags = red_flags(findings)
    if findings.cauda_equina.level == "possible":
        flags = [findings.cauda_equina, *flags]
    for finding in flags:
        if speaking.advice.situation in AT_ONCE and finding.level == _AGE_ALONE:
            continue  # where everybody must hurry, a weak reason is no argument
        yield _line(finding, speaking)
        if finding.against:
            yield speaking.wording.detail["against"].format(entries=entries(finding.against, speaking.wording))
    if speaking.advice.situation in AT_ONCE:
        return
    if findings.prior_imaging.answer is Answer.YES:
        yield _line(findings.prior_imaging, speaking)
    yield from _pain(findings.episode, findings.indication, speaking)
    if findings.radiculopathy.answer is Answer.YES:
        yield _line(findings.radiculopathy, speaking)
    leading = speaking.advice.leading
    if leading is not None and leading.variant in _GROUND_VARIANTS:
        yield from _course(speaking)


def _line(finding: Finding, speaking: Speaking) -> str:
    words = finding_words(finding, speaking.wording).is_
    says = f"{words}: {entries(_most_telling_first(finding), speaking.wording)}" if finding.because else words
    return "; ".join([says, *_notes_of_what_counts(finding, speaking)])


def _notes_of_what_counts(finding: Finding, speaking: Speaking) -> list[str]:
    """Without the notes on entries that were considered and not counted: they stand behind those."""
    if not (finding.because and finding.considered):
        return notes_of(finding, speaking)
    return [_note(note, speaking) for note in finding.notes if note not in _ABOUT_WHAT_WAS_CONSIDERED]


def _most_telling_first(finding: Finding) -> Sequence[Evidence]:
    """Of a course, where it began and where it stands now: today's grade is never one of the entries only counted.

    An age comes last: everybody has one.
    """
    if finding.name in _COURSES and len(finding.because) > 2:
        first, *between, latest = finding.because
        return (first, latest, *between)
    if len(finding.because) > 1:
        return sorted(finding.because, key=_is_an_age)
    return finding.because


def _is_an_age(evidence: Evidence) -> bool:
    return evidence.reference == "Patient"


def notes_of(finding: Finding, speaking: Speaking) -> list[str]:
    """How the answer was read, where that needs saying."""
    return [_note(note, speaking) for note in finding.notes]


def _note(note: str, speaking: Speaking) -> str:
    return speaking.wording.finding_note.get(note, note.replace("-", " "))


def _pain(episode: Episode, indication: Finding, speaking: Speaking) -> Iterator[str]:
    """How long, by which entry; the order's own reason where it says something else."""
    wording = speaking.wording
    said = {each.says.casefold() for each in episode.because}
    if indication.answer is not Answer.UNKNOWN and not _all_said(indication.because, said):
        yield _line(indication, speaking)
    if not is_known(episode.days):
        yield wording.detail["pain-unknown"]
        return
    says = wording.detail["pain"].format(duration=duration(episode.days, wording))
    yield f"{says}: {entries(episode.because, wording, shown=1)}" if episode.because else says


def _all_said(evidence: tuple[Evidence, ...], said: set[str]) -> bool:
    return all(each.says.casefold() in said for each in evidence)


def _course(speaking: Speaking) -> Iterator[str]:
    """Which way it goes, what was done, and whether a procedure is planned."""
    words, findings = speaking.wording.detail, speaking.advice.findings
    trend, care, candidate = findings.trend, findings.conservative_care, findings.candidate
    if trend.answer is Answer.YES:
        yield _line(trend, speaking)
    treated = care.level not in ("", "none")
    planned = candidate.answer is Answer.YES or bool(candidate.because)
    if treated:
        yield _line(care, speaking)
    if planned:
        yield _line(candidate, speaking)
    if not treated and not planned:
        yield words["nothing-done"]
    elif not treated:
        yield words["no-care"]
    elif not planned:
        yield words["no-candidate"]


def considered(speaking: Speaking) -> str:
    """Entries that no question counted, each once: an old stable deficit, a fever before the look-back."""
    wording, findings = speaking.wording, speaking.advice.findings
    leading = speaking.advice.leading
    of_care = leading is not None and leading.variant in _GROUND_VARIANTS
    shown = {(each.reference, each.says) for name in RED_FLAGS for each in getattr(findings, name).because}
    named: list[str] = []
    for name in (*RED_FLAGS, *(("conservative_care",) if of_care else ())):
        finding = getattr(findings, name)
        left = tuple(each for each in finding.considered if (each.reference, each.says) not in shown)
        if left:
            shown.update((each.reference, each.says) for each in left)
            named.append("; ".join([entries(left, wording), *notes_of(finding, speaking)]))
    return wording.detail["considered"].format(entries=". ".join(named[:3])) if named else ""


def presumed(speaking: Speaking) -> str:
    """What is read as absent because nothing is on record."""
    names = presumed_words(speaking)
    hidden = any(gap.hides_red_flags for gap in speaking.advice.gaps)
    return speaking.wording.detail["not-known" if hidden else "presumed"].format(findings=names) if names else ""


def presumed_words(speaking: Speaking) -> str:
    """Red flags whose "no" is only silence. An aneurysm or an operation that was considered is on record."""
    advice = speaking.advice
    on_record = {name for name in _OF_ONE_KIND if getattr(advice.findings, name).considered}
    return _absent(tuple(name for name in advice.presumed if name not in on_record))


@lru_cache(maxsize=256)
def _absent(presumed: tuple[str, ...]) -> str:
    words = (words_of(name, "", wordings()).absent for name in presumed if name in RED_FLAG_NAMES)
    return listed(word for word in words if word)


def would_change(speaking: Speaking) -> str:
    """At most three answers that would change the advice, or that none of those tried would."""
    wording, advice = speaking.wording, speaking.advice
    if not advice.would_change:
        return wording.detail["robust"] if advice.robust else ""
    by_effect: dict[str, list[str]] = {}
    for change in advice.would_change:
        by_effect.setdefault(_effect(change, speaking), []).append(_conditions(change, speaking))
    changes = [
        wording.detail["change-line"].format_map({"if": _either(conditions), "effect": effect})
        for effect, conditions in by_effect.items()
    ]
    return wording.detail["would-change"].format(changes="; ".join(changes))


def _either(conditions: list[str]) -> str:
    """Conditions hold commas of their own."""
    return "; ".join([*conditions[:-1], f"or {conditions[-1]}"]) if len(conditions) > 1 else conditions[0]


def _conditions(change: Change, speaking: Speaking) -> str:
    return listed(words_of(name, to, speaking.wording).if_ for name, to in zip(change.findings, change.to, strict=True))


def _effect(change: Change, speaking: Speaking) -> str:
    """What it would change: the urgency before the category, since that is what a clinician acts on first."""
    wording = speaking.wording
    if change.urgency is not speaking.advice.urgency:
        return wording.urgency[change.urgency.value]
    if change.category is not None:
        return wording.detail["then-rated"].format(
            study=speaking.study, is_category=is_category(wording.category[change.category.value])
        )
    return wording.detail["then-other"]
