"""The body of a card: short Markdown, the conclusion first and bold, never a table last."""

from collections.abc import Iterable

from cards.because import because, considered, presumed, would_change
from cards.escape import quoted
from cards.guideline_table import guideline_table, rated
from cards.phrases import entries, entry, iso, listed
from cards.speaking import AT_ONCE, Speaking
from rules.draft_order import Recognition
from rules.finding import Answer
from rules.recommendation import SafetyNote, Situation

SAFETY_SHOWN = 3
UNREAD_SHOWN = 3
_DEFERRING = frozenset({Situation.NOT_APPROPRIATE})
_NO_TABLE = frozenset({Situation.DEFERRED, Situation.APPROPRIATE})


def detail_of(speaking: Speaking, lead: str) -> str:
    """The whole body under a bold first line."""
    situation = speaking.advice.situation
    if speaking.kept and situation not in AT_ONCE:
        return _joined([f"**{lead}**", *guideline_table(speaking)[:1], speaking.wording.detail["kept-note"]])
    if situation is Situation.APPROPRIATE:
        return _appropriate(speaking, lead)
    if situation is Situation.DEFERRED:
        return _joined(
            [f"**{lead}**", plan(speaking), speaking.wording.detail["safety-net"], speaking.wording.detail["reopen"]]
        )
    if situation in AT_ONCE:
        return _at_once(speaking, lead)
    return _reasoned(speaking, lead)


def _at_once(speaking: Speaking, lead: str) -> str:
    """What to do now comes before why; nothing here could be read as a reason to wait."""
    act = speaking.wording.act[act_key(speaking)]
    return _joined(
        [
            f"**{act.first} {lead}**",
            speaking.wording.detail["do-now"].format(do=act.do),
            because(speaking),
            *_caveats(speaking),
            *guideline_table(speaking),
        ]
    )


def _reasoned(speaking: Speaking, lead: str) -> str:
    words = speaking.wording.detail
    situation = speaking.advice.situation
    return _joined(
        [
            f"**{lead}**",
            *_choices(speaking),
            because(speaking),
            considered(speaking),
            presumed(speaking),
            would_change(speaking),
            *guideline_table(speaking),
            *_caveats(speaking),
            plan(speaking) if situation in _DEFERRING else "",
            words["safety-net"] if situation in _DEFERRING and speaking.advice.may_defer else "",
            words["worth-asking"] if situation is not Situation.NOT_RATED else "",
        ]
    )


def _appropriate(speaking: Speaking, lead: str) -> str:
    """One line, and only what a clinician must know on top of it."""
    differs = [*guideline_table(speaking)[1:]] if any(view.differs for view in speaking.advice.views) else []
    return _joined([f"**{lead}**", *_caveats(speaking), *differs])


def _choices(speaking: Speaking) -> list[str]:
    """For an order without stated contrast: each choice and its rating, best first."""
    advice, wording = speaking.advice, speaking.wording
    if advice.situation is Situation.NOT_RATED and advice.not_rated_because == "not-recognised":
        return [wording.detail["recognise"]]
    if advice.situation is Situation.NOT_RATED and advice.not_rated_because == "child":
        return [wording.detail["child"]]
    if not advice.alternatives:
        return []
    lines = [
        "- "
        + wording.detail["contrast-choice"].format(
            name=wording.study[study.procedure.value].short, rated=rated(study, speaking)
        )
        for study in advice.alternatives[:4]
    ]
    if advice.order.recognition is Recognition.CONTRAST_NOT_STATED:
        return ["\n".join(lines)]
    return [wording.detail["no-mri"] + "\n\n" + "\n".join(lines)]


def _caveats(speaking: Speaking) -> list[str]:
    """What qualifies the advice: how the order was read, safety, interpretations, what was not read, duplicates."""
    return [
        *_how_read(speaking),
        *_safety(speaking),
        *speaking.advice.interpretations,
        *_contrast(speaking),
        *_not_read(speaking),
        *_duplicates(speaking),
        *_mimics(speaking),
    ]


def _how_read(speaking: Speaking) -> list[str]:
    advice, words = speaking.advice, speaking.wording.detail
    found = []
    if advice.order.recognition is Recognition.READ_FROM_TEXT:
        found.append(words["read-from-text"].format(study=speaking.study))
    if advice.order.recognition in (Recognition.NOT_RECOGNISED, Recognition.NOT_AMONG_ELEVEN) and advice.order.name:
        found.append(words["order-about"].format(order=quoted(advice.order.name)))
    if advice.order.level_not_stated:
        found.append(words["level-not-stated"])
    if advice.age_not_known:
        found.append(words["age-not-known"])
    return found


def _safety(speaking: Speaking) -> list[str]:
    advice, words = speaking.advice, speaking.wording.detail
    lines = [_safety_line(note, speaking) for note in advice.safety if not note.ask][:SAFETY_SHOWN]
    if advice.parallel is not None:
        lines.append(words["parallel"].format(study=speaking.wording.study[advice.parallel.procedure.value].short))
    asked = [words["ask-safety"].format(says=note.says) for note in advice.safety if note.ask][:1]
    return [*lines, *asked]


def _safety_line(note: SafetyNote, speaking: Speaking) -> str:
    line = speaking.wording.detail["safety"].format(says=note.says)
    return f"{line} {entry(note.evidence[0], speaking.wording)}" if note.evidence else line


def _contrast(speaking: Speaking) -> list[str]:
    better = speaking.advice.better
    note = better.contrast_note if better is not None else ""
    key = f"contrast-{note}"
    return [speaking.wording.detail[key]] if note and key in speaking.wording.detail else []


def _not_read(speaking: Speaking) -> list[str]:
    advice, wording = speaking.advice, speaking.wording
    found = []
    if advice.gaps:
        found.append(wording.detail["gaps"].format(sources=gaps_in_words(speaking)))
    if advice.unread:
        texts = [quoted(text) for text in advice.unread[:UNREAD_SHOWN]]
        if len(advice.unread) > UNREAD_SHOWN:
            texts.append(wording.detail["more"].format(count=len(advice.unread) - UNREAD_SHOWN))
        found.append(wording.detail["not-read"].format(texts="; ".join(texts)))
    return found


def gaps_in_words(speaking: Speaking) -> str:
    """ "the problem list could not be read; allergies not provided"."""
    wording = speaking.wording
    named = dict.fromkeys(
        f"{wording.source.get(gap.source, gap.source)} {wording.gap.get(gap.why, gap.why)}"
        for gap in speaking.advice.gaps
    )
    return "; ".join(named)


def hidden_sources(speaking: Speaking) -> str:
    """The sources that could hide a red flag."""
    wording = speaking.wording
    named = dict.fromkeys(
        wording.source.get(gap.source, gap.source) for gap in speaking.advice.gaps if gap.hides_red_flags
    )
    return listed(named)


def _duplicates(speaking: Speaking) -> list[str]:
    names = speaking.advice.duplicates
    if not names:
        return []
    return [speaking.wording.detail["duplicates"].format(orders=listed(quoted(name) for name in names[:3]))]


def _mimics(speaking: Speaking) -> list[str]:
    wording, findings = speaking.wording, speaking.advice.findings
    return [
        wording.detail["mimic"].format(entries=entries(finding.because, wording))
        for finding in (findings.mimic,)
        if finding.answer is Answer.YES and finding.because
    ]


def plan(speaking: Speaking) -> str:
    """Deferral is a plan: when to look again, and from when imaging could be due."""
    recheck, words = speaking.advice.recheck, speaking.wording.detail
    if recheck is None:
        return ""
    return words["plan"].format(
        recheck=iso(recheck.on), basis=speaking.wording.basis[recheck.basis], care=care_outlook(speaking)
    )


def care_outlook(speaking: Speaking) -> str:
    """From when the six-weeks-of-care part can be met, and that imaging then also needs a planned procedure."""
    recheck, words = speaking.advice.recheck, speaking.wording.detail
    if recheck is None or recheck.care_complete_on is None:
        return words["plan-care-none"]
    key = "plan-care-continue" if recheck.care_started else "plan-care-start"
    return words[key].format(care_date=iso(recheck.care_complete_on))


def act_key(speaking: Speaking) -> str:
    """Whose instructions to give: those of the cause, or of a deficit when the cause has none."""
    name = speaking.cause.name if speaking.cause is not None else ""
    return name if name in speaking.wording.act else "weakness"


def _joined(blocks: Iterable[str]) -> str:
    return "\n\n".join(block for block in blocks if block)
