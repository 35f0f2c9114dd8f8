"""Sample hook requests and patient records whose dates are relative to today.

A file is JSON with tokens in its strings: ``{{today}}``, ``{{today-21}}`` (days), ``{{today-4m}}`` (months),
``{{today-49y}}`` (years) and ``{{new-uuid}}``. ``stories.toml`` says what each one tells.
"""

import re
import tomllib
from collections.abc import Callable
from datetime import date
from functools import cache
from importlib.resources import files

from msgspec import Struct

from sandbox.days import shifted

_TOKEN = re.compile(r"\{\{(?P<name>[a-z-]+?)(?:(?P<shift>[+-]\d+)(?P<unit>[dmy])?)?\}\}")
_FOLDERS = {"requests": "hook_requests", "patients": "patients"}


class Sample(Struct, frozen=True):
    """One sample: its name, whether it is a hook request or a whole patient, and what it tells."""

    name: str
    kind: str  # requests or patients
    story: str
    advice: str

    def template(self) -> str:
        """The file as it is stored."""
        return files("sandbox").joinpath(_FOLDERS[self.kind], f"{self.name}.json").read_text(encoding="utf-8")

    def filled(self, today: date, new_uuid: Callable[[], str]) -> str:
        """The JSON text as of one day."""
        return fill(self.template(), today, new_uuid)


class UnknownSample(LookupError):
    """No sample has this name."""


class UnknownToken(ValueError):
    """A template holds a token that means nothing."""


@cache
def samples() -> dict[str, Sample]:
    """All samples by name, hook requests first, in the order of ``stories.toml``."""
    table = tomllib.loads(files("sandbox").joinpath("stories.toml").read_text(encoding="utf-8"))
    return {name: Sample(name, kind, **entry) for kind in _FOLDERS for name, entry in table[kind].items()}


def sample(name: str) -> Sample:
    """The sample of this name; ``.json`` and a folder before it are forgiven."""
    bare = name.rpartition("/")[2].removesuffix(".json")
    found = samples().get(bare)
    if found is None:
        raise UnknownSample(f"there is no sample {bare!r}; without a name all are listed")
    return found


def fill(template: str, today: date, new_uuid: Callable[[], str]) -> str:
    """Every token replaced by what it means on this day."""

    def meaning(token: re.Match[str]) -> str:
        if token[0] == "{{new-uuid}}":
            return new_uuid()
        if token["name"] != "today":
            raise UnknownToken(token[0])
        return shifted(today, int(token["shift"] or 0), token["unit"] or "d").isoformat()

    filled = _TOKEN.sub(meaning, template)
    if "{{" in filled:
        raise UnknownToken(filled[filled.index("{{") :][:20])
    return filled
