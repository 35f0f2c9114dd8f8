"""What the pages state as fact, and where it stands."""

import tomllib
from collections.abc import Iterable
from functools import cache
from importlib.resources import files

import msgspec
from msgspec import Struct

from leaflets.texts import TextError


class Fact(Struct, frozen=True, forbid_unknown_fields=True):
    """One fact in our own words. ``figures``: the numbers that a sentence which states it may use."""

    says: str
    source: str
    url: str
    figures: tuple[int, ...] = ()


class Facts(Struct, frozen=True, forbid_unknown_fields=True):
    """All facts, and the day as of which they were read."""

    version: str
    fact: dict[str, Fact]

    def sources(self, names: Iterable[str]) -> tuple[Fact, ...]:
        """The facts of these names, each source once, in this order."""
        found: dict[str, Fact] = {}
        for name in names:
            fact = self.fact[name]
            found.setdefault(fact.source, fact)
        return tuple(found.values())


@cache
def facts() -> Facts:
    """The facts of this version of the product."""
    return read_facts(files("leaflets").joinpath("facts.toml").read_text(encoding="utf-8"))


def read_facts(text: str) -> Facts:
    """Facts from TOML text; raises :class:`TextError` for one without a source that can be opened."""
    try:
        loaded = msgspec.convert(tomllib.loads(text), Facts, strict=True)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as problem:
        raise TextError(f"facts.toml: {problem}") from problem
    for name, fact in loaded.fact.items():
        if not fact.url.startswith(("https://", "http://")) or not fact.source or not fact.says:
            raise TextError(f"facts.toml: {name}: says what, by which source, at which address?")
    return loaded
