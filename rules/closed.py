"""Closed lists, as enumerations that are looked up hundreds of times in a decision."""

from enum import Enum


class Closed(Enum):
    """An enumeration whose members hash by identity: each is there once. Enum itself hashes the name, in Python."""

    __hash__ = object.__hash__
