"""What answers are made by, recorded once by each worker, and named by each record."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime

from audit_trail.packing import packed
from audit_trail.record import ContentRecord, Record, Versions
from cds_service.collaborators import Collaborators
from cds_service.versions import InForce, in_force


class VersionsRecorded:
    """Contents are hashed once for each set of code lists, and written once by each process that answers by them."""

    def __init__(self, keep: Callable[[Record], object]) -> None:
        self._keep = keep
        self._in_force: dict[str, InForce] = {}  # by the version of the code lists: clients may bring their own
        self._written: set[tuple[int, str]] = set()

    def prepare(self, tools: Collaborators) -> InForce:
        """Hashes what these tools read, if that has not been done."""
        version = tools.terminology.version
        found = self._in_force.get(version)
        if found is None:
            found = self._in_force[version] = in_force(tools.settings, tools.guidelines.site_values, tools.terminology)
        return found

    def of(self, tools: Collaborators) -> Versions:
        """The hashes for a record; their contents are in the journal before it. May raise ``JournalError``."""
        found = self.prepare(tools)
        process = os.getpid()
        if (process, tools.terminology.version) not in self._written:
            for content in found.contents:
                if (process, content.digest) not in self._written:
                    record = ContentRecord(
                        at=datetime.now(UTC), name=content.name, digest=content.digest, content=packed(content.json)
                    )
                    self._keep(record)
                    self._written.add((process, content.digest))
            self._written.add((process, tools.terminology.version))
        return found.versions
