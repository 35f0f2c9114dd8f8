"""The audit store as a process reads it: opened when it is first asked for, and never carried over a fork."""

from __future__ import annotations

import os
import threading

from audit_trail.database import StoreAddressError, store_address
from audit_trail.queries import Queries
from audit_trail.store import Store, open_store
from cds_service.settings import Settings, SettingsError


class StoreOfProcess:
    """Shared by the threads of a process; made before the workers fork, if need be."""

    def __init__(self, address: str, unhurried: bool = False, patience: float | None = None) -> None:
        try:
            self._url = store_address(address)
        except StoreAddressError as problem:
            raise SettingsError(f"LUMBAR_CDS_AUDIT_STORE: {problem}") from None
        self._unhurried = unhurried
        self._patience = patience
        self._lock = threading.Lock()
        self._opened: tuple[int, Store] | None = None

    def store(self) -> Store:
        """The store; it connects when it is first used."""
        opened = self._opened
        if opened is None or opened[0] != os.getpid():
            with self._lock:
                opened = self._opened
                if opened is None or opened[0] != os.getpid():
                    opened = self._opened = (os.getpid(), self._open())
        return opened[1]

    def _open(self) -> Store:
        return open_store(self._url, self._unhurried, self._patience)

    def queries(self) -> Queries:
        """Questions to the store. Whoever shows records to somebody records the access first."""
        return Queries(self.store())


def store_of(settings: Settings, unhurried: bool = False, patience: float | None = None) -> StoreOfProcess | None:
    """The store of these settings; ``None``: nothing is recorded.

    ``unhurried``: nobody waits for an answer; ``patience``: seconds that what others hold is waited for.
    """
    return StoreOfProcess(settings.audit_store_url, unhurried, patience) if settings.audit_store_url else None
