"""`lumbar-cds audit`: the group that the commands on the record join."""

from __future__ import annotations

import click


@click.group()
def audit() -> None:
    """The record of every answer: what is in it, whether it is whole, and how it is kept.

    ID is the id of a decision, its first characters (six or more), the id of its record or of one of its cards, or
    `last`. Every look at the record is recorded.
    """
