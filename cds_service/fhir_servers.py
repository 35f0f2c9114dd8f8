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


class FhirServer:
    """One server: the connections to it, which method its searches take, and which version of FHIR it speaks."""

    def __init__(self, egress: Egress, clock: Callable[[], float] = time.monotonic) -> None:
        self.egress = egress
        self._clock = clock
        self._learned_at = -_VERSION_KEPT
        self._version: str | None = None
        self.prefers_get = False

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
