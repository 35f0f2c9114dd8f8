"""The hazard log: what could hurt a person, what stops it, and the test that proves it."""

from __future__ import annotations

import tomllib
from functools import lru_cache
from importlib.resources import files
from typing import Literal

import msgspec
from msgspec import Struct


class Control(Struct, frozen=True, forbid_unknown_fields=True):
    """What stops a hazard. ``proof``: tests ("file.py::test") or clinical cases ("cases/file.toml: name")."""

    says: str
    proof: tuple[str, ...]


class Hazard(Struct, frozen=True, forbid_unknown_fields=True):
    """One way in which a person could be hurt; see the head of ``hazards.toml``."""

    id: str
    hazard: str
    harm: str
    severity: Literal["catastrophic", "major", "moderate"]
    causes: tuple[str, ...]
    controls: tuple[Control, ...]
    left: str


class _File(Struct, frozen=True, forbid_unknown_fields=True):
    hazard: tuple[Hazard, ...]


@lru_cache(maxsize=1)
def hazards() -> tuple[Hazard, ...]:
    """The log, in its own order."""
    text = files("audit_pages").joinpath("hazards.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), _File, strict=True).hazard
