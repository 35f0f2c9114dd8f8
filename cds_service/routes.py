"""Discovery, hook call, feedback and health: read the request, call, answer."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Final

import msgspec
from flask import Response, request
from werkzeug.exceptions import ClientDisconnected, HTTPException

from audit_trail.record import FeedbackRecord as FeedbackReport
from cds_service import service_catalogue
from cds_service.audit import FeedbackRecord, places
from cds_service.body_reading import CUT_OFF, NO_CHUNKS
from cds_service.card_owners import SentCards
from cds_service.collaborators import Collaborators
from cds_service.consultation import NOTHING_TO_SAY, consult
from cds_service.errors import (
    BodyCutOff,
    BodyTooLarge,
    CallFailed,
    MalformedBody,
    MethodNotOffered,
    NotAcceptable,
    OtherHttpFailure,
    Unexpected,
    UnknownService,
    UnsupportedBody,
)
from cds_service.feedback import Report, SentToCaller, read_feedback
from cds_service.health import Overall
from cds_service.metrics import CONTENT_TYPE as METRICS_TYPE
from cds_service.openapi import openapi_document
from cds_service.record_of_call import Arrival
from cds_service.recording import Recorder
from cds_service.settings import Settings
from cds_service.trust import Caller, RequestHeaders, Trust

JSON: Final = "application/json"
CDS_PATH: Final = "/cds-services"


class CdsRoutes:
    """The views of the CDS Hooks API."""

    def __init__(
        self,
        settings: Settings,
        tools: Collaborators,
        trust: Trust,
        recorder: Recorder,
        sent_cards: SentCards | None = None,
    ) -> None:
        self._settings = settings
        self._tools = tools
        self._trust = trust
        self._recorder = recorder
        self._sent_cards = sent_cards
        self._overall = Overall(settings)
        self._discovery = service_catalogue.discovery_document()
        self._openapi = openapi_document()

    def origins(self) -> frozenset[str]:
        """The web pages that may call from a browser, at this moment."""
        return self._trust.origins()

    def discovery(self) -> Response:
        """`GET /cds-services`"""
        _require_json_accepted()
        self._trust.identify(request.headers, CDS_PATH)
        return Response(self._discovery, content_type=JSON)

    def health(self) -> Response:
        """`GET /health`: is all as it should be, which code lists are loaded, and whether calls are being recorded."""
        said = {**self._tools.health(), **self._trust.health(), "audit": self._recorder.health()}
        status, said = self._overall.judge(said)
        headers = {"Retry-After": "5"} if status >= 500 else {}
        return Response(msgspec.json.encode(said), status, headers, content_type=JSON)

    def metrics(self) -> Response:
        """`GET /metrics`: counts and times, for Prometheus."""
        return Response(self._recorder.metrics.text(), content_type=METRICS_TYPE)

    def openapi(self) -> Response:
        """`GET /openapi.json`: this interface, described."""
        return Response(self._openapi, content_type=JSON)

    def call(self, service_id: str) -> Response:
        """`POST /cds-services/{id}`"""
        started = time.perf_counter()
        service = _service(service_id)
        answer = self.consultation(service, request.headers, _json_for_json, started)
        return Response(answer, content_type=JSON)

    def consultation(
        self,
        service: service_catalogue.Service,
        headers: RequestHeaders,
        read_body: Callable[[], bytes],
        started: float,
    ) -> bytes:
        """The answer to one hook call, recorded before it leaves; every failure is a ``CallFailed``, and recorded."""
        arrival = Arrival(service.id, started, datetime.now(UTC))
        try:
            return self._consultation(service, headers, read_body, arrival)
        except CallFailed as known:
            self._recorder.failed(arrival, known, type(known).__name__)
            raise
        except HTTPException as problem:  # noticed by the web framework
            failure = own_failure(problem)
            self._recorder.failed(arrival, failure, type(failure).__name__)
            raise failure from None
        except Exception as problem:
            defect = Unexpected.defect()
            self._recorder.failed(arrival, defect, type(problem).__name__, places(problem))
            raise defect from problem

    def _consultation(
        self,
        service: service_catalogue.Service,
        headers: RequestHeaders,
        read_body: Callable[[], bytes],
        arrival: Arrival,
    ) -> bytes:
        arrival.trace_parent = headers.get("Traceparent") or ""
        arrival.caller = caller = self._trust.identify(headers, f"{CDS_PATH}/{service.id}")
        self._recorder.require_store()
        arrival.body = body = read_body()  # once the caller is known
        arrival.trusted = time.perf_counter()
        arrival.now = datetime.now(UTC)
        tools = self._tools if caller.terminology is None else self._tools.of_site(caller.terminology)
        arrival.versions = self._recorder.versions(tools)
        consultation = consult(body, service, caller, arrival.now, tools, progress=arrival.progress)
        shown = consultation.cards and not caller.silent
        if shown and self._sent_cards is not None and caller.registered:
            self._sent_cards.keep(caller.client, (card.uuid for card in consultation.shown.cards))
        self._recorder.answered(arrival, consultation)
        return NOTHING_TO_SAY if caller.silent else consultation.answer

    def feedback(self, service_id: str) -> Response:
        """`POST /cds-services/{id}/feedback`"""
        service = _service(service_id)
        caller = self._trust.identify(request.headers, f"{CDS_PATH}/{service.id}/feedback")
        report = read_feedback(_json_body(), service.id, self._sent_to(caller))
        self._recorder.feedback(_feedback_record(report, service.id, caller), report.counts)
        if report.refusal is not None:
            report.refusal.client = caller.client if caller.registered else ""
            raise report.refusal
        return Response(_received(report.counts), content_type=JSON)

    def _sent_to(self, caller: Caller) -> SentToCaller | None:
        if self._sent_cards is None or not caller.registered:
            return None  # whoever calls in open mode is not known to be anyone
        return partial(self._sent_cards.sent_to, caller.client)

    def request_failed(self, failure: CallFailed, name: str, where: str = "") -> None:
        """Keeps a trace of a request that was refused: a record where it was a call, and always a line of the log."""
        if not failure.recorded:
            self._recorder.refused(failure, name, request.content_length or 0, where)


def _feedback_record(report: Report, service: str, caller: Caller) -> FeedbackReport:
    return FeedbackReport(
        at=datetime.now(UTC),
        service=service,
        client=caller.client,
        registered=caller.registered,
        issuer=caller.issuer,
        token_id=caller.token_id,
        tenant=caller.tenant,
        items=report.items,
        refused=report.counts.refused,
        of_another_client=report.counts.of_another_client,
    )


def own_failure(problem: HTTPException) -> CallFailed:
    """The failure classes of this service for what the framework noticed first."""
    if problem.code == 404:
        return UnknownService("there is nothing at this address; services are listed at GET /cds-services")
    if problem.code == 405:
        allowed = tuple(sorted(getattr(problem, "valid_methods", None) or ()))
        return MethodNotOffered(f"this address answers to {', '.join(allowed)}", allowed)
    if problem.code == 413:
        return BodyTooLarge("the body is larger than this service accepts")
    if problem.code == 415:
        return UnsupportedBody("expected Content-Type: application/json")
    return OtherHttpFailure("the request could not be read", problem.code or 500)


def _received(record: FeedbackRecord) -> bytes:
    """What became of the report; CDS Hooks asks for the status alone, and every body is JSON."""
    said = f"counted: {record.accepted} accepted, {record.overridden} overridden"
    issue = {"severity": "information", "code": "informational", "diagnostics": said}
    return msgspec.json.encode({"resourceType": "OperationOutcome", "issue": [issue]})


def _service(service_id: str) -> service_catalogue.Service:
    service = service_catalogue.SERVICE_BY_ID.get(service_id)
    if service is None:
        raise UnknownService("there is no such service; GET /cds-services lists them")
    return service


def _require_json_accepted() -> None:
    accept = request.environ.get("HTTP_ACCEPT")
    if accept is None or "*/*" in accept or JSON in accept:
        return
    if not request.accept_mimetypes.best_match((JSON, "application/fhir+json")):
        raise NotAcceptable("answers are application/json")


def _json_for_json() -> bytes:
    """The body of a call whose caller takes the answer as JSON."""
    _require_json_accepted()
    return _json_body()


def _json_body() -> bytes:
    """The body as sent; plain JSON only. A browser page cannot send that type without a preflight."""
    sent_as = request.environ.get("CONTENT_TYPE", "").lower()
    media_type = sent_as.partition(";")[0].strip()
    if media_type not in (JSON, "application/fhir+json"):
        raise UnsupportedBody("expected Content-Type: application/json")
    if "charset" in sent_as and request.mimetype_params.get("charset", "utf-8").lower() not in ("utf-8", "utf8"):
        raise UnsupportedBody("expected the charset UTF-8")
    if request.environ.get("HTTP_CONTENT_ENCODING", "identity").lower() not in ("", "identity"):
        raise UnsupportedBody("compressed bodies are not read; send the body as it is")
    try:
        body = request.get_data(cache=False)
    except (ClientDisconnected, *CUT_OFF):
        raise cut_off() from None
    except NO_CHUNKS:
        raise MalformedBody("the body is sent in chunks that are not as HTTP has them (RFC 9112)") from None
    if len(body) < (request.content_length or 0):  # some servers end a short body without a word
        raise cut_off()
    if request.content_length is None and len(body) >= (request.max_content_length or len(body) + 1):
        raise BodyTooLarge("the body is larger than this service accepts")  # else it would be read as far as it goes
    return body


def cut_off() -> BodyCutOff:
    """What a caller hears whose body did not arrive whole."""
    return BodyCutOff("the body did not arrive whole: it ended before its stated length, or was sent too slowly")
