"""`GET /metrics` in the form that Prometheus reads: counts and times of all workers, nothing of any patient.

Label values are words of ours, and the names that the operator gave the clients.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from audit_trail.draining import Drained
from audit_trail.record import FeedbackItem
from cds_service.audit import CallLine
from rules.recommendation import Recommendation

if TYPE_CHECKING:
    from prometheus_client.registry import Collector

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
FOLDER_VARIABLE: Final = "PROMETHEUS_MULTIPROC_DIR"  # names the folder in which workers share their counts
_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0)


class Metrics:
    """The counts of this process; with the folder variable set, `text` tells those of all that share the folder."""

    def __init__(self, shared: bool = False) -> None:
        # Imported here: at its import the library decides by the variable above whether counts are shared.
        from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

        self._shared = shared
        self._registry = CollectorRegistry()
        self._own = CollectorRegistry() if shared else self._registry
        self._children: dict[tuple[Any, tuple[str, ...]], Any] = {}

        def counter(name: str, says: str, *labels: str) -> Counter:
            return Counter(f"lumbar_cds_{name}", says, labels, registry=self._registry)

        self.calls = counter("calls", "Hook calls.", "service", "client", "outcome", "status")
        self.seconds = Histogram(
            "lumbar_cds_call_seconds",
            "From the first header of a hook call to its record.",
            ("service",),
            buckets=_SECONDS,
            registry=self._registry,
        )
        self.orders = counter("orders", "Judged orders.", "situation", "rating")
        self.cards = counter("cards", "Cards, shown or (silent clients) not.", "indicator")
        self.gaps = counter("gaps", "Parts of records that could not be read.", "source", "why")
        self.unmapped_codes = counter("unmapped_codes", "Codes that were not recognised.")
        self.fetch_troubles = counter("fetch_troubles", "Queries to EHRs' servers that went wrong.", "trouble")
        self.feedback = counter("feedback", "Cards that feedback was given on.", "client", "outcome")
        self.records_kept = counter("records_kept", "Audit records written to the journal.")
        self.records_failed = counter("records_failed", "Audit records that could not be written to the journal.")
        self.records_stored = counter("records_stored", "Audit records that reached the store.")
        self.records_lost = counter("records_lost", "Audit records that are missing from damaged journals.")
        self.log_lines_lost = counter("log_lines_lost", "Lines that standard output did not take.")
        self.sentinel_warnings = Gauge(
            "lumbar_cds_sentinel_warnings",
            "What is unusual at the moment, by kind.",
            ("kind",),
            registry=self._registry,
            multiprocess_mode="mostrecent",  # one process of the machine watches
        )

    def call(self, line: CallLine, advice: Iterable[Recommendation] = ()) -> None:
        """Counts one hook call."""
        self._child(self.calls, line.service, line.client, line.outcome, str(line.status)).inc()
        self._child(self.seconds, line.service).observe(line.milliseconds / 1000)
        for each in advice:
            rating = "none" if each.rating is None else each.rating.pama.value
            self._child(self.orders, each.situation.value, rating).inc()
        for indicator in line.indicators:
            self._child(self.cards, indicator).inc()
        for gap in line.gaps:
            source, _, why = gap.partition(": ")
            self._child(self.gaps, source, why).inc()
        if line.unmapped_codes:
            self.unmapped_codes.inc(line.unmapped_codes)
        for trouble in line.fetch_troubles:
            self._child(self.fetch_troubles, trouble.partition(": ")[2]).inc()

    def outcomes(self, client: str, items: Iterable[FeedbackItem]) -> None:
        """Counts what became of cards."""
        for item in items:
            self._child(self.feedback, client, item.outcome).inc()

    def stored(self, drained: Drained) -> None:
        """Counts records that reached the store, and those that are missing from a damaged journal."""
        self.records_stored.inc(drained.records)
        self.records_lost.inc(drained.lost)

    def set_warnings(self, kind: str, count: int) -> None:
        """How many warnings of that kind there are now."""
        self._child(self.sentinel_warnings, kind).set(count)

    def also(self, collector: Collector) -> None:
        """Adds what is worked out when it is asked for."""
        self._own.register(collector)

    def text(self) -> bytes:
        """The answer of `GET /metrics`."""
        from prometheus_client import CollectorRegistry, generate_latest
        from prometheus_client.multiprocess import MultiProcessCollector

        if not self._shared:
            return generate_latest(self._registry)
        together = CollectorRegistry()
        MultiProcessCollector(together)  # type: ignore[no-untyped-call]
        return generate_latest(together) + generate_latest(self._own)

    def _child(self, metric: Any, *labels: str) -> Any:
        key = (metric, labels)
        child = self._children.get(key)
        if child is None:
            child = self._children[key] = metric.labels(*labels)
        return child


def shared_folder(parent: Path, process: int) -> Path:
    """An empty folder in which the workers of this process share their counts; those of processes that died go."""
    parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    for old in parent.iterdir():
        if not old.name.isdigit() or int(old.name) == process or not _lives(int(old.name)):
            shutil.rmtree(old, ignore_errors=True)
    folder = parent / str(process)
    folder.mkdir(mode=0o700)
    return folder


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def gauges(numbers: Callable[[], dict[str, tuple[str, float]]]) -> Collector:
    """A collector of gauges that are worked out when asked for: name, what it says, value."""
    from prometheus_client.core import GaugeMetricFamily
    from prometheus_client.registry import Collector

    class Asked(Collector):
        def collect(self) -> Iterable[GaugeMetricFamily]:
            for name, (says, value) in numbers().items():
                yield GaugeMetricFamily(f"lumbar_cds_{name}", says, value=value)

    return Asked()
