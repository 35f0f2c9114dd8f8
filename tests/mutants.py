"""The service with one value of its data changed, in process."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec

from cds_service.collaborators import Collaborators
from rules.edition import Variant
from rules.guideline_tables import Guidelines
from rules.guidelines import places_reading
from rules.procedures import Procedure
from rules.recommendation import Category
from tests.clinic import usual_tools


class _OneGuideline:
    """Guidelines that are the same on every day."""

    def __init__(self, guidelines: Guidelines) -> None:
        self._guidelines = guidelines

    def on(self, day: date) -> Guidelines:
        """The guidelines, whatever the day."""
        del day
        return self._guidelines


def guidelines_on(day: date) -> Guidelines:
    """The tables as the service uses them on ``day``."""
    return usual_tools().guidelines.on(day)


def with_guidelines(guidelines: Guidelines) -> Collaborators:
    """The service with these tables."""
    usual = usual_tools()
    tables: Any = _OneGuideline(guidelines)
    return Collaborators(usual.settings, usual.terminology, tables, usual.chart_source)


def with_parameter(guidelines: Guidelines, name: str, value: float) -> Guidelines:
    """The tables with one parameter changed."""
    parameters = msgspec.structs.replace(guidelines.parameters, **{name: value})
    return msgspec.structs.replace(guidelines, parameters=parameters)


def with_cell(guidelines: Guidelines, variant: int, procedure: Procedure, category: Category, score: int) -> Guidelines:
    """The tables with one cell of the ACR grid changed."""
    variants: dict[int, Variant] = dict(guidelines.acr.variants)
    studies = dict(variants[variant].studies)
    studies[procedure] = msgspec.structs.replace(studies[procedure], category=category, score=score)
    variants[variant] = msgspec.structs.replace(variants[variant], studies=studies)
    edition = msgspec.structs.replace(guidelines.acr, variants=variants)
    return msgspec.structs.replace(guidelines, acr=edition)


def without(guidelines: Guidelines, table: str, at: int) -> Guidelines:
    """The tables without one row of ``table``."""
    rows = getattr(guidelines, table)
    left = rows[:at] + rows[at + 1 :]
    changes: dict[str, Any] = {table: left}
    if table == "criteria":
        changes["criteria_reading"] = places_reading(left)
    return msgspec.structs.replace(guidelines, **changes)


def changed(guidelines: Guidelines, **tables: Any) -> Guidelines:
    """The tables with whole members replaced."""
    return msgspec.structs.replace(guidelines, **tables)
