"""What the pages need of the shell: the clock, the store's records, who may sign in, and a log for the operator."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from msgspec import Struct

from audit_pages.people import Accounts, Viewer
from audit_trail.queries import Queries


class View(Struct, frozen=True, kw_only=True):
    """One page that was looked at, or one attempt to sign in."""

    who: str
    role: str = ""
    action: str = ""
    decision: str = ""
    filter: str = ""
    records: int = 0


class Records(Protocol):
    """The store of this process."""

    def queries(self) -> Queries:
        """Questions to it; may raise ``StoreDown``."""
        ...

    def record(self, view: View, now: datetime) -> None:
        """Keeps a view before the page is shown, or raises ``StoreDown``."""
        ...

    def hold_calls_of_clients(self) -> bool:
        """Are there calls of registered clients on record, so of real patients? May raise ``StoreDown``."""
        ...


class Attempts(Protocol):
    """How often somebody may try to sign in."""

    def wait(self, name: str, address: str) -> float:
        """Seconds until the next attempt under that name or from that address; 0.0 counts this one."""
        ...


class EndedSessions(Protocol):
    """Sessions that were signed out: a copy of their cookie opens nothing any more."""

    def end(self, session: str, until: datetime) -> None:
        """Remembers it until its cookie would have expired anyway."""
        ...

    def has_ended(self, session: str) -> bool:
        """Was it signed out?"""
        ...


class SomebodyElse(Struct, frozen=True, kw_only=True):
    """Who the identity provider says has signed in."""

    subject: str
    name: str
    roles: tuple[str, ...]  # of ours; empty: may not look


class IdentityProvider(Protocol):
    """Sign-in by OpenID Connect."""

    name: str

    def begin(self, redirect_uri: str) -> object:
        """The answer that sends the browser to the provider; may raise ``ProviderTrouble``."""
        ...

    def finish(self) -> SomebodyElse:
        """Who came back; may raise ``ProviderTrouble``."""
        ...


class ProviderTrouble(Exception):
    """Sign-in by the provider did not come about; the message is a word for the operator's log."""


class Entrance(Struct, frozen=True, kw_only=True):
    """Who gets in, and how. ``demo``: everybody on this machine, as the auditor of made-up data."""

    attempts: Attempts
    ended: EndedSessions
    accounts: Accounts | None = None
    provider: IdentityProvider | None = None
    demo: bool = False
    demo_hosts: frozenset[str] = frozenset()
    idle_minutes: int = 30
    longest_hours: int = 8


class Log(Protocol):
    """For the operator; never about a patient."""

    def write(self, level: str, event: str, said: str) -> None:
        """One line."""
        ...


Clock = Callable[[], datetime]
# Of a client and an identifier of its own: a keyed hash, the same as in the log; it needs the key to be turned round.
Pseudonym = Callable[[str, str], str]
DEMO = Viewer(who="demo", name="Demo", role="auditor", through="demo")
