"""What thresholds would have cost, on the command line; and what other parameters would have changed about it."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache

import msgspec
from msgspec import Struct

from audit_trail.per_cent import per_cent
from audit_trail.selection import Selection
from audit_trail.simulation import Simulation, simulate
from cds_service.audit_desk import Desk
from cds_service.audit_replaying import KEPT
from cds_service.contents_in_use import decide_by
from cds_service.deciding_again import CannotDecideAgain
from cds_service.replay import contents_of
from cds_service.terminal import facts, heading, paragraph, table, title
from rules.parameters import ParameterError, parameters_on


class Otherwise(Struct, frozen=True):
    """The same calls, decided again with other parameters: cards by indicator, then and so."""

    parameters: dict[str, float]
    decided: int
    not_decided: dict[str, int]  # calls, by why they cannot be decided again
    before: dict[str, int]
    after: dict[str, int]
    changed: int  # calls whose answer would have been another one


class Simulated(Struct, frozen=True):
    """The cost of each threshold; and, where other parameters were asked about, what they would have changed."""

    cost: Simulation
    otherwise: Otherwise | None = None


def simulation(desk: Desk, period: Selection, patient: str, changes: Sequence[str], most: int) -> Simulated:
    """The cost of each threshold over these calls. Raises ``ValueError`` for a parameter that cannot be used."""
    parameters = _parameters(changes)
    cost = simulate(desk.queries, period, patient)
    return Simulated(cost, _otherwise(desk, period, patient, parameters, most) if parameters else None)


def simulated_lines(found: Simulated) -> Iterator[str]:
    """The table that a site decides by."""
    cost = found.cost
    yield from title("What each threshold would have cost")
    yield ""
    if cost.since is None or cost.until is None:
        yield "No call on record fits."
        return
    silent = f", {cost.silent_calls:,} of them of silent clients" if cost.silent_calls else ""
    yield from facts(
        (
            ("Period", f"{cost.since:%Y-%m-%d} to {cost.until:%Y-%m-%d}, {_of(cost.days, 'day')} with calls"),
            ("Calls", f"{cost.calls:,}{silent}"),
            ("With an order of ours", f"{cost.judged_calls:,}, by {_of(cost.clinicians, 'clinician')}"),
        )
    )
    yield ""
    rows = [
        (
            each.means, f"{each.cards:,}", f"{each.a_day:.1f}", f"{each.busiest_day:,}",
            per_cent(each.percent_of_calls), f"{each.a_clinician_a_day:.1f}", f"{each.different:,}",
        )
        for each in cost.thresholds
    ]  # fmt: skip
    yield from table(("Shown are", "Cards", "A day", "Most", "Of calls", "Each*", "Once**"), rows)
    yield ""
    yield from paragraph(
        "Most: on the busiest day. Of calls: of those with an order of ours. *: a day and clinician with such a call. "
        "**: the same advice to the same clinician on the same patient, once a day."
    )
    if cost.kinds:
        yield from heading("By kind of advice")
        kinds = [(each.situation, each.indicator, f"{each.cards:,}", f"{each.a_day:.1f}") for each in cost.kinds]
        yield from table(("Advice", "Card", "Cards", "A day"), kinds)
    if found.otherwise is not None:
        yield from _otherwise_lines(found.otherwise, cost.days)


def _otherwise_lines(otherwise: Otherwise, days: int) -> Iterator[str]:
    named = ", ".join(f"{name} = {value:g}" for name, value in otherwise.parameters.items())
    yield from heading(f"With {named}")
    yield from paragraph(
        f"{otherwise.decided:,} calls were decided again, and {otherwise.changed:,} answers would have been others."
    )
    for problem, calls in otherwise.not_decided.items():
        yield from paragraph(f"{_of(calls, 'call')} cannot be decided again: {problem}.")
    yield ""
    rows = [
        (name, f"{before:,}", f"{after:,}", f"{(after - before) / days if days else 0:+.1f}")
        for name in ("critical", "warning", "info")
        if (before := otherwise.before.get(name, 0)) | (after := otherwise.after.get(name, 0)) or name == "critical"
    ]
    yield from table(("Card", "As decided", "So", "A day"), rows)


def _of(count: int, what: str) -> str:
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"


def _parameters(changes: Sequence[str]) -> dict[str, float]:
    found: dict[str, float] = {}
    for change in changes:
        name, equals, value = change.partition("=")
        try:
            read = tomllib.loads(f"value = {value}")["value"] if equals else None
        except tomllib.TOMLDecodeError:
            read = None
        if isinstance(read, bool) or not isinstance(read, int | float):
            raise ValueError(f"--set {change}: expected NAME=NUMBER")
        found[name.strip()] = read
    return found


def _otherwise(desk: Desk, period: Selection, patient: str, parameters: dict[str, float], most: int) -> Otherwise:
    before, after, failed = Counter[str](), Counter[str](), Counter[str]()
    decided = changed = 0
    seen: set[str] = set()
    content = lru_cache(maxsize=KEPT)(desk.queries.content)
    for call in desk.queries.records(period, patient=patient):
        record = call.record
        if record.outcome != "answered" or record.decision in seen:
            continue
        if decided + failed.total() >= most:
            break
        seen.add(record.decision)
        try:
            parameters_on(record.at.date(), parameters)
            contents = dict(contents_of(record.versions, content))
            was = decide_by(record, contents)
            contents["settings"] = _with_parameters(contents["settings"]["settings.json"], parameters)
            now = decide_by(record, contents)
        except ParameterError as problem:
            raise ValueError(str(problem)) from None
        except CannotDecideAgain as problem:
            failed[str(problem)] += 1
            continue
        decided += 1
        changed += was.answer != now.answer
        before.update(_indicators(was.answer))
        after.update(_indicators(now.answer))
    return Otherwise(parameters, decided, dict(failed), dict(before), dict(after), changed)


def _with_parameters(text: str, parameters: dict[str, float]) -> dict[str, str]:
    settings = msgspec.json.decode(text)
    settings["site_parameters"] = dict(sorted({**settings["site_parameters"], **parameters}.items()))
    return {"settings.json": msgspec.json.format(msgspec.json.encode(settings), indent=2).decode()}


def _indicators(answer: bytes) -> list[str]:
    return [card["indicator"] for card in msgspec.json.decode(answer).get("cards") or ()]
