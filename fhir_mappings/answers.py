"""Results of examination findings as text: an answer word, or an MRC grade."""

import re
import tomllib
from functools import lru_cache
from importlib.resources import files

import msgspec
from msgspec import Struct

from fhir_mappings.code_rows import TerminologyError
from fhir_mappings.plain_text import plain

_GRADE = re.compile(
    r"(?:mrc|grade|power|strength|oxford|score|\s)*([0-5])(?:[.]0)?\s?[+-]?(?:\s?(?:/|out of|of)\s?5(?:[.]0)?)?\s?[+-]?"
)
_OF_FIVE = re.compile(r"(?:/|of)\s?5")


class _File(Struct, frozen=True, forbid_unknown_fields=True):
    answer: dict[str, tuple[str, ...]]


@lru_cache(maxsize=1)
def answer_words() -> dict[str, str]:
    """How results are written, with the answer word that each means."""
    text = files("fhir_mappings").joinpath("answers.toml").read_text(encoding="utf-8")
    try:
        file = msgspec.convert(tomllib.loads(text), _File, strict=True)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as problem:
        raise TerminologyError(f"answers.toml: {problem}") from problem
    found: dict[str, str] = {}
    for answer, words in file.answer.items():
        for word in words:
            if found.setdefault(word, answer) != answer:
                raise TerminologyError(f"answers.toml: {word!r} is {found[word]} and {answer}")
    return found


def read_answer(text: str) -> str:
    """The answer word of a result as text ("+ve" is "positive"); a text that is no known answer comes back folded."""
    simple = plain(text)
    if simple is None:
        return ""
    simple = simple.strip(" .,;:()")
    return answer_words().get(simple, simple)


def read_grade(text: str, fraction_only: bool = False) -> int | None:
    """An MRC grade as text: "4", "4/5", "4-", "4+/5", "grade 4"; 4+ and 4- are grade 4. ``None``: no grade."""
    simple = plain(text)
    if simple is None or (fraction_only and not _OF_FIVE.search(simple)):
        return None
    match = _GRADE.fullmatch(simple)
    return None if match is None else int(match[1])
