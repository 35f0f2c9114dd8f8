"""What is known of one call so far: filled in as it is read and decided, so that a call that fails is on record too."""

from __future__ import annotations

from datetime import UTC, timezone

from cds_service.chart_source import NOTHING_FETCHED, FetchRecord
from fhir_mappings.decode import HookCall


class Progress:
    """Of one call. The moments are of ``time.perf_counter``; 0 where the call did not come so far."""

    __slots__ = ("answered", "began", "call", "decided", "digest", "fetched", "offset", "read")

    def __init__(self) -> None:
        self.call: HookCall | None = None  # as it came, completed by what was fetched
        self.fetched: FetchRecord = NOTHING_FETCHED
        self.offset: timezone = UTC
        self.digest = ""  # of the body as it came; set where what is at hand is not that body to the byte
        self.began = 0.0  # its turn to compute came
        self.read = 0.0  # the call and its orders are read
        self.decided = 0.0
        self.answered = 0.0  # the cards are written
