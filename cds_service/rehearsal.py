"""One made-up call before the first real one: every table is read and checked while a start can still be stopped."""

from __future__ import annotations

from datetime import datetime

import msgspec

from cds_service.collaborators import Collaborators
from cds_service.consultation import consult
from cds_service.evaluation import request_for
from cds_service.service_catalogue import ORDER_SELECT
from cds_service.trust import Caller

ORDER = "mri-lumbar-without-contrast"


class RehearsalFailed(ValueError):
    """The service cannot judge the plainest of orders: it must not start."""


def rehearse(tools: Collaborators, now: datetime) -> None:
    """Judges an MRI for low back pain, of an adult with an empty record, and expects to have something to say."""
    patient = {"resourceType": "Patient", "id": "rehearsal", "birthDate": f"{now.year - 45}-01-01"}
    request = request_for([patient], ORDER, ["low back pain"], tools.terminology)
    request["prefetch"] = {"patient": patient}
    consultation = consult(msgspec.json.encode(request), ORDER_SELECT, Caller("rehearsal"), now, tools)
    if not consultation.cards:
        raise RehearsalFailed("the rehearsal call got no card; the code lists or the tables are not usable")
