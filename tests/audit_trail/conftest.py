"""Stores on both databases."""

from tests.audit_trail.stores import address, store

__all__ = ["address", "store"]
