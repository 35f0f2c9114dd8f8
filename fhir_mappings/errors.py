"""Reasons for which a call, or the chart in it, cannot be read at all."""

from __future__ import annotations

from enum import Enum


class PatientMissing(Exception):
    """The Patient resource cannot be had: nothing can be decided about nobody."""


class WrongPatient(Exception):
    """The call speaks of one patient and brings another's Patient resource or order: nothing may be decided."""


class Malformed(Enum):
    """What is wrong with a call: no JSON of one meaning (400), no usable hook call (422), or too much of it (413)."""

    NOT_JSON = "not-json"
    UNUSABLE = "unusable"
    TOO_MUCH = "too-much"


class MalformedCall(Exception):
    """A call that cannot be read. ``where`` is a path such as "context.patientId"; neither text repeats the call."""

    def __init__(self, kind: Malformed, where: str, why: str) -> None:
        super().__init__(f"{where}: {why}" if where else why)
        self.kind = kind
        self.where = where
        self.why = why
