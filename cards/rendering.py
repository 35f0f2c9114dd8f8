"""What a card needs to know beside the recommendation: the call it answers, and what its client can do."""

from datetime import date

from msgspec import Struct

from cards.card import Resource
from cards.profiles import DEFAULT_PROFILE, PROFILES, Profile
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
    """How an answer is written for one client. No decision is in it.

    ``profile``: what the client can do with an answer. ``show_appropriate``: show the one-line card of an appropriate
    order. ``base_url``: where the pages behind links are; without it there are none. ``own_pages``: decisions are kept,
    so that a page can be about this one. ``mechanism``: the identifier under which a site reports the consultation.
    """

    profile: Profile = PROFILES[DEFAULT_PROFILE]
    show_appropriate: bool = True
    base_url: str = ""
    own_pages: bool = False
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
