"""What stopped, jumped or fell silent: the last day beside the four weeks before it. Pure.

Chance alone sets off one comparison in ten thousand (our choice: some hundred are made at each look). A jump must also
be twofold, so that a large site is not warned about what nobody would notice.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from msgspec import Struct

from audit_trail.facts import Calls, Facts
from audit_trail.per_cent import per_cent
from audit_trail.statistics import percentile

CHANCE: Final = 1e-4
TIMES: Final = 2.0  # a jump is at least this many times the usual
FEWEST: Final = 5  # cases of what jumped
FEWEST_TIMED: Final = 30  # calls on either side, before their times are compared
RECENT_HOURS: Final = 24
BEFORE_DAYS: Final = 28
SILENCE_HOURS: Final = (2, 24)
WEEKS: Final = 4


class Warned(Struct, frozen=True):
    """One warning. ``kind`` and ``about`` stay the same as long as it lasts; ``says`` holds nothing of a patient."""

    kind: str
    about: str
    says: str
    recent: str
    usual: str
    grave: bool = False
    client: str = ""


class Window(Struct, frozen=True):
    """Calls of one client in the last hours, and in the same hours of the weeks before."""

    client: str
    hours: int
    recent: int
    before: tuple[int, ...]


class Watched(Struct, frozen=True):
    """What is compared."""

    recent: Facts
    before: Facts
    windows: tuple[Window, ...] = ()


def warnings_of(watched: Watched) -> tuple[Warned, ...]:
    """Everything that is unusual now, the gravest first."""
    found = [
        *_silence(watched.windows),
        *_stopped_rules(watched),
        *_stopped_sources(watched),
        *_jumps(watched),
        *_overrides(watched),
        *_latency(watched),
    ]
    return tuple(sorted(found, key=lambda each: (not each.grave, each.kind, each.about)))


def _silence(windows: Iterable[Window]) -> Iterator[Warned]:
    warned: set[str] = set()
    for each in sorted(windows, key=lambda window: -window.hours):
        usual = min(each.before, default=0)  # the quietest of them: a holiday among the four is no reason to warn
        if each.recent or each.client in warned or math.exp(-usual) > CHANCE:
            continue
        warned.add(each.client)
        who = each.client or "any client"
        yield Warned(
            kind="silence",
            about=each.client,
            says=f"No call from {who} in the last {each.hours} hours",
            recent="0 calls",
            usual=f"at least {usual} calls in the same hours of the last {len(each.before)} weeks",
            grave=True,
            client=each.client,
        )


def _stopped_rules(watched: Watched) -> Iterator[Warned]:
    before, recent = _counts(watched.before.orders, "row"), _counts(watched.recent.orders, "row")
    for row, warning in _stopped(before, recent):
        if row:
            usual, orders = warning
            yield Warned(
                kind="rule stopped",
                about=row,
                says=f"The rule row {row} no longer leads any decision",
                recent=f"0 of {orders} orders",
                usual=f"{per_cent(100 * usual, 1)} of orders",
                grave=True,
            )


def _counts(orders: Iterable[object], name: str) -> Counter[str]:
    found: Counter[str] = Counter()
    for each in orders:
        found[getattr(each, name)] += getattr(each, "orders", 1)
    return found


def _stopped(
    before: Counter[str], recent: Counter[str], of: int = 0, of_recent: int = 0
) -> Iterator[tuple[str, tuple[float, int]]]:
    """What had a share before, and has none now although chance would have given it one."""
    total, now = of or sum(before.values()), of_recent or sum(recent.values())
    for name, count in sorted(before.items()):
        if recent[name] or not total:
            continue
        share = min(count / total, 1.0)
        chance = 0.0 if share == 1 and now else (1 - share) ** now
        if chance <= CHANCE:
            yield name, (share, now)


def _stopped_sources(watched: Watched) -> Iterator[Warned]:
    """Prefetch keys, client by client: what one client no longer sends, another may."""
    answered_before, answered = _answered(watched.before.calls), _answered(watched.recent.calls)
    for client in sorted(answered):
        before, recent = _filled(watched.before, client), _filled(watched.recent, client)
        for key, (usual, calls) in _stopped(before, recent, answered_before[client], answered[client]):
            yield Warned(
                kind="source stopped",
                about=f"{client}: {key}",
                says=f"Nothing comes under the prefetch key {key} from {client or 'open calls'} any more",
                recent=f"0 of {calls} calls",
                usual=f"{per_cent(100 * usual)} of calls brought something",
                grave=True,
                client=client,
            )


def _answered(calls: Iterable[Calls]) -> Counter[str]:
    found: Counter[str] = Counter()
    for each in calls:
        if each.outcome == "answered":
            found[each.client] += each.calls
    return found


def _filled(facts: Facts, client: str) -> Counter[str]:
    found: Counter[str] = Counter()
    for each in facts.noted:
        if each.topic == "filled" and each.client == client:
            for key in each.value.split(","):
                found[key] += each.calls
    return found


_JUMPS: Final[tuple[tuple[str, str, Callable[[Calls], int]], ...]] = (
    ("failures", "Calls fail", lambda each: each.calls if each.outcome == "failed" else 0),
    ("unread sources", "Parts of records cannot be read", lambda each: each.unread),
    ("unmapped codes", "Codes are not recognised", lambda each: each.unmapped),
)


def _jumps(watched: Watched) -> Iterator[Warned]:
    clients = sorted({each.client for each in watched.recent.calls})
    for kind, says, count in _JUMPS:
        for client in clients:
            recent = [each for each in watched.recent.calls if each.client == client]
            before = [each for each in watched.before.calls if each.client == client]
            jump = _jump(sum(map(count, recent)), _calls(recent), sum(map(count, before)), _calls(before))
            if jump is not None:
                yield Warned(
                    kind=kind,
                    about=client,
                    says=f"{says} more often than usual, in calls of {client or 'open mode'}",
                    recent=jump[0],
                    usual=jump[1],
                    grave=kind != "unmapped codes",
                    client=client,
                )


def _calls(calls: Iterable[Calls]) -> int:
    return sum(each.calls for each in calls)


def _jump(count: int, of: int, count_before: int, of_before: int) -> tuple[str, str] | None:
    """Is it twice as frequent as before, and not by chance? In words, if so."""
    if count < FEWEST or not of or not of_before:
        return None
    usual = max(count_before, 0.5) / of_before  # never seen before: as if half a case had been
    if count / of < TIMES * usual or _at_least(count, of * usual) > CHANCE:
        return None
    return f"{count} of {of} calls ({per_cent(100 * count / of, 1)})", per_cent(100 * count_before / of_before, 1)


def _at_least(count: int, expected: float) -> float:
    """The chance of that many or more where so many are expected (Poisson)."""
    below = math.fsum(math.exp(each * math.log(expected) - expected - math.lgamma(each + 1)) for each in range(count))
    return max(0.0, 1 - below)


def _overrides(watched: Watched) -> Iterator[Warned]:
    def counted(facts: Facts) -> tuple[int, int]:
        outcomes = Counter(each.outcome for each in facts.shown)
        return outcomes["overridden"], outcomes["overridden"] + outcomes["accepted"]

    count, of = counted(watched.recent)
    count_before, of_before = counted(watched.before)
    jump = _jump(count, of, count_before, of_before)
    if jump is not None:
        recent, usual = (each.replace("calls", "reported cards") for each in jump)
        yield Warned(
            "overrides", "", "Cards are overridden more often than usual", recent, f"{usual} of reported cards"
        )


def _latency(watched: Watched) -> Iterator[Warned]:
    recent, before = (sorted(each.whole for each in facts.took) for facts in (watched.recent, watched.before))
    if len(recent) < FEWEST_TIMED or len(before) < FEWEST_TIMED:
        return
    slow, usual = percentile(recent, 95) or 0.0, percentile(before, 95) or 0.0
    if slow >= TIMES * usual and slow - usual >= 1.0:
        yield Warned(
            "latency", "", "Answers are slower than usual", f"95th percentile {slow:.0f} ms", f"{usual:.0f} ms"
        )
