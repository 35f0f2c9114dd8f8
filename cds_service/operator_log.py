"""Lines for the operator about the service itself, beside those about calls: never about a caller's data."""

from __future__ import annotations

import os
from datetime import UTC, datetime

import msgspec

from cds_service.audit import LEVELS, STANDARD_ERROR


class OperatorLog:
    """One JSON line per event, on standard error."""

    def __init__(self, level: str = "info") -> None:
        self._lowest = LEVELS.index(level)

    def write(self, level: str, event: str, said: str) -> None:
        """``event`` is a word of ours, ``said`` a sentence for the operator."""
        if LEVELS.index(level) >= self._lowest:
            line = {"time": datetime.now(UTC), "level": level, "event": event, "said": said}
            os.write(STANDARD_ERROR, msgspec.json.encode(line) + b"\n")
