"""What can be tried without a browser: sample hook requests, and the records of the stories' patients.

A hook request is JSON with tokens in its strings: ``{{today}}``, ``{{today-21}}`` (days), ``{{today-4m}}`` (months),
``{{today-49y}}`` (years) and ``{{new-uuid}}``. ``hook_requests/index.toml`` says what each one tells.
"""

import re
import tomllib
from collections.abc import Callable
from datetime import date
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

import msgspec
from msgspec import Struct

from sandbox.days import shifted
from sandbox.stories import load

_TOKEN = re.compile(r"\{\{(?P<name>[a-z-]+?)(?:(?P<shift>[+-]\d+)(?P<unit>[dmy])?)?\}\}")
REQUESTS, PATIENTS = "requests", "patients"


class Sample(Struct, frozen=True):
    """One sample: its name, whether it is a hook request or a whole patient, and what it tells."""

    name: str
    kind: str  # requests or patients
    story: str
    advice: str

    def template(self) -> str:
        """The hook request as it is stored."""
        return _folder().joinpath(f"{self.name}.json").read_text(encoding="utf-8")

    def filled(self, today: date, new_uuid: Callable[[], str]) -> str:
        """The JSON text as of one day."""
        if self.kind == PATIENTS:
            (record,) = (story.bundle() for story in load(today) if story.id == self.name)
            return msgspec.json.format(msgspec.json.encode(record), indent=2).decode()
        return fill(self.template(), today, new_uuid)


class UnknownSample(LookupError):
    """No sample has this name."""


class UnknownToken(ValueError):
    """A template holds a token that means nothing."""


@cache
def samples() -> dict[str, Sample]:
    """All samples by name: hook requests in the order of their index, then the stories' patients."""
    requests = {name: Sample(name, REQUESTS, **entry) for name, entry in index()["requests"].items()}
    patients = {
        story.id: Sample(story.id, PATIENTS, story.title, f"Try --order {story.orders[0].study}.") for story in load()
    }
    return requests | patients


def index() -> dict[str, dict[str, dict[str, str]]]:
    """What each hook request tells, and the sources of codes that the service's own value sets do not hold."""
    table: dict[str, dict[str, dict[str, str]]] = tomllib.loads(_folder().joinpath("index.toml").read_text("utf-8"))
    return table


def _folder() -> Traversable:
    return files("sandbox").joinpath("hook_requests")


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
