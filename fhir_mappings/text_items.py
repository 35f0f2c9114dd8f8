"""A text as a row of understood items: terms, modifiers, times, joins. One word not understood ends the reading."""

import re
from collections.abc import Sequence

from msgspec import Struct

from fhir_mappings.text_times import When, time_at
from fhir_mappings.text_vocabulary import Term, Vocabulary, Word

_LEVEL = re.compile(r"l[1-5]|s[1-5]|t(?:[1-9]|1[0-2])")
_GRADE = re.compile(r"([0-5])[+-]?/5[+-]?")
_TEMPERATURE = re.compile(r"(?:3[89]|4[0-2])(?:[.][0-9])?|10[0-6](?:[.][0-9])?")
_JOINS = {
    ",": "comma", "(": "colon", ")": "comma", ":": "colon", "and": "and", "with": "with", "or": "or", "nor": "or",
    "/": "or", "vs": "or", "versus": "or",
}  # fmt: skip
_STOPS = frozenset({".", ";"})
_SIDE_LETTERS = {"l": "left", "r": "right"}
_AFTER_SIDE_LETTER = frozenset(
    {
        "leg",
        "foot",
        "sided",
        "side",
        "sciatica",
        "ankle",
        "knee",
        "thigh",
        "calf",
        "lower",
        "buttock",
        "footdrop",
        "slr",
        "l4",
        "l5",
        "s1",
    }
)
LONGEST = 120  # words


class Item(Struct, frozen=True):
    """One understood piece of a text. ``sides`` and ``levels`` are those that stood inside a term's own words."""

    kind: str
    name: str = ""
    term: Term | None = None
    when: When | None = None
    sides: tuple[str, ...] = ()
    levels: tuple[str, ...] = ()


def items_of(words: Sequence[str], vocabulary: Vocabulary) -> list[Item] | None:
    """The items of a text, or ``None`` when one word is not understood."""
    if len(words) > LONGEST:
        return None
    items: list[Item] = []
    place = 0
    while place < len(words):
        found = _item_at(words, place, vocabulary)
        if found is None:
            return None
        item, count = found
        items.append(item)
        place += count
        if item.name == "fever" and place < len(words) and _TEMPERATURE.fullmatch(words[place]):
            place += 1  # "fever 39.2"
    return items


def _item_at(words: Sequence[str], place: int, vocabulary: Vocabulary) -> tuple[Item, int] | None:
    word = words[place]
    if word in _STOPS:
        return Item("stop"), 1
    timed = time_at(words, place)
    phrase = _phrase_at(words, place, vocabulary)
    if timed is not None and (phrase is None or timed[1] >= phrase[1]):
        return Item("time", when=timed[0]), timed[1]
    if phrase is not None:
        # "since 5/12" is a date or five months: neither a time nor the cause of what follows.
        unsure = word == "since" and words[place + 1 : place + 2] != [] and words[place + 1][0].isdigit()
        return None if unsure else phrase
    if word in _JOINS:
        return Item("join", _JOINS[word]), 1
    if word == "-":
        return Item("join", "comma"), 1
    return _sign_at(words, place)


def _sign_at(words: Sequence[str], place: int) -> tuple[Item, int] | None:
    """Levels, sides written as one letter, strength grades, question marks."""
    word = words[place]
    if _LEVEL.fullmatch(word):
        return Item("level", word), 1
    grade = _GRADE.fullmatch(word)
    if grade is not None:
        return Item("grade", grade[1]), 1
    if word in _SIDE_LETTERS and place + 1 < len(words) and words[place + 1] in _AFTER_SIDE_LETTER:
        return Item("side", _SIDE_LETTERS[word]), 1
    if word.startswith("?"):
        return Item("suspicion", "?"), 1
    return None


def _phrase_at(words: Sequence[str], place: int, vocabulary: Vocabulary) -> tuple[Item, int] | None:
    """The longest phrase here; sides and levels may stand inside it ("weakness in the left leg")."""
    direct = vocabulary.phrases.at(words, place)
    if direct is not None and direct[0].kind == "side":
        return _as_item(direct[0]), direct[1]
    core: list[str] = []
    ends: list[int] = []
    inside: list[tuple[int, str, str]] = []  # where it stands, "side" or "level", which
    at = place
    while at < len(words) and len(core) < 7:
        side = vocabulary.sides.at(words, at) if core else None
        if side is not None:
            inside.append((at, "side", side[0].name))
            at += side[1]
            continue
        if core and _LEVEL.fullmatch(words[at]):
            inside.append((at, "level", words[at]))
            at += 1
            continue
        core.append(words[at])
        at += 1
        ends.append(at)
    around = vocabulary.phrases.at(core, 0) if inside else None
    if around is None or around[0].kind not in ("term", "muscle") or (direct is not None and around[1] <= direct[1]):
        return None if direct is None else (_as_item(direct[0]), direct[1])
    end = ends[around[1] - 1]
    sides = tuple(name for where, kind, name in inside if kind == "side" and where < end)
    levels = tuple(name for where, kind, name in inside if kind == "level" and where < end)
    return Item(around[0].kind, around[0].name, around[0].term, None, sides, levels), end - place


def _as_item(word: Word) -> Item:
    return Item(word.kind, word.name, word.term)
