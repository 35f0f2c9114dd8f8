"""`lumbar-cds audit verify, checkpoint, prune, backup, restore, migrate`: is the record whole, and how it is kept."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NoReturn

import click

from cds_service.audit_group import audit
from cds_service.settings import Settings, SettingsError, settings_from

_file = click.Path(path_type=Path, dir_okay=False)
_existing = click.Path(path_type=Path, dir_okay=False, exists=True)


@audit.command()
@click.option("--public-key", "public_keys", multiple=True, type=_existing, help="Key of another machine (PEM).")
@click.option("--checkpoints", "files", multiple=True, type=_existing, help="Checkpoints kept elsewhere, one a line.")
def verify(public_keys: tuple[Path, ...], files: tuple[Path, ...]) -> None:
    """Is the record still what was written? Names the first broken link of each chain.

    Checks every record, every column that lists and numbers read, and every checkpoint: those in the store, those in
    the state folder, and those of --checkpoints. Exit status 0: whole; 1: not.
    """
    from audit_trail.checkpoints import checkpoints_of, fingerprint_of, public_key_at
    from audit_trail.verification import verify as verify_store
    from cds_service.audit_access import at_the_command_line

    settings = _settings()
    with _problems():
        desk = at_the_command_line(settings)
        keys = {desk.signer.fingerprint: desk.signer.public_key}
        keys.update((fingerprint_of(key), key) for key in map(public_key_at, public_keys))
        own = (settings.audit_checkpoints,) if settings.audit_checkpoints.exists() else ()
        anchored = [checkpoint for path in (*own, *files) for checkpoint in checkpoints_of(path)]
        desk.accessed("verify")
        found = verify_store(desk.store, keys, anchored)
    records, chains = _many(found.records, "record"), _many(found.writers, "chain")
    click.echo(f"{records} in {chains}, {found.pruned} of them pruned under tombstones")
    click.echo(f"checkpoints that hold: {found.checkpoints}")
    for span in found.lost:
        click.echo(f"never stored, as a journal was damaged: {span.writer}-{span.first} to {span.last}")
    for each_aside in found.set_aside:
        click.echo(f"kept without columns, unknown to lists and numbers: {each_aside}")
    for number, each in enumerate(found.broken):
        click.echo(f"{'first broken link' if number == 0 else 'broken'}: {each}", err=True)
    if not found.sound:
        sys.exit(1)
    click.echo("every chain is whole" + ("; of what a damaged journal lost see above" if found.lost else ""))


@audit.command()
@click.option("--public-key", "show_key", is_flag=True, help="Print the public key that checkpoints are signed with.")
def checkpoint(show_key: bool) -> None:
    """Sign how far each chain has come, and print it as one line, to be kept where nobody can change it."""
    from audit_trail.checkpoints import as_line, checkpoints_in, make_checkpoint, public_pem
    from cds_service.audit_access import at_the_command_line
    from cds_service.store_keeping import keep_outside

    settings = _settings()
    with _problems():
        desk = at_the_command_line(settings)
        if show_key:
            click.echo(public_pem(desk.signer.public_key), nl=False)
            return
        made = make_checkpoint(desk.store, desk.signer, datetime.now(UTC))
        if made is not None:
            keep_outside(made, settings.audit_checkpoints)
        else:
            click.echo("nothing was recorded since the last one:", err=True)
            made = [each for each in checkpoints_in(desk.store) if each.key == desk.signer.fingerprint][-1]
    click.echo(as_line(made))


@audit.command()
@click.option("--days", type=click.IntRange(0, 36_500), help="Keep that many days [LUMBAR_CDS_AUDIT_KEEP_DAYS].")
@click.option("--patient", help="Prune the calls about this patient (the id of their calls), whatever their age.")
@click.option("--client", default="", help="With --patient: whose patient, as `audit list` names it.")
@click.option("--because", default="", help="Why; the tombstone says so.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def prune(days: int | None, patient: str | None, client: str, because: str, yes: bool) -> None:
    """Delete contents that are no longer to be kept; their places in the chain and their hashes stay.

    A tombstone in the chain says what was pruned, when, by whom and why. Backups are not touched.
    """
    from audit_trail.retention import Why, prune_before, prune_patient
    from cds_service.audit_access import at_the_command_line

    settings = _settings()
    if patient is not None and (days is not None or not because or not client):
        _stop("--patient goes with --client and --because, and without --days")
    keep = settings.audit_keep_days if days is None else days
    if patient is None and not keep and days is None:
        _stop("how old? --days N, or LUMBAR_CDS_AUDIT_KEEP_DAYS")
    patient = None if patient is None else patient.removeprefix("Patient/")
    what = f"every call about patient {patient}" if patient is not None else f"every call older than {keep} days"
    if not yes:
        click.confirm(f"Delete the contents of {what} for good?", abort=True)
    now = datetime.now(UTC)
    with _problems():
        desk = at_the_command_line(settings)
        desk.accessed("prune", filter=f"days={keep}" if patient is None else f"one patient of {client}")
        why = Why(writer=desk.signer.writer, by=desk.who, because=because or f"retention: {keep} days", now=now)
        if patient is not None:
            pruned = prune_patient(desk.store, patient, client, why)
        else:
            pruned = prune_before(desk.store, now - timedelta(days=keep), why)
    click.echo(f"pruned {_many(pruned.records, 'record')} under {_many(pruned.tombstones, 'tombstone')}")


@audit.command()
@click.argument("file", type=_file)
def backup(file: Path) -> None:
    """Write every record to FILE, while the service runs. The file must not exist; it is readable by nobody else."""
    from audit_trail.backup import back_up
    from cds_service.audit_access import at_the_command_line

    settings = _settings()
    with _problems():
        desk = at_the_command_line(settings)
        desk.accessed("backup")
        new = file.with_name(f"{file.name}.part")
        with os.fdopen(os.open(new, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as opened:
            try:
                if file.exists():
                    raise FileExistsError(17, "there is such a file already", str(file))
                records = back_up(desk.store, opened)
                opened.flush()
                os.fsync(opened.fileno())
                new.rename(file)
            except BaseException:
                new.unlink()
                raise
    click.echo(f"{_many(records, 'record')} in {file}")


@audit.command()
@click.argument("file", type=_existing)
def restore(file: Path) -> None:
    """Put a backup into the (empty) store of the settings. Stop the service first."""
    from audit_trail.backup import restore as restore_store
    from cds_service.audit_access import at_the_command_line

    settings = _settings()
    with _problems():
        desk = at_the_command_line(settings)
        desk.store.prepare()
        with file.open("rb") as opened:
            records = restore_store(desk.store, opened)
        desk.accessed("restore", records=records)
    click.echo(f"{_many(records, 'record')} restored; lumbar-cds audit verify checks them against the checkpoints")


@audit.command()
def migrate() -> None:
    """Bring the store's tables up to date with this version, all or nothing."""
    from audit_trail.schema import migrate as migrate_store
    from cds_service.audit_access import at_the_command_line

    with _problems():
        desk = at_the_command_line(_settings())
        done = migrate_store(desk.store.for_migration)
        desk.accessed("migrate", filter=f"{done.before or 'new'} to {done.after}", records=done.derived_again)
    if done.before == done.after and not done.derived_again:
        click.echo(f"up to date: revision {done.after}")
    else:
        click.echo(f"{done.before or 'new'} to {done.after}; columns of {done.derived_again} records made again")


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"


@contextmanager
def _problems() -> Iterator[None]:
    """What stands in the way, as one line."""
    from audit_trail.backup import BackupError
    from audit_trail.checkpoints import CheckpointLineError, KeyProblem
    from audit_trail.draining import StoreDown

    try:
        yield
    except (SettingsError, StoreDown, KeyProblem, BackupError, CheckpointLineError) as problem:
        _stop(str(problem))
    except OSError as problem:
        _stop(f"{problem.filename}: {problem.strerror}")


def _settings() -> Settings:
    try:
        return settings_from(os.environ)
    except SettingsError as problem:
        _stop(str(problem))


def _stop(message: str) -> NoReturn:
    click.echo(f"lumbar-cds: {message}", err=True)
    sys.exit(2)
