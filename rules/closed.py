"""Closed lists, as enumerations that are looked up hundreds of times in a decision."""

from enum import Enum
from operator import attrgetter
from typing import TYPE_CHECKING


class Closed(Enum):
    """An enumeration whose members hash by identity: each is there once. Enum itself hashes the name, in Python."""

    __hash__ = object.__hash__
    if not TYPE_CHECKING:  # the value as Enum gives it, without a call of Python
        value = property(attrgetter("_value_"))
