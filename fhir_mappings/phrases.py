"""Words and phrases of a closed vocabulary, matched longest first in time linear in the text."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")


class Phrases(Generic[T]):
    """A closed vocabulary: from phrases (words with single blanks between) to what they mean."""

    def __init__(self, meanings: Mapping[str, T]) -> None:
        self._meanings: dict[tuple[str, ...], T] = {tuple(phrase.split()): value for phrase, value in meanings.items()}
        self._longest: dict[str, int] = {}
        for words in self._meanings:
            self._longest[words[0]] = max(len(words), self._longest.get(words[0], 0))

    def __contains__(self, phrase: str) -> bool:
        return tuple(phrase.split()) in self._meanings

    def at(self, words: Sequence[str], start: int) -> tuple[T, int] | None:
        """What the longest phrase that begins at ``start`` means, and how many words it has."""
        longest = min(self._longest.get(words[start], 0), len(words) - start)
        for count in range(longest, 0, -1):
            found = self._meanings.get(tuple(words[start : start + count]))
            if found is not None:
                return found, count
        return None


def gather(tables: Iterable[tuple[T, Iterable[str]]], where: str) -> dict[str, T]:
    """One mapping from many lists; a phrase that stands twice is refused, for it could not be read for certain."""
    found: dict[str, T] = {}
    for value, phrases in tables:
        for phrase in phrases:
            if phrase in found:
                raise ValueError(f"{where}: {phrase!r} stands twice")
            if not phrase or phrase != " ".join(phrase.lower().split()):
                raise ValueError(f"{where}: {phrase!r} must be lower case, with single blanks")
            found[phrase] = value
    return found
