"""The pages behind a card's links: one for the patient, one for the clinician.

A page is named by an opaque handle that derives from the call, like a card's id: it says nothing about the patient, and
one page's handle does not lead to the other's. Whoever keeps decisions can find the page of a handle again; what of a
decision a page may show is cut out here, and holds no record text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any, Final, Literal

import msgspec
from msgspec import Struct

from cards.ids import Ids

Audience = Literal["patient", "clinician"]
AUDIENCES: Final[tuple[Audience, ...]] = ("patient", "clinician")
# Where the pages are; without a handle they say what holds for everyone.
PATHS: Final[Mapping[Audience, str]] = {"patient": "/p", "clinician": "/c"}


class PagedRow(Struct, frozen=True):
    """A guideline row that the findings fit."""

    guideline: str
    label: str
    cites: tuple[str, ...] = ()
    variant: int | None = None
    interpretation: str = ""


class PagedView(Struct, frozen=True):
    """What one guideline says."""

    guideline: str
    verdict: str
    says: str
    differs: bool = False
    rows: tuple[PagedRow, ...] = ()
    cites: tuple[str, ...] = ()


class PagedStudy(Struct, frozen=True):
    """One study as the leading row rates it."""

    procedure: str
    category: str
    score: int
    radiation: int
    cites: tuple[str, ...] = ()


class PagedRating(Struct, frozen=True):
    """The appropriateness of the order."""

    pama: str
    guideline: str = "acr"
    category: str | None = None
    score: int | None = None


class PagedBetter(Struct, frozen=True):
    """The change that was offered."""

    procedure: str | None = None
    priority: str = ""
    study: PagedStudy | None = None


class PagedChange(Struct, frozen=True):
    """An answer that would change the advice."""

    findings: tuple[str, ...]
    to: tuple[str, ...]
    urgency: str
    category: str | None = None


class PagedSafety(Struct, frozen=True):
    """A safety row that applies; its words are the guideline data's, not the record's."""

    domain: str
    applies_to: str
    says: str
    cites: tuple[str, ...] = ()
    ask: bool = False


class PagedRecheck(Struct, frozen=True):
    """When to look again."""

    on: date
    basis: str = ""
    care_complete_on: date | None = None
    care_started: bool = False


class PagedOrder(Struct, frozen=True):
    """The ordered study; never the order's own text."""

    procedure: str | None = None


class PagedAdvice(Struct, frozen=True):
    """Of the advice on one order, what the clinician's page shows: no record text, nothing that names anyone."""

    situation: str
    urgency: str = ""
    order: PagedOrder = PagedOrder()
    rating: PagedRating | None = None
    leading: PagedRow | None = None
    views: tuple[PagedView, ...] = ()
    ordered: PagedStudy | None = None
    better: PagedBetter | None = None
    alternatives: tuple[PagedStudy, ...] = ()
    safety: tuple[PagedSafety, ...] = ()
    would_change: tuple[PagedChange, ...] = ()
    robust: bool = False
    presumed: tuple[str, ...] = ()
    may_defer: bool = False
    recheck: PagedRecheck | None = None
    interpretations: tuple[str, ...] = ()
    not_rated_because: str = ""


class PatientPage(Struct, frozen=True):
    """What the patient's page adds to what holds for everyone: the day to come back, and whether a picture is there."""

    situation: str
    recheck_on: date | None = None


class ClinicianPage(Struct, frozen=True):
    """What the clinician's page adds: the guidelines on this order, and what would change the advice."""

    decided_on: date
    advice: PagedAdvice


Page = PatientPage | ClinicianPage


class PageError(ValueError):
    """Recorded advice that this version cannot show."""


def page_handle(ids: Ids, audience: Audience, order: str) -> str:
    """The handle of the page about one order (its reference)."""
    return ids.of("page", audience, order)


def page_url(base_url: str, audience: Audience, handle: str = "") -> str:
    """The address of a page; without a handle, of the page for everyone."""
    path = f"{base_url}{PATHS[audience]}"
    return f"{path}/{handle}" if handle else path


def handles_of(ids: Ids, orders: Iterable[str]) -> Iterator[tuple[str, Audience, str]]:
    """All handles that a call's cards may carry: (handle, audience, reference of the order)."""
    for order in orders:
        for audience in AUDIENCES:
            yield page_handle(ids, audience, order), audience, order


def page_of(audience: Audience, decided_on: date, advice: Mapping[str, Any]) -> Page:
    """The page about one order, from its advice as it was recorded (plain JSON of a Recommendation, of any version)."""
    try:
        kept = msgspec.convert(advice, PagedAdvice, strict=False)
    except msgspec.ValidationError as problem:
        raise PageError(str(problem)) from None
    if audience == "clinician":
        return ClinicianPage(decided_on, kept)
    return PatientPage(kept.situation, kept.recheck.on if kept.recheck is not None else None)
