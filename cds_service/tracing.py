"""A trace of each call for an OpenTelemetry collector, where one is set: times and words of ours, nothing of a patient.

Spans are made from the finished record, so that tracing costs the answer's path next to nothing where it is on, and
nothing where it is off. A caller's `traceparent` header makes them part of the caller's trace.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, Protocol

from audit_trail.record import DecisionRecord

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter

_MILLISECOND: Final = 1_000_000  # nanoseconds
SECONDS_FOR_THE_COLLECTOR: Final = 3  # retries included
SERVICE_NAME: Final = "lumbar-imaging-cds"


class TracesUnavailable(RuntimeError):
    """A collector is set, and the library that would send traces to it is not installed."""


class Traces(Protocol):
    """Where traces go."""

    def call(self, record: DecisionRecord, parent: str, ended: int) -> None:
        """One call. ``parent`` is its `traceparent` header; ``ended`` in nanoseconds since 1970."""
        ...

    def close(self) -> None:
        """Sends what has not been sent."""
        ...


class NoTraces:
    """No collector is set."""

    def call(self, record: DecisionRecord, parent: str, ended: int) -> None:
        return

    def close(self) -> None:
        return


NO_TRACES: Final = NoTraces()


class OpenTelemetryTraces:
    """Spans in the background to a collector. Made in the process that uses it: a fork would lose its thread."""

    def __init__(self, exporter: SpanExporter, version: str) -> None:
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        resource = Resource.create({"service.name": SERVICE_NAME, "service.version": version})
        self._provider = TracerProvider(resource=resource)
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer(SERVICE_NAME)
        self._propagator = TraceContextTextMapPropagator()

    def call(self, record: DecisionRecord, parent: str, ended: int) -> None:
        from opentelemetry.trace import SpanKind, set_span_in_context
        from opentelemetry.trace.status import Status, StatusCode

        began = ended - int(record.timings.whole * _MILLISECOND)
        context = self._propagator.extract({"traceparent": parent}) if parent else None
        span = self._tracer.start_span(
            f"POST /cds-services/{record.service}",
            context=context,
            kind=SpanKind.SERVER,
            start_time=began,
            attributes=attributes_of(record),
        )
        if record.status >= 500:
            span.set_status(Status(StatusCode.ERROR, record.failure))
        inside = set_span_in_context(span)
        for name, starts, ends in _phases(record, began):
            self._tracer.start_span(name, context=inside, start_time=starts).end(ends)
        span.end(ended)

    def close(self) -> None:
        self._provider.shutdown()


class TracesOfWorker:
    """Begins sending with the first call of a process, and again after a fork."""

    def __init__(self, url: str, version: str) -> None:
        try:
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        except ImportError:
            raise TracesUnavailable("install lumbar-imaging-cds[otel] to send traces") from None
        self._exporter: type[SpanExporter] = OTLPSpanExporter
        self._url = url
        self._version = version
        self._process = 0
        self._traces: OpenTelemetryTraces | None = None

    def call(self, record: DecisionRecord, parent: str, ended: int) -> None:
        from os import getpid

        traces = self._traces
        if traces is None or self._process != getpid():
            self._process = getpid()
            exporter = self._exporter(endpoint=self._url, timeout=SECONDS_FOR_THE_COLLECTOR)  # type: ignore[call-arg]
            traces = self._traces = OpenTelemetryTraces(exporter, self._version)
        traces.call(record, parent, ended)

    def close(self) -> None:
        if self._traces is not None:
            self._traces.close()


def attributes_of(record: DecisionRecord) -> dict[str, str | int | bool | list[str]]:
    """What a span says of a call. Everything is listed here: what is not listed cannot be sent."""
    attributes: dict[str, str | int | bool | list[str]] = {
        "http.request.method": "POST",
        "http.route": "/cds-services/{id}",
        "http.response.status_code": record.status,
        "http.request.body.size": record.request_bytes,
        "cds.service": record.service,
        "cds.outcome": record.outcome,
        "cds.decision": record.decision,
        "cds.silent": record.silent,
        "cds.situations": [order.situation for order in record.orders],
        "cds.ratings": [order.rating for order in record.orders if order.rating],
        "cds.cards": len(record.cards),
        "cds.gaps": list(record.gaps),
        "cds.fetch.queries": record.fetch_queries,
    }
    if record.registered:
        attributes["cds.client"] = record.client
    if record.failure:
        attributes["error.type"] = record.failure
    return attributes


def _phases(record: DecisionRecord, began: int) -> Iterator[tuple[str, int, int]]:
    at = began
    timings = record.timings
    for name, milliseconds in (
        ("trust", timings.trust),
        ("wait for a turn", timings.waiting),
        ("read the call", timings.reading),
        ("fetch from the EHR", timings.fetching),
        ("decide", timings.deciding),
        ("write the cards", timings.cards),
    ):
        if milliseconds:
            ends = at + int(milliseconds * _MILLISECOND)
            yield name, at, ends
            at = ends
