"""Deciding a recorded call by chosen contents: the rules, code lists, wording and settings of any day.

Where the contents are those of this installation, it is decided here. Where they are not, it is decided by a process of
its own, on a copy of the packages with those data files in the place of today's: nothing of a running service changes.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Mapping
from copy import copy
from datetime import date
from functools import lru_cache
from pathlib import Path, PurePosixPath

import msgspec
from msgspec import Struct

from audit_trail.record import DecisionRecord, UnknownRecord, decode, encode
from cds_service.chart_source import PrefetchChartSource
from cds_service.collaborators import (
    DATA_PROBLEMS,
    Collaborators,
    GuidelinesByDay,
    GuidelinesInForce,
    load_code_lists,
)
from cds_service.decided_elsewhere import Ended, Packages, ask_elsewhere, receive, send
from cds_service.deciding_again import (
    AlwaysOn,
    CannotDecideAgain,
    ContentsOfAnotherVersion,
    Decided,
    decide_again,
)
from cds_service.settings import Settings
from cds_service.versions import PACKAGES, SITE, DecisionSettings, Name, packaged_texts

Texts = Mapping[Name, Mapping[str, str]]  # the files of each content


class Task(Struct, frozen=True):
    """What the process of its own is told."""

    record: bytes
    settings: str
    site: dict[str, str]
    rules_of: date | None


class Done(Struct, frozen=True):
    """What it hands back: what was decided, or why it cannot be. ``unusable``: what is wrong with the contents."""

    decided: Decided | None = None
    problem: str = ""
    unusable: str = ""


def decide_by(record: DecisionRecord, contents: Texts, rules_of: date | None = None) -> Decided:
    """The outcome of the recorded call by these contents, with the rules of its own day or of another one."""
    packaged, site = _apart(contents)
    settings = contents["settings"].get("settings.json")
    if settings is None:
        raise CannotDecideAgain("the settings on record are not in the form that this version writes")
    task = Task(encode(record), settings, site, rules_of)
    changed = {package: texts for package, texts in packaged.items() if texts != packaged_texts(package)}
    done = _in_a_process(task, changed) if changed else _here(task)
    if done.unusable:
        others = [name for name, package in PACKAGES.items() if package in changed]
        raise ContentsOfAnotherVersion(others or ["settings"], done.unusable)
    if done.decided is None:
        raise CannotDecideAgain(done.problem)
    return done.decided


def _apart(contents: Texts) -> tuple[dict[str, dict[str, str]], dict[str, str]]:
    """The data files of each package, and the site's own."""
    packaged: dict[str, dict[str, str]] = {}
    site: dict[str, str] = {}
    for name, package in PACKAGES.items():
        packaged[package] = {}
        for path, text in contents[name].items():
            _require_data(path)
            if path.startswith(f"{SITE}/"):
                site[path.removeprefix(f"{SITE}/")] = text
            else:
                packaged[package][path] = text
    return packaged, site


def _here(task: Task) -> Done:
    record = decode(task.record)
    if not isinstance(record, DecisionRecord):
        raise UnknownRecord("not a decision")
    try:
        tools = _tools(task.settings, tuple(sorted(task.site.items())), task.rules_of)
        return Done(decide_again(record, copy(tools)))
    except CannotDecideAgain as problem:
        return Done(problem=str(problem))
    except (*DATA_PROBLEMS, msgspec.DecodeError, KeyError) as problem:
        return Done(unusable=f"{type(problem).__name__}: {problem}")


def _require_data(path: str) -> None:
    """Contents are data files of a package: nothing that Python would run, and nothing outside the copy."""
    pure = PurePosixPath(path)
    if pure.is_absolute() or ".." in pure.parts or pure.suffix not in (".toml", ".csv"):
        raise CannotDecideAgain(f"the contents on record name a file that is no data file of ours: {path!r}")


@lru_cache(maxsize=4)
def _tools(shaping: str, site: tuple[tuple[str, str], ...], rules_of: date | None) -> Collaborators:
    """Read once for all records that were made by the same."""
    decided_by = msgspec.json.decode(shaping, type=DecisionSettings)
    with tempfile.TemporaryDirectory(prefix="lumbar-cds-") as folder:
        settings = _settings(decided_by, dict(site), Path(folder))
        guidelines: GuidelinesInForce = GuidelinesByDay(settings)
        terminology = load_code_lists(settings)
    if rules_of is not None:
        guidelines = AlwaysOn(guidelines.on(rules_of), decided_by.site_parameters)
    return Collaborators(settings, terminology, guidelines, PrefetchChartSource())


def _settings(shaping: DecisionSettings, site: Mapping[str, str], folder: Path) -> Settings:
    """Settings that shape an answer as these did; a site's own files are written out for their readers."""
    for name, text in site.items():
        (folder / Path(name).name).write_text(text, encoding="utf-8", newline="")
    parameters = folder / "parameters.toml"
    lines = (f"{name} = {value!r}\n" for name, value in shaping.site_parameters.items())
    parameters.write_text("".join(lines), encoding="utf-8")
    catalogues = [folder / name for name in sorted(site) if name.startswith("orders-")]
    return Settings(
        rating_guideline=shaping.rating_guideline,
        show_appropriate=frozenset(shaping.show_appropriate),
        public_url=shaping.base_url,
        canonical_base=shaping.canonical_base,
        site_codes=tuple(folder / name for name in sorted(site, key=_number) if name.startswith("codes-")),
        order_catalogue=catalogues[0] if catalogues else None,
        site_parameters=parameters if shaping.site_parameters else None,
        without_cpt=shaping.without_cpt,
        without_licensed_snomed=shaping.without_licensed_snomed,
        max_resources=shaping.max_resources,
        call_budget_ms=60_000,
    )


def _number(name: str) -> int:
    return int(Path(name).stem.rpartition("-")[2])


def _in_a_process(task: Task, changed: Packages) -> Done:
    try:
        answer = ask_elsewhere(tuple(PACKAGES.values()), changed, msgspec.msgpack.encode(task))
    except Ended as problem:
        return Done(unusable=str(problem))
    return msgspec.msgpack.decode(answer, type=Done)


def main() -> None:
    """The process of its own: tasks on standard input, what came of them on standard output."""
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    while message := receive(source):
        send(sink, msgspec.msgpack.encode(_here(msgspec.msgpack.decode(message, type=Task))))


if __name__ == "__main__":
    main()
