"""Which entry of the record says it, in what words, dated when."""

from msgspec import Struct


class Evidence(Struct, frozen=True, gc=False):
    """One entry of the record (or of the order itself) that a clinician can look up.

    ``reference`` is "Condition/12", or "ServiceRequest/x#reasonCode" for the order's own reasons.
    ``says`` is what the entry says, as plain record text: data, never markup; whoever shows it escapes it.
    ``dated`` is the date as the record gives it ("2026-09", "2026-09-14"), or empty.
    ``marks`` are how it is said: "suspected", "preliminary", "history", "from text", "refuted", "patient-reported".
    """

    reference: str
    says: str
    dated: str = ""
    marks: tuple[str, ...] = ()
    version: str = ""
