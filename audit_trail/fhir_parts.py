"""What the FHIR forms of a record share: how this service, the clinician, references and moments are written."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from msgspec import Struct

from audit_trail.record import DecisionRecord

NAME: Final = "lumbar-imaging-cds"
TERMINOLOGY: Final = "http://terminology.hl7.org/CodeSystem"

Resource = dict[str, Any]


class Here(Struct, frozen=True):
    """This service, as its events name it: where it is reached, the base of its own identifiers, and what it asks.

    ``queries``: the template of each prefetch key.
    """

    address: str
    canonical_base: str
    queries: Mapping[str, str] = {}

    def identifier(self, kind: str, value: str) -> Resource:
        """An identifier of ours."""
        return {"system": f"{self.canonical_base}/{kind}", "value": value}


def user_reference(record: DecisionRecord) -> Resource:
    """The clinician, as their EHR names them."""
    return {"reference": absolute(record, record.user)} if "/" in record.user else {"display": record.user}


def absolute(record: DecisionRecord, reference: str) -> str:
    """A reference as it is understood outside the EHR; one of a draft's parts is the draft's."""
    plain = reference.partition("#")[0]
    return f"{record.fhir_server.rstrip('/')}/{plain}" if record.fhir_server and "://" not in plain else plain


def instant(moment: datetime) -> str:
    """As FHIR writes a moment."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
