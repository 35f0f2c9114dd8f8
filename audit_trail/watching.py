"""Reads what the sentinels compare: the last day, the four weeks before it, and the same hours of earlier weeks."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select

from audit_trail.facts import Facts, facts_of
from audit_trail.selection import Selection
from audit_trail.sentinels import BEFORE_DAYS, RECENT_HOURS, SILENCE_HOURS, WEEKS, Watched, Window
from audit_trail.tables import DECISION


def facts_before(connection: Connection, now: datetime) -> Facts:
    """The four weeks before the last day."""
    until = now - timedelta(hours=RECENT_HOURS)
    return facts_of(connection, Selection(since=until - timedelta(days=BEFORE_DAYS), until=until))


def watched_at(connection: Connection, now: datetime, before: Facts | None = None) -> Watched:
    """What is compared at that moment; ``before`` may be some hours old."""
    recent = facts_of(connection, Selection(since=now - timedelta(hours=RECENT_HOURS), until=now))
    return Watched(recent, before or facts_before(connection, now), _windows(connection, now))


def _windows(connection: Connection, now: datetime) -> tuple[Window, ...]:
    """For each client, and for all together under the empty name."""
    found: list[Window] = []
    for hours in SILENCE_HOURS:
        weeks = [_calls(connection, now - timedelta(weeks=week), hours) for week in range(WEEKS + 1)]
        clients = {client for each in weeks for client in each}
        for client in sorted(clients):
            counts = [each.get(client, 0) for each in weeks]
            found.append(Window(client, hours, counts[0], tuple(counts[1:])))
        if len(clients) != 1:
            sums = [sum(each.values()) for each in weeks]
            found.append(Window("", hours, sums[0], tuple(sums[1:])))
    return tuple(found)


def _calls(connection: Connection, until: datetime, hours: int) -> dict[str, int]:
    column = DECISION.c
    query = (
        select(column.client, func.count())
        .where(column.at >= until - timedelta(hours=hours), column.at < until)
        .group_by(column.client)
    )
    return {row[0]: row[1] for row in connection.execute(query)}
