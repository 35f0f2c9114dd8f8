"""JSON as people read it: indented, with keys, words and numbers told apart."""

from __future__ import annotations

import re
from typing import Any

import msgspec
from markupsafe import Markup, escape

_PARTS = re.compile(
    r'(?P<key>"(?:[^"\\]|\\.)*")(?=: )|(?P<text>"(?:[^"\\]|\\.)*")|(?P<other>\b(?:true|false|null|-?\d[\d.eE+-]*)\b)'
)


def as_html(value: Any) -> Markup:
    """A block of safe HTML."""
    text = msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
    pieces: list[str] = []
    done = 0
    for part in _PARTS.finditer(text):
        pieces.append(escape(text[done : part.start()]))
        pieces.append(f'<span class="j-{part.lastgroup}">{escape(part[0])}</span>')
        done = part.end()
    pieces.append(escape(text[done:]))
    return Markup("".join(pieces))  # noqa: S704  every piece is escaped
