"""`lumbar-cds audit`: what was said, on which facts, by which rules, what happened next, and would it be said today?

ID is the id of a decision, its first characters, the id of its record or of one of its cards, or `last`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, BinaryIO, NoReturn

import click
import msgspec

from cds_service.audit_group import audit
from cds_service.audit_period import BadPeriod, choosing, choosing_replies, described, selection

as_json = click.option("--json", "as_json", is_flag=True, help="As JSON, for a program.")


@audit.command("list", short_help="The calls on record, the newest first.")
@choosing
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True, help="How many.")
@as_json
def list_calls(limit: int, as_json: bool, **chosen: str) -> None:
    """The calls on record, the newest first."""
    from cds_service.audit_views import list_lines
    from cds_service.listing import list_of

    with _desk() as desk:
        period, patient = _selection(chosen)
        found = desk.queries.decisions(period, patient=patient, limit=limit + 1)
        more, found = len(found) > limit, found[:limit]
        desk.looked("list", chosen=described(chosen), records=len(found))
        if as_json:
            _echo_json(found)
        else:
            _echo(list_lines(list_of(desk.queries, found), more))


@audit.command(short_help="Everything on record of one call.")
@click.argument("name", metavar="ID")
@click.option("--request", "part", flag_value="request", help="The request alone, as it was kept.")
@click.option("--answer", "part", flag_value="answer", help="The answer alone, to the byte.")
@as_json
def show(name: str, part: str | None, as_json: bool) -> None:
    """Everything on record of one call."""
    from audit_trail.export_ndjson import decision_as_json
    from audit_trail.packing import unpacked
    from cds_service.audit_views import show_lines

    with _desk() as desk:
        call = desk.call(name)
        desk.looked("show", call.record.decision, records=1)
        if part is not None:
            sys.stdout.buffer.write(unpacked(getattr(call.record, part)))
        elif as_json:
            click.echo(decision_as_json(call.record, call.place.id, desk.happened(call.record)))
        else:
            _echo(show_lines(call, desk.happened(call.record), desk.repeats(call)))


@audit.command(short_help="A decision as a short story.")
@click.argument("name", metavar="ID")
@as_json
def explain(name: str, as_json: bool) -> None:
    """The decision as a short story: facts, questions and answers, the row that decided, what would have changed it."""
    from audit_trail.story import story_of
    from cds_service.story_text import story_lines

    with _desk() as desk:
        call = desk.call(name)
        desk.looked("explain", call.record.decision, records=1)
        story = story_of(call.record, desk.happened(call.record))
        if as_json:
            _echo_json([story])
        else:
            _echo(story_lines(story))


@audit.command(short_help="Decide again from the record: the same to the byte?")
@click.argument("names", metavar="[ID]...", nargs=-1)
@choosing
@click.option("--all", "everything", is_flag=True, help="Every call of the period; one line for each that differs.")
@as_json
def replay(names: tuple[str, ...], everything: bool, as_json: bool, **chosen: str) -> None:
    """Make a decision again from its record: the same to the byte, or every difference.

    By the same software the answer must be the same to the byte. Another version says which one wrote it, decides again
    on what is stored, and reports every difference. Exit status 0: the same; 1: something differs; 2: something cannot
    be replayed.
    """
    from cds_service.audit_replaying import replay_many, replay_one

    if bool(names) == everything:
        _stop("replay takes one ID or more, or --all for every call of the period")
    with _desk() as desk:
        if everything:
            period, patient = _selection(chosen)
            desk.looked("replay", chosen=described(chosen))
            status = replay_many(desk, period, patient, as_json)
        else:
            status = max(replay_one(desk, name, as_json) for name in names)
    sys.exit(status)


@audit.command(short_help="What today would say to that call, and why.")
@click.argument("name", metavar="ID")
@click.option("--today", help="By the rules of this day (YYYY-MM-DD); by default today's.")
@as_json
def diff(name: str, today: str | None, as_json: bool) -> None:
    """What today's rules, code lists, wording and settings would say to that call, and which of them makes the change.

    Exit status 0: the same to the byte; 1: it differs; 2: it cannot be compared.
    """
    from cds_service.audit_replaying import compare_one
    from cds_service.cli import _moment

    with _desk() as desk:
        status = compare_one(desk, name, _moment(today).date(), as_json)
    sys.exit(status)


@audit.command(short_help="What clinicians replied, to which advice.")
@choosing_replies
@as_json
def feedback(as_json: bool, **chosen: str) -> None:
    """What clinicians replied to cards: outcome, reason and comment, with the decision and the advice.

    The period is when the reports arrived. A card that is not known has no decision, and is listed all the same.
    """
    from cds_service.feedback_listing import replies, reply_lines

    with _desk() as desk:
        period, _ = _selection(chosen)
        found = replies(desk.queries, period)
        desk.looked("feedback", chosen=described(chosen), records=len(found))
        if as_json:
            _echo_json(found)
        else:
            _echo(reply_lines(found))


@audit.command(short_help="Records as JSON lines, CSV or FHIR.")
@click.option(
    "--format", "form", type=click.Choice(("ndjson", "csv", "fhir")), default="ndjson", show_default=True,
    help="ndjson: whole records; csv: a line for each order; fhir: AuditEvents and Provenance, R4.",
)  # fmt: skip
@choosing
@click.option("--bundle", is_flag=True, help="With fhir: one Bundle in place of a resource a line.")
@click.option("--output", type=click.File("wb"), default="-", help="A file; by default standard output.")
def export(form: str, bundle: bool, output: BinaryIO, **chosen: str) -> None:
    """Records for other systems. Identifiers are in clear: the export is as confidential as the store."""
    from cds_service.audit_exporting import exported

    if bundle and form != "fhir":
        _stop("--bundle goes with --format fhir")
    with _desk() as desk:
        period, patient = _selection(chosen)
        desk.looked("export", chosen=f"{form} {described(chosen)}".strip())
        count = 0
        for piece, calls in exported(desk, _settings(), period, patient, form, bundle):
            output.write(piece)
            count += calls
    click.echo(f"{count} {'call' if count == 1 else 'calls'} exported as {form}", err=True)


@audit.command(short_help="How many cards a day each threshold would cost.")
@choosing
@click.option(
    "--set", "changes", multiple=True, metavar="NAME=VALUE",
    help="Also decide the calls again with this parameter (see `lumbar-cds rules parameters`); repeatable.",
)  # fmt: skip
@click.option(
    "--most", type=click.IntRange(1, 100_000), default=2000, show_default=True, help="With --set: most calls."
)
@as_json
def simulate(changes: tuple[str, ...], most: int, as_json: bool, **chosen: str) -> None:
    """How many cards a day each threshold would have cost, before a silent client goes live."""
    from cds_service.audit_simulating import simulated_lines, simulation

    with _desk() as desk:
        period, patient = _selection(chosen)
        desk.looked("simulate", chosen=" ".join([described(chosen), *changes]).strip())
        try:
            found = simulation(desk, period, patient, changes, most)
        except ValueError as problem:
            _stop(str(problem))
        if as_json:
            _echo_json([found])
        else:
            _echo(simulated_lines(found))


@contextmanager
def _desk() -> Iterator[Any]:
    from audit_trail.draining import StoreDown
    from cds_service.audit_desk import CannotLook, open_desk

    try:
        with open_desk(_settings()) as desk:
            yield desk
    except (CannotLook, StoreDown) as problem:
        _stop(str(problem))


def _settings() -> Any:
    from cds_service.cli import _settings as settings  # the group of commands that this one is part of

    return settings()


def _selection(chosen: dict[str, str]) -> Any:
    try:
        return selection(datetime.now(UTC), **chosen)
    except BadPeriod as problem:
        _stop(str(problem))


def _echo(lines: Iterable[str]) -> None:
    for line in lines:
        click.echo(line)


def _echo_json(items: Iterable[Any]) -> None:
    for item in items:
        click.echo(msgspec.json.encode(item))


def _stop(message: str) -> NoReturn:
    click.echo(f"lumbar-cds: {message}", err=True)
    sys.exit(2)
