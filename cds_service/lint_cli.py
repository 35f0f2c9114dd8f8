"""`lumbar-cds lint`: what a client of a profile would drop from an answer, and why."""

from __future__ import annotations

import sys
from typing import Any, BinaryIO, NoReturn

import click
import msgspec

from cards.lint import Loss, losses
from cards.profiles import DEFAULT_PROFILE, PROFILES

_STRICT = frozenset({"cds-hooks-2.0", "cds-hooks-3.0"})
_MARKS = {"lost": "LOST   ", "changed": "CHANGED", "note": "note   "}


@click.command()
@click.argument("response", type=click.File("rb"))
@click.option(
    "--profile",
    type=click.Choice(list(PROFILES)),
    default=DEFAULT_PROFILE,
    show_default=True,
    help="The kind of client that gets this answer.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line: place, consequence, why.")
def lint(response: BinaryIO, profile: str, as_json: bool) -> None:
    """What a client would drop from an answer, and why. Reads any CDS Hooks answer.

    RESPONSE may be - for standard input. Exit status 0: nothing is lost; 1: something is lost or changed; 2: this is no
    answer of CDS Hooks.
    """
    found = [*_against_specification(answer := _read(response), profile), *losses(answer, PROFILES[profile])]
    for loss in found:
        if as_json:
            click.echo(msgspec.json.encode(loss))
        else:
            click.echo(f"{_MARKS[loss.consequence]}  {_printable(loss.place)}  {_printable(loss.why)}")
    counted = sum(loss.consequence != "note" for loss in found)
    if not as_json:
        click.echo(f"{profile}: {counted or 'nothing'} lost or changed")
    sys.exit(1 if counted else 0)


def _read(response: BinaryIO) -> dict[str, Any]:
    try:
        answer = msgspec.json.decode(response.read())
    except (msgspec.DecodeError, UnicodeDecodeError) as problem:
        _stop(f"no JSON: {problem}")
    if not isinstance(answer, dict) or "cards" not in answer:
        _stop("no answer of a CDS Hooks service: expected an object with `cards`")
    return answer


def _stop(message: str) -> NoReturn:
    click.echo(f"lumbar-cds: {message}", err=True)
    sys.exit(2)


def _against_specification(answer: dict[str, Any], profile: str) -> list[Loss]:
    """Where the answer is not as the specification has it, for a client of which nothing else is known."""
    from cds_service.schemas import validator

    if profile not in _STRICT:
        return []
    places = {error.json_path.removeprefix("$."): error for error in validator("response").iter_errors(answer)}
    return [
        Loss(place, "lost", f"is not as CDS Hooks has it ({error.validator}): a strict client drops it")
        for place, error in places.items()
    ]


def _printable(text: str) -> str:
    """A terminal is no place for the control characters that a file may hold."""
    return "".join(each if each.isprintable() else "�" for each in text)
