"""The facts that decided, what was presumed, and what would change the advice."""

from collections.abc import Sequence
from operator import attrgetter

from cards.kind import Kind, once_for_each_kind
from cards.phrases import (
    RED_FLAGS,
    duration,
    entries,
    finding_words,
    is_category,
    is_known,
    listed,
    red_flags_of,
    words_of,
)
from cards.speaking import AT_ONCE, Speaking
from cards.wording import Wording
from rules.evidence import Evidence
from rules.finding import Answer, Episode, Finding, Findings
from rules.recommendation import Change

MOST_LINES = 6
_YES, _UNKNOWN = Answer.YES, Answer.UNKNOWN  # a member of an enumeration is slow to reach
_AGE_ALONE = "age-alone"
# Questions about one kind of entry: what was considered is that entry itself, only old, over or without new symptoms.
_of_one_kind = attrgetter("aortic", "major_trauma", "prior_surgery")
# Questions that several dated entries answer together, in the order of their dates.
_COURSES = ("weakness", "trend")
_ABOUT_WHAT_WAS_CONSIDERED = frozenset(
    {"stable-longer-than-episode", "older-and-stable", "explained-by-another-cause", "weight-loss-intended"}
)
# Where no criterion for imaging leads, what the six-weeks-of-care rule turns on.
_GROUND_VARIANTS = (1, 2, 3)


def because(speaking: Speaking) -> str:
    """The facts that decided, each with the entry that says it and its date."""
    lines = _lines(speaking)[:MOST_LINES]
    return "\n- ".join([f"{speaking.wording.detail['because']}\n", *lines]) if lines else ""


def because_line(speaking: Speaking) -> str:
    """The same in one line, for a card that has nothing to argue."""
    findings = speaking.advice.findings
    deciding = speaking.flags or [
        finding for finding in (findings.conservative_care, findings.candidate) if finding.answer is _YES
    ]
    named = [each for finding in deciding for each in _most_telling_first(finding)]
    if not named:
        return ""
    return speaking.wording.detail["because-line"].format(entries=entries(named, speaking.wording, shown=3))


def _lines(speaking: Speaking) -> list[str]:
    advice, wording = speaking.advice, speaking.wording
    findings, at_once = advice.findings, advice.situation in AT_ONCE
    flags = speaking.flags
    if findings.cauda_equina.level == "possible":
        flags = [findings.cauda_equina, *flags]
    lines: list[str] = []
    for finding in flags:
        if at_once and finding.level == _AGE_ALONE:
            continue  # where everybody must hurry, a weak reason is no argument
        lines.append(_line(finding, wording))
        if finding.against:
            lines.append(wording.detail["against"].format(entries=entries(finding.against, wording)))
    if at_once:
        return lines
    if findings.prior_imaging.answer is _YES:
        lines.append(_line(findings.prior_imaging, wording))
    lines += _pain(findings.episode, findings.indication, wording)
    if findings.radiculopathy.answer is _YES:
        lines.append(_line(findings.radiculopathy, wording))
    if _turns_on_care(speaking):
        lines += _course(findings, wording)
    return lines


def _turns_on_care(speaking: Speaking) -> bool:
    leading = speaking.advice.leading
    return leading is not None and leading.variant in _GROUND_VARIANTS


def _line(finding: Finding, wording: Wording) -> str:
    says = finding_words(finding, wording).is_
    if finding.because:
        telling = _most_telling_first(finding) if len(finding.because) > 1 else finding.because
        says = f"{says}: {entries(telling, wording)}"
    return "; ".join([says, *_notes_of_what_counts(finding, wording)]) if finding.notes else says


def _notes_of_what_counts(finding: Finding, wording: Wording) -> list[str]:
    """Without the notes on entries that were considered and not counted: they stand behind those."""
    if not (finding.because and finding.considered):
        return notes_of(finding, wording)
    return [_note(note, wording) for note in finding.notes if note not in _ABOUT_WHAT_WAS_CONSIDERED]


def _most_telling_first(finding: Finding) -> Sequence[Evidence]:
    """Of a course, where it began and where it stands now: today's grade is never one of the entries only counted.

    An age comes last: everybody has one.
    """
    if len(finding.because) < 2:
        return finding.because
    if finding.name in _COURSES and len(finding.because) > 2:
        first, *between, latest = finding.because
        return (first, latest, *between)
    ages = [each for each in finding.because if each.reference == "Patient"]
    if not ages:
        return finding.because
    return [*(each for each in finding.because if each.reference != "Patient"), *ages]


def notes_of(finding: Finding, wording: Wording) -> list[str]:
    """How the answer was read, where that needs saying."""
    return [_note(note, wording) for note in finding.notes]


def _note(note: str, wording: Wording) -> str:
    return wording.finding_note.get(note) or note.replace("-", " ")


def _pain(episode: Episode, indication: Finding, wording: Wording) -> list[str]:
    """How long, by which entry; the order's own reason where it says something else."""
    lines = []
    if indication.answer is not _UNKNOWN and not _all_said(indication.because, episode.because):
        lines.append(_line(indication, wording))
    if not is_known(episode.days):
        return [*lines, wording.detail["pain-unknown"]]
    says = wording.detail["pain"].format(duration=duration(episode.days, wording))
    return [*lines, f"{says}: {entries(episode.because, wording, shown=1)}" if episode.because else says]


def _all_said(evidence: tuple[Evidence, ...], elsewhere: tuple[Evidence, ...]) -> bool:
    said = [each.says for each in elsewhere]
    new = [each.says for each in evidence if each.says not in said]
    return not new or {each.casefold() for each in said}.issuperset([each.casefold() for each in new])


def _course(findings: Findings, wording: Wording) -> list[str]:
    """Which way it goes, what was done, and whether a procedure is planned."""
    words, trend, care, candidate = wording.detail, findings.trend, findings.conservative_care, findings.candidate
    treated = care.level not in ("", "none")
    planned = candidate.answer is _YES or bool(candidate.because)
    told = (trend.answer is _YES, trend), (treated, care), (planned, candidate)
    lines = [_line(finding, wording) for is_so, finding in told if is_so]
    if not treated:
        lines.append(words["no-care" if planned else "nothing-done"])
    elif not planned:
        lines.append(words["no-candidate"])
    return lines


def considered(speaking: Speaking) -> str:
    """Entries that no question counted, each once: an old stable deficit, a fever before the look-back."""
    wording, findings = speaking.wording, speaking.advice.findings
    red_flags = asked = red_flags_of(findings)
    if _turns_on_care(speaking):
        asked = (*asked, findings.conservative_care)
    with_entries = [finding for finding in asked if finding.considered]
    if not with_entries:
        return ""
    shown = {(each.reference, each.says) for finding in red_flags for each in finding.because}
    named: list[str] = []
    for finding in with_entries:
        left = tuple(each for each in finding.considered if (each.reference, each.says) not in shown)
        if left:
            shown.update((each.reference, each.says) for each in left)
            named.append("; ".join([entries(left, wording), *notes_of(finding, wording)]))
    return wording.detail["considered"].format(entries=". ".join(named[:3])) if named else ""


def presumed(speaking: Speaking) -> str:
    """What is read as absent because nothing is on record."""
    on_record = _on_record(speaking.advice.findings)
    return _as_presumed(_absent(speaking.kind, on_record), speaking.kind) if on_record else _presumed(speaking.kind)


def presumed_words(speaking: Speaking) -> str:
    """Red flags whose "no" is only silence. An aneurysm or an operation that was considered is on record."""
    return _absent(speaking.kind, _on_record(speaking.advice.findings))


def _on_record(findings: Findings) -> list[str]:
    aorta, trauma, surgery = _of_one_kind(findings)
    if not (aorta.considered or trauma.considered or surgery.considered):  # the usual case
        return []
    return [finding.name for finding in (aorta, trauma, surgery) if finding.considered]


@once_for_each_kind
def _presumed(kind: Kind) -> str:
    return _as_presumed(_absent(kind, ()), kind)


def _as_presumed(names: str, kind: Kind) -> str:
    hidden = any(gap.hides_red_flags for gap in kind.gaps)
    return kind.wording.detail["not-known" if hidden else "presumed"].format(findings=names) if names else ""


def _absent(kind: Kind, on_record: Sequence[str]) -> str:
    silent = [name for name in kind.presumed if name in RED_FLAGS and name not in on_record]
    words = [words_of(name, "", kind.wording).absent for name in silent]
    return listed(word for word in words if word)


@once_for_each_kind
def would_change(kind: Kind) -> str:
    """At most three answers that would change the advice, or that none of those tried would."""
    wording = kind.wording
    if not kind.would_change:
        return wording.detail["robust"] if kind.robust else ""
    by_effect: dict[str, list[str]] = {}
    for change in kind.would_change:
        by_effect.setdefault(_effect(change, kind), []).append(_conditions(change, kind))
    changes = [
        wording.detail["change-line"].format_map({"if": _either(conditions), "effect": effect})
        for effect, conditions in by_effect.items()
    ]
    return wording.detail["would-change"].format(changes="; ".join(changes))


def _either(conditions: list[str]) -> str:
    """Conditions hold commas of their own."""
    return "; ".join([*conditions[:-1], f"or {conditions[-1]}"]) if len(conditions) > 1 else conditions[0]


def _conditions(change: Change, kind: Kind) -> str:
    return listed(words_of(name, to, kind.wording).if_ for name, to in zip(change.findings, change.to, strict=True))


def _effect(change: Change, kind: Kind) -> str:
    """What it would change: the urgency before the category, since that is what a clinician acts on first."""
    wording = kind.wording
    if change.urgency is not kind.urgency:
        return wording.urgency[change.urgency.value]
    if change.category is not None:
        return wording.detail["then-rated"].format(
            study=kind.study, is_category=is_category(wording.category[change.category.value])
        )
    return wording.detail["then-other"]
