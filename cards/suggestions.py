"""The buttons of one card: at most three, verb first, none of them dead for this client.

What a client cannot apply is said in words instead, so that no client is left without the advice.
"""

from collections.abc import Callable, Iterator
from functools import partial

from cards import order_changes
from cards.buttons import NOTHING_OFFERED, Button, Offered, fits, offered
from cards.card import Action, CardError, Suggestion
from cards.headline import prior_day
from cards.order_buttons import changed, changed_at_once, contrast_choices, deleting, is_in_chart, to_study, updating
from cards.order_changes import recheck_words
from cards.speaking import Speaking
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
    ids, profile = speaking.call.ids, speaking.call.rendering.profile
    reference = speaking.advice.order.reference
    if profile.one_action and any(len(button.actions) > 1 for button in buttons):
        raise CardError(f"{profile.name} applies one action of a suggestion: the others would be lost")
    return tuple(
        Suggestion(
            label=button.label,
            uuid=ids.of("suggestion", reference, speaking.advice.situation.value, button.kind),
            is_recommended=button.recommended and not (button.states and profile.preselects),
            actions=button.actions,
        )
        for button in buttons
    )


def _changed_or_kept(speaking: Speaking) -> Iterator[Button]:
    if speaking.contrast_open:
        yield from contrast_choices(speaking)
    else:
        yield from changed(speaking)
    yield from _keep(speaking)


def _safety(speaking: Speaking) -> Iterator[Button]:
    """The safe study; where no study is safer, the alternatives while MRI waits for clearance."""
    if speaking.advice.better is not None:
        yield from changed(speaking)
    else:
        for study in speaking.ways_around_mri[:1]:
            yield from to_study(speaking, study.procedure, study, "", recommended=False)
    yield from _keep(speaking)


def _asked(speaking: Speaking) -> Iterator[Button]:
    for question in speaking.advice.questions[:1]:
        for option in question.options:
            yield _answer(speaking, (option,), question.finding)


def _possible_cauda_equina(speaking: Speaking) -> Iterator[Button]:
    yield from _asked(speaking)
    yield from changed(speaking)


def _prior_imaging(speaking: Speaking) -> Iterator[Button]:
    if speaking.advice.may_defer:
        day = prior_day(speaking)
        label = speaking.wording.label["cancel-imaged" if day else "cancel-imaged-undated"].format(date=day)
        yield from _defer(speaking, label, with_referral=False)
    for question in speaking.advice.questions:
        if question.finding == "prior_imaging":
            yield from (_answer(speaking, (option,), question.finding) for option in question.options)
    yield from _keep(speaking)


def _not_appropriate(speaking: Speaking) -> Iterator[Button]:
    advice, words = speaking.advice, speaking.wording.label
    if advice.may_defer:
        day = speaking.recheck_day
        if speaking.statement_needed:
            label = words["defer-stated"]
        elif advice.findings.weakness.yes and day:
            label = words["defer-strength"].format(date=day)
        else:
            label = words["defer"].format(date=day) if day else words["defer-undated"]
        yield from _defer(
            speaking, label, with_referral="active-therapy" not in advice.findings.conservative_care.marks
        )
    yield from _answers_tochanged(speaking)
    yield from _keep(speaking)


def _answers_tochanged(speaking: Speaking) -> Iterator[Button]:
    for change in speaking.advice.would_change:
        keys = list(zip(change.findings, change.to, strict=True))
        if all(key in _ANSWERS_TO_CHANGE for key in keys):
            yield _answer(speaking, tuple(AnswerOption(_ANSWERS_TO_CHANGE[key], key[0], "yes") for key in keys))
            return


def _deferred(speaking: Speaking) -> Iterator[Button]:
    words = speaking.wording
    if speaking.call.rendering.profile.deletes and is_in_chart(speaking):
        description = words.action["cancel"].format(name=speaking.name)
        yield Button(
            "cancel-deferred", words.label["cancel-deferred"], (deleting(speaking, description),), recommended=True
        )
    yield updating(
        speaking,
        "reopen",
        words.label["reopen"],
        lambda: order_changes.reopened(speaking),
        words.action["reopen"],
    )


def _not_rated(speaking: Speaking) -> Iterator[Button]:
    yield from contrast_choices(speaking) if speaking.contrast_open else changed(speaking)


def _appropriate(speaking: Speaking) -> Iterator[Button]:
    """Nothing needs doing: only the note, where the client keeps notes and it is not there yet."""
    profile = speaking.call.rendering.profile
    if profile.first_coding_only or not profile.updates:
        return
    change = order_changes.justified(speaking)
    if any(note.get("text") == change.note for note in speaking.order.get("note", ()) if isinstance(note, dict)):
        return
    words = speaking.wording
    yield updating(speaking, "justify", words.label["justify"], lambda: change, words.action["justify"])


def _answer(speaking: Speaking, options: tuple[AnswerOption, ...], asked: str = "") -> Button:
    """``asked``: the question that has to be answered, where this is no mere offer."""
    wording = speaking.wording
    codes = "+".join(option.code for option in options)
    label = wording.answer[codes]
    displays = "; ".join(speaking.call.terminology.own.codes[option.code].display for option in options)
    description = wording.action["answer"].format(answer=displays)
    by_hand = wording.answer_by_hand[asked] if asked else ""
    change = partial(order_changes.answered, speaking, options)
    return updating(speaking, f"answer-{codes}", label, change, description, by_hand=by_hand)


def _keep(speaking: Speaking) -> Iterator[Button]:
    if speaking.kept:
        return
    words = speaking.wording
    label = fits(words.label["keep"].format(study=speaking.study), words.label["keep-short"])
    yield updating(speaking, "keep", label, lambda: order_changes.kept(speaking), words.action["keep"])


def _defer(speaking: Speaking, label: str, with_referral: bool) -> Iterator[Button]:
    """Remove the order and begin care; a client that only updates gets the deferral written on the order."""
    words, profile = speaking.wording, speaking.call.rendering.profile
    states = speaking.statement_needed and speaking.advice.situation is not Situation.PRIOR_IMAGING
    stated = "-stated" if states else ""
    recheck = recheck_words(speaking)
    care = "-care" if with_referral else ""
    by_hand = words.by_hand[f"defer{stated}{care}"].format(recheck=recheck).strip()
    if not profile.deletes or not is_in_chart(speaking):
        described = words.action[f"defer-update{stated}"].format(recheck=recheck).strip()
        yield updating(speaking, "defer", label, lambda: order_changes.deferred(speaking), described, True, by_hand)
        return
    removed = words.action[f"cancel{stated}"].format(name=speaking.name, recheck=recheck).strip()
    actions = [deleting(speaking, removed)]
    referral = order_changes.referral(speaking) if with_referral and profile.creates else None
    if referral is not None:
        says = stated if profile.keeps_details else ""  # else the statement does not reach the referral
        described = words.action[f"refer{says}"].format(recheck=recheck).strip()
        actions.append(Action("create", described, referral))
    if profile.one_action:
        yield Button("defer", label, (actions[0],), recommended=True, states=states)
        if with_referral:
            by_hand = words.by_hand["refer"].format(recheck=recheck).strip()
            yield Button("refer", words.label["refer"], tuple(actions[1:]), True, by_hand, states)
        return
    yield Button("defer", label, tuple(actions), recommended=True, states=states)


def _none(speaking: Speaking) -> Iterator[Button]:
    return iter(())


_BUTTONS: dict[Situation, Callable[[Speaking], Iterator[Button]]] = {
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
