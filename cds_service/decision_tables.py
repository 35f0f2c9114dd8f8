"""The decision tables in print, for a clinical reviewer: every row, threshold and citation, straight from the data."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from importlib.resources import files
from typing import Any

# In the order in which a reviewer reads them; what is not named here follows.
READING_ORDER = (
    "criteria",
    "acr_low_back_pain_2021",
    "urgency",
    "better_test",
    "safety",
    "acp",
    "nice",
    "flips",
    "questions",
    "parameters",
)
NOTATION = (
    "Conditions: `name` the finding is answered yes · `name:a|b` its level is a or b · `name+mark` it carries that "
    "mark · `!` not · `&` and · `;` or. `our_choice` marks what no guideline gives."
)
CATEGORIES = {
    "usually-appropriate": "usually",
    "may-be-appropriate": "may be",
    "may-be-appropriate-disagreement": "may be, disagreement",
    "usually-not-appropriate": "usually not",
}


def printed_tables(wanted: str = "") -> Iterator[str]:
    """Lines of Markdown: one part per data file of the rules; with ``wanted``, only files whose name holds it."""
    chosen = [(name, table) for name, table in _data_files() if wanted in name]
    if chosen:
        yield NOTATION
        yield ""
    for name, table in chosen:
        yield f"# {_title(name, table)}"
        yield ""
        yield from _facts(table.get("edition") or table.get("meta") or {})
        for key, part in table.items():
            if key not in ("edition", "meta"):
                yield from _part(key, part)


def _data_files() -> list[tuple[str, dict[str, Any]]]:
    found = {
        entry.name.removesuffix(".toml"): tomllib.loads(entry.read_text(encoding="utf-8"))
        for folder in (files("rules").joinpath("editions"), files("rules"), files("rules").joinpath("findings"))
        for entry in sorted(folder.iterdir(), key=lambda entry: entry.name)
        if entry.name.endswith(".toml")
    }
    places = {name: place for place, name in enumerate(READING_ORDER)}
    return sorted(found.items(), key=lambda item: places.get(item[0], len(places)))


def _title(name: str, table: Mapping[str, Any]) -> str:
    title = table.get("edition", {}).get("title")
    return f"{title}  ({name})" if title else name.replace("_", " ")


def _facts(heading: Mapping[str, Any]) -> Iterator[str]:
    for key, value in heading.items():
        if key != "title":
            yield f"- {key}: {_cell(value)}"
    if heading:
        yield ""


def _part(key: str, part: object) -> Iterator[str]:
    if key == "variant" and isinstance(part, list):
        yield from _ratings(part)
    elif isinstance(part, list) and part and isinstance(part[0], dict):
        yield f"## {key}"
        yield ""
        yield from _table(part)
    elif isinstance(part, dict) and part and all(isinstance(row, dict) for row in part.values()):
        yield f"## {key}"
        yield ""
        yield from _table([{"name": name, **row} for name, row in part.items()])
    elif isinstance(part, dict) and part and all(isinstance(rows, list) for rows in part.values()):
        yield f"## {key}"
        yield ""
        yield from _table([{"name": name, **_row(row)} for name, rows in part.items() for row in rows])
    else:
        yield f"- {key}: {_cell(part)}"
        yield ""


def _row(row: object) -> dict[str, Any]:
    return row if isinstance(row, dict) else {"value": row}


def _table(rows: list[dict[str, Any]]) -> Iterator[str]:
    columns: list[str] = []
    for row in rows:
        columns += [key for key in row if key not in columns]
    yield "| " + " | ".join(columns) + " |"
    yield "|" + " --- |" * len(columns)
    for row in rows:
        yield "| " + " | ".join(_cell(row.get(column, "")) for column in columns) + " |"
    yield ""


def _ratings(variants: list[dict[str, Any]]) -> Iterator[str]:
    """The rating table as on paper: one line per study, one column per variant, `category (1-9)` in each cell."""
    yield "## variants"
    yield ""
    for variant in variants:
        yield f"- {variant.get('number')}: {variant.get('label')} [{_cell(variant.get('cites'))}]"
    yield ""
    yield "| study | " + " | ".join(str(variant.get("number")) for variant in variants) + " |"
    yield "|" + " --- |" * (len(variants) + 1)
    for study in variants[0].get("ratings", {}):
        cells = [_rating(variant["ratings"].get(study, {})) for variant in variants]
        yield f"| {study} | " + " | ".join(cells) + " |"
    yield ""


def _rating(cell: Mapping[str, Any]) -> str:
    category = cell.get("category", "")
    return f"{CATEGORIES.get(category, category)} ({cell.get('score', '')})"


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return "; ".join(_cell(item) for item in value)
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_cell(item)}" for key, item in value.items())
    return str(value).replace("|", "or")
