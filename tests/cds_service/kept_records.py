"""A recorder whose records stay in memory, as they are read back."""

from __future__ import annotations

from audit_trail.journal import JournalError
from audit_trail.record import DecisionRecord, Record, decode, encode
from cds_service.audit import CallLog
from cds_service.drain_duty import DrainDuty
from cds_service.metrics import Metrics
from cds_service.operator_log import OperatorLog
from cds_service.recording import Recorder


class KeptRecords:
    """Stands for the journal of a worker."""

    writer = "kept"

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.broken = False  # like a full disk
        self.given_up = False

    def append(self, record: Record) -> int:
        if self.broken:
            raise JournalError("no space left on device")
        self.records.append(decode(encode(record)))
        return len(self.records)

    def start(self) -> None:
        return

    def stop(self) -> None:
        return

    def new_duty(self) -> DrainDuty:
        raise AssertionError("nothing is drained here")

    def health(self) -> dict[str, object]:
        return {"state": "recording"}

    def numbers(self) -> dict[str, tuple[str, float]]:
        return {}

    @property
    def calls(self) -> list[DecisionRecord]:
        """The hook calls among them."""
        return [record for record in self.records if isinstance(record, DecisionRecord)]


def recorder_to(kept: KeptRecords | None, level: str = "error", required: bool = False) -> Recorder:
    """A recorder that keeps them there, or keeps none."""
    return Recorder(CallLog(level, b"key"), OperatorLog(level), Metrics(), kept, required)
