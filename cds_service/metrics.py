"""`GET /metrics` in the form that Prometheus reads: counts and times of all workers, nothing of any patient.

Label values are words of ours, and the names that the operator gave the clients.
"""

from __future__ import annotations

import math
import os
import shutil
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from audit_trail.draining import Drained
from audit_trail.record import FeedbackItem
from cds_service.audit import CallLine
from cds_service.shared_numbers import Numbers, SharedNumbers
from rules.recommendation import Recommendation

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric
    from prometheus_client.registry import Collector

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
FOLDER_VARIABLE: Final = "PROMETHEUS_MULTIPROC_DIR"  # names the folder in which workers share their counts


class _Counter(Struct, frozen=True):
    """What counts up, for each set of values of its labels."""

    name: str
    says: str
    labels: tuple[str, ...] = ()


_CALLS: Final = _Counter("calls", "Hook calls.", ("service", "client", "outcome", "status"))
_ORDERS: Final = _Counter("orders", "Judged orders.", ("situation", "rating"))
_CARDS: Final = _Counter("cards", "Cards, shown or (silent clients) not.", ("indicator",))
_GAPS: Final = _Counter("gaps", "Parts of records that could not be read.", ("source", "why"))
_UNMAPPED_CODES: Final = _Counter("unmapped_codes", "Codes that were not recognised.")
_FETCH_TROUBLES: Final = _Counter("fetch_troubles", "Queries to EHRs' servers that went wrong.", ("trouble",))
_FEEDBACK: Final = _Counter("feedback", "Cards that feedback was given on.", ("client", "outcome"))
_RECORDS_KEPT: Final = _Counter("records_kept", "Audit records written to the journal.")
_RECORDS_FAILED: Final = _Counter("records_failed", "Audit records that could not be written to the journal.")
_RECORDS_STORED: Final = _Counter("records_stored", "Audit records that reached the store.")
_RECORDS_LOST: Final = _Counter("records_lost", "Audit records that are missing from damaged journals.")
_LOG_LINES_LOST: Final = _Counter("log_lines_lost", "Lines that standard output did not take.")
_COUNTERS: Final = (
    _CALLS, _ORDERS, _CARDS, _GAPS, _UNMAPPED_CODES, _FETCH_TROUBLES, _FEEDBACK,
    _RECORDS_KEPT, _RECORDS_FAILED, _RECORDS_STORED, _RECORDS_LOST, _LOG_LINES_LOST,
)  # fmt: skip
_FAILED_ON: Final = "records_failed_on"  # a day; for the health page, which tells of the last ones only
_SECONDS: Final = "call_seconds"
_BOUNDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, math.inf)
_BOUNDS_SAID: Final = (*map(str, _BOUNDS[:-1]), "+Inf")
_MOST_KINDS: Final = 500  # of calls whose places are remembered


class Metrics:
    """The counts of this process; with the folder variable set, `text` tells those of all that share the folder."""

    def __init__(self, shared: bool = False) -> None:
        # Imported here: at its import the library decides by the variable above whether gauges are shared.
        from prometheus_client import CollectorRegistry, Gauge

        self._shared = shared
        unlabelled = tuple([(counter.name,) for counter in _COUNTERS if not counter.labels])
        self._numbers = SharedNumbers(Path(os.environ[FOLDER_VARIABLE]) if shared else None, unlabelled)
        self._gauges = CollectorRegistry()  # of one process each
        self._own = CollectorRegistry()
        self._own.register(_counts_of(self._numbers))
        self.sentinel_warnings = Gauge(
            "lumbar_cds_sentinel_warnings",
            "What is unusual at the moment, by kind.",
            ("kind",),
            registry=self._gauges,
            multiprocess_mode="mostrecent",  # one process of the machine watches
        )

    def call(self, line: CallLine, advice: Sequence[Recommendation] = ()) -> None:
        """Counts one hook call."""
        numbers = self._numbers.own()
        kind = (
            line.service, line.client, line.outcome, line.status, line.situations, line.ratings, line.indicators,
            line.gaps,
        )  # fmt: skip
        ones = numbers.together.get(kind)
        if ones is None:
            ones = tuple(_places_of(line, advice, numbers))
            if len(advice) <= 1 and len(numbers.together) < _MOST_KINDS:
                numbers.together[kind] = ones
        times = numbers.together.get((line.service,)) or _places_of_times(line.service, numbers)
        seconds = line.milliseconds / 1000
        numbers.add(ones, times[bisect_left(_BOUNDS, seconds)], times[-1], seconds)
        if line.unmapped_codes:
            numbers.add_to(numbers.place(_UNMAPPED_CODES.name), line.unmapped_codes)
        for trouble in line.fetch_troubles:
            numbers.add_to(numbers.place(_FETCH_TROUBLES.name, trouble.partition(": ")[2]), 1.0)

    def outcomes(self, client: str, items: Iterable[FeedbackItem]) -> None:
        """Counts what became of cards."""
        for item in items:
            self._count(_FEEDBACK, client, item.outcome)

    def record_kept(self) -> None:
        """Counts a record that is in the journal."""
        self._count(_RECORDS_KEPT)

    def record_failed(self) -> None:
        """Counts a record that could not be written there."""
        self._count(_RECORDS_FAILED)
        numbers = self._numbers.own()
        numbers.add_to(numbers.place(_FAILED_ON, _today().isoformat()), 1.0)

    def records_failed_lately(self) -> int:
        """How many could not be written today and yesterday (UTC), by any worker."""
        today = _today()
        days = {today.isoformat(), (today - timedelta(days=1)).isoformat()}
        sums = self._numbers.sums()
        return round(sum(value for name, value in sums.items() if name[0] == _FAILED_ON and name[1] in days))

    def log_line_lost(self) -> None:
        """Counts a line that nobody will read."""
        self._count(_LOG_LINES_LOST)

    def stored(self, drained: Drained) -> None:
        """Counts records that reached the store, and those that are missing from a damaged journal."""
        self._count(_RECORDS_STORED, amount=drained.records)
        self._count(_RECORDS_LOST, amount=drained.lost)

    def set_warnings(self, kind: str, count: int) -> None:
        """How many warnings of that kind there are now."""
        self._numbers.put_back()
        self.sentinel_warnings.labels(kind).set(count)

    def also(self, collector: Collector) -> None:
        """Adds what is worked out when it is asked for."""
        self._own.register(collector)

    def text(self) -> bytes:
        """The answer of `GET /metrics`."""
        from prometheus_client import CollectorRegistry, generate_latest
        from prometheus_client.multiprocess import MultiProcessCollector

        gauges = self._gauges
        if self._shared and self._numbers.put_back():
            gauges = CollectorRegistry()
            MultiProcessCollector(gauges)  # type: ignore[no-untyped-call]
        return generate_latest(self._own) + generate_latest(gauges)

    def _count(self, counter: _Counter, *labels: str, amount: float = 1.0) -> None:
        numbers = self._numbers.own()
        numbers.add_to(numbers.place(counter.name, *labels), amount)


def _today() -> date:
    return datetime.now(UTC).date()


def _places_of(line: CallLine, advice: Sequence[Recommendation], numbers: Numbers) -> Iterator[int]:
    """Where a call adds 1, whatever time it took."""
    yield numbers.place(_CALLS.name, line.service, line.client, line.outcome, str(line.status))
    for each in advice:
        rating = "none" if each.rating is None else each.rating.pama.value
        yield numbers.place(_ORDERS.name, each.situation.value, rating)
    for indicator in line.indicators:
        yield numbers.place(_CARDS.name, indicator)
    for gap in line.gaps:
        source, _, why = gap.partition(": ")
        yield numbers.place(_GAPS.name, source, why)


def _places_of_times(service: str, numbers: Numbers) -> tuple[int, ...]:
    """Where the times of a service's calls are counted, by the bounds that they keep, and where they are added up."""
    counts = (numbers.place(_SECONDS, service, bound) for bound in _BOUNDS_SAID)
    found = numbers.together[service,] = (*counts, numbers.place(_SECONDS, service))
    return found


def _counts_of(numbers: SharedNumbers) -> Collector:
    """A collector of what all processes have counted."""
    from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
    from prometheus_client.registry import Collector

    class Counts(Collector):
        def collect(self) -> Iterable[Metric]:
            sums = numbers.sums()
            for counter in _COUNTERS:
                family = CounterMetricFamily(f"lumbar_cds_{counter.name}", counter.says, labels=counter.labels)
                for name, value in sums.items():
                    if name[0] == counter.name:
                        family.add_metric(name[1:], value)
                yield family
            says = "From the first header of a hook call to its record."
            times = HistogramMetricFamily(f"lumbar_cds_{_SECONDS}", says, labels=("service",))
            for name, value in sums.items():
                if name[0] == _SECONDS and len(name) == 2:
                    service = name[1]
                    counts = [sums.get((_SECONDS, service, bound), 0.0) for bound in _BOUNDS_SAID]
                    times.add_metric((service,), list(zip(_BOUNDS_SAID, accumulate(counts), strict=True)), value)
            yield times

    return Counts()


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
