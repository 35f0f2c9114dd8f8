"""A decision that cannot be made again: what can be said of it all the same, and what cannot, in an auditor's words."""

from __future__ import annotations

from collections.abc import Iterator

from audit_trail.record import DecisionRecord
from cds_service.deciding_again import CannotDecideAgain, ContentsOfAnotherVersion


def can_be_said(record: DecisionRecord, problem: CannotDecideAgain, this_version: str) -> Iterator[str]:
    """What is on record, and the command that shows it."""
    name, wrote = record.decision, record.versions.software
    if record.answer:
        told = "What was shown" if record.outcome == "answered" else "What the caller was told"
        yield f"{told} is on record to the byte: lumbar-cds audit show {name} --answer"
    else:
        yield f"When it was asked, by whom, and with which outcome: lumbar-cds audit show {name}"
    if record.details:
        yield f"What was read, and by which row and why it was decided so: lumbar-cds audit explain {name}"
    if record.request:
        yield f"What was asked: lumbar-cds audit show {name} --request"
    yield "Whether the record is still as it was written: lumbar-cds audit verify"
    if isinstance(problem, ContentsOfAnotherVersion):
        yield f"What this version would say to the same call today: lumbar-cds audit diff {name}"
        if wrote and wrote != this_version:
            yield f"The version that wrote it, {wrote}, can replay it"


def cannot_be_said(record: DecisionRecord, problem: CannotDecideAgain) -> Iterator[str]:
    """What a replay would have shown, and what its absence does not show."""
    if record.outcome == "failed" and record.request:
        yield "Nothing was decided, so there is nothing that could be decided again"
        return
    said = "Whether the same call, decided by what was in force then, gives the same answer again"
    if isinstance(problem, ContentsOfAnotherVersion):
        said += "; that it cannot be tried here speaks neither against the answer nor against the record"
    yield said
