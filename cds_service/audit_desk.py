"""Where records are looked at from the command line: the store is opened, and whoever looks is put on record first."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from msgspec import Struct
from sqlalchemy import select

from audit_trail.columns import column_text
from audit_trail.database import StoreAddressError, store_address
from audit_trail.draining import Drainer, StoreDown
from audit_trail.feedback import card_uuid
from audit_trail.happened import reports_once
from audit_trail.queries import Queries, Stored
from audit_trail.record import DecisionRecord
from audit_trail.story import Happened
from audit_trail.tables import CARD, DECISION
from cds_service.audit_access import CommandLine, at_the_command_line
from cds_service.settings import Settings, SettingsError

LAST: Final = "last"
SHORTEST: Final = 6  # characters of an id that may stand for all of it


class CannotLook(Exception):
    """There is no store to look at, or no such record; the message says what mends it."""


class Desk(Struct, frozen=True):
    """The store as it is seen from the command line; whoever looks is recorded before anything is shown."""

    line: CommandLine

    @property
    def queries(self) -> Queries:
        """What may be asked."""
        return self.line.queries

    def looked(self, action: str, decision: str = "", chosen: str = "", records: int = 0) -> None:
        """Records the access; where it cannot be recorded it must not happen."""
        self.line.accessed(action, decision=decision, filter=chosen, records=records)

    def call(self, name: str) -> Stored[DecisionRecord]:
        """One call: by the id of its decision, of its record or of one of its cards, by a beginning of one, or `last`.

        Of a decision that was called for more than once, the first.
        """
        exact = self.queries.decision(name)
        if exact is not None:
            return exact
        found = self._decisions_like(name)
        if len(found) > 1:
            raise CannotLook(f"{name}: {len(found)} decisions begin like that; give more of the id")
        if not found:
            raise CannotLook(f"{name}: no such decision, record or card; `lumbar-cds audit list` shows what there is")
        call = self.queries.decision(found[0])
        if call is None:
            raise CannotLook(f"{name}: its record was deleted when its time had come, or cannot be read")
        return call

    def repeats(self, call: Stored[DecisionRecord]) -> int:
        """How often the same call came."""
        return len(self.queries.calls(call.record.decision))

    def happened(self, record: DecisionRecord) -> tuple[Happened, ...]:
        """What was reported of its cards, each report once."""
        return reports_once(self.queries.outcomes(record))

    def _decisions_like(self, name: str) -> list[str]:
        decision, card = DECISION.c.decision, CARD.c
        with self.queries.connection() as connection:
            if name == LAST:
                query = select(decision).order_by(DECISION.c.at.desc()).limit(1)
                return list(connection.scalars(query))
            if len(name) < SHORTEST:
                return []
            begins = decision.startswith(column_text(name.lower()), autoescape=True)
            query = select(decision).where(begins).distinct().limit(20)
            found = list(connection.scalars(query))
            uuid = column_text(card_uuid(name))
            return found or list(connection.scalars(select(card.decision).where(card.uuid == uuid).distinct()))


@contextmanager
def open_desk(settings: Settings) -> Iterator[Desk]:
    """The store of these settings; what a writer that has ended left in its journal is stored first."""
    try:
        url = store_address(settings.audit_store_url) if settings.audit_store_url else None
    except StoreAddressError as problem:
        raise CannotLook(f"LUMBAR_CDS_AUDIT_STORE: {problem}") from None
    if url is not None and url.get_backend_name() == "sqlite" and not Path(url.database or "").exists():
        raise CannotLook(f"there is no audit store at {url.database}: the service makes it when it starts")
    try:
        line = at_the_command_line(settings)
    except SettingsError as problem:
        raise CannotLook(str(problem)) from None
    try:
        if settings.audit_journal.is_dir():
            Drainer(settings.audit_journal, line.store).drain_abandoned()
        yield Desk(line)
    except StoreDown as problem:
        raise CannotLook(f"the audit store cannot be used: {problem}") from None
    finally:
        line.store.close()
