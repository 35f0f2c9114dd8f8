"""Text of the record as it may travel further: plain, short, with nothing invisible in it. Never markup."""

from __future__ import annotations

import re
import unicodedata
from datetime import date

LONGEST = 120
_LOOKED_AT = LONGEST * 8  # of an endless text
_DATE = re.compile(r"[0-9]{4}(?:-[0-9]{2}(?:-[0-9]{2})?)?")


def shown(text: str) -> str:
    """Record text to be quoted: no control, direction or zero-width characters, at most 120 characters."""
    # Python's isprintable: nothing of the categories C and Z but the plain space.
    if len(text) <= LONGEST and text.isprintable():
        if " " not in text or ("  " not in text and text[0] != " " != text[-1]):
            return text  # as nearly all are
    endless = len(text) > _LOOKED_AT
    text = " ".join("".join(map(_visible, text[:_LOOKED_AT])).split())
    return text if len(text) <= LONGEST and not endless else text[: LONGEST - 1].rstrip() + "…"


def _visible(character: str) -> str:
    category = unicodedata.category(character)
    if category in ("Cc", "Zl", "Zp"):
        return " "
    return "" if category[0] == "C" else character  # format, private use, surrogates, unassigned


def shown_date(text: str | None) -> str:
    """The date part of a FHIR date, as the record gives it."""
    if not text:
        return ""
    try:
        day = text[:10]
        date.fromisoformat(day)  # as nearly all are
        if day[4] == "-" == day[7]:  # neither "20260914" nor "2026-W38-1"
            return day
    except ValueError:
        pass
    found = _DATE.match(text)
    return found[0] if found is not None else ""
