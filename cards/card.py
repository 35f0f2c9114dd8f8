"""CDS Hooks cards: the specification's attribute names and limits live here and nowhere else.

Nothing is null and nothing is empty (CDS Hooks, "Use of JSON"): an attribute without a value is left out.
"""

from typing import Any

from msgspec import Struct

SUMMARY_LIMIT = 140  # CDS Hooks, Card Attributes: fewer than 140 characters
LABEL_LIMIT = 45  # buttons wrap beyond this; a choice of ours
OVERRIDE_DISPLAY_LIMIT = 60  # one unwrapped menu line in the public sandbox
TOPIC_CODE_LIMIT = 100  # a large vendor: alphanumeric, at most 100, static per piece of advice

Resource = dict[str, Any]


class CardError(ValueError):
    """A card that CDS Hooks does not allow. Our own mistake, never the record's: tests build every wording."""


class Coding(Struct, frozen=True, gc=False, omit_defaults=True):
    """A CDS Hooks coding; ``code`` and ``system`` are required by the specification."""

    code: str
    system: str
    display: str = ""


class Source(Struct, frozen=True, gc=False, omit_defaults=True):
    """The primary guidance behind a card."""

    label: str
    url: str = ""
    topic: Coding | None = None


class Link(Struct, frozen=True, gc=False):
    """A link that opens a page; only absolute ones, since no app stands behind a card."""

    label: str
    url: str
    type: str


class Action(Struct, frozen=True, gc=False, rename="camel", omit_defaults=True):
    """One change to the unsigned orders. ``create`` and ``update`` carry a resource, ``delete`` a reference."""

    type: str
    description: str = ""
    resource: Resource | None = None
    resource_id: str = ""


class Suggestion(Struct, frozen=True, gc=False, rename="camel", omit_defaults=True):
    """One button. Its actions belong together."""

    label: str
    uuid: str
    is_recommended: bool = False
    actions: tuple[Action, ...] = ()

    def __post_init__(self) -> None:
        if not self.label or len(self.label) >= LABEL_LIMIT:
            raise CardError(f"a button label has 1 to {LABEL_LIMIT - 1} characters, this one {len(self.label)}")
        if not self.actions:
            raise CardError("a suggestion without an action is a dead button")


def _recommended(suggestions: tuple[Suggestion, ...]) -> int:
    return [each.is_recommended for each in suggestions].count(True)


class Card(Struct, frozen=True, gc=False, rename="camel", omit_defaults=True):
    """One card, in the order in which a reader of the JSON wants it."""

    summary: str
    indicator: str
    detail: str = ""
    source: Source | None = None
    suggestions: tuple[Suggestion, ...] = ()
    selection_behavior: str = ""
    links: tuple[Link, ...] = ()
    override_reasons: tuple[Coding, ...] = ()
    uuid: str = ""
    extension: dict[str, str] | None = None

    def __post_init__(self) -> None:
        if not self.summary or len(self.summary) >= SUMMARY_LIMIT:
            raise CardError(f"a summary has 1 to {SUMMARY_LIMIT - 1} characters, this one {len(self.summary)}")
        if self.indicator not in ("info", "warning", "critical"):
            raise CardError("an indicator is info, warning or critical")
        if self.source is None or not self.source.label or not self.uuid:
            raise CardError("a card has a source and a uuid")
        if bool(self.suggestions) != bool(self.selection_behavior):
            raise CardError("selectionBehavior goes with suggestions")
        suggestions = self.suggestions
        if len(suggestions) > 1 and self.selection_behavior != "any" and _recommended(suggestions) > 1:
            raise CardError("of suggestions that exclude each other at most one is recommended")


class Answer(Struct, frozen=True, gc=False):
    """What goes back to the caller: cards to read, and ratings to write on the orders.

    ``also_in_extension``: the ratings stand where the Argonaut guide looks for them, too.
    """

    cards: tuple[Card, ...] = ()
    system_actions: tuple[Action, ...] = ()
    also_in_extension: bool = True
