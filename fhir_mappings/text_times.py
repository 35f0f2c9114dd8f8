"""How long ago, as record text says it: "since yday", "x 3/7", "6 week history", "2-3 months ago", "since 2015"."""

import re
from collections.abc import Sequence

from msgspec import Struct

from rules.dates import DayRange


class When(Struct, frozen=True, gc=False):
    """A time named in a text: days before the entry's own date, or a partial date.

    ``ahead``: it belongs to what follows ("6 week history of"). ``bare``: a length that may ("6 weeks physiotherapy").
    """

    days_ago: DayRange | None = None
    since: str = ""
    ahead: bool = False
    bare: bool = False


_NUMBERS = {
    "one": (1, 1), "two": (2, 2), "three": (3, 3), "four": (4, 4), "five": (5, 5), "six": (6, 6), "seven": (7, 7),
    "eight": (8, 8), "nine": (9, 9), "ten": (10, 10), "eleven": (11, 11), "twelve": (12, 12), "couple": (2, 2),
    "few": (2, 6), "several": (3, 10), "many": (3, None),
}  # fmt: skip
# Days of one unit: fewest, most, and how many more may have passed before the next whole unit.
_UNITS = {
    "hour": (0, 1, 0), "hr": (0, 1, 0), "h": (0, 1, 0), "hrs": (0, 1, 0),
    "day": (1, 1, 0), "d": (1, 1, 0), "dy": (1, 1, 0),
    "week": (7, 7, 6), "wk": (7, 7, 6), "w": (7, 7, 6),
    "month": (30, 31, 30), "mth": (30, 31, 30), "mo": (30, 31, 30), "mnth": (30, 31, 30),
    "year": (365, 366, 365), "yr": (365, 366, 365), "y": (365, 366, 365),
}  # fmt: skip
_HOURS = frozenset({"hour", "hr", "h", "hrs"})
_NAMED = {
    ("yesterday",): (1, 1), ("yday",): (1, 1), ("yest",): (1, 1), ("yesterday", "evening"): (1, 1), ("y/day",): (1, 1),
    ("today",): (0, 0), ("tonight",): (0, 0), ("this", "morning"): (0, 0), ("morning",): (0, 0), ("this", "am"): (0, 0),
    ("last", "night"): (0, 1), ("overnight",): (0, 1), ("this", "week"): (0, 7), ("last", "week"): (1, 13),
    ("last", "month"): (1, 62), ("last", "year"): (1, 730), ("this", "month"): (0, 31), ("this", "year"): (0, 366),
    ("weekend",): (0, 8), ("last", "weekend"): (0, 14),
    ("childhood",): (365, None), ("birth",): (365, None),
    ("monday",): (0, 7), ("tuesday",): (0, 7), ("wednesday",): (0, 7), ("thursday",): (0, 7), ("friday",): (0, 7),
    ("saturday",): (0, 7), ("sunday",): (0, 7),
}  # fmt: skip
_LEADS = frozenset(
    {"since", "for", "x", "last", "past", "over", "during", "started", "starting", "began", "onset", "duration", ":"}
)
_ABOUT = frozenset({"about", "approximately", "approx", "almost", "nearly", "roughly", "circa", "~"})
_AT_LEAST = (("more", "than"), (">",), ("at", "least"), ("over",), ("greater", "than"))
_AT_MOST = (("less", "than"), ("<",), ("under",))
_SHORT = re.compile(r"([0-9]{1,2})/(7|52|12)")
_SHORT_UNITS = {"7": "day", "52": "week", "12": "month"}
_DATE = re.compile(r"(?:19[5-9][0-9]|20[0-4][0-9])(?:-(?:0[1-9]|1[0-2])(?:-(?:0[1-9]|[12][0-9]|3[01]))?)?")
_MONTHS = {
    name: f"{number:02d}"
    for number, names in enumerate(
        ("jan january", "feb february", "mar march", "apr april", "may", "jun june", "jul july", "aug august",
         "sep sept september", "oct october", "nov november", "dec december"), 1)
    for name in names.split()
}  # fmt: skip


# Every word with which a time can begin; all others are passed over at once.
_STARTS = (
    _LEADS
    | _ABOUT
    | _NUMBERS.keys()
    | _MONTHS.keys()
    | {"day", "week", "month", "year"}
    | {phrase[0] for phrase in (*_AT_LEAST, *_AT_MOST, *_NAMED)}
)


def time_at(words: Sequence[str], start: int) -> tuple[When, int] | None:
    """The time that begins at ``start``, and how many words it has."""
    if words[start] not in _STARTS and not words[start][0].isdigit():
        return None
    place = start
    while place < len(words) and place - start < 3 and words[place] in _LEADS:
        found = _named(words, start, place)
        if found is not None:
            return found
        place += 1
    led = place > start
    return _named(words, start, place) or _length(words, start, place, led) or _date(words, start, place, led)


def _named(words: Sequence[str], start: int, place: int) -> tuple[When, int] | None:
    for size in (2, 1):
        days = _NAMED.get(tuple(words[place : place + size]))
        if days is not None and len(words) >= place + size:
            return When(DayRange(*days)), place + size - start
    return None


def _date(words: Sequence[str], start: int, place: int, led: bool) -> tuple[When, int] | None:
    if place >= len(words):
        return None
    if _DATE.fullmatch(words[place]):
        return When(since=words[place]), place + 1 - start
    month = _MONTHS.get(words[place])
    if month and place + 1 < len(words) and len(words[place + 1]) == 4 and _DATE.fullmatch(words[place + 1]):
        return When(since=f"{words[place + 1]}-{month}"), place + 2 - start
    return None


def _length(words: Sequence[str], start: int, place: int, led: bool) -> tuple[When, int] | None:
    limit, place = _limit(words, place)
    while place < len(words) and words[place] in _ABOUT:
        place += 1
    counted = _counted(words, place, led)
    if counted is None:
        return None
    fewest, most, unit, place = counted
    if "since" in words[start:place] and _SHORT.fullmatch(words[place - 1]):
        return None  # "since 5/12": a date or a length, who knows
    low, high, more = _UNITS[unit]
    shortest = fewest * low
    longest = None if most is None else most * high + more
    if unit in _HOURS and longest is not None:
        longest = -(-longest // 24)
    if limit == "least":
        longest = None
    if limit == "most":
        shortest = 0
    ahead, bare = False, not led
    while place < len(words) and words[place] in (
        "ago",
        "now",
        "duration",
        "history",
        "hx",
        "long",
        "h/o",
        "back",
        "old",
    ):
        ahead, bare = ahead or words[place] in ("history", "hx", "h/o"), False
        place += 1
    return When(DayRange(shortest, longest), ahead=ahead, bare=bare), place - start


def _limit(words: Sequence[str], place: int) -> tuple[str, int]:
    for phrases, name in ((_AT_LEAST, "least"), (_AT_MOST, "most")):
        for phrase in phrases:
            if tuple(words[place : place + len(phrase)]) == phrase:
                return name, place + len(phrase)
    return "", place


def _counted(words: Sequence[str], place: int, led: bool) -> tuple[int, int | None, str, int] | None:
    """Fewest, most, unit, and the place after them: "3 days", "2-3 weeks", "few months", "6/52", "for years"."""
    if place >= len(words):
        return None
    short = _SHORT.fullmatch(words[place])
    if short is not None:
        number = int(short[1])
        return number, number, _SHORT_UNITS[short[2]], place + 1
    number_range = _number(words[place])
    if number_range is None:
        return _without_number(words, place, led)
    fewest, most = number_range
    place += 1
    most, place = _upper_end(words, place, most)
    if place < len(words) and words[place] in _UNITS and (most is None or fewest <= most):
        return fewest, most, words[place], place + 1
    return None


def _without_number(words: Sequence[str], place: int, led: bool) -> tuple[int, int | None, str, int] | None:
    if words[place] not in ("day", "week", "month", "year"):
        return None
    if place + 1 < len(words) and words[place + 1] == "ago":  # "a year ago": the article is folded away
        return 1, 1, words[place], place + 1
    return (2, None, words[place], place + 1) if led else None  # "for weeks": the plural is folded away


def _upper_end(words: Sequence[str], place: int, most: int | None) -> tuple[int | None, int]:
    """The second number of "2-3", "2 or 3", or "2 to 3" (whose "to" is folded away)."""
    after = place + 1 if place < len(words) and words[place] in ("-", "or") else place
    upper = _number(words[after]) if after < len(words) else None
    return (most, place) if upper is None else (upper[1], after + 1)


def _number(word: str) -> tuple[int, int | None] | None:
    if word.isascii() and word.isdigit() and len(word) <= 3:
        return int(word), int(word)
    return _NUMBERS.get(word)
