"""Body sites in words, as far as they tell one part of the spine from another."""

from __future__ import annotations

import re

_WORDS = (
    (
        re.compile(r"\b(?:lumbar|lumbosacral|lumbo-sacral|low(?:er)? back|l-?spine|ls spine)\b", re.IGNORECASE),
        "body-site-lumbar-spine",
    ),
    (re.compile(r"\b(?:cervical|c-?spine|neck)\b", re.IGNORECASE), "body-site-cervical-spine"),
)


def sites_in_words(text: str) -> tuple[str, ...]:
    """The parts of the spine that the words name."""
    return tuple(concept for pattern, concept in _WORDS if pattern.search(text))
