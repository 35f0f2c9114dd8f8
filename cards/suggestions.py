"""The buttons of one card: at most three, verb first, none of them dead for this client."""

from collections.abc import Callable, Iterator

from msgspec import Struct

from cards import order_changes
from cards.card import LABEL_LIMIT, Action, CardError, Suggestion
from cards.headline import prior_day
from cards.order_changes import recheck_words, updated
from cards.speaking import Speaking
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


class Button(Struct, frozen=True):
    """A button before it has an id."""

    kind: str
    label: str
    actions: tuple[Action, ...]
    recommended: bool = False


def suggestions_of(speaking: Speaking) -> tuple[Suggestion, ...]:
    """The buttons for this situation; the recommended one comes first."""
    if speaking.settled_by_keeping:
        return ()
    buttons = list(_BUTTONS[speaking.advice.situation](speaking))[:MOST_BUTTONS]
    ids = speaking.call.ids
    reference = speaking.advice.order.reference
    return tuple(
        Suggestion(
            label=button.label,
            uuid=ids.of("suggestion", reference, speaking.advice.situation.value, button.kind),
            is_recommended=button.recommended,
            actions=button.actions,
        )
        for button in buttons
    )


def _change(speaking: Speaking) -> Iterator[Button]:
    better = speaking.advice.better
    if better is None:
        return
    if better.procedure is None:
        change = order_changes.raised_priority(speaking, better.priority)
        yield _update(
            speaking,
            "raise",
            _fits(speaking.wording.label["raise"].format(priority=speaking.priority)),
            change,
            speaking.wording.action["raise"].format(priority=speaking.priority),
            recommended=True,
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
    wording = speaking.wording
    change = order_changes.change_of_study(speaking, procedure, study, priority)
    if change is None:
        return
    words = wording.study[procedure.value]
    at = wording.priority.get(priority, priority)
    label_text = _fits(
        *(
            [wording.label["change-at"].format(better=words.short, priority=at)]
            if priority and label == "change"
            else []
        ),
        wording.label[label].format(better=words.short),
    )
    key = "change-at" if priority else "change"
    description = wording.action[key].format(name=words.name, priority=at)
    yield _update(speaking, f"{label}-{procedure.value}", label_text, change, description, recommended)


def _critical(speaking: Speaking) -> Iterator[Button]:
    yield from _change(speaking)
    parallel = speaking.advice.parallel
    if parallel is None or speaking.call.rendering.update_only:
        return
    order = order_changes.parallel_order(speaking, parallel)
    if order is None:
        return
    words = speaking.wording.study[parallel.procedure.value]
    label = _fits(speaking.wording.label["add"].format(better=words.short))
    description = speaking.wording.action["add"].format(name=words.name)
    yield Button("parallel", label, (Action("create", description, order),))


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
            yield _answer(speaking, (option,))


def _possible_cauda_equina(speaking: Speaking) -> Iterator[Button]:
    yield from _asked(speaking)
    yield from _change(speaking)


def _prior_imaging(speaking: Speaking) -> Iterator[Button]:
    if speaking.advice.may_defer:
        day = prior_day(speaking)
        label = speaking.wording.label["cancel-imaged" if day else "cancel-imaged-undated"].format(date=day)
        yield _defer(speaking, label, with_referral=False)
    for question in speaking.advice.questions:
        if question.finding == "prior_imaging":
            yield from (_answer(speaking, (option,)) for option in question.options)
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
        yield _defer(speaking, label, with_referral="active-therapy" not in advice.findings.conservative_care.marks)
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
    if not speaking.call.rendering.update_only and is_chart_reference(speaking.advice.order.reference):
        description = words.action["cancel"].format(name=speaking.name)
        yield Button(
            "cancel-deferred", words.label["cancel-deferred"], (_delete(speaking, description),), recommended=True
        )
    yield _update(
        speaking,
        "reopen",
        words.label["reopen"],
        order_changes.reopened(speaking),
        words.action["reopen"],
        recommended=False,
    )


def _not_rated(speaking: Speaking) -> Iterator[Button]:
    yield from _contrast_choices(speaking) if speaking.contrast_open else _change(speaking)


def _contrast_choices(speaking: Speaking) -> Iterator[Button]:
    """Contrast decides the rating: the choices, best first, at the priority that is due."""
    advice = speaking.advice
    priority = advice.better.priority if advice.better is not None else ""
    for at, study in enumerate(advice.alternatives):
        yield from _to_study(speaking, study.procedure, study, priority, recommended=at == 0, label="choose")


def _appropriate(speaking: Speaking) -> Iterator[Button]:
    """Nothing needs doing: only the note, where the client keeps notes and it is not there yet."""
    if speaking.call.rendering.update_only:
        return
    change = order_changes.justified(speaking)
    if any(note.get("text") == change.note for note in speaking.order.get("note", ()) if isinstance(note, dict)):
        return
    words = speaking.wording
    yield _update(speaking, "justify", words.label["justify"], change, words.action["justify"], recommended=False)


def _answer(speaking: Speaking, options: tuple[AnswerOption, ...]) -> Button:
    wording = speaking.wording
    codes = "+".join(option.code for option in options)
    label = wording.answer[codes]
    displays = "; ".join(speaking.call.terminology.own.codes[option.code].display for option in options)
    description = wording.action["answer"].format(answer=displays)
    return _update(speaking, f"answer-{codes}", label, order_changes.answered(speaking, options), description, False)


def _keep(speaking: Speaking) -> Iterator[Button]:
    if speaking.kept:
        return
    words = speaking.wording
    label = _fits(words.label["keep"].format(study=speaking.study), words.label["keep-short"])
    yield _update(speaking, "keep", label, order_changes.kept(speaking), words.action["keep"], recommended=False)


def _defer(speaking: Speaking, label: str, with_referral: bool) -> Button:
    """Remove the order and begin care; a client that only updates gets the deferral written on the order."""
    action = speaking.wording.action
    stated = "-stated" if speaking.statement_needed and speaking.advice.situation is not Situation.PRIOR_IMAGING else ""
    recheck = recheck_words(speaking)
    if speaking.call.rendering.update_only or not is_chart_reference(speaking.advice.order.reference):
        description = action[f"defer-update{stated}"].format(recheck=recheck).strip()
        return _update(speaking, "defer", label, order_changes.deferred(speaking), description, recommended=True)
    removed = action[f"cancel{stated}"].format(name=speaking.name, recheck=recheck).strip()
    actions = [_delete(speaking, removed)]
    if with_referral:
        described = action[f"refer{stated}"].format(recheck=recheck).strip()
        actions.append(Action("create", described, order_changes.referral(speaking)))
    return Button("defer", label, tuple(actions), recommended=True)


def _delete(speaking: Speaking, description: str) -> Action:
    return Action("delete", description, resource_id=speaking.advice.order.reference)


def _update(
    speaking: Speaking, kind: str, label: str, change: OrderChange, description: str, recommended: bool
) -> Button:
    return Button(kind, label, (Action("update", description, updated(speaking, change)),), recommended)


def _fits(*labels: str) -> str:
    """The first wording that fits on a button, whole."""
    for label in labels:
        if len(label) < LABEL_LIMIT:
            return label
    raise CardError(f"no button label fits: {labels[-1]}")


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
