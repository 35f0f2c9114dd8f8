"""The benchmark: `make bench`, or `python -m bench --quick` for a short run."""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from statistics import median

from bench import machine
from bench.compare import Cell, compare, generate
from bench.generate import SEED, SERVICE, SIZES, count_resources, request_body, scaled_body
from bench.load import Load
from bench.micro import measure_stages, what_is_said
from bench.plan import Options, Plan, read_options
from bench.report import Results, ScalePoint, latency_table, ratio_table, report, stage_table
from bench.servers import COMMANDS, Served, free_port, running, target

PATH = f"/cds-services/{SERVICE}"


def main(arguments: list[str] | None = None) -> int:
    """Measure, print the tables, write the report."""
    options = read_options(arguments)
    command = " ".join(["python -m bench", *(sys.argv[1:] if arguments is None else arguments)])
    results = measure(options.plan, datetime.now(tz=UTC).date(), command)
    _say(report(results))
    _write(results, options)
    return 0


def measure(plan: Plan, day: date, command: str) -> Results:
    """Runs the whole plan."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        bodies = {size: _bodies(size, day, plan.bodies, folder) for size in plan.sizes}
        first = {size: Path(files[0]).read_bytes() for size, files in bodies.items()}
        stages = measure_stages(first, day, plan.micro_seconds)
        _say(stage_table(stages))
        smallest = request_body("small", day)
        starts = {name: _start(name, plan, smallest) for name in COMMANDS}
        with _all(plan, smallest) as servers:
            idle = _memory(servers)
            cells = _cells(plan, servers, bodies)
            after = _memory_after_large_calls(servers, plan, day, folder)
            scale = _scale(plan, servers, day, folder)
    return Results(
        day=day.isoformat(),
        machine=machine.description(),
        command=command,
        plan=plan,
        requests={size: (count_resources(body), len(body)) for size, body in first.items()},
        answers={size: tuple(what_is_said(body, day) for body in _one_of_each_kind(size, day)) for size in bodies},
        cells=tuple(cells),
        starts=starts,
        idle=idle,
        after=after,
        scale=tuple(scale),
        stages=tuple(stages),
    )


def _bodies(size: str, day: date, count: int, folder: Path) -> tuple[str, ...]:
    names = []
    for number in range(count):
        file = folder / f"{size}-{number}.json"
        file.write_bytes(request_body(size, day, SEED + number))
        names.append(str(file))
    return tuple(names)


def _one_of_each_kind(size: str, day: date) -> list[bytes]:
    return [request_body(size, day, SEED + number) for number in range(len(SIZES[size].histories))]


@contextmanager
def _all(plan: Plan, body: bytes) -> Iterator[dict[str, Served]]:
    with ExitStack() as stack:
        yield {name: stack.enter_context(_one(name, plan, body)) for name in COMMANDS}


@contextmanager
def _one(name: str, plan: Plan, body: bytes) -> Iterator[Served]:
    port = free_port()
    command = COMMANDS[name](port, plan.workers, plan.threads)
    with running(name, command, port, PATH, body, machine.cores()[0]) as served:
        yield served


def _start(name: str, plan: Plan, body: bytes) -> float:
    seconds = []
    for _ in range(plan.starts):
        with _one(name, plan, body) as served:
            seconds.append(served.first_answer)
    _say(f"{name}: first answer {median(seconds):.2f} s after the start")
    return median(seconds)


def _cells(plan: Plan, servers: dict[str, Served], bodies: dict[str, tuple[str, ...]]) -> list[Cell]:
    cells = []
    for size in plan.sizes:
        for connections in plan.connections:
            cells.append(compare(size, connections, servers, bodies[size], PATH, plan))
            _say(ratio_table(cells[-1:]))
    failures = sum(cell.failures() for cell in cells)
    if failures:
        raise RuntimeError(f"{failures} answers were not 200: the comparison means nothing")
    _say(latency_table(cells))
    return cells


def _memory(servers: dict[str, Served]) -> dict[str, machine.Memory]:
    """The largest worker of each server."""
    held = {}
    for name, server in servers.items():
        sizes = [size for size in map(machine.memory, machine.children(server.pid)) if size is not None]
        if sizes:
            held[name] = max(sizes, key=lambda size: size.rss)
    return held


def _memory_after_large_calls(
    servers: dict[str, Served], plan: Plan, day: date, folder: Path
) -> dict[str, machine.Memory]:
    """After 16 connections have each sent large calls for a while: what the workers keep."""
    bodies = _bodies("large", day, 2, folder)
    for name in servers:
        measured = target(servers, name)
        load = Load(
            port=measured.server.port,
            path=PATH,
            bodies=bodies,
            connections=16,
            seconds=plan.seconds,
            signer=measured.signer,
        )
        generate(load, measured)
    return _memory(servers)


def _scale(plan: Plan, servers: dict[str, Served], day: date, folder: Path) -> list[ScalePoint]:
    series = [(resources, 2) for resources in plan.resources]
    series += [(plan.codings_resources, codings) for codings in plan.codings if codings != 2]
    return [_point(resources, codings, plan, servers, day, folder) for resources, codings in series]


def _point(resources: int, codings: int, plan: Plan, servers: dict[str, Served], day: date, folder: Path) -> ScalePoint:
    body = scaled_body(resources, day, codings)
    file = folder / "scale.json"
    file.write_bytes(body)
    took = {}
    for name in servers:
        measured = target(servers, name)
        load = Load(
            port=measured.server.port,
            path=PATH,
            bodies=(str(file),),
            connections=1,
            seconds=60,
            requests=plan.scale_requests,
            signer=measured.signer,
        )
        took[name] = generate(load, measured).median
    point = ScalePoint(count_resources(body), codings, len(body) / 1e6, took["service"], took["floor"])
    _say(f"{point.resources} resources, {codings} codings: {point.service:.2f} ms (floor {point.floor:.2f} ms)")
    return point


def _write(results: Results, options: Options) -> None:
    if not options.results:
        return
    folder = Path(options.results)
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{results.day}-{machine.slug()}.md"
    file.write_text(report(results), encoding="utf-8")
    _say(f"written to {file}")


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
