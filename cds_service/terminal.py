"""Text for a terminal: headings, paragraphs, points and tables that fit its width; colour only where a person looks.

Texts of a record may hold anything, and a terminal obeys control characters: none gets through.
"""

from __future__ import annotations

import re
import shutil
import sys
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import click

NARROWEST: Final = 60
WIDEST: Final = 120
_GAP: Final = 2
_NUMBER: Final = re.compile(r"[+-]?[0-9][0-9,.]*( %)?")
_INDICATORS: Final = {"critical": "red", "warning": "yellow", "info": "cyan"}
_OUTCOMES: Final = {
    "appropriate": "green",
    "not-appropriate": "yellow",
    "no-criteria-apply": "magenta",
    "accepted": "green",
    "overridden": "yellow",
    "failed": "red",
    "differs": "yellow",
}
_COLOURS: Final = {**_INDICATORS, **_OUTCOMES}


def columns() -> int:
    """How wide to write: the terminal, within what reads well."""
    return max(NARROWEST, min(WIDEST, shutil.get_terminal_size((80, 24)).columns))


def printable(text: str) -> str:
    """Without control characters, each of them a blank."""
    return "".join(character if character.isprintable() else " " for character in text)


def heading(text: str) -> Iterator[str]:
    """A blank line, the heading, and a rule under it."""
    shown = printable(text)
    yield ""
    yield click.style(shown, bold=True)
    yield click.style(_line() * min(len(shown), columns()), dim=True)


def title(text: str) -> Iterator[str]:
    """The first line of a page, with a rule as wide as the page."""
    yield click.style(printable(text), bold=True)
    yield click.style(_double() * columns(), dim=True)


def paragraph(text: str, indent: int = 0) -> Iterator[str]:
    """Wrapped at the width."""
    blank = " " * indent
    yield from textwrap.wrap(printable(text), columns(), initial_indent=blank, subsequent_indent=blank) or [""]


def points(texts: Iterable[str]) -> Iterator[str]:
    """One point under the other."""
    for text in texts:
        yield from textwrap.wrap(printable(text), columns(), initial_indent="  - ", subsequent_indent="    ") or ["  -"]


def facts(pairs: Sequence[tuple[str, str]]) -> Iterator[str]:
    """Names and what they are, in two columns; a name without a value is left out."""
    told = [(name, printable(value)) for name, value in pairs if value]
    left = max((len(name) for name, _ in told), default=0) + _GAP
    for name, value in told:
        lines = textwrap.wrap(value, columns() - left) or [""]
        yield f"{click.style(name.ljust(left), dim=True)}{_coloured(value, lines[0])}"
        for line in lines[1:]:
            yield f"{' ' * left}{line}"


def table(names: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Columns as wide as they need, the widest giving way first; cells are wrapped, never cut. Empty columns go."""
    kept = [at for at in range(len(names)) if any(row[at] for row in rows)]
    heads = [names[at] for at in kept]
    texts = [["\n".join(printable(line) for line in row[at].split("\n")) for at in kept] for row in rows]
    widths = _widths([heads, *texts])
    _numbers_to_the_right(heads, texts, widths)
    if any(heads):
        yield click.style(_joined(heads, widths), dim=True)
        yield click.style((" " * _GAP).join(_line() * width for width in widths), dim=True)
    cells = [[_wrapped(cell, width) for cell, width in zip(row, widths, strict=True)] for row in texts]
    heights = [max(map(len, row), default=1) for row in cells]
    apart = len(rows) > 1 and max(heights, default=1) > 2
    for number, (row, height) in enumerate(zip(cells, heights, strict=True)):
        if apart and number:
            yield ""
        for at in range(height):
            yield _joined([cell[at] if at < len(cell) else "" for cell in row], widths, texts[number])


def _numbers_to_the_right(heads: list[str], texts: list[list[str]], widths: Sequence[int]) -> None:
    for at, width in enumerate(widths):
        told = [text[at] for text in texts if text[at]]
        if told and all(_NUMBER.fullmatch(each) for each in told):
            for line in (heads, *texts):
                line[at] = line[at].rjust(width)


def _wrapped(cell: str, width: int) -> list[str]:
    if len(cell) <= width and "\n" not in cell:
        return [cell]
    return [line for part in cell.split("\n") for line in textwrap.wrap(part, width) or [""]]


def _joined(cells: Sequence[str], widths: Sequence[int], whole: Sequence[str] = ()) -> str:
    """One line of a table, without blanks at its end."""
    last = max((at for at, cell in enumerate(cells) if cell), default=-1)
    shown = []
    for at, cell in enumerate(cells[: last + 1]):
        text = _coloured(whole[at], cell) if whole and cell else cell
        shown.append(text if at == last else text + " " * (widths[at] - len(cell)))
    return (" " * _GAP).join(shown)


def _coloured(whole: str, shown: str) -> str:
    colour = _COLOURS.get(whole)
    return click.style(shown, fg=colour) if colour else shown


def _widths(rows: Sequence[Sequence[str]]) -> list[int]:
    """What each column needs; while all of them do not fit, the widest one gives way, but no word is broken for it."""
    columns_of = list(zip(*rows, strict=True))
    needed = [max(1, *(len(line) for cell in cells for line in cell.split("\n"))) for cells in columns_of]
    least = [min(24, max((len(word) for cell in cells for word in cell.split()), default=1)) for cells in columns_of]
    room = columns() - _GAP * (len(needed) - 1)
    while sum(needed) > room:
        at = max(range(len(needed)), key=lambda place: (needed[place] > least[place], needed[place]))
        if needed[at] <= 8:
            break
        needed[at] -= 1
    return needed


def _can_draw() -> bool:
    return (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"


def _line() -> str:
    return "─" if _can_draw() else "-"


def _double() -> str:
    return "═" if _can_draw() else "="
