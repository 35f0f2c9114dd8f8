"""The tables of a benchmark run, as Markdown."""

from collections.abc import Sequence

from msgspec import Struct

from bench.compare import Cell
from bench.machine import Memory
from bench.plan import Plan
from bench.servers import CLOSED, CLOSED_ES384

TARGET_RATIO = {"small": 0.5, "typical": 1.3, "large": 4.0}
CLOSED_RATIO = {"small": 0.25, "typical": 0.7, "large": 2.5}


class ScalePoint(Struct, frozen=True):
    """The cost of one request of the scale series."""

    resources: int
    codings: int
    megabytes: float
    service: float  # ms, median
    floor: float  # ms, median


class Stage(Struct, frozen=True):
    """One step of a consultation, measured in process: microseconds by size."""

    name: str
    microseconds: dict[str, float]


class Results(Struct, frozen=True):
    """Everything one run found out."""

    day: str
    machine: str
    command: str
    plan: Plan
    requests: dict[str, tuple[int, int]]  # size: resources, bytes
    answers: dict[str, tuple[str, ...]]  # size: what the service said, of each kind of case
    cells: tuple[Cell, ...]
    starts: dict[str, float]  # server: seconds to the first answer, median
    idle: dict[str, Memory]
    after: dict[str, Memory]
    scale: tuple[ScalePoint, ...]
    stages: tuple[Stage, ...]


def report(results: Results) -> str:
    """The whole report."""
    parts = [
        "# Benchmark",
        f"{results.day}. {results.machine}.",
        _how(results.plan),
        f"Command: `{results.command}`",
        "## Requests",
        table(
            ("Size", "Resources", "kB"),
            [(size, f"{count:,}", f"{length / 1000:,.0f}") for size, (count, length) in results.requests.items()],
        ),
        "Patients of each size are of several kinds of case in turn, as the service answers them:",
        "\n".join(f"- {size}: {answer}" for size, answers in results.answers.items() for answer in answers),
        "## Requests per second against the floor",
        ratio_table(results.cells),
        "## Closed mode, every call on record",
        _CLOSED,
        closed_table(results.cells),
        _STORING,
        storing_table(results.cells),
        "## Latency",
        latency_table(results.cells),
        "## Start and memory",
        _start_and_memory(results),
    ]
    if results.scale:
        parts += ["## Growth", *_growth(results.scale)]
    if results.stages:
        parts += ["## One consultation, step by step", _KINDS, stage_table(results.stages)]
    return "\n\n".join(parts) + "\n"


_KINDS = (
    "The first patient of each size. The advice is worked out once for each kind of case (`rules/kind_of_case.py`), so "
    "not again here; the step below it shows what a kind costs that was not met before."
)


_CLOSED = (
    "Each call brings a token of its own. CDS Hooks recommends RS384 and ES384; the first numbers are for RS384, which "
    "is what Epic signs with, the last ones for ES384, which costs eight times as much to check."
)

_STORING = (
    "Records go to a journal on the path of the answer, and from there into the store when the processor has nothing "
    "else to do, or once they have waited for some seconds. What still waited at the end of a round was stored before "
    "anything else was measured. *Stored*: the answers of a round over its length and the processor time that storing "
    "them took afterwards, as both share one core: the rate that could go on for ever."
)


def ratio_table(cells: Sequence[Cell]) -> str:
    """Requests a second of service and floors, their ratios, and the control."""
    rows = [
        (
            cell.size,
            str(cell.connections),
            f"{cell.per_second('floor'):,.0f}",
            f"{cell.per_second('tuned floor'):,.0f}",
            f"{cell.per_second('service'):,.0f}",
            f"{cell.ratio():.2f}",
            f"{TARGET_RATIO[cell.size]:.1f}" if cell.connections == 16 else "",
            f"{cell.ratio(to='tuned floor'):.2f}",
            f"{cell.ratio('floor again'):.2f}",
            f"{cell.generator_busy():.0%}",
        )
        for cell in cells
    ]
    head = (
        "Size",
        "Connections",
        "Floor /s",
        "Tuned floor /s",
        "Service /s",
        "Service / floor",
        "Target",
        "Service / tuned floor",
        "Floor / floor",
        "Generator busy",
    )
    return table(head, rows)


def closed_table(cells: Sequence[Cell]) -> str:
    """Closed mode with every call on record: a token checked, used once and signed anew for each call."""
    rows = [
        (
            cell.size,
            str(cell.connections),
            f"{cell.per_second(CLOSED):,.0f}",
            f"{cell.ratio(CLOSED):.2f}",
            f"{CLOSED_RATIO[cell.size]:.2f}" if cell.connections == 16 else "",
            f"{cell.ratio(CLOSED, to='service'):.2f}",
            f"{cell.latency(CLOSED, 'median'):.2f} / {cell.latency(CLOSED, 'p99'):.2f}",
            f"{cell.per_second(CLOSED_ES384):,.0f}",
            f"{cell.ratio(CLOSED_ES384):.2f}",
        )
        for cell in cells
    ]
    head = (
        "Size",
        "Connections",
        "Closed /s",
        "Closed / floor",
        "Target",
        "Closed / open",
        "p50 / p99, ms",
        "ES384 /s",
        "ES384 / floor",
    )
    return table(head, rows)


def storing_table(cells: Sequence[Cell]) -> str:
    """What waited to be stored after a round, and what the rate is when the storing of it counts."""
    rows = [
        (
            cell.size,
            str(cell.connections),
            f"{cell.median_of(CLOSED, 'waiting_megabytes'):,.1f}",
            f"{cell.median_of(CLOSED, 'storing_seconds'):.2f}",
            f"{cell.median_of(CLOSED, 'storing_processor_seconds'):.2f}",
            f"{cell.median_of(CLOSED, 'stored_per_second'):,.0f}",
            f"{cell.stored_ratio(CLOSED):.2f}",
            f"{cell.median_of(CLOSED_ES384, 'stored_per_second'):,.0f}",
            f"{cell.stored_ratio(CLOSED_ES384):.2f}",
        )
        for cell in cells
    ]
    head = (
        "Size",
        "Connections",
        "Waiting after a round, MB",
        "Stored within, s",
        "Of the processor, s",
        "Closed /s, stored",
        "Stored / floor",
        "ES384 /s, stored",
        "ES384, stored / floor",
    )
    return table(head, rows)


def latency_table(cells: Sequence[Cell]) -> str:
    """Median and 99th percentile, and how the latter compares."""
    rows = [
        (
            cell.size,
            str(cell.connections),
            *(
                f"{cell.latency(target, 'median'):.2f} / {cell.latency(target, 'p99'):.2f}"
                for target in ("floor", "tuned floor", "service")
            ),
            f"{cell.p99_ratio():.2f}",
            f"{cell.p99_ratio('tuned floor'):.2f}",
        )
        for cell in cells
    ]
    head = (
        "Size",
        "Connections",
        "Floor p50 / p99, ms",
        "Tuned floor p50 / p99, ms",
        "Service p50 / p99, ms",
        "p99 to floor",
        "p99 to tuned floor",
    )
    return table(head, rows)


def stage_table(stages: Sequence[Stage]) -> str:
    """Median microseconds of each step."""
    sizes = list(stages[0].microseconds)
    rows = [(stage.name, *(f"{stage.microseconds[size]:,.0f}" for size in sizes)) for stage in stages]
    return table(("Step, µs", *sizes), rows)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table, padded so that it also reads well as text; numbers stand right."""
    widths = [max(len(row[place]) for row in (head, *rows)) for place in range(len(head))]
    right = [
        place > 0 and all(row[place][:1].isdigit() or row[place][:1] in "*" for row in rows)
        for place in range(len(head))
    ]

    def line(row: Sequence[str]) -> str:
        cells = (
            cell.rjust(width) if to_right else cell.ljust(width)
            for cell, width, to_right in zip(row, widths, right, strict=True)
        )
        return f"| {' | '.join(cells)} |"

    rule = (
        "|"
        + "|".join(
            f" {'-' * (width - 1)}: " if r else f" {'-' * width} " for width, r in zip(widths, right, strict=True)
        )
        + "|"
    )
    return "\n".join([line(head), rule, *map(line, rows)])


def _how(plan: Plan) -> str:
    workers = f"{plan.workers} worker{'s' if plan.workers > 1 else ''} of {plan.threads} threads"
    return (
        f"All servers: gunicorn, {workers}, application loaded before the fork, on the first core; the load generator "
        "in its own process on the last core. The floor is bare Flask with orjson behind gunicorn's own threaded "
        "worker: it parses the body and returns a constant card. The tuned floor has what the service has: its worker, "
        "which hands no request from thread to thread, and its collector settings (`gc.freeze` after loading, "
        f"a higher threshold in the workers). {plan.rounds} interleaved rounds of all of them, the floor twice, of "
        f"{plan.seconds:g} s each; medians over the rounds, ratios within a round. The service writes its log "
        "line for each call; open, it authenticates nobody and records nothing; closed, it checks a token for each "
        "call and records each call, and what stores the records in SQLite is on the same core."
    )


def _start_and_memory(results: Results) -> str:
    rows = [
        (
            name,
            f"{results.starts[name]:.2f}",
            *(f"{held.rss:.0f} / {held.pss:.0f}" for held in (results.idle[name], results.after[name])),
        )
        for name in results.starts
        if name in results.idle
    ]
    if not rows:
        rows = [(name, f"{seconds:.2f}", "", "") for name, seconds in results.starts.items()]
    return table(
        ("Server", "Start to first answer, s", "Worker idle, MB RSS / PSS", "After large calls, MB RSS / PSS"), rows
    )


def _growth(points: Sequence[ScalePoint]) -> list[str]:
    usual = points[0].codings
    by_resources = [point for point in points if point.codings == usual]
    by_codings = [point for point in points if point.codings != usual]
    parts = ["One connection, median latency; two codings for each code.", _growth_table(by_resources)]
    if by_codings:
        parts += ["The same number of resources, more codings for each code.", _growth_table(by_codings)]
    return parts


def _growth_table(points: Sequence[ScalePoint]) -> str:
    rows = [
        (
            f"{point.resources:,}",
            str(point.codings),
            f"{point.megabytes:.1f}",
            f"{point.service:.2f}",
            f"{point.service * 1000 / point.resources:.2f}",
            f"{point.service / point.megabytes:.2f}",
            f"{point.floor:.2f}",
        )
        for point in points
    ]
    head = ("Resources", "Codings", "MB", "Service ms", "µs a resource", "ms a MB", "Floor ms")
    return table(head, rows)
