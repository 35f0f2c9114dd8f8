"""Service against both floors under closed-loop load: interleaved rounds, the floor measured twice as a control."""

import subprocess
import sys
from statistics import median

import msgspec
from msgspec import Struct

from bench import machine
from bench.backlog import stored
from bench.load import Load, Measured
from bench.plan import Plan
from bench.servers import CLOSED, CLOSED_ES384, Served, Target, target

TARGETS = ("floor", "service", CLOSED, CLOSED_ES384, "tuned floor", "floor again")


class Cell(Struct, frozen=True):
    """One size at one number of connections: the measured rounds of each target."""

    size: str
    connections: int
    rounds: dict[str, tuple[Measured, ...]]

    def per_second(self, target: str) -> float:
        """Median over the rounds."""
        return median(each.per_second for each in self.rounds[target])

    def median_of(self, target: str, which: str) -> float:
        """Median over the rounds of anything that is measured."""
        found: float = median(getattr(each, which) for each in self.rounds[target])
        return found

    def latency(self, target: str, which: str) -> float:
        """Median over the rounds of the median, p99 or worst latency, in ms."""
        return self.median_of(target, which)

    def ratio(self, target: str = "service", to: str = "floor") -> float:
        """Requests a second over the floor's: median of the ratios within each round."""
        return self._median_ratio(target, to, "per_second")

    def stored_ratio(self, target: str, to: str = "floor") -> float:
        """The same, the storing of the records included."""
        pairs = zip(self.rounds[target], self.rounds[to], strict=True)
        ratio: float = median(one.stored_per_second / other.per_second for one, other in pairs)
        return ratio

    def p99_ratio(self, to: str = "floor") -> float:
        """The service's p99 over the floor's: median of the ratios within each round."""
        return self._median_ratio("service", to, "p99")

    def _median_ratio(self, target: str, to: str, which: str) -> float:
        pairs = zip(self.rounds[target], self.rounds[to], strict=True)
        ratio: float = median(getattr(one, which) / getattr(other, which) for one, other in pairs)
        return ratio

    def generator_busy(self) -> float:
        """The highest share of a core that the generator used in any round."""
        return max(each.generator_busy for rounds in self.rounds.values() for each in rounds)

    def failures(self) -> int:
        """Answers other than 200."""
        return sum(each.failures for rounds in self.rounds.values() for each in rounds)


def compare(
    size: str, connections: int, servers: dict[str, Served], bodies: tuple[str, ...], path: str, plan: Plan
) -> Cell:
    """Measures both servers, and the floor a second time, in rounds."""
    rounds: dict[str, list[Measured]] = {name: [] for name in TARGETS}
    for number in range(plan.rounds):
        order = TARGETS if number % 2 == 0 else tuple(reversed(TARGETS))
        for name in order:
            measured = target(servers, name)
            load = Load(
                port=measured.server.port,
                path=path,
                bodies=bodies,
                connections=connections,
                seconds=plan.seconds,
                warm_up=plan.warm_up,
                signer=measured.signer,
            )
            rounds[name].append(generate(load, measured))
    return Cell(size, connections, {name: tuple(measured) for name, measured in rounds.items()})


def generate(load: Load, to: Target) -> Measured:
    """Puts a load on a server. What it recorded is stored before anything else is measured."""
    measured = _generate(load)
    if not to.records:
        return measured
    left = stored(to.server.port, to.server.pid)
    return msgspec.structs.replace(
        measured,
        waiting_megabytes=left.megabytes,
        storing_seconds=left.seconds,
        storing_processor_seconds=left.processor_seconds,
    )


def _generate(load: Load) -> Measured:
    """Runs the load generator in a process of its own, on the last core if there are two."""
    available = machine.cores()
    pinned = msgspec.structs.replace(load, cpu=available[-1] if len(available) > 1 else None)
    done = subprocess.run(
        [sys.executable, "-m", "bench.load"], input=msgspec.json.encode(pinned), capture_output=True, check=False
    )
    if done.returncode != 0:
        raise RuntimeError(f"the load generator failed: {done.stderr.decode(errors='replace')[-500:]}")
    return msgspec.json.decode(done.stdout, type=Measured)
