"""Reasons for which no chart can be read at all."""

from __future__ import annotations


class PatientMissing(Exception):  # noqa: N818  named for what is wrong
    """The Patient resource cannot be had: nothing can be decided about nobody."""


class WrongPatient(Exception):  # noqa: N818
    """The call speaks of one patient and brings another's Patient resource or order: nothing may be decided."""
