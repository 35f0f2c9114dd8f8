"""The body of a card: short Markdown, the conclusion first and bold, never a table last."""

from collections.abc import Iterable

from cards.because import because, because_line, considered, presumed, would_change
from cards.escape import quoted
from cards.guideline_table import guideline_table, rated
from cards.kind import Kind, once_for_each_kind
from cards.override_reasons import reason_words
from cards.phrases import entries, entry, iso, listed
from cards.speaking import AT_ONCE, Speaking
from rules.draft_order import Recognition
from rules.finding import Answer
from rules.recommendation import SafetyNote, Situation, Urgency

# Members of an enumeration are slow to reach.
_APPROPRIATE, _NOT_APPROPRIATE, _NOT_RATED = Situation.APPROPRIATE, Situation.NOT_APPROPRIATE, Situation.NOT_RATED
_DEFERRED, _SAFETY, _CODED, _YES = Situation.DEFERRED, Situation.SAFETY, Recognition.CODED, Answer.YES
SAFETY_SHOWN = 3
UNREAD_SHOWN = 6
# Before an image that goes ahead, the check that its kind needs; where the advice is to wait, it is noise.
_ASKS_BEFORE = frozenset(
    {Situation.EMERGENCY, Situation.IMMEDIATE, Situation.WRONG_TEST, Situation.SAFETY, Situation.APPROPRIATE}
)
_WHY_NOT_RATED_ALONE = frozenset({"not-recognised", "not-among-eleven", "other-indication", "child"})


def detail_of(speaking: Speaking, lead: str, by_hand: tuple[str, ...] = ()) -> str:
    """The whole body under a bold first line; ``by_hand``: what no button of this client does."""
    if by_hand:
        words = speaking.wording.detail["by-hand"].format(do="; ".join([each.rstrip(".") for each in by_hand]))
        first, *rest = _body_of(speaking, lead).split("\n\n")
        at = 1 if speaking.advice.situation in AT_ONCE else 0  # what to do for the patient comes before the order
        return _joined([first, *rest[:at], words, *rest[at:]])
    return _body_of(speaking, lead)


def _body_of(speaking: Speaking, lead: str) -> str:
    situation, words = speaking.advice.situation, speaking.wording.detail
    if speaking.settled_by_override:
        return _joined([f"**{lead}**", _overridden(speaking)])
    if speaking.settled_by_keeping:
        return _joined([f"**{lead}**", *guideline_table(speaking.kind), words["kept-note"]])
    if situation is _APPROPRIATE:
        return _appropriate(speaking, lead)
    if situation is _DEFERRED:
        return _joined([f"**{lead}**", plan(speaking), words["safety-net"], words["reopen"]])
    if situation in AT_ONCE:
        return _at_once(speaking, lead)
    if situation is _NOT_RATED and speaking.advice.not_rated_because in _WHY_NOT_RATED_ALONE:
        return _not_rated(speaking, lead)
    return _reasoned(speaking, lead)


def _overridden(speaking: Speaking) -> str:
    """When it was overridden and why, and when it is shown in full again."""
    overridden, words = speaking.overridden, speaking.wording.detail
    if overridden is None:
        return ""
    reason = reason_words(overridden.reason)
    key = "overridden-because" if reason else "overridden"
    return words[key].format(time=overridden.at, reason=reason, until=overridden.until)


def _at_once(speaking: Speaking, lead: str) -> str:
    """What to do now comes before why; nothing here could be read as a reason to wait."""
    act = speaking.wording.act[act_key(speaking.kind)]
    bold = f"{act.first} {lead}".strip()
    return _joined(
        [
            f"**{bold}**",
            speaking.wording.detail["do-now"].format(do=act.do),
            because(speaking),
            *_about_safety(speaking),
            *guideline_table(speaking.kind),
            *_caveats(speaking),
        ]
    )


def _not_rated(speaking: Speaking, lead: str) -> str:
    """What was missing and what would mend it; the findings only where they ask for haste."""
    urgent = speaking.advice.urgency is not Urgency.ROUTINE
    return _joined(
        [
            f"**{lead}**",
            *_how_read(speaking),
            *_choices(speaking),
            _urgency(speaking.kind),
            because(speaking) if urgent else "",
            _nothing_urgent(speaking),
            *_caveats(speaking),
        ]
    )


def _nothing_urgent(speaking: Speaking) -> str:
    """An order that is not rated is no reason to think that all is well."""
    advice = speaking.advice
    if advice.urgency is not Urgency.ROUTINE or advice.not_rated_because == "other-indication":
        return ""
    return speaking.wording.detail["nothing-urgent"] if speaking.flags_not_recorded else ""


def _reasoned(speaking: Speaking, lead: str) -> str:
    kind, words = speaking.kind, speaking.wording.detail
    about_safety = kind.situation is _SAFETY
    safety = _about_safety(speaking)
    blocks = [f"**{lead}**", _urgency(kind)]
    if about_safety:
        blocks += safety
    blocks += _choices(speaking)
    blocks += because(speaking), considered(speaking)
    if not about_safety:
        blocks += safety
    blocks += presumed(speaking), _argued(kind)
    blocks += _caveats(speaking)
    if kind.situation is _NOT_APPROPRIATE and kind.may_defer:
        blocks += plan(speaking), words["safety-net"]
    blocks.append(words["worth-asking"])
    return _joined(blocks)


@once_for_each_kind
def _argued(kind: Kind) -> str:
    """What would change it, and the guidelines side by side."""
    return _joined(["" if kind.situation is Situation.SAFETY else would_change(kind), *guideline_table(kind)])


def _appropriate(speaking: Speaking, lead: str) -> str:
    """One line, and only what a clinician must know on top of it."""
    return _joined(
        [
            f"**{lead}**",
            because_line(speaking),
            *_about_safety(speaking),
            *_caveats(speaking),
            *_where_they_differ(speaking.kind),
        ]
    )


@once_for_each_kind
def _where_they_differ(kind: Kind) -> tuple[str, ...]:
    return guideline_table(kind)[1:] if any(view.differs for view in kind.views) else ()


@once_for_each_kind
def _urgency(kind: Kind) -> str:
    """How soon, in words: a priority code says it less plainly."""
    if kind.urgency is Urgency.ROUTINE:
        return ""
    return kind.wording.detail["urgency"].format(urgency=kind.wording.urgency[kind.urgency.value])


def _choices(speaking: Speaking) -> list[str]:
    """What would mend an order that is not rated; each contrast choice with its rating; ways around MRI."""
    kind, wording = speaking.kind, speaking.wording
    if kind.situation is _NOT_RATED and kind.not_rated_because in ("not-recognised", "child"):
        return [wording.detail["recognise" if kind.not_rated_because == "not-recognised" else "child"]]
    if not kind.alternatives:
        return []
    studies = kind.alternatives[:4] if kind.contrast_open else speaking.ways_around_mri
    if not studies:
        return []
    choices = "\n".join(
        "- "
        + wording.detail["contrast-choice"].format(
            name=wording.study[study.procedure.value].short, rated=rated(study, kind)
        )
        for study in studies
    )
    return [choices] if kind.contrast_open else [wording.detail["no-mri"], choices]


def _caveats(speaking: Speaking) -> list[str]:
    """What qualifies the advice: how the order was read, interpretations, what was not read, duplicates."""
    advice = speaking.advice
    caveats = [] if advice.situation is _NOT_RATED else _how_read(speaking)
    caveats += _interpreted(speaking.kind)
    if advice.gaps or advice.unread:
        caveats += _not_read(speaking)
    if advice.duplicates:
        caveats.append(_duplicates(speaking))
    mimic = advice.findings.mimic
    if mimic.because and mimic.answer is _YES:
        caveats.append(speaking.wording.detail["mimic"].format(entries=entries(mimic.because, speaking.wording)))
    return caveats


@once_for_each_kind
def _interpreted(kind: Kind) -> tuple[str, ...]:
    """Where a row was stretched to fit, and why this contrast."""
    words = kind.wording.detail
    notes = [words["note"].format(says=says) for says in kind.interpretations]
    key = f"contrast-{kind.better.contrast_note}" if kind.better is not None and kind.better.contrast_note else ""
    return (*notes, words[key]) if key in words else tuple(notes)


def _how_read(speaking: Speaking) -> list[str]:
    order, words = speaking.advice.order, speaking.wording.detail
    found = []
    if order.recognition is not _CODED:
        if order.recognition is Recognition.READ_FROM_TEXT:
            found.append(words["read-from-text"].format(study=speaking.kind.study))
        if order.recognition in (Recognition.NOT_RECOGNISED, Recognition.NOT_AMONG_ELEVEN) and order.name:
            found.append(words["order-about"].format(order=quoted(order.name)))
    if order.level_not_stated:
        found.append(words["level-not-stated"])
    if speaking.advice.age_not_known:
        found.append(words["age-not-known"])
    return found


def _about_safety(speaking: Speaking) -> list[str]:
    """The rows that hold, each for its study, with the entry behind them shown once."""
    advice, words = speaking.advice, speaking.wording.detail
    lines: list[str] = []
    if advice.safety:
        notes = [note for note in advice.safety if not note.ask][:SAFETY_SHOWN]
        if notes:
            lines += _on_record(notes, speaking)
    if advice.parallel is not None:
        lines.append(words["parallel"].format(study=speaking.wording.study[advice.parallel.procedure.value].short))
    if advice.safety and advice.situation in _ASKS_BEFORE and act_key(speaking.kind) != "aortic":
        # Every MR facility screens again; on a card of one line only the question that comes too late there is asked.
        one_line = advice.situation is _APPROPRIATE
        asked = [note.says for note in advice.safety if note.ask and (not one_line or note.domain == "pregnancy")]
        if asked:
            lines.append(words["ask-safety"].format(says=" ".join(asked)))
    return lines


def _on_record(notes: list[SafetyNote], speaking: Speaking) -> list[str]:
    advice, words = speaking.advice, speaking.wording.detail
    shown: set[str] = set()
    lines: list[str] = []
    if advice.situation is Situation.SAFETY:
        # The bold line says the first row already; its entry and the rest stand here.
        known = _entry_of(notes[0], shown, speaking)
        lines.append(words["on-record"].format(entries=known) if known else "")
        lines.append(words["otherwise"].format(study=speaking.kind.study, is_category=speaking.kind.is_category))
        notes = notes[1:]
    lines += [_safety_line(note, shown, speaking) for note in notes]
    egfr = advice.findings.safety.egfr
    if egfr is not None and egfr.old and egfr.evidence.reference in shown:
        lines.append(words["egfr-old"])
    return lines


def _safety_line(note: SafetyNote, shown: set[str], speaking: Speaking) -> str:
    study = speaking.wording.study[note.applies_to.value].short
    line = speaking.wording.detail["safety"].format(study=study, says=note.says)
    return f"{line} {_entry_of(note, shown, speaking)}".strip()


def _entry_of(note: SafetyNote, shown: set[str], speaking: Speaking) -> str:
    """The entry behind a row that was not shown yet; of several, the measured kidney function before a diagnosis."""
    egfr = speaking.advice.findings.safety.egfr
    measured = egfr.evidence.reference if egfr is not None else ""
    for evidence in sorted(note.evidence, key=lambda each: each.reference != measured):
        if evidence.reference not in shown:
            shown.add(evidence.reference)
            return entry(evidence, speaking.wording)
    return ""


def _not_read(speaking: Speaking) -> list[str]:
    advice, wording = speaking.advice, speaking.wording
    found = []
    if advice.gaps:
        found.append(wording.detail["gaps"].format(sources=gaps_in_words(speaking.kind)))
    if advice.unread:
        texts = [quoted(text) for text in advice.unread[:UNREAD_SHOWN]]
        if len(advice.unread) > UNREAD_SHOWN:
            texts.append(wording.detail["more"].format(count=len(advice.unread) - UNREAD_SHOWN))
        found.append(wording.detail["not-read"].format(texts="; ".join(texts)))
    return found


def gaps_in_words(kind: Kind) -> str:
    """ "the problem list could not be read; allergies did not arrive"."""
    wording = kind.wording
    named = dict.fromkeys(
        f"{wording.source.get(gap.source, gap.source)} {wording.gap.get(gap.why, gap.why)}" for gap in kind.gaps
    )
    return "; ".join(named)


def hidden_sources(kind: Kind) -> str:
    """The sources that could hide a red flag."""
    wording = kind.wording
    named = dict.fromkeys(wording.source.get(gap.source, gap.source) for gap in kind.gaps if gap.hides_red_flags)
    return listed(named)


def _duplicates(speaking: Speaking) -> str:
    names = [quoted(name) for name in speaking.advice.duplicates[:3]]
    return speaking.wording.detail["duplicates"].format(orders=listed(names))


def plan(speaking: Speaking) -> str:
    """Deferral is a plan: when to look again, and from when imaging could be due."""
    recheck, words = speaking.advice.recheck, speaking.wording.detail
    if recheck is None:
        return ""
    return words["plan"].format(
        recheck=speaking.recheck_day, basis=speaking.wording.basis[recheck.basis], care=care_outlook(speaking)
    )


def care_outlook(speaking: Speaking) -> str:
    """From when the six-weeks-of-care part can be met, and that imaging then also needs a planned procedure."""
    recheck, words = speaking.advice.recheck, speaking.wording.detail
    if recheck is None or recheck.care_complete_on is None:
        return words["plan-care-none"]
    key = "plan-care-continue" if recheck.care_started else "plan-care-start"
    return words[key].format(care_date=iso(recheck.care_complete_on))


def act_key(kind: Kind) -> str:
    """Whose instructions to give: those of the cause, or of a deficit when the cause has none."""
    return kind.cause if kind.cause in kind.wording.act else "weakness"


def _joined(blocks: Iterable[str]) -> str:
    return "\n\n".join(filter(None, blocks))
