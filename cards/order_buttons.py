"""Buttons that change, add or take away orders, each in the form that the client can apply, or in words."""

from collections.abc import Callable, Iterator
from functools import partial

from cards import order_changes
from cards.buttons import Button, fits
from cards.card import Action
from cards.order_changes import updated
from cards.speaking import AT_ONCE, Speaking
from fhir_mappings.revised_order import OrderChange, is_chart_reference
from rules.procedures import Procedure
from rules.recommendation import Situation, Study

# What may have begun an emergency: nothing there may take an order away without its better one in place.
_NOT_REMOVED = AT_ONCE | {Situation.POSSIBLE_CAUDA_EQUINA}


def changed(speaking: Speaking) -> Iterator[Button]:
    """The change that is advised: another study, or the same one sooner."""
    better = speaking.advice.better
    if better is None:
        return
    if better.procedure is None:
        words, priority = speaking.wording, speaking.priority
        yield updating(
            speaking,
            "raise",
            fits(words.label["raise"].format(priority=priority)),
            partial(order_changes.raised_priority, speaking, better.priority),
            words.action["raise"].format(priority=priority),
            recommended=True,
            by_hand=words.by_hand["raise"].format(priority=priority),
        )
        return
    yield from to_study(speaking, better.procedure, better.study, better.priority, recommended=True)


def to_study(
    speaking: Speaking,
    procedure: Procedure,
    study: Study | None,
    priority: str,
    recommended: bool,
    label: str = "change",
) -> Iterator[Button]:
    """Another study; for a client that changes no order in place, as a new order beside the removal of the old one."""
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
        yield updating(speaking, kind, label_text, lambda: change, description, recommended, by_hand)
        return
    order = order_changes.added(speaking, change)
    if order is None:
        yield Button(kind, label_text, by_hand=by_hand)
        return
    described = wording.action["order"].format(name=words.name)
    yield Button(kind, label_text, (Action("create", f"{described}{_new_details(speaking, at)}", order),), recommended)
    if recommended and profile.deletes and speaking.advice.situation not in _NOT_REMOVED and is_in_chart(speaking):
        removed = wording.action["replaced"].format(name=speaking.name)
        yield Button("replaced", wording.label["replaced"], (deleting(speaking, removed),))


def changed_at_once(speaking: Speaking) -> Iterator[Button]:
    """The change, and the study to order beside an MRI that a device may hold up."""
    yield from changed(speaking)
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
        stat = _new_details(speaking, speaking.wording.priority[speaking.advice.urgency_priority])
        description = speaking.wording.action["add-bare"].format(name=words.name) + stat
    yield Button("parallel", label, (Action("create", description, order),))


def _new_details(speaking: Speaking, priority: str) -> str:
    """Said where a new order comes without priority and reasons: a red flag may stand in no other place."""
    if speaking.call.rendering.profile.keeps_details:
        return ""
    key = "new-details-at" if priority else "new-details"
    return " " + speaking.wording.action[key].format(priority=priority)


def contrast_choices(speaking: Speaking) -> Iterator[Button]:
    """Contrast decides the rating: the choices, best first, at the priority that is due."""
    advice = speaking.advice
    priority = advice.better.priority if advice.better is not None else ""
    # Where any number of suggestions may be taken together, only one choice may be among them.
    excludes = speaking.call.rendering.profile.selection == "at-most-one"
    for at, study in enumerate(advice.alternatives if excludes else advice.alternatives[:1]):
        yield from to_study(speaking, study.procedure, study, priority, recommended=at == 0, label="choose")


def is_in_chart(speaking: Speaking) -> bool:
    """Can the order be named, so as to take it away?"""
    return is_chart_reference(speaking.advice.order.reference)


def deleting(speaking: Speaking, description: str) -> Action:
    """Takes the order away."""
    return Action("delete", description, resource_id=speaking.advice.order.reference)


def updating(
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
