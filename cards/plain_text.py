"""An answer as text for a terminal: 80 columns, readable without colour."""

import re
import textwrap
from collections.abc import Iterator
from html import unescape

from cards.card import Answer, Card

WIDTH = 80
_LOUD = {"critical": "!!! CRITICAL", "warning": "!   WARNING", "info": "    INFO"}
_ESCAPED = re.compile(r"\\([\\`*_\[\]|#~!])")
_CELL = re.compile(r"(?<!\\)\|")


def plain_text(answer: Answer, width: int = WIDTH) -> str:
    """Every card to read, one under the other; an answer without cards says so."""
    if not answer.cards:
        return "No card: nothing here needs saying at this point.\n"
    return "\n".join(line for card in answer.cards for line in _card(card, width)) + "\n"


def markdown_as_text(detail: str, width: int = WIDTH) -> list[str]:
    """A card's detail without its Markdown. Reads what cards write, not Markdown at large."""
    lines: list[str] = []
    table: list[list[str]] = []
    for line in [*detail.splitlines(), ""]:
        if line.startswith("|"):
            table.append([_text(cell) for cell in _CELL.split(line)[1:-1]])
            continue
        if table:
            lines += _table(table, width)
            table = []
        lines += _paragraph(line, width)
    return lines[:-1]


def _card(card: Card, width: int) -> Iterator[str]:
    yield "=" * width
    yield _LOUD[card.indicator]
    yield from textwrap.wrap(card.summary, width)
    yield "-" * width
    yield from markdown_as_text(card.detail, width)
    yield ""
    for suggestion in card.suggestions:
        yield f"[{'*' if suggestion.is_recommended else ' '}] {suggestion.label}"
        for action in suggestion.actions:
            yield from textwrap.wrap(action.description, width, initial_indent=" " * 6, subsequent_indent=" " * 6)
    for link in card.links:
        yield f" -> {link.label}: {link.url}"
    if card.override_reasons:
        reasons = "; ".join(reason.display for reason in card.override_reasons)
        yield from textwrap.wrap(f"To disagree: {reasons}", width, subsequent_indent="    ")
    if card.source is not None:
        yield f"Source: {card.source.label}"
    yield ""


def _paragraph(line: str, width: int) -> list[str]:
    if not line:
        return [""]
    if line.startswith("- "):
        return textwrap.wrap(_text(line[2:]), width, initial_indent="  - ", subsequent_indent="    ")
    return textwrap.wrap(_text(line), width)


def _table(rows: list[list[str]], width: int) -> list[str]:
    """Two columns, the first as wide as it needs, the rule under the heading left out."""
    body = [row for row in rows if not set("".join(row)) <= set(":- ")]
    first = min(max(len(row[0]) for row in body), width // 2)
    lines: list[str] = []
    for row in body:
        left = textwrap.wrap(row[0], first) or [""]
        right = textwrap.wrap(" | ".join(row[1:]), width - first - 3) or [""]
        for at in range(max(len(left), len(right))):
            names, says = left[at] if at < len(left) else "", right[at] if at < len(right) else ""
            lines.append(f"{names:<{first}} | {says}".rstrip())
    return lines


def _text(markdown: str) -> str:
    return unescape(_ESCAPED.sub(r"\1", markdown.strip().replace("**", "")))
