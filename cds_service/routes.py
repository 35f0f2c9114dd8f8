"""Discovery, hook call, feedback and health: read the request, call, answer."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Final

import msgspec
from flask import Response, g, request
from werkzeug.exceptions import ClientDisconnected

from cds_service import service_catalogue
from cds_service.audit import AuditSink, CallRecord, FeedbackRecord
from cds_service.card_owners import SentCards
from cds_service.collaborators import Collaborators
from cds_service.consultation import Consultation, consult, decision_id
from cds_service.errors import (
    BodyCutOff,
    BodyTooLarge,
    CallFailed,
    NotAcceptable,
    UnknownService,
    UnsupportedBody,
    status_of,
)
from cds_service.feedback import SentToCaller, read_feedback
from cds_service.openapi import openapi_document
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
        audit: AuditSink,
        sent_cards: SentCards | None = None,
    ) -> None:
        self._settings = settings
        self._tools = tools
        self._trust = trust
        self._audit = audit
        self._sent_cards = sent_cards
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
        """`GET /health`: up, and which guideline editions and code lists are loaded."""
        return Response(msgspec.json.encode({**self._tools.health(), **self._trust.health()}), content_type=JSON)

    def openapi(self) -> Response:
        """`GET /openapi.json`: this interface, described."""
        return Response(self._openapi, content_type=JSON)

    def call(self, service_id: str) -> Response:
        """`POST /cds-services/{id}`"""
        started = time.perf_counter()
        g.service, g.started = service_id, started
        service = _service(service_id)
        _require_json_accepted()
        return Response(self.consultation(service, request.headers, _json_body, started), content_type=JSON)

    def consultation(
        self,
        service: service_catalogue.Service,
        headers: RequestHeaders,
        read_body: Callable[[], bytes],
        started: float,
    ) -> bytes:
        """The answer to one hook call; the body is read once the caller is known."""
        caller = self._trust.identify(headers, f"{CDS_PATH}/{service.id}")
        body = read_body()
        tools = self._tools if caller.terminology is None else self._tools.of_site(caller.terminology)
        consultation = consult(body, service, caller, datetime.now(UTC), tools)
        if self._sent_cards is not None and caller.registered and consultation.cards:
            self._sent_cards.keep(caller.client, (card.uuid for card in consultation.shown.cards))
        self._audit.call(_record(consultation, service.id, caller, len(body), started))
        return consultation.answer

    def feedback(self, service_id: str) -> Response:
        """`POST /cds-services/{id}/feedback`"""
        service = _service(service_id)
        caller = self._trust.identify(request.headers, f"{CDS_PATH}/{service.id}/feedback")
        report = read_feedback(_json_body(), service.id, self._sent_to(caller))
        self._audit.feedback(report.counts)
        if report.refusal is not None:
            report.refusal.client = caller.client if caller.registered else ""
            raise report.refusal
        return Response(_received(report.counts), content_type=JSON)

    def _sent_to(self, caller: Caller) -> SentToCaller | None:
        if self._sent_cards is None or not caller.registered:
            return None  # whoever calls in open mode is not known to be anyone
        return partial(self._sent_cards.sent_to, caller.client)

    def request_failed(self, failure: CallFailed, name: str, where: str = "") -> None:
        """Keeps the record of a request that got no cards."""
        service: str = g.get("service", "")
        known = service if service in service_catalogue.SERVICE_BY_ID else ""
        started: float = g.get("started", time.perf_counter())
        self.record_failure(failure, name, where, known, request.content_length or 0, started)

    def record_failure(
        self, failure: CallFailed, name: str, where: str, service_id: str, body_bytes: int, started: float
    ) -> None:
        """Keeps the record of a call that got no cards."""
        self._audit.call(
            CallRecord(
                service=service_id,
                status=status_of(failure),
                milliseconds=_since(started),
                body_bytes=body_bytes,
                client=failure.client,
                failure=name,
                check=failure.check,
                where=where,
            )
        )


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
    except ClientDisconnected:
        raise cut_off() from None
    if len(body) < (request.content_length or 0):  # some servers end a short body without a word
        raise cut_off()
    if request.content_length is None and len(body) >= (request.max_content_length or len(body) + 1):
        raise BodyTooLarge("the body is larger than this service accepts")  # else it would be read as far as it goes
    return body


def cut_off() -> BodyCutOff:
    """What a caller hears whose body did not arrive whole."""
    return BodyCutOff("the body did not arrive whole: it ended before its stated length, or was sent too slowly")


def _record(consultation: Consultation, service_id: str, caller: Caller, body_bytes: int, started: float) -> CallRecord:
    return CallRecord(
        service=service_id,
        client=caller.client if caller.registered else "",
        status=200,
        milliseconds=_since(started),
        body_bytes=body_bytes,
        decision=decision_id(consultation.ids) if consultation.ids is not None else "",
        hook_differs=consultation.hook_differs,
        judged_orders=len(consultation.advice),
        cards=consultation.cards,
    )


def _since(started: float) -> float:
    return round((time.perf_counter() - started) * 1000, 2)
