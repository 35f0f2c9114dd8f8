"""Record text made plain before it is read: one spelling of each character, nothing invisible, never too long."""

import re
import unicodedata

LONGEST = 400  # characters; a longer text is a narrative, and narratives are never read

_SPACES = re.compile(r"\s+")
_REORDERING = re.compile("[\u202a-\u202e\u2066-\u2069]")
_APOSTROPHES = str.maketrans({"’": "'", "‘": "'", "ʼ": "'", "`": "'", "´": "'"})
_DASHES = str.maketrans(dict.fromkeys("‐‑‒–—―−", "-"))


def plain(text: str) -> str | None:
    """Lower case, compatibility characters folded, invisible ones dropped.

    ``None`` for a text that is too long, or whose direction marks make it look other than it is stored.
    """
    if len(text) > LONGEST:
        return None
    return None if _REORDERING.search(text) else simplified(text)


def simplified(text: str) -> str:
    """The same folding, for a text of any length that is only searched, not read."""
    if text.isascii() and text.isprintable():
        return _SPACES.sub(" ", text.lower()).strip()
    folded = unicodedata.normalize("NFKC", text.translate(_APOSTROPHES)).translate(_DASHES)
    kept: list[str] = []
    for character in folded:
        category = unicodedata.category(character)
        if category == "Cf":  # zero-width characters and soft hyphens: nothing to read
            continue
        kept.append(" " if category in ("Cc", "Zl", "Zp") else character)
    return _SPACES.sub(" ", "".join(kept).lower()).strip()
