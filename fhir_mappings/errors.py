"""Reasons for which no chart can be read at all."""

from __future__ import annotations


class PatientMissing(Exception):
    """The Patient resource cannot be had: nothing can be decided about nobody."""


class WrongPatient(Exception):
    """The call speaks of one patient and brings another's Patient resource or order: nothing may be decided."""
