"""What is known of each FHIR server, learned from its answers: nothing of any patient, and no token."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock
from typing import Final

from cds_service.egress import Egress, HostRule, rule_for
from cds_service.egress_policy import Network

READABLE: Final = ("4.0.", "4.1.", "4.3.")  # R4 4.0.1 and R4B, whose resources that are read here are the same
_VERSION_KEPT: Final = 3600.0  # seconds until a server is asked again: they get upgraded
_UNKNOWN_KEPT: Final = 60.0  # a server that would not say is not asked at every call
_SILENCE_KEPT: Final = 5.0  # seconds for which a server counts as silent after a call in which it answered nothing


class FhirServer:
    """One server: the connections to it, which method its searches take, and which version of FHIR it speaks.

    While it answers nothing, one call at a time waits for it: else calls that wait in vain would take all threads, and
    calls that need nothing of it would wait too.
    """

    def __init__(self, egress: Egress, clock: Callable[[], float] = time.monotonic) -> None:
        self.egress = egress
        self._clock = clock
        self._learned_at = -_VERSION_KEPT
        self._version: str | None = None
        self.prefers_get = False
        self._silent_at = -_SILENCE_KEPT
        self._calls_waiting = 0
        self._lock = Lock()

    def begin(self) -> bool:
        """May a call wait for its answers? Each that may says with ``end`` what became of it."""
        with self._lock:
            if self._calls_waiting and self._clock() - self._silent_at < _SILENCE_KEPT:
                return False
            self._calls_waiting += 1
            return True

    def end(self, silent: bool) -> None:
        """``silent``: not one answer came in the call's time."""
        with self._lock:
            self._calls_waiting -= 1
            self._silent_at = self._clock() if silent else -_SILENCE_KEPT

    @property
    def version_is_due(self) -> bool:
        """Should the next call ask which version it speaks?"""
        kept = _UNKNOWN_KEPT if self._version is None else _VERSION_KEPT
        return self._clock() - self._learned_at >= kept

    def learn_version(self, version: str | None) -> None:
        """``None``: it was asked, and did not say in time."""
        self._version = version if version is not None else self._version
        self._learned_at = self._clock()

    @property
    def is_unsupported(self) -> bool:
        """Does it speak a version of FHIR that is not read here?"""
        return self._version is not None and not self._version.startswith(READABLE)


class FhirServers:
    """The servers that were met; as many as are registered."""

    def __init__(self, open_egress: Callable[[HostRule], Egress]) -> None:
        self._open_egress = open_egress
        self._servers: dict[tuple[str, tuple[Network, ...]], FhirServer] = {}
        self._lock = Lock()

    def at(self, base: str, private_networks: tuple[Network, ...]) -> FhirServer:
        """The server at this base address. What one client allows its server's name to mean, no other client does."""
        with self._lock:
            known = self._servers.get((base, private_networks))
            if known is None:
                known = FhirServer(self._open_egress(rule_for(base, private_networks)))
                self._servers[base, private_networks] = known
            return known
