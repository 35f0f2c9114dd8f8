"""`lumbar-cds audit`: the group that the commands on the record join."""

from __future__ import annotations

import click


@click.group()
def audit() -> None:
    """The record of every answer: what is in it, whether it is whole, and how it is kept."""
