"""The buttons of one card: at most three, verb first, none of them dead for this client.

What a client cannot apply is said in words instead, so that no client is left without the advice.
"""

from collections.abc import Callable
from functools import partial

from cards import order_changes
from cards.buttons import NOTHING_OFFERED, Button, ButtonWords, Offered, fits, offered
from cards.card import Action, CardError, Suggestion
from cards.headline import prior_day
from cards.kind import Kind, once_for_each_kind
from cards.order_buttons import changed, changed_at_once, contrast_choices, deleting, is_in_chart, to_study, updating
from cards.order_changes import recheck_words
from cards.speaking import Speaking
from fhir_mappings.draft_parts import listed
from rules.recommendation import AnswerOption, Situation

MOST_BUTTONS = 3

# Answers that a clinician can give with one click when they would change the advice (own codes).
_ANSWERS_TO_CHANGE = {
    ("weakness", "worsening"): "weakness-new-or-worse-yes",
    ("conservative_care", "adequate"): "conservative-care-done-yes",
    ("candidate", "stated"): "intervention-candidate-yes",
}


def offered_on(speaking: Speaking) -> Offered:
    """The buttons for this situation, the recommended one first, and what is left to do by hand."""
    if speaking.settled_by_keeping or speaking.settled_by_override:
        return NOTHING_OFFERED
    return offered(_BUTTONS[speaking.advice.situation](speaking), MOST_BUTTONS)


def suggestions_of(speaking: Speaking, buttons: tuple[Button, ...]) -> tuple[Suggestion, ...]:
    """The buttons as CDS Hooks has them."""
    ids, profile = speaking.call.ids, speaking.kind.profile
    reference, situation = speaking.advice.order.reference, speaking.advice.situation.value
    if profile.one_action and any(len(button.actions) > 1 for button in buttons):
        raise CardError(f"{profile.name} applies one action of a suggestion: the others would be lost")
    return tuple(
        [
            Suggestion(
                button.label,
                ids.of("suggestion", reference, situation, button.kind),
                button.recommended and not (button.states and profile.preselects),
                button.actions,
            )
            for button in buttons
        ]
    )


def _changed_or_kept(speaking: Speaking) -> list[Button]:
    buttons = contrast_choices(speaking) if speaking.kind.contrast_open else changed(speaking)
    return buttons + _keep(speaking)


def _safety(speaking: Speaking) -> list[Button]:
    """The safe study; where no study is safer, the alternatives while MRI waits for clearance."""
    buttons: list[Button] = []
    if speaking.advice.better is not None:
        buttons = changed(speaking)
    else:
        for study in speaking.ways_around_mri[:1]:
            buttons = to_study(speaking, study.procedure, study, "", recommended=False)
    return buttons + _keep(speaking)


def _asked(speaking: Speaking) -> list[Button]:
    kind = speaking.kind
    return _answers_to(speaking, *kind.questions[0]) if kind.questions else []


def _answers_to(speaking: Speaking, asked: str, options: tuple[AnswerOption, ...]) -> list[Button]:
    return [_answer(speaking, (option,), asked) for option in options]


def _possible_cauda_equina(speaking: Speaking) -> list[Button]:
    return _asked(speaking) + changed(speaking)


def _prior_imaging(speaking: Speaking) -> list[Button]:
    buttons: list[Button] = []
    if speaking.advice.may_defer:
        day = prior_day(speaking)
        label = speaking.wording.label["cancel-imaged" if day else "cancel-imaged-undated"].format(date=day)
        buttons += _defer(speaking, label, with_referral=False)
    for asked, options in speaking.kind.questions:
        if asked == "prior_imaging":
            buttons += _answers_to(speaking, asked, options)
    return buttons + _keep(speaking)


def _not_appropriate(speaking: Speaking) -> list[Button]:
    advice, words = speaking.advice, speaking.wording.label
    buttons: list[Button] = []
    if advice.may_defer:
        day = speaking.recheck_day
        if speaking.statement_needed:
            label = words["defer-stated"]
        elif advice.findings.weakness.yes and day:
            label = words["defer-strength"].format(date=day)
        else:
            label = words["defer"].format(date=day) if day else words["defer-undated"]
        in_therapy = "active-therapy" in advice.findings.conservative_care.marks
        buttons += _defer(speaking, label, with_referral=not in_therapy)
    to_change = _answers_that_change(speaking.kind)
    if to_change:
        buttons.append(_answer(speaking, to_change))
    return buttons + _keep(speaking)


@once_for_each_kind
def _answers_that_change(kind: Kind) -> tuple[AnswerOption, ...]:
    """The first answer, or pair of them, that would change the advice and that a button can give."""
    for change in kind.would_change:
        keys = list(zip(change.findings, change.to, strict=True))
        if all(key in _ANSWERS_TO_CHANGE for key in keys):
            return tuple(AnswerOption(_ANSWERS_TO_CHANGE[key], key[0], "yes") for key in keys)
    return ()


def _deferred(speaking: Speaking) -> list[Button]:
    words = speaking.wording
    buttons: list[Button] = []
    if speaking.kind.deletes and is_in_chart(speaking):
        delete = deleting(speaking, words.action["cancel"].format(name=speaking.kind.name))
        buttons.append(Button("cancel-deferred", words.label["cancel-deferred"], (delete,), recommended=True))
    reopening = ButtonWords("reopen", words.label["reopen"], words.action["reopen"])
    return [*buttons, updating(speaking, reopening, lambda: order_changes.reopened(speaking))]


def _not_rated(speaking: Speaking) -> list[Button]:
    return contrast_choices(speaking) if speaking.kind.contrast_open else changed(speaking)


def _appropriate(speaking: Speaking) -> list[Button]:
    """Nothing needs doing: only the note, where the client keeps notes and it is not there yet."""
    kind = speaking.kind
    if kind.profile.first_coding_only or not kind.updates:
        return []
    change = order_changes.justified(speaking)
    if change.note in [note.get("text") for note in listed(speaking.order.get("note")) if isinstance(note, dict)]:
        return []
    words = ButtonWords("justify", kind.wording.label["justify"], kind.wording.action["justify"])
    return [updating(speaking, words, lambda: change)]


def _answer(speaking: Speaking, options: tuple[AnswerOption, ...], asked: str = "") -> Button:
    """``asked``: the question that has to be answered, where this is no mere offer."""
    words = _answering(speaking.kind, options, asked)
    return updating(speaking, words, partial(order_changes.answered, speaking, options))


@once_for_each_kind
def _answering(kind: Kind, options: tuple[AnswerOption, ...], asked: str) -> ButtonWords:
    wording = kind.wording
    codes = "+".join(option.code for option in options)
    displays = "; ".join(kind.terminology.own.codes[option.code].display for option in options)
    return ButtonWords(
        f"answer-{codes}",
        wording.answer[codes],
        wording.action["answer"].format(answer=displays),
        wording.answer_by_hand[asked] if asked else "",
    )


def _keep(speaking: Speaking) -> list[Button]:
    if speaking.kept:
        return []
    return [updating(speaking, _keeping(speaking.kind), partial(order_changes.kept, speaking))]


@once_for_each_kind
def _keeping(kind: Kind) -> ButtonWords:
    words = kind.wording
    label = fits(words.label["keep"].format(study=kind.study), words.label["keep-short"])
    return ButtonWords("keep", label, words.action["keep"])


def _defer(speaking: Speaking, label: str, with_referral: bool) -> list[Button]:
    """Remove the order and begin care; a client that only updates gets the deferral written on the order."""
    words, kind = speaking.wording, speaking.kind
    states = speaking.statement_needed and kind.situation is not Situation.PRIOR_IMAGING
    stated = "-stated" if states else ""
    recheck = recheck_words(speaking)
    if not kind.deletes or not is_in_chart(speaking):
        described = words.action[f"defer-update{stated}"].format(recheck=recheck).strip()
        care = "-care" if with_referral else ""
        by_hand = words.by_hand[f"defer{stated}{care}"].format(recheck=recheck).strip()
        deferring = ButtonWords("defer", label, described, by_hand)
        return [updating(speaking, deferring, partial(order_changes.deferred, speaking), recommended=True)]
    removed = words.action[f"cancel{stated}"].format(name=kind.name, recheck=recheck).strip()
    actions = [deleting(speaking, removed)]
    referral = order_changes.referral(speaking, recheck) if with_referral and kind.creates else None
    if referral is not None:
        says = stated if kind.profile.keeps_details else ""  # else the statement does not reach the referral
        described = words.action[f"refer{says}"].format(recheck=recheck).strip()
        actions.append(Action("create", described, referral))
    if not kind.profile.one_action:
        return [Button("defer", label, tuple(actions), recommended=True, states=states)]
    buttons = [Button("defer", label, (actions[0],), recommended=True, states=states)]
    if with_referral:
        by_hand = words.by_hand["refer"].format(recheck=recheck).strip()
        buttons.append(Button("refer", words.label["refer"], tuple(actions[1:]), True, by_hand, states))
    return buttons


def _none(speaking: Speaking) -> list[Button]:
    return []


_BUTTONS: dict[Situation, Callable[[Speaking], list[Button]]] = {
    Situation.EMERGENCY: changed_at_once,
    Situation.IMMEDIATE: changed_at_once,
    Situation.POSSIBLE_CAUDA_EQUINA: _possible_cauda_equina,
    Situation.SAFETY: _safety,
    Situation.SOURCE_NOT_READ: _none,
    Situation.WRONG_TEST: _changed_or_kept,
    Situation.ANSWER_MISSING: _asked,
    Situation.PRIOR_IMAGING: _prior_imaging,
    Situation.NOT_APPROPRIATE: _not_appropriate,
    Situation.DEFERRED: _deferred,
    Situation.NOT_RATED: _not_rated,
    Situation.APPROPRIATE: _appropriate,
}
