"""Replay and comparison on the command line: one decision in full, or a whole period, a line for each that differs."""

from __future__ import annotations

from collections import Counter
from datetime import date
from functools import lru_cache
from typing import Any, Final

import click
import msgspec

from audit_trail.selection import Selection
from cds_service.audit_desk import Desk
from cds_service.collaborators import GuidelinesByDay, load_code_lists
from cds_service.replay import Replayed, compare, replay
from cds_service.replay_views import compare_lines, replay_lines
from cds_service.settings import Settings
from cds_service.terminal import printable
from cds_service.trust_setup import running_clients
from cds_service.versions import InForce, in_force

SAME: Final = 0
DIFFERS: Final = 1
CANNOT: Final = 2
KEPT: Final = 32  # contents that are kept at hand: many calls were made by the same


def replay_one(desk: Desk, name: str, as_json: bool) -> int:
    """One decision, made again."""
    call = desk.call(name)
    desk.looked("replay", call.record.decision, records=1)
    replayed = replay(call.record, desk.queries.content)
    if as_json:
        click.echo(msgspec.json.encode({"decision": call.record.decision, **_plain(replayed)}))
    else:
        for line in replay_lines(call.record, replayed):
            click.echo(line)
    return _status(replayed)


def replay_many(desk: Desk, period: Selection, patient: str, as_json: bool) -> int:
    """Every call of a period: those that differ or cannot be replayed, and the count."""
    count: Counter[int] = Counter()
    content = lru_cache(maxsize=KEPT)(desk.queries.content)
    for call in desk.queries.records(period, patient=patient):
        replayed = replay(call.record, content)
        status = _status(replayed)
        count[status] += 1
        if as_json:
            click.echo(
                msgspec.json.encode({"record": call.place.id, "decision": call.record.decision, **_plain(replayed)})
            )
        elif status != SAME:
            click.echo(f"{call.record.decision}  {printable(_in_a_line(replayed))}")
    if not as_json:
        cannot = f", {count[CANNOT]} cannot be replayed" if count[CANNOT] else ""
        click.echo(f"{count[SAME]} the same to the byte, {count[DIFFERS]} differ{cannot}")
    return DIFFERS if count[DIFFERS] else SAME


def compare_one(desk: Desk, name: str, today: date, as_json: bool) -> int:
    """What today would say to one call, and why."""
    call = desk.call(name)
    desk.looked("diff", call.record.decision, records=1)
    # Without a clients file it is not known which lists a client has today: then those of the record stand.
    keep_site = _settings().clients is None
    compared = compare(call.record, desk.queries.content, todays(call.record.client), today, keep_site)
    if as_json:
        click.echo(msgspec.json.encode({"decision": call.record.decision, **_plain(compared)}))
    else:
        for line in compare_lines(call.record, compared):
            click.echo(line)
    if compared.problem:
        return CANNOT
    return DIFFERS if compared.differences else SAME


def todays(client: str) -> InForce:
    """What this installation would decide by for that client, as its environment has it."""
    settings = _settings()
    lists = running_clients(settings).current().code_lists if settings.clients is not None else {}
    terminology = lists.get(client) or load_code_lists(settings)
    return in_force(settings, GuidelinesByDay(settings).site_values, terminology)


def _settings() -> Settings:
    from cds_service.cli import _settings as settings  # the group of commands that this one is part of

    return settings()


def _status(replayed: Replayed) -> int:
    if replayed.problem:
        return CANNOT
    return SAME if replayed.same else DIFFERS


def _in_a_line(replayed: Replayed) -> str:
    if replayed.problem:
        return f"cannot be replayed: {replayed.problem}"
    by = "the same software" if replayed.same_software else f"written by {replayed.wrote or 'an unrecorded version'}"
    places = ", ".join(each.place for each in replayed.differences[:3])
    more = f" and {len(replayed.differences) - 3} more" if len(replayed.differences) > 3 else ""
    return f"differs ({by}): {places}{more}"


def _plain(value: object) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(value)
    return plain
