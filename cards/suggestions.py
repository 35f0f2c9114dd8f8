"""The buttons of one card: at most three, verb first, none of them dead for this client.

What a client cannot apply is said in words instead, so that no client is left without the advice.
"""

from collections.abc import Callable, Iterator
from functools import partial

from cards import order_changes
from cards.buttons import NOTHING_OFFERED, Button, Offered, fits, offered
from cards.card import Action, CardError, Suggestion
from cards.headline import prior_day
from cards.order_changes import recheck_words, updated
from cards.speaking import AT_ONCE, Speaking
from fhir_mappings.revised_order import OrderChange, is_chart_reference
from rules.procedures import Procedure
from rules.recommendation import AnswerOption, Situation, Study

MOST_BUTTONS = 3

# Answers that a clinician can give with one click when they would change the advice (own codes).
_ANSWERS_TO_CHANGE = {
    ("weakness", "worsening"): "weakness-new-or-worse-yes",
    ("conservative_care", "adequate"): "conservative-care-done-yes",
    ("candidate", "stated"): "intervention-candidate-yes",
}


# What may have begun an emergency: nothing there may take an order away without its better one in place.
_NOT_REMOVED = AT_ONCE | {Situation.POSSIBLE_CAUDA_EQUINA}


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


def _change(speaking: Speaking) -> Iterator[Button]:
    better = speaking.advice.better
    if better is None:
        return
    if better.procedure is None:
        words, priority = speaking.wording, speaking.priority
        yield _update(
            speaking,
            "raise",
            fits(words.label["raise"].format(priority=priority)),
            partial(order_changes.raised_priority, speaking, better.priority),
            words.action["raise"].format(priority=priority),
            recommended=True,
            by_hand=words.by_hand["raise"].format(priority=priority),
        )
        return
    yield from _to_study(speaking, better.procedure, better.study, better.priority, recommended=True)


def _to_study(
    speaking: Speaking,
    procedure: Procedure,
    study: Study | None,
    priority: str,
    recommended: bool,
    label: str = "change",
) -> Iterator[Button]:
    wording, profile = speaking.wording, speaking.call.rendering.profile
    change = order_changes.change_of_study(speaking, procedure, study, priority)
    if change is None:
        return
    words = wording.study[procedure.value]
    at = wording.priority.get(priority, priority)
    label_text = fits(
        *(
            [wording.label["change-at"].format(better=words.short, priority=at)]
            if priority and label == "change"
            else []
        ),
        wording.label[label].format(better=words.short),
    )
    key = "change-at" if priority else "change"
    kind = f"{label}-{procedure.value}"
    by_hand = wording.by_hand[key].format(name=words.name, priority=at)
    if profile.updates or not profile.creates:
        description = wording.action[key].format(name=words.name, priority=at)
        yield _update(speaking, kind, label_text, lambda: change, description, recommended, by_hand)
        return
    order = order_changes.added(speaking, change)
    if order is None:
        yield Button(kind, label_text, by_hand=by_hand)
        return
    described = wording.action["order"].format(name=words.name)
    yield Button(kind, label_text, (Action("create", f"{described}{_set_priority(speaking, at)}", order),), recommended)
    if recommended and profile.deletes and speaking.advice.situation not in _NOT_REMOVED and _is_in_chart(speaking):
        removed = wording.action["replaced"].format(name=speaking.name)
        yield Button("replaced", wording.label["replaced"], (_delete(speaking, removed),))


def _critical(speaking: Speaking) -> Iterator[Button]:
    yield from _change(speaking)
    parallel = speaking.advice.parallel
    if parallel is None or not speaking.call.rendering.profile.creates:
        return
    order = order_changes.parallel_order(speaking, parallel)
    if order is None:
        return
    words = speaking.wording.study[parallel.procedure.value]
    label = fits(speaking.wording.label["add"].format(better=words.short))
    if speaking.call.rendering.profile.keeps_details:
        description = speaking.wording.action["add"].format(name=words.name)
    else:
        stat = _set_priority(speaking, speaking.wording.priority[speaking.advice.urgency_priority])
        description = speaking.wording.action["add-bare"].format(name=words.name) + stat
    yield Button("parallel", label, (Action("create", description, order),))


def _set_priority(speaking: Speaking, priority: str) -> str:
    """Said where a new order would come without the priority that is due."""
    if not priority or speaking.call.rendering.profile.keeps_details:
        return ""
    return " " + speaking.wording.action["set-priority"].format(priority=priority)


def _changed_or_kept(speaking: Speaking) -> Iterator[Button]:
    if speaking.contrast_open:
        yield from _contrast_choices(speaking)
    else:
        yield from _change(speaking)
    yield from _keep(speaking)


def _safety(speaking: Speaking) -> Iterator[Button]:
    """The safe study; where no study is safer, the alternatives while MRI waits for clearance."""
    if speaking.advice.better is not None:
        yield from _change(speaking)
    else:
        for study in speaking.ways_around_mri[:1]:
            yield from _to_study(speaking, study.procedure, study, "", recommended=False)
    yield from _keep(speaking)


def _asked(speaking: Speaking) -> Iterator[Button]:
    for question in speaking.advice.questions[:1]:
        for option in question.options:
            yield _answer(speaking, (option,), question.finding)


def _possible_cauda_equina(speaking: Speaking) -> Iterator[Button]:
    yield from _asked(speaking)
    yield from _change(speaking)


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
    yield from _answers_to_change(speaking)
    yield from _keep(speaking)


def _answers_to_change(speaking: Speaking) -> Iterator[Button]:
    for change in speaking.advice.would_change:
        keys = list(zip(change.findings, change.to, strict=True))
        if all(key in _ANSWERS_TO_CHANGE for key in keys):
            yield _answer(speaking, tuple(AnswerOption(_ANSWERS_TO_CHANGE[key], key[0], "yes") for key in keys))
            return


def _deferred(speaking: Speaking) -> Iterator[Button]:
    words = speaking.wording
    if speaking.call.rendering.profile.deletes and _is_in_chart(speaking):
        description = words.action["cancel"].format(name=speaking.name)
        yield Button(
            "cancel-deferred", words.label["cancel-deferred"], (_delete(speaking, description),), recommended=True
        )
    yield _update(
        speaking,
        "reopen",
        words.label["reopen"],
        lambda: order_changes.reopened(speaking),
        words.action["reopen"],
    )


def _not_rated(speaking: Speaking) -> Iterator[Button]:
    yield from _contrast_choices(speaking) if speaking.contrast_open else _change(speaking)


def _contrast_choices(speaking: Speaking) -> Iterator[Button]:
    """Contrast decides the rating: the choices, best first, at the priority that is due."""
    advice = speaking.advice
    priority = advice.better.priority if advice.better is not None else ""
    # Where any number of suggestions may be taken together, only one choice may be among them.
    excludes = speaking.call.rendering.profile.selection == "at-most-one"
    for at, study in enumerate(advice.alternatives if excludes else advice.alternatives[:1]):
        yield from _to_study(speaking, study.procedure, study, priority, recommended=at == 0, label="choose")


def _appropriate(speaking: Speaking) -> Iterator[Button]:
    """Nothing needs doing: only the note, where the client keeps notes and it is not there yet."""
    profile = speaking.call.rendering.profile
    if profile.first_coding_only or not profile.updates:
        return
    change = order_changes.justified(speaking)
    if any(note.get("text") == change.note for note in speaking.order.get("note", ()) if isinstance(note, dict)):
        return
    words = speaking.wording
    yield _update(speaking, "justify", words.label["justify"], lambda: change, words.action["justify"])


def _answer(speaking: Speaking, options: tuple[AnswerOption, ...], asked: str = "") -> Button:
    """``asked``: the question that has to be answered, where this is no mere offer."""
    wording = speaking.wording
    codes = "+".join(option.code for option in options)
    label = wording.answer[codes]
    displays = "; ".join(speaking.call.terminology.own.codes[option.code].display for option in options)
    description = wording.action["answer"].format(answer=displays)
    by_hand = wording.answer_by_hand[asked] if asked else ""
    change = partial(order_changes.answered, speaking, options)
    return _update(speaking, f"answer-{codes}", label, change, description, by_hand=by_hand)


def _keep(speaking: Speaking) -> Iterator[Button]:
    if speaking.kept:
        return
    words = speaking.wording
    label = fits(words.label["keep"].format(study=speaking.study), words.label["keep-short"])
    yield _update(speaking, "keep", label, lambda: order_changes.kept(speaking), words.action["keep"])


def _defer(speaking: Speaking, label: str, with_referral: bool) -> Iterator[Button]:
    """Remove the order and begin care; a client that only updates gets the deferral written on the order."""
    words, profile = speaking.wording, speaking.call.rendering.profile
    states = speaking.statement_needed and speaking.advice.situation is not Situation.PRIOR_IMAGING
    stated = "-stated" if states else ""
    recheck = recheck_words(speaking)
    care = "-care" if with_referral else ""
    by_hand = words.by_hand[f"defer{stated}{care}"].format(recheck=recheck).strip()
    if not profile.deletes or not _is_in_chart(speaking):
        described = words.action[f"defer-update{stated}"].format(recheck=recheck).strip()
        yield _update(speaking, "defer", label, lambda: order_changes.deferred(speaking), described, True, by_hand)
        return
    removed = words.action[f"cancel{stated}"].format(name=speaking.name, recheck=recheck).strip()
    actions = [_delete(speaking, removed)]
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


def _is_in_chart(speaking: Speaking) -> bool:
    return is_chart_reference(speaking.advice.order.reference)


def _delete(speaking: Speaking, description: str) -> Action:
    return Action("delete", description, resource_id=speaking.advice.order.reference)


def _update(
    speaking: Speaking,
    kind: str,
    label: str,
    change: Callable[[], OrderChange],
    description: str,
    recommended: bool = False,
    by_hand: str = "",
) -> Button:
    """A change of the order in place, worked out only for a client that applies it."""
    if not speaking.call.rendering.profile.updates:
        return Button(kind, label, by_hand=by_hand)
    return Button(kind, label, (Action("update", description, updated(speaking, change())),), recommended, by_hand)


def _none(speaking: Speaking) -> Iterator[Button]:
    return iter(())


_BUTTONS: dict[Situation, Callable[[Speaking], Iterator[Button]]] = {
    Situation.EMERGENCY: _critical,
    Situation.IMMEDIATE: _critical,
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
