"""What is known of one call so far: filled in as it is read and decided, so that a call that fails is on record too."""

from __future__ import annotations

from datetime import UTC, timezone

from msgspec import Struct

from cds_service.chart_source import NOTHING_FETCHED, FetchRecord
from fhir_mappings.decode import HookCall


class Progress(Struct, gc=False):
    """Of one call. The moments are of ``time.perf_counter``; 0 where the call did not come so far."""

    call: HookCall | None = None  # as it came, completed by what was fetched
    fetched: FetchRecord = NOTHING_FETCHED
    offset: timezone = UTC
    digest: str = ""  # of the body as it came; set where what is at hand is not that body to the byte
    began: float = 0.0  # its turn to compute came
    read: float = 0.0  # the call and its orders are read
    decided: float = 0.0
    answered: float = 0.0  # the cards are written
