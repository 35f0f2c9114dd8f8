"""Rendering profiles: what each kind of client does with an answer, loaded strictly from ``profiles.toml``."""

import tomllib
from importlib.resources import files
from typing import Literal

import msgspec
from msgspec import Struct

from cards.card import CardError

DEFAULT_PROFILE = "cds-hooks-2.0"

ActionKind = Literal["create", "update", "delete"]
RatingPlace = Literal["systemActions", "extension.systemActions"]


class Profile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one kind of client does with an answer, as the columns of ``profiles.toml`` explain. No advice is in it."""

    name: str = ""
    about: str
    source: str
    suggestions: bool
    actions: frozenset[ActionKind]
    one_action: bool = False
    selection: Literal["at-most-one", "any"] = "at-most-one"
    preselects: bool = False
    created_by: tuple[str, ...] = ()
    keeps_details: bool = True
    first_coding_only: bool = False
    markdown: bool
    tables: bool
    content_type: str = ""
    content_type_in: str = ""
    ratings_in: tuple[RatingPlace, ...]
    topic: Literal["kind", "advice"] = "kind"
    system_actions: frozenset[str] = frozenset()
    needs_topic: str = ""
    shown: dict[str, str] = {}

    @property
    def updates(self) -> bool:
        """Can an order be changed in place?"""
        return self.suggestions and "update" in self.actions

    @property
    def creates(self) -> bool:
        """Can an order be added?"""
        return self.suggestions and "create" in self.actions

    @property
    def deletes(self) -> bool:
        """Can an order be taken away?"""
        return self.suggestions and "delete" in self.actions


class _Table(Struct, frozen=True, forbid_unknown_fields=True):
    version: str
    profile: dict[str, Profile]


def read_profiles(text: str) -> dict[str, Profile]:
    """The profiles of a TOML text, by name; raises :class:`CardError` for a table that contradicts itself."""
    try:
        table = msgspec.convert(tomllib.loads(text), _Table, strict=True)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as problem:
        raise CardError(f"profiles.toml: {problem}") from problem
    for name, profile in table.profile.items():
        if bool(profile.content_type) != bool(profile.content_type_in):
            raise CardError(f"profiles.toml: {name}: content_type and content_type_in go together")
        if profile.tables and not profile.markdown:
            raise CardError(f"profiles.toml: {name}: tables are drawn from Markdown")
        if profile.suggestions != bool(profile.actions):
            raise CardError(f"profiles.toml: {name}: suggestions do something, so they need actions")
    return {name: msgspec.structs.replace(profile, name=name) for name, profile in table.profile.items()}


PROFILES = read_profiles(files("cards").joinpath("profiles.toml").read_text(encoding="utf-8"))
