"""Record text as plain words in one spelling, so that the closed vocabulary needs each phrase once."""

import re

from fhir_mappings.plain_text import plain

# British to American, and two spellings of one word; applied anywhere in a word.
_SPELLINGS = (
    ("aesth", "esth"),
    ("faec", "fec"),
    ("haem", "hem"),
    ("aemia", "emia"),
    ("oedem", "edem"),
    ("oesoph", "esoph"),
    ("tumour", "tumor"),
    ("rrhoea", "rrhea"),
    ("ischaem", "ischem"),
    ("programme", "program"),
    ("disk", "disc"),
    ("paralys", "paralyz"),
    ("labour", "labor"),
    ("analgaes", "analges"),
    ("ognised", "ognized"),
    ("localis", "localiz"),
    ("neurologic", "neurological"),
    ("neurologicalal", "neurological"),
    ("radiculo pathy", "radiculopathy"),
)
_REWRITES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), into)
    for pattern, into in (
        (r"[•●▪*·]|\r?\n", " ; "),
        (r"[\"“”]", " "),
        (
            r"\b(?:can(?: ?not|'t| no longer)|could(?:n't| not)|unable to|inability to|(?:not|isn't) able to)\b",
            " cant ",
        ),
        (r"\b(does|has|have|is|was|did|do)n't\b", r"\1nt"),
        (r"'s\b|'", ""),
        (r"\bl([1-5])\s?[/-]\s?l?([1-5])\b", r" l\1 l\2 "),
        (r"\bl5\s?[/-]?\s?s1\b", " l5 s1 "),
        (r"\b(l[1-5])\s?[/-]\s?s1\b", r" \1 s1 "),
        (r"\bs([2-5])\s?[/-]\s?s?([3-5])\b", r" s\1 s\2 "),
        (r"\b(bowel|bladder)\s?/\s?(bowel|bladder)\b", r" \1 \2 "),
        (r"\bx\s?([0-9])", r" x \1"),
        (r"#\s?(?=l[1-5]\b|t1[0-2]\b|lumbar|vertebra|spine)", " fracture "),
        (r"\b([0-9]{1,3})\s?(?:yo|y/o|yrs? old|years? old|year-old|y\.o\.)(?:\s?[fm])?\b", " "),
        (r"\b[1-9][0-9]\s?[mf]\b", " "),
        (r"\?\s?(?:re|for)\b", " ? "),
        (r"(?<=[a-z])-(?=[a-z])", " "),
        (r"\s[-–—]+\s", " : "),
        (r"(?<![0-9])\.(?![0-9])|(?<=[a-z])\.|\.\s|\.$", " . "),
        (r"&", " and "),
        (r"(?<![0-9+])\+(?!v|\+)", " and "),
        (r"\+\s?ve\b", " +ve "),
        (r"-\s?ve\b", " -ve "),
    )
)
_TOKEN = re.compile(
    r"[0-5][+-]?\s?/\s?5(?![0-9])[+-]?"  # a strength grade
    r"|[0-9]{1,2}\s?/\s?(?:7|52|12)(?![0-9])"  # 2/7, 6/52, 3/12: days, weeks, months
    r"|[0-9]{4}-[0-9]{2}(?:-[0-9]{2})?"
    r"|c/o|h/o|s/p|r/o|w/o|o/e|b/l|s/s|and/or|\+ve|-ve"
    r"|[0-9]+(?:\.[0-9]+)?|[a-z]+[0-9]?|[?]+|[,;.:()/<>-]|\S"
)
_PLAIN_WORDS = re.compile(r"[a-z ]+")  # none of the rewrites touches these, so loading need not try them
_SMALL = frozenset(
    {
        "the", "a", "an", "of", "in", "at", "to", "around", "round", "his", "her", "my", "their", "your", "our", "this",
        "into", "within", "is", "are", "been", "be", "being", "there",
    }
)  # fmt: skip
_KEEP_S = ("ss", "us", "is", "as", "ous", "mets")  # "mets" are metastases, "met" is not


def words_of(text: str) -> list[str] | None:
    """The words of a text, folded; punctuation stays as words of its own. ``None``: too long, or not what it seems."""
    simple = plain(text.replace("\n", " ; "))
    if simple is None:
        return None
    for old, new in _SPELLINGS:
        simple = simple.replace(old, new)
    for pattern, into in _REWRITES:
        simple = pattern.sub(into, simple)
    return [_singular(word.replace(" ", "")) for word in _TOKEN.findall(simple) if word not in _SMALL]


def folded(phrase: str) -> str:
    """A phrase of the vocabulary in the spelling in which texts are looked up."""
    if not _PLAIN_WORDS.fullmatch(phrase):
        return " ".join(words_of(phrase) or ())
    for old, new in _SPELLINGS:
        phrase = phrase.replace(old, new)
    return " ".join([_singular(word) for word in phrase.split() if word not in _SMALL])


def _singular(word: str) -> str:
    if len(word) < 4 or not word.endswith("s") or word.endswith(_KEEP_S) or not word.isalpha():
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    return word[:-1]
