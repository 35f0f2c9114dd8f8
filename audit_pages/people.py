"""Who may look at the pages, and in which role."""

from __future__ import annotations

from typing import Final, Protocol

from msgspec import Struct

AUDITOR: Final = "auditor"  # sees everything, names and identifiers included
QUALITY: Final = "quality"  # sees numbers and decisions; people are pseudonyms, and patients are nobody
ROLES: Final = (AUDITOR, QUALITY)


class Viewer(Struct, frozen=True, kw_only=True):
    """Whoever looks at a page. ``who`` goes into the record of the view, ``name`` onto the page."""

    who: str
    name: str
    role: str
    through: str  # demo, password, oidc

    @property
    def sees_people(self) -> bool:
        """May identifiers of patients and clinicians be shown?"""
        return self.role == AUDITOR


class Account(Struct, frozen=True, kw_only=True):
    """One local user. ``stamp`` changes with the password or the role, and ends the sessions begun before."""

    name: str
    role: str
    password_hash: str
    stamp: str


class Accounts(Protocol):
    """The local users."""

    def find(self, name: str) -> Account | None:
        """The account of that name."""
        ...

    def is_empty(self) -> bool:
        """Is there no local user at all?"""
        ...
