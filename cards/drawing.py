"""How `detail` is drawn: as Markdown, or as plain text that reads the same and is no markup anywhere."""

import re

from cards.profiles import Profile

# Our own Markdown, its escapes, and the entities that stand for the characters of HTML (see escape.py).
_MARKS = re.compile(r"\\([\\`*_\[\]|#~!])|\*\*|&(?:lt|gt|amp);|^-+(?= )", re.MULTILINE)
# A client that draws Markdown or HTML after all still finds none of it: these look alike and mean nothing.
_INERT = str.maketrans(
    {"<": "‹", ">": "›", "`": "ˋ", "*": "∗", "_": "＿", "[": "(", "]": ")", "|": "¦", "~": "∼", "\\": "∖"}
)
_ENTITIES = {"&lt;": "‹", "&gt;": "›", "&amp;": "&"}


def drawn(markdown: str, profile: Profile) -> str:
    """A card's detail as this client draws it."""
    return markdown if profile.markdown else as_plain(markdown)


def as_plain(markdown: str) -> str:
    """The same words without Markdown. Reads what cards write, not Markdown at large."""
    return _MARKS.sub(_plain, markdown)


def extension_of(profile: Profile) -> dict[str, str] | None:
    """What a client wants to be told about the form of `detail`."""
    return {profile.content_type_in: profile.content_type} if profile.content_type else None


def _plain(found: re.Match[str]) -> str:
    escaped = found.group(1)
    if escaped is not None:
        return escaped.translate(_INERT)
    mark = found.group()
    return "•" if mark.startswith("-") else _ENTITIES.get(mark, "")
