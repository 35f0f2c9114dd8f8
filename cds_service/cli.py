"""The command line: serve, evaluate, codes, rules."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import BinaryIO, NoReturn

import click
import msgspec

from cards.profiles import DEFAULT_PROFILE, PROFILES
from cds_service import audit_cli, audit_store_cli  # noqa: F401  they add their commands to the group
from cds_service.audit_group import audit
from cds_service.egress_policy import BadAddress
from cds_service.lint_cli import lint
from cds_service.settings import HOOKS, Settings, SettingsError, fhir_base, settings_from
from cds_service.trust import NotLoopback, require_loopback
from cds_service.users_cli import users


@click.group()
@click.version_option(package_name="lumbar-imaging-cds")
def main() -> None:
    """Decision support on lumbar imaging orders, as a CDS Hooks service."""


@main.command()
@click.option("--clients", type=click.Path(path_type=Path), help="The registered clients [LUMBAR_CDS_CLIENTS].")
@click.option("--open", "open_mode", is_flag=True, help="No caller is authenticated: loopback addresses only.")
@click.option(
    "--fhir-server",
    "fhir_servers",
    multiple=True,
    metavar="URL",
    help="With --open: a FHIR server that records may be read from; repeatable [LUMBAR_CDS_FHIR_SERVERS].",
)
@click.option("--host", help="Address to listen on [LUMBAR_CDS_HOST, 127.0.0.1].")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on [LUMBAR_CDS_PORT, 8090].")
@click.option("--workers", type=click.IntRange(1, 64), help="Worker processes [LUMBAR_CDS_WORKERS, 1].")
@click.option("--threads", type=click.IntRange(1, 64), help="Threads per worker [LUMBAR_CDS_THREADS, 4].")
@click.option("--validate-output", is_flag=True, help="Check every answer against schema and R4B models (slow).")
def serve(
    clients: Path | None,
    open_mode: bool,
    fhir_servers: tuple[str, ...],
    host: str | None,
    port: int | None,
    workers: int | None,
    threads: int | None,
    validate_output: bool,
) -> None:
    """Run the service: for the clients of a file, or (--open) for everyone on this machine."""
    settings = _with_options(
        _settings(),
        clients=clients,
        fhir_servers=_fhir_bases(fhir_servers),
        host=host,
        port=port,
        workers=workers,
        threads=threads,
        validate_output=validate_output or None,
    )
    if open_mode == (settings.clients is not None):
        _stop(
            "serve answers registered clients: --clients FILE names them. For a trial on this machine, with made-up "
            "patients, --open answers everyone; it is one or the other"
        )
    if fhir_servers and not open_mode:
        _stop("--fhir-server goes with --open; for a registered client its servers stand in the clients file")
    if open_mode:
        try:
            require_loopback(settings.host)
        except NotLoopback as problem:
            _stop(str(problem))
    from cds_service.server import serve as run  # loads the web server, which the other commands do without
    from cds_service.welcome import welcome_text

    with _loading_problems():
        run(settings, lambda: click.echo(welcome_text(settings), err=True))


main.add_command(users)
main.add_command(audit)
main.add_command(lint)


@main.group()
def clients() -> None:
    """The registry of the clients that may call."""


@clients.command()
@click.argument("file", type=click.Path(path_type=Path))
def check(file: Path) -> None:
    """Check a clients file: every mistake, where it is and what mends it; or who may call, and from where.

    Exit status 0: usable; 2: not.
    """
    from cds_service.clients_check import described
    from cds_service.clients_file import ClientsFileError
    from cds_service.trust_setup import running_clients

    with _loading_problems():
        try:
            in_force = running_clients(_with_options(_settings(), clients=file)).current()
        except ClientsFileError as problem:
            for line in str(problem).splitlines():
                click.echo(f"lumbar-cds: {line}", err=True)
            sys.exit(2)
    for line in described(in_force):
        click.echo(line)


@main.command()
@click.argument("file", type=click.File("rb"))
@click.option(
    "--order", default="", help="For a patient's record: the order to judge, e.g. mri-lumbar-without-contrast."
)
@click.option("--reason", "reasons", multiple=True, help="For a record: a reason of the order, SYSTEM|CODE or text.")
@click.option("--hook", type=click.Choice(HOOKS), help="Judge as this hook; by default the request's own.")
@click.option("--today", help="Decide as of this day (YYYY-MM-DD).")
@click.option("--profile", type=click.Choice(list(PROFILES)), default=DEFAULT_PROFILE, help="Written for this client.")
@click.option("--json", "as_json", is_flag=True, help="The answer as the service would send it.")
def evaluate(
    file: BinaryIO,
    order: str,
    reasons: tuple[str, ...],
    hook: str | None,
    today: str | None,
    profile: str,
    as_json: bool,
) -> None:
    """The same decision without HTTP.

    Judges a hook request (JSON), or a patient's whole record (a FHIR Bundle, or a list of resources) with --order.

    FILE may be - for standard input. Exit status 0: judged; 1: refused, the OperationOutcome is on standard error.
    """
    from cards.plain_text import plain_text
    from cds_service.collaborators import build_collaborators
    from cds_service.errors import CallFailed, operation_outcome
    from cds_service.evaluation import CannotEvaluate, evaluate_file

    now = _moment(today)
    with _loading_problems():
        tools = build_collaborators(_settings(), now.date())
    try:
        consultation = evaluate_file(file.read(), order, reasons, hook or "", now, tools, profile)
    except CannotEvaluate as problem:
        _stop(str(problem))
    except CallFailed as failure:
        click.echo(operation_outcome(failure), err=True)
        sys.exit(1)
    if as_json:
        click.echo(consultation.answer)
        return
    if not consultation.advice and not consultation.shown.cards:
        click.echo("No card: no selected order is lumbar imaging, so nothing was assessed.")
        return
    click.echo(_printable(plain_text(consultation.shown)), nl=False)
    for each in consultation.advice:
        if each.rating is not None:
            click.echo(f"Rating of {_printable(each.order.name)}: {each.rating.pama.value}")


@main.command()
@click.argument("system", required=False)
@click.argument("code", required=False)
@click.argument("display", required=False, default="")
@click.option("--orders", is_flag=True, help="List the order concepts that --order of `evaluate` takes.")
def codes(system: str | None, code: str | None, display: str, orders: bool) -> None:
    """What a code means here, and why.

    Without arguments, reads `system,code,display` lines (CSV) from standard input and writes one JSON line for each.
    """
    from cds_service.code_lookup import answer_lines, look_up
    from cds_service.collaborators import load_code_lists

    with _loading_problems():
        terminology = load_code_lists(_settings())
    if orders:
        _echo_lines(concept for concept, group in sorted(terminology.concepts.items()) if group == "order")
        return
    if system is None:
        # A list out of another system may hold bytes that are no UTF-8: such a line is answered like any other.
        _echo_lines(answer_lines(terminology, io.TextIOWrapper(sys.stdin.buffer, "utf-8", errors="replace")))
        return
    if code is None:
        _stop("codes needs SYSTEM and CODE, or lines on standard input")
    meaning = look_up(terminology, system, code, display)
    if not meaning.recognised:
        click.echo("not recognised: it is counted as an unknown code, never taken for absence")
    _echo_lines(f"{concept}{' (absent)' if concept in meaning.absent else ''}" for concept in meaning.concepts)
    _echo_lines(f"  because {reason}" for reason in meaning.because)
    if not meaning.recognised:
        sys.exit(1)


@main.command()
@click.argument("part", required=False, default="")
def rules(part: str) -> None:
    """Print the decision tables with their citations.

    PART is a piece of a table's name, such as acr or safety.
    """
    from cds_service.decision_tables import printed_tables

    lines = list(printed_tables(part))
    if not lines:
        _stop(f"no table's name holds {part!r}")
    for line in lines:
        click.echo(line)


def _echo_lines(lines: Iterable[str]) -> None:
    for line in lines:
        click.echo(line)


def _printable(text: str) -> str:
    """Text of a record may hold anything, and a terminal obeys control characters."""
    return "".join(character if character.isprintable() or character == "\n" else " " for character in text)


def _settings() -> Settings:
    try:
        return settings_from(os.environ)
    except SettingsError as problem:
        _stop(str(problem))


def _fhir_bases(addresses: tuple[str, ...]) -> tuple[str, ...] | None:
    try:
        return tuple(fhir_base(each) for each in addresses) or None
    except BadAddress as problem:
        _stop(f"--fhir-server: {problem}")


def _with_options(settings: Settings, **options: object) -> Settings:
    return msgspec.structs.replace(settings, **{name: value for name, value in options.items() if value is not None})


def _moment(today: str | None) -> datetime:
    if today is None:
        return datetime.now(UTC)
    try:
        return datetime.combine(date.fromisoformat(today), time(12), tzinfo=UTC)
    except ValueError:
        _stop("--today: expected YYYY-MM-DD")


@contextmanager
def _loading_problems() -> Iterator[None]:
    """Turns a data file that cannot be used into one line that names it."""
    from cds_service.collaborators import DATA_PROBLEMS

    try:
        yield
    except DATA_PROBLEMS as problem:
        _stop(str(problem))


def _stop(message: str) -> NoReturn:
    click.echo(f"lumbar-cds: {message}", err=True)
    sys.exit(2)
