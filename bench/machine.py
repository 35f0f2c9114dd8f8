"""The machine a benchmark ran on, and what its processes used of it (Linux; elsewhere the numbers are left out)."""

import os
import platform
import re
import sys
from importlib.metadata import version
from pathlib import Path

from msgspec import Struct


class Memory(Struct, frozen=True):
    """One process, in MB (10^6 bytes): resident, and its proportional share of what it shares with others."""

    rss: float
    pss: float


def pin(cpu: int) -> None:
    """Keeps the calling process, and what it starts, on one core."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {cpu})


def cores() -> tuple[int, ...]:
    """The cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return tuple(sorted(os.sched_getaffinity(0)))
    return tuple(range(os.cpu_count() or 1))


def children(pid: int) -> tuple[int, ...]:
    """The processes that this one started: a server's workers."""
    listing = Path(f"/proc/{pid}/task/{pid}/children")
    return tuple(int(child) for child in listing.read_text().split()) if listing.exists() else ()


def processor_seconds(pid: int) -> float | None:
    """What the processes that this one started have used of the processor, where the system can say."""
    stats = [Path(f"/proc/{child}/stat") for child in children(pid)]
    if not stats or not all(stat.exists() for stat in stats):
        return None
    ticks = (stat.read_text().rpartition(")")[2].split()[11:13] for stat in stats)  # utime and stime, proc(5)
    return sum(int(user) + int(system) for user, system in ticks) / os.sysconf("SC_CLK_TCK")


def memory(pid: int) -> Memory | None:
    """What one process holds, where the system can say."""
    rollup = Path(f"/proc/{pid}/smaps_rollup")
    if not rollup.exists():
        return None
    sizes = dict(re.findall(r"^(\w+): +(\d+) kB", rollup.read_text(), re.MULTILINE))
    return Memory(rss=int(sizes["Rss"]) * 1024 / 1e6, pss=int(sizes["Pss"]) * 1024 / 1e6)


def description() -> str:
    """Processor, cores, system, Python and the versions that matter."""
    packages = ", ".join(f"{name} {version(name)}" for name in ("flask", "gunicorn", "msgspec", "orjson"))
    return (
        f"{_processor()}, {len(cores())} cores; {platform.system()} {platform.machine()}; "
        f"{platform.python_implementation()} {platform.python_version()}; {packages}"
    )


def slug() -> str:
    """The machine as part of a file name."""
    words = re.sub(r"\((r|tm)\)|processor|cpu", "", _processor().lower())
    return re.sub(r"[^a-z0-9]+", "-", f"{words} {len(cores())} cores").strip("-")


def _processor() -> str:
    listing = Path("/proc/cpuinfo")
    if listing.exists():
        found = re.search(r"^model name\s*: (.+)$", listing.read_text(), re.MULTILINE)
        if found:
            return found[1].strip()
    return platform.processor() or sys.platform
