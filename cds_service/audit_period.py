"""Which calls a command means: options that list, export and simulate share."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

if TYPE_CHECKING:  # loads the database toolkit, which the other commands do without
    from audit_trail.selection import Selection

_F = TypeVar("_F", bound=Callable[..., Any])
_AGO: Final = re.compile(r"([1-9][0-9]{0,4})([hdw])")
_UNITS: Final = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_OPTIONS: Final = (
    ("--since", "WHEN", "From then on: a day, a moment, or 12h, 30d, 8w ago."),
    ("--until", "WHEN", "Before then; by default now."),
    ("--client", "NAME", "Calls of this client."),
    ("--service", "ID", "Calls of this service, e.g. lumbar-imaging-order-sign."),
    ("--user", "USER", "Calls of this user, as the call names them: Practitioner/7."),
    ("--patient", "ID", "Calls about the patient with this id."),
    ("--rating", "CODE", "With an order rated so: appropriate, not-appropriate, no-criteria-apply, none."),
    ("--situation", "KIND", "With this kind of advice, e.g. wrong-test."),
    ("--outcome", "OUTCOME", "How the call ended: answered, 'left alone' or failed."),
)


def choosing(command: _F) -> _F:
    """Adds the options that choose calls."""
    return _with_options(command, _OPTIONS)


def choosing_replies(command: _F) -> _F:
    """Adds those of them that choose what was replied to calls."""
    return _with_options(command, [each for each in _OPTIONS if each[0] not in ("--patient", "--outcome")])


def _with_options(command: _F, options: Sequence[tuple[str, str, str]]) -> _F:
    for flag, stands_for, says in reversed(options):
        command = click.option(flag, metavar=stands_for, default="", help=says)(command)
    return command


class BadPeriod(ValueError):
    """A moment that cannot be read."""


def selection(now: datetime, **chosen: str) -> tuple[Selection, str]:
    """What is chosen, and the patient (who is no part of a selection)."""
    from audit_trail.selection import Selection
    from audit_trail.tables import EPOCH

    user = chosen["user"]
    return Selection(
        since=moment(chosen["since"], now) if chosen["since"] else EPOCH,
        until=moment(chosen["until"], now) if chosen["until"] else now + timedelta(days=1),
        client=chosen["client"],
        service=chosen["service"],
        users=(user,) if user else None,
        rating=chosen["rating"],
        situation=chosen["situation"],
        outcome=chosen.get("outcome", ""),
    ), chosen.get("patient", "").removeprefix("Patient/")


def moment(text: str, now: datetime) -> datetime:
    """A moment as it is typed: a day (its beginning, UTC), a moment with or without zone, or how long ago."""
    ago = _AGO.fullmatch(text)
    if ago is not None:
        return now - int(ago[1]) * _UNITS[ago[2]]
    try:
        if len(text) == 10:
            return datetime.combine(date.fromisoformat(text), time(), tzinfo=UTC)
        read = datetime.fromisoformat(text)
    except ValueError:
        raise BadPeriod(f"{text}: expected a day (2026-11-25), a moment, or 12h, 30d, 8w ago") from None
    return read if read.tzinfo is not None else read.replace(tzinfo=UTC)


def described(chosen: dict[str, str]) -> str:
    """What was chosen, for the record of the access."""
    return " ".join(f"{name}={value}" for name, value in chosen.items() if value)
