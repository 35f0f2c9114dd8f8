"""Two versions of one thing, compared: every difference by its place, none left out. Blind to what it means."""

from __future__ import annotations

import csv
import io
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any, Final

import msgspec
from msgspec import Struct

# Members by which an item of a list is recognised in the other one, wherever it stands there.
_NAMED_BY: Final = (
    "uuid",
    "reference",
    "id",
    "name",
    "guideline",
    "row",
    "url",
    "finding",
    "number",
    "label",
    "concept",
)
_ABSENT: Final = "(nothing)"


class Difference(Struct, frozen=True):
    """One place at which two versions differ; texts are as JSON has them."""

    place: str
    before: str
    after: str


def differences(before: Any, after: Any, place: str = "") -> Iterator[Difference]:
    """Every difference between two JSON values."""
    if isinstance(before, dict) and isinstance(after, dict):
        for name in dict.fromkeys((*before, *after)):
            inner = f"{place}.{name}" if place else str(name)
            yield from _member(before, after, name, inner)
    elif isinstance(before, list) and isinstance(after, list):
        yield from _lists(before, after, place)
    elif isinstance(before, str) and isinstance(after, str) and ("\n" in before or "\n" in after):
        yield from _text_lines(before, after, place)
    elif before != after or type(before) is not type(after):
        yield Difference(place, shown(before), shown(after))


def answers_differ(before: bytes, after: bytes) -> tuple[Difference, ...]:
    """Every difference between two bodies; of bodies that mean the same and differ in bytes, that."""
    if before == after:
        return ()
    try:
        found = tuple(differences(msgspec.json.decode(before), msgspec.json.decode(after)))
    except msgspec.DecodeError:
        return (Difference("answer", f"{len(before)} bytes", f"{len(after)} bytes, and one of the two is no JSON"),)
    return found or (Difference("answer", f"{len(before)} bytes", f"{len(after)} bytes that mean the same"),)


def file_differences(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[Difference]:
    """Every difference between two sets of data files: by entry in TOML and JSON, by row in CSV."""
    for name in sorted({*before, *after}):
        old, new = before.get(name), after.get(name)
        if old == new:
            continue
        if old is None or new is None:
            yield Difference(name, _lines(old), _lines(new))
            continue
        found = list(_in_file(name, old, new))
        yield from found or [Difference(name, "written otherwise", "means the same")]


def shown(value: Any) -> str:
    """A value in one line."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _member(before: Mapping[str, Any], after: Mapping[str, Any], name: str, place: str) -> Iterator[Difference]:
    if name not in after:
        yield Difference(place, shown(before[name]), _ABSENT)
    elif name not in before:
        yield Difference(place, _ABSENT, shown(after[name]))
    else:
        yield from differences(before[name], after[name], place)


def _lists(before: Sequence[Any], after: Sequence[Any], place: str) -> Iterator[Difference]:
    named_before, named_after = _named(before), _named(after)
    if named_before is None or named_after is None:
        yield from _by_position(before, after, place)
        return
    for name in dict.fromkeys((*named_before, *named_after)):
        yield from _member(named_before, named_after, name, f"{place}[{name}]")
    common = [name for name in named_before if name in named_after]
    if common != [name for name in named_after if name in named_before]:
        yield Difference(f"{place}, in order", ", ".join(named_before), ", ".join(named_after))


def _text_lines(before: str, after: str, place: str) -> Iterator[Difference]:
    """A text of several lines, line by line."""
    old, new = before.split("\n"), after.split("\n")
    for kind, first, last, start, end in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind != "equal":
            gone, come = "\n".join(old[first:last]), "\n".join(new[start:end])
            yield Difference(f"{place}, line {first + 1}", gone or _ABSENT, come or _ABSENT)


def _by_position(before: Sequence[Any], after: Sequence[Any], place: str) -> Iterator[Difference]:
    for at in range(max(len(before), len(after))):
        inner = f"{place}[{at + 1}]"
        if at >= len(after):
            yield Difference(inner, shown(before[at]), _ABSENT)
        elif at >= len(before):
            yield Difference(inner, _ABSENT, shown(after[at]))
        else:
            yield from differences(before[at], after[at], inner)


def _named(items: Sequence[Any]) -> dict[str, Any] | None:
    """The items by name, where all of them have one and no two share it."""
    if not items or not all(isinstance(item, dict) for item in items):
        return {} if not items else None
    for key in _NAMED_BY:
        names = [item.get(key) for item in items]
        if all(isinstance(name, str | int) for name in names) and len(set(names)) == len(names):
            return {str(name): item for name, item in zip(names, items, strict=True)}
    return None


def _in_file(name: str, old: str, new: str) -> Iterator[Difference]:
    try:
        if name.endswith(".csv"):
            yield from _rows(name, old, new)
        elif name.endswith(".json"):
            yield from differences(msgspec.json.decode(old), msgspec.json.decode(new), name)
        else:
            yield from _toml(name, old, new)
    except (tomllib.TOMLDecodeError, msgspec.DecodeError, csv.Error):
        yield Difference(name, _lines(old), _lines(new))


def _toml(name: str, old: str, new: str) -> Iterator[Difference]:
    before, after = (msgspec.to_builtins(tomllib.loads(text)) for text in (old, new))
    yield from differences(before, after, name)


def _rows(name: str, old: str, new: str) -> Iterator[Difference]:
    before, after = (list(csv.reader(io.StringIO(text, newline=""), strict=True)) for text in (old, new))
    gone = [row for row in before if row not in after]
    come = [row for row in after if row not in before]
    for row in gone:
        changed = next((other for other in come if other[:2] == row[:2]), None)
        if changed is not None:
            come.remove(changed)
        yield Difference(
            f"{name}: {', '.join(row[:2])}", ",".join(row), _ABSENT if changed is None else ",".join(changed)
        )
    for row in come:
        yield Difference(f"{name}: {', '.join(row[:2])}", _ABSENT, ",".join(row))


def _lines(text: str | None) -> str:
    return _ABSENT if text is None else f"a file of {len(text.splitlines())} lines"
