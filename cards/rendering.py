"""What a card needs to know beside the recommendation: the call it answers, and what its client can do."""

from datetime import date

from msgspec import Struct

from cards.card import Resource
from rules.recommendation import Recommendation

MECHANISM = "lumbar-imaging-cds"  # named as the mechanism consulted until a site has an identifier from CMS


class CallIds(Struct, frozen=True):
    """What a call's ids derive from, and the patient's day on which it was decided."""

    client: str
    service: str
    hook: str
    hook_instance: str
    body_digest: str
    patient_id: str
    decided_on: date


class Rendering(Struct, frozen=True):
    """What a client can do with an answer. No decision is in it.

    ``update_only``: the client applies updates of the order and ignores create and delete (the public sandbox).
    ``show_appropriate``: show the one-line card of an appropriate order. ``tables``: Markdown tables are drawn.
    ``annotate``: write ratings on the orders (system actions). ``mechanism``: the identifier under which a site
    reports the consultation.
    """

    update_only: bool = False
    show_appropriate: bool = True
    base_url: str = ""
    tables: bool = True
    annotate: bool = True
    mechanism: str = MECHANISM


class Overridden(Struct, frozen=True, gc=False):
    """The same clinician overrode the same advice on the same facts: when, until when that is remembered, and why.

    ``reason`` is a code of the menu that the card showed, or nothing.
    """

    at: str  # as said on the card: "10:05"
    until: str
    reason: str = ""


class Advised(Struct, frozen=True):
    """The advice on one order, and that order as it came."""

    recommendation: Recommendation
    raw_draft: Resource
    overridden: Overridden | None = None
