"""Every way a call can fail: one class each, with the HTTP status and the FHIR issue code that its answer carries.

Messages say what was expected, where, and what would mend it. They never repeat what the caller sent: a body may hold a
patient's data, and an answer may be logged by others.
"""

from __future__ import annotations

import math
from typing import ClassVar

import msgspec


class CallFailed(Exception):
    """A call that gets an OperationOutcome instead of cards."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "exception"  # http://hl7.org/fhir/issue-type

    mend: ClassVar[str] = ""  # what to do about it, where the diagnostics alone do not say
    check = ""  # for the record: the check that failed, in a word of ours
    client = ""  # for the record: whose call it was, where that is known
    recorded = False  # it is on record already

    def __init__(self, diagnostics: str, expression: str = "") -> None:
        super().__init__(diagnostics)
        self.diagnostics = diagnostics
        self.expression = expression

    def headers(self) -> dict[str, str]:
        """What the answer says beside its body."""
        return {}


class MalformedBody(CallFailed):
    """The body is not JSON as RFC 8259 has it, or means two things at once (a key twice)."""

    status = 400
    code = "structure"
    mend = "send one JSON text (RFC 8259) in UTF-8, with each key once"


class InvalidFeedback(CallFailed):
    """A feedback report that breaks the specification; the diagnostics name the item."""

    status = 400
    code = "invalid"
    mend = "GET /openapi.json says what a report holds"


class NotAuthenticated(CallFailed):
    """The caller is not known to be who it says. One wording for all causes: the record says which check failed."""

    status = 401
    code = "login"

    def __init__(self, check: str) -> None:
        super().__init__(
            "this service answers registered clients only: send `Authorization: Bearer` with a token signed for this "
            "address, as CDS Hooks has it; the service's log says which check of the token failed"
        )
        self.check = check

    def headers(self) -> dict[str, str]:
        return {"WWW-Authenticate": "Bearer"}


class NotAllowed(CallFailed):
    """A known caller asks for what is not its own."""

    status = 403
    code = "forbidden"

    def __init__(self, diagnostics: str, check: str, client: str = "") -> None:
        super().__init__(diagnostics)
        self.check = check
        self.client = client


class Misdirected(CallFailed):
    """A request to a host that is not this service's: a web page elsewhere whose name was made to lead here."""

    status = 421
    code = "security"
    check = "host"

    def __init__(self) -> None:
        super().__init__(
            "in open mode this service answers under a loopback name or address (127.0.0.1, ::1, localhost), under the "
            "host of LUMBAR_CDS_PUBLIC_URL, and under no other name"
        )


class AnotherClientsCard(NotAllowed):
    """Feedback on a card that another client got; the diagnostics name the item."""

    mend = "report it as the client that got the card"

    def __init__(self, diagnostics: str) -> None:
        super().__init__(diagnostics, "card-owner")


class TooManyCalls(CallFailed):
    """A client calls more often than agreed."""

    status = 429
    code = "throttled"

    def __init__(self, seconds: float, client: str) -> None:
        self.seconds = max(1, math.ceil(seconds))
        super().__init__(f"more calls than agreed with this client; try again in {self.seconds} s")
        self.client = client

    def headers(self) -> dict[str, str]:
        return {"Retry-After": str(self.seconds)}


class BodyCutOff(CallFailed):
    """The body did not arrive whole: the caller stopped sending, or sent too slowly."""

    status = 408
    code = "timeout"
    mend = "send it again, in one go"


class TemporarilyUnavailable(CallFailed):
    """Something that every call needs cannot be had at the moment; nothing was assessed."""

    status = 503
    code = "transient"

    def __init__(self, diagnostics: str, check: str) -> None:
        super().__init__(diagnostics)
        self.check = check

    def headers(self) -> dict[str, str]:
        return {"Retry-After": "5"}


class UnknownService(CallFailed):
    """No service of that id, or no page of that name."""

    status = 404
    code = "not-found"


class MethodNotOffered(CallFailed):
    """The page exists, and does not answer to that method."""

    status = 405
    code = "not-supported"

    def __init__(self, diagnostics: str, allowed: tuple[str, ...]) -> None:
        super().__init__(diagnostics)
        self.allowed = allowed

    def headers(self) -> dict[str, str]:
        return {"Allow": ", ".join(self.allowed)} if self.allowed else {}


class NotAcceptable(CallFailed):
    """The caller accepts nothing that the service can send."""

    status = 406
    code = "not-supported"


class PatientUnavailable(CallFailed):
    """The Patient resource cannot be had: nothing can be decided about nobody (CDS Hooks: 412)."""

    status = 412
    code = "incomplete"
    mend = "send it in the prefetch, under the key that discovery names"


class BodyTooLarge(CallFailed):
    """The body is over the limit that the operator set."""

    status = 413
    code = "too-long"
    mend = "send less of the record: discovery names what is read"


class TooMuchInside(CallFailed):
    """More resources, or more codings in one concept, than one call may hold. It is refused, never cut."""

    status = 413
    code = "too-costly"


class UnsupportedBody(CallFailed):
    """The body is not sent as plain JSON: another media type, another charset, or compressed."""

    status = 415
    code = "not-supported"

    def headers(self) -> dict[str, str]:
        return {"Accept-Encoding": "identity"}


class UnusableRequest(CallFailed):
    """Well-formed JSON that is no usable hook call."""

    status = 422
    code = "invalid"
    mend = "GET /openapi.json says what a call holds"


class AnotherPatient(CallFailed):
    """The Patient in the call is not the patient of its context: nothing may be decided."""

    status = 422
    code = "business-rule"
    mend = "send the Patient that context.patientId names, and that patient's orders"


class OtherHttpFailure(CallFailed):
    """A failure that only the web server knows (a request line too long, say), with the status it chose."""

    code = "processing"

    def __init__(self, diagnostics: str, http_status: int) -> None:
        super().__init__(diagnostics)
        self.http_status = http_status


class Unexpected(CallFailed):
    """A defect of the service. The call is answered, and the answer says that nothing was assessed."""

    status = 500
    code = "exception"

    @classmethod
    def defect(cls) -> Unexpected:
        """What a caller hears of any defect: never an empty card list, which a clinician would read as all clear."""
        return cls("the service failed; this order was not assessed")


def operation_outcome(failure: CallFailed) -> bytes:
    """The body of an error answer: a FHIR R4 OperationOutcome that repeats nothing of the call."""
    status = status_of(failure)
    issue: dict[str, object] = {
        "severity": "fatal" if status >= 500 else "error",
        "code": failure.code,
        "diagnostics": f"{failure.diagnostics}; {failure.mend}" if failure.mend else failure.diagnostics,
    }
    if failure.expression:
        issue["expression"] = [failure.expression]
    return msgspec.json.encode({"resourceType": "OperationOutcome", "issue": [issue]})


def status_of(failure: CallFailed) -> int:
    """The HTTP status of a failure."""
    return failure.http_status if isinstance(failure, OtherHttpFailure) else failure.status
