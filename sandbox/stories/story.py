"""What a story is: a patient with a chart, the orders worth trying on it, and the card that each should get."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

Resource = dict[str, Any]


class ExpectedCard(Struct, frozen=True):
    """What the first card of an answer should be.

    ``kind`` is the situation that the topic of the card's source names; empty: no card. ``rating`` is the Argonaut code
    on the order; empty: none. ``study`` is what the recommended suggestion makes of the order; empty: it leaves it
    alone. ``priority`` is the one that it raises the order to; empty: unchanged. ``words`` stand somewhere on the
    cards, ``never`` stand on none. ``others`` are the kinds of the cards that follow, ``ratings`` those of the orders
    that are selected together with the first.
    """

    kind: str
    indicator: str = ""
    rating: str = ""
    study: str = ""
    priority: str = ""
    words: tuple[str, ...] = ()
    never: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    ratings: tuple[str, ...] = ()


class DraftOrder(Struct, frozen=True):
    """One thing to try: the draft orders of a session, which of them are selected, and what should come back.

    ``study`` is the orderable's key in the vocabulary. ``drafts`` holds the selected orders first.
    """

    id: str
    label: str
    hook: str
    study: str
    drafts: tuple[Resource, ...]
    expected: ExpectedCard
    selected: int = 1

    @property
    def selections(self) -> tuple[str, ...]:
        """The selected orders, as ``context.selections`` names them."""
        return tuple(f"ServiceRequest/{draft['id']}" for draft in self.drafts[: self.selected])


class Story(Struct, frozen=True):
    """A synthetic patient whose chart tells one story, on the day on which it is read.

    ``twin`` is the story that differs in what matters and ends the other way; ``dangerous`` says which of the two is
    which. ``unreadable`` are resource types that the pretend EHR fails to read for this patient. ``resources`` holds
    the Patient first, and the clinician's and today's Encounter among the rest.
    """

    id: str
    chapter: str
    title: str
    text: str
    dangerous: bool
    twin: str
    patient_id: str
    encounter_id: str
    practitioner_id: str
    resources: tuple[Resource, ...]
    orders: tuple[DraftOrder, ...]
    unreadable: tuple[str, ...] = ()

    @property
    def patient(self) -> Resource:
        """The Patient resource."""
        return self.resources[0]

    def bundle(self) -> Resource:
        """The whole record as one collection."""
        return {
            "resourceType": "Bundle",
            "type": "collection",
            "entry": [{"resource": resource} for resource in self.resources],
        }
