"""Record text becomes plain text: whatever it holds, it is never markup, a link, or a control of the screen.

Entities stand for the three characters of HTML, so that the text is also inert where a client puts it into a page
unparsed; backslashes stand before the characters of Markdown. Braces become brackets, because some clients run
templates over what they show. Links that renderers make out of bare text are broken with a space.
"""

import re

QUOTE_LIMIT = 90  # code points of record text shown in one quotation; a cut is shown by an ellipsis

_MARKUP = {
    "<": "&lt;",
    ">": "&gt;",
    "&": "&amp;",
    "{": "(",
    "}": ")",
    **{character: "\\" + character for character in "\\`*_[]|#~!"},
}
_INVISIBLE = [
    *range(0x00, 0x20),
    *range(0x7F, 0xA0),
    0xAD,
    0x061C,
    0x180E,
    *range(0x2028, 0x202F),
    *range(0xFFF9, 0xFFFC),
]
_DROPPED = [*range(0x200B, 0x2010), *range(0x2060, 0x2070), 0xFEFF, *range(0xFE00, 0xFE10), *range(0xE0000, 0xE0080)]
_ESCAPES: dict[int, str] = {
    **{ord(character): text for character, text in _MARKUP.items()},
    **dict.fromkeys(_INVISIBLE, " "),
    **dict.fromkeys(_DROPPED, ""),
}
_PLAIN: dict[int, str] = {**dict.fromkeys(_INVISIBLE, " "), **dict.fromkeys(_DROPPED, "")}

# What renderers turn into links without being asked: //host, www.host, name@host, host.tld, scheme:host.
_LINKS_ITSELF = re.compile(r"/(?=/)|(?<=\S)\.(?=[^\W\d_]{2})|(?<=\S)@|(?<=[^\W\d_]):(?=[^\s\d])")
_BREAKS = {"/": "/ ", ".": ". ", "@": " @", ":": ": "}
# Most entries of a record hold nothing of all that: letters, digits, plain punctuation, blanks (single ones).
_HARMLESS = re.compile(r"(?:[A-Za-z0-9,;()'%+=? -]++|/(?!/)|\.(?![^\W\d_]{2})|:(?=[ \d]))*+")
_date = re.compile(r"\d{4}(?:-\d\d(?:-\d\d)?)?(?=$|T)").match


def escaped(text: str) -> str:
    """Record text as plain text inside Markdown, on one line."""
    if "  " not in text and _HARMLESS.fullmatch(text):
        return text.strip()
    if not text.isascii():
        text = text.translate(_PLAIN)
    broken = _LINKS_ITSELF.sub(_break, text)
    return " ".join(broken.translate(_ESCAPES).split())


def quoted(text: str, limit: int = QUOTE_LIMIT) -> str:
    """Record text in quotation marks; longer text ends in an ellipsis, so that a cut is seen."""
    if len(text) > limit:
        text = text[: limit - 1].rstrip() + "…"
    elif "  " not in text and _HARMLESS.fullmatch(text):  # most entries; as in ``escaped``
        return f"“{text.strip()}”"
    return f"“{escaped(text)}”"


def date_as_recorded(text: str) -> str:
    """The date as the record gives it, without its time; empty when it is no FHIR date."""
    found = _date(text)
    return found[0] if found else ""


def _break(found: re.Match[str]) -> str:
    return _BREAKS[found.group()]
