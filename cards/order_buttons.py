"""Buttons that change, add or take away orders, each in the form that the client can apply, or in words."""

from collections.abc import Callable
from functools import partial

from cards import order_changes
from cards.buttons import Button, ButtonWords, fits
from cards.card import Action
from cards.kind import Kind, once_for_each_kind
from cards.order_changes import updated
from cards.speaking import AT_ONCE, Speaking
from fhir_mappings.revised_order import OrderChange, is_chart_reference
from rules.procedures import Procedure
from rules.recommendation import Situation, Study

# What may have begun an emergency: nothing there may take an order away without its better one in place.
_NOT_REMOVED = AT_ONCE | {Situation.POSSIBLE_CAUDA_EQUINA}


def changed(speaking: Speaking) -> list[Button]:
    """The change that is advised: another study, or the same one sooner."""
    better = speaking.advice.better
    if better is None:
        return []
    if better.procedure is None:
        words = _raising(speaking.kind)
        return [updating(speaking, words, partial(order_changes.raised_priority, speaking, better.priority), True)]
    return to_study(speaking, better.procedure, better.study, better.priority, recommended=True)


@once_for_each_kind
def _raising(kind: Kind) -> ButtonWords:
    words, priority = kind.wording, kind.priority
    return ButtonWords(
        "raise",
        fits(words.label["raise"].format(priority=priority)),
        words.action["raise"].format(priority=priority),
        words.by_hand["raise"].format(priority=priority),
    )


def to_study(
    speaking: Speaking,
    procedure: Procedure,
    study: Study | None,
    priority: str,
    recommended: bool,
    label: str = "change",
) -> list[Button]:
    """Another study; for a client that changes no order in place, as a new order beside the removal of the old one."""
    kind = speaking.kind
    change = order_changes.change_of_study(speaking, procedure, study, priority)
    if change is None:
        return []
    words = _changing(kind, procedure, priority, label)
    if kind.updates or not kind.creates:
        return [updating(speaking, words, lambda: change, recommended)]
    order = order_changes.added(speaking, change)
    if order is None:
        return [Button(words.kind, words.label, by_hand=words.by_hand)]
    named = kind.wording.study[procedure.value].name
    at = kind.wording.priority.get(priority, priority)
    described = kind.wording.action["order"].format(name=named) + _new_details(kind, at)
    buttons = [Button(words.kind, words.label, (Action("create", described, order),), recommended)]
    if recommended and kind.deletes and kind.situation not in _NOT_REMOVED and is_in_chart(speaking):
        removed = kind.wording.action["replaced"].format(name=kind.name)
        buttons.append(Button("replaced", kind.wording.label["replaced"], (deleting(speaking, removed),)))
    return buttons


@once_for_each_kind
def _changing(kind: Kind, procedure: Procedure, priority: str, label: str) -> ButtonWords:
    wording = kind.wording
    words = wording.study[procedure.value]
    at = wording.priority.get(priority, priority)
    labels = [wording.label[label].format(better=words.short)]
    if priority and label == "change":
        labels.insert(0, wording.label["change-at"].format(better=words.short, priority=at))
    key = "change-at" if priority else "change"
    return ButtonWords(
        f"{label}-{procedure.value}",
        fits(*labels),
        wording.action[key].format(name=words.name, priority=at),
        wording.by_hand[key].format(name=words.name, priority=at),
    )


def changed_at_once(speaking: Speaking) -> list[Button]:
    """The change, and the study to order beside an MRI that a device may hold up."""
    buttons = changed(speaking)
    kind = speaking.kind
    if kind.parallel is None or not kind.creates:
        return buttons
    order = order_changes.parallel_order(speaking, kind.parallel)
    if order is None:
        return buttons
    words = kind.wording.study[kind.parallel.procedure.value]
    label = fits(kind.wording.label["add"].format(better=words.short))
    if kind.profile.keeps_details:
        description = kind.wording.action["add"].format(name=words.name)
    else:
        stat = _new_details(kind, kind.wording.priority[kind.urgency_priority])
        description = kind.wording.action["add-bare"].format(name=words.name) + stat
    return [*buttons, Button("parallel", label, (Action("create", description, order),))]


def _new_details(kind: Kind, priority: str) -> str:
    """Said where a new order comes without priority and reasons: a red flag may stand in no other place."""
    if kind.profile.keeps_details:
        return ""
    key = "new-details-at" if priority else "new-details"
    return " " + kind.wording.action[key].format(priority=priority)


def contrast_choices(speaking: Speaking) -> list[Button]:
    """Contrast decides the rating: the choices, best first, at the priority that is due."""
    kind = speaking.kind
    priority = kind.better.priority if kind.better is not None else ""
    # Where any number of suggestions may be taken together, only one choice may be among them.
    excludes = kind.profile.selection == "at-most-one"
    buttons: list[Button] = []
    for at, study in enumerate(kind.alternatives if excludes else kind.alternatives[:1]):
        buttons += to_study(speaking, study.procedure, study, priority, recommended=at == 0, label="choose")
    return buttons


def is_in_chart(speaking: Speaking) -> bool:
    """Can the order be named, so as to take it away?"""
    return is_chart_reference(speaking.advice.order.reference)


def deleting(speaking: Speaking, description: str) -> Action:
    """Takes the order away."""
    return Action("delete", description, resource_id=speaking.advice.order.reference)


def updating(
    speaking: Speaking, words: ButtonWords, change: Callable[[], OrderChange], recommended: bool = False
) -> Button:
    """A change of the order in place, worked out only for a client that applies it."""
    if not speaking.kind.updates:
        return Button(words.kind, words.label, by_hand=words.by_hand)
    action = Action("update", words.action, updated(speaking, change()))
    return Button(words.kind, words.label, (action,), recommended, words.by_hand)
