"""Results that are not understood: could one be a red flag, so that it must be shown and not passed over?"""

import re

from fhir_mappings.text_reading import has_red_flag_stem, read_text

# Answers that make a finding out of a name that we do not understand. "Positive" is left to tests of the laboratory.
_YES = frozenset({"yes", "present", "abnormal", "reduced", "unable", "worsening"})
_NOT_A_FINDING = frozenset({"no", "absent", "negative", "normal", "able", "unchanged", "improving"})
_NOTHING_FOUND_OUT = frozenset(
    {
        "0", "-", "unknown", "not known", "not asked", "not assessed", "not examined", "not tested", "not done",
        "not performed", "not recorded", "not applicable", "n/a", "na", "deferred", "declined", "refused", "pending",
        "unable to assess", "see note",
    }
)  # fmt: skip
_WEAK = re.compile(r"[0-4]\s?[+-]?\s?(?:/|out of|of)\s?5\b")
_SPECIMEN = re.compile(
    r"\bin (?:urine|blood|serum|plasma|stool|body fluid)|test strip|\burine (?:test|sediment|colou?r|odou?r)|"
    r"(?:appearance|odou?r|colou?r|clarity|specific gravity) of urine"
)
_NO_GROWTH = re.compile(r"(?:no|nil|without) (?:bacterial )?growth|ngtd|ng\b|sterile|no organism")
_NARRATIVE = 80  # characters; what is longer is a narrative, and narratives are not read


def may_be_a_finding(name: str, word: str, value: str, name_understood: bool) -> bool:
    """Could this result, which no rule reads, be an abnormal one? ``word``: the answer that it gives, if any.

    Where the name is understood, everything but a normal or empty result may be. Where it is not, the result must say
    so itself: a yes, a grade below full strength, or words of a red flag that do not deny it.
    """
    simple = value.strip(" .").casefold()
    if word in _NOT_A_FINDING or not simple or simple in _NOTHING_FOUND_OUT or _NO_GROWTH.match(simple):
        return False
    if name_understood:
        return True
    if _SPECIMEN.search(name.casefold()):
        return False  # urine, in the name of a test, is no bladder symptom
    return word in _YES or _WEAK.search(simple) is not None or _speaks_of_a_red_flag(value)


def _speaks_of_a_red_flag(value: str) -> bool:
    if len(value) > _NARRATIVE or not has_red_flag_stem(value):
        return False
    reading = read_text(value)
    return reading is None or any(mention.present and not mention.family for mention in reading.mentions)
