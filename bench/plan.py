"""How long a benchmark takes: the full plan, the quick one, and what the command line changes."""

import argparse

from msgspec import Struct
from msgspec.structs import replace

SIZES = ("small", "typical", "large")


class Plan(Struct, frozen=True):
    """Rounds are interleaved: a busy minute of the machine hits all alike."""

    rounds: int = 7
    seconds: float = 3.0
    warm_up: float = 0.5
    connections: tuple[int, ...] = (1, 16)
    sizes: tuple[str, ...] = SIZES
    bodies: int = 15  # patients of each size, sent in turn, of several kinds of case
    starts: int = 5
    resources: tuple[int, ...] = (250, 500, 1_000, 2_000, 5_000, 10_000, 20_000)
    codings: tuple[int, ...] = (1, 2, 4, 8, 16, 32)
    codings_resources: int = 1_000
    scale_requests: int = 15
    micro_seconds: float = 1.0
    workers: int = 1
    threads: int = 4


QUICK = Plan(
    rounds=3,
    seconds=0.6,
    warm_up=0.2,
    bodies=5,
    starts=2,
    resources=(250, 1_000, 4_000),
    codings=(1, 4, 16),
    scale_requests=5,
    micro_seconds=0.2,
)


class Options(Struct, frozen=True):
    """What was asked for on the command line."""

    plan: Plan
    results: str  # directory; empty: print only


def read_options(arguments: list[str] | None) -> Options:
    """The plan, from the command line."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Compares the service with the floor.")
    parser.add_argument("--quick", action="store_true", help="a minute instead of ten; coarse numbers")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--seconds", type=float, help="length of one measured stretch")
    parser.add_argument("--sizes", nargs="+", choices=SIZES)
    parser.add_argument("--connections", nargs="+", type=int)
    parser.add_argument("--starts", type=int)
    parser.add_argument("--resources", nargs="*", type=int, help="the scale series")
    parser.add_argument("--codings", nargs="*", type=int, help="the series of codings per resource")
    parser.add_argument("--micro-seconds", type=float, help="how long each step of a consultation is repeated")
    parser.add_argument("--workers", type=int, help="worker processes of both servers")
    parser.add_argument("--threads", type=int, help="threads per worker of both servers")
    parser.add_argument("--results", default="bench/results", help="directory for the report; '' prints only")
    asked = vars(parser.parse_args(arguments))
    plan = QUICK if asked.pop("quick") else Plan()
    results = asked.pop("results")
    changes = {
        name: tuple(value) if isinstance(value, list) else value for name, value in asked.items() if value is not None
    }
    return Options(replace(plan, **changes), results)
