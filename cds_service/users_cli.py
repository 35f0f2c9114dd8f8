"""`lumbar-cds users`: the local users of the audit pages."""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, NoReturn

import click

from audit_pages.people import ROLES
from cds_service.local_users import FILE, LocalUsers, UsersError

_NAME: Final = re.compile(r"[\w.@-]{1,120}")
_stdin = click.option("--password-stdin", is_flag=True, help="Read the password from standard input, one line.")


@click.group()
def users() -> None:
    """The local users of the audit pages; the others sign in by the site's identity provider."""


@users.command()
@click.argument("name")
@click.option("--role", type=click.Choice(ROLES), required=True, help="auditor sees people; quality sees pseudonyms.")
@_stdin
def add(name: str, role: str, password_stdin: bool) -> None:
    """Add a user; asks for the password."""
    name = _normal(name)
    if not _NAME.fullmatch(name):
        _stop("a name has letters, digits and . _ @ - only, 120 at most")
    with _problems():
        known = _users().find(name) is not None
        if known or not _users().add(name, role, _hash(name, password_stdin)):
            _stop(f"there is a user {name} already; `users password` and `users role` change one")
    click.echo(f"added {name.lower()} ({role})")


@users.command("list")
def list_users() -> None:
    """Who may sign in with a password, and in which role."""
    with _problems():
        accounts = _users().all()
    for account in accounts:
        click.echo(f"{account.name}\t{account.role}")
    if not accounts:
        click.echo("no local user", err=True)


@users.command()
@click.argument("name")
def remove(name: str) -> None:
    """Remove a user; open sessions of theirs end at once."""
    with _problems():
        if not _users().remove(_normal(name)):
            _stop(f"there is no user {name}")
    click.echo(f"removed {name}")


@users.command()
@click.argument("name")
@_stdin
def password(name: str, password_stdin: bool) -> None:
    """Give a user another password; open sessions of theirs end at once."""
    name = _normal(name)
    with _problems():
        if _users().find(name) is None:
            _stop(f"there is no user {name}")
        _users().set_password(name, _hash(name, password_stdin))
    click.echo(f"changed the password of {name}")


@users.command()
@click.argument("name")
@click.argument("role", type=click.Choice(ROLES))
def role(name: str, role: str) -> None:
    """Give a user another role; open sessions of theirs end at once."""
    with _problems():
        if not _users().set_role(_normal(name), role):
            _stop(f"there is no user {name}")
    click.echo(f"{name} is {role} now")


def _users() -> LocalUsers:
    from cds_service.cli import _settings  # the group of commands that this one is part of

    return LocalUsers(_settings().state_folder / FILE)


def _normal(name: str) -> str:
    return unicodedata.normalize("NFKC", name)


def _hash(name: str, from_stdin: bool) -> str:
    from audit_pages.passwords import BadPassword, hash_of  # loads argon2, which other commands do without

    if from_stdin:
        typed = sys.stdin.readline().rstrip("\r\n")
    else:
        typed = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    try:
        return hash_of(typed, name)
    except BadPassword as problem:
        _stop(str(problem))


@contextmanager
def _problems() -> Iterator[None]:
    try:
        yield
    except UsersError as problem:
        _stop(str(problem))


def _stop(message: str) -> NoReturn:
    click.echo(f"lumbar-cds: {message}", err=True)
    sys.exit(2)
