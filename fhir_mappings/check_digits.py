"""Shapes and check digits of the code systems we read: a typing error in a table is found before a patient is."""

import re
from collections.abc import Callable

# Verhoeff's dihedral group and permutation tables, as SNOMED CT's identifier specification prints them.
_GROUP = (
    (0, 1, 2, 3, 4, 5, 6, 7, 8, 9),
    (1, 2, 3, 4, 0, 6, 7, 8, 9, 5),
    (2, 3, 4, 0, 1, 7, 8, 9, 5, 6),
    (3, 4, 0, 1, 2, 8, 9, 5, 6, 7),
    (4, 0, 1, 2, 3, 9, 5, 6, 7, 8),
    (5, 9, 8, 7, 6, 0, 4, 3, 2, 1),
    (6, 5, 9, 8, 7, 1, 0, 4, 3, 2),
    (7, 6, 5, 9, 8, 2, 1, 0, 4, 3),
    (8, 7, 6, 5, 9, 3, 2, 1, 0, 4),
    (9, 8, 7, 6, 5, 4, 3, 2, 1, 0),
)
_PERMUTED = (
    (0, 1, 2, 3, 4, 5, 6, 7, 8, 9),
    (1, 5, 7, 6, 2, 8, 3, 0, 9, 4),
    (5, 8, 0, 3, 7, 9, 6, 1, 4, 2),
    (8, 9, 1, 6, 0, 4, 3, 5, 2, 7),
    (9, 4, 5, 3, 1, 2, 6, 8, 7, 0),
    (4, 2, 8, 6, 5, 7, 3, 9, 0, 1),
    (2, 7, 9, 3, 8, 0, 6, 4, 1, 5),
    (7, 0, 4, 6, 9, 1, 3, 2, 5, 8),
)

_SCTID = re.compile(r"[1-9][0-9]{5,17}")
_LOINC = re.compile(r"([0-9]{1,7})-([0-9])")
_LOINC_ANSWER_OR_PART = re.compile(r"L[AP][0-9]{1,7}-[0-9]")
_ICD10CM = re.compile(r"[A-Z][0-9][0-9A-Z](\.[0-9A-Z]{1,4})?")
_CPT = re.compile(r"[0-9]{5}")
_RXNORM = re.compile(r"[1-9][0-9]{1,6}")
_NUCC = re.compile(r"[0-9A-Z]{9}X")
_HL7 = re.compile(r"[A-Za-z0-9<>+-]{1,40}")


def is_snomed_concept(code: str) -> bool:
    """Is this a SNOMED CT concept id: 6 to 18 digits, concept partition, Verhoeff check digit?"""
    return bool(_SCTID.fullmatch(code)) and code[-3:-1] in ("00", "10") and _verhoeff_holds(code)


def _verhoeff_holds(digits: str) -> bool:
    check = 0
    for place, digit in enumerate(reversed(digits)):
        check = _GROUP[check][_PERMUTED[place % 8][int(digit)]]
    return check == 0


def is_loinc(code: str) -> bool:
    """Is this a LOINC code with its mod-10 check digit, or the shape of a LOINC answer or part code?"""
    match = _LOINC.fullmatch(code)
    if match is None:
        return bool(_LOINC_ANSWER_OR_PART.fullmatch(code))
    doubled = "".join(str(int(d) * 2) if i % 2 == 0 else d for i, d in enumerate(reversed(match.group(1))))
    return (10 - sum(map(int, doubled)) % 10) % 10 == int(match.group(2))


def _matches(pattern: re.Pattern[str]) -> Callable[[str], bool]:
    return lambda code: bool(pattern.fullmatch(code))


# By the `shape` of a code system in value_sets/manifest.toml: the test, and what a failure is called.
SHAPES: dict[str, tuple[Callable[[str], bool], str]] = {
    "sctid": (is_snomed_concept, "is no SNOMED CT concept id (check digit, partition or length)"),
    "loinc": (is_loinc, "is no LOINC code (check digit or shape)"),
    "icd10cm": (_matches(_ICD10CM), "is no ICD-10-CM code (write it with the dot)"),
    "cpt": (_matches(_CPT), "is no CPT code (five digits)"),
    "rxnorm": (_matches(_RXNORM), "is no RxNorm identifier"),
    "nucc": (_matches(_NUCC), "is no NUCC taxonomy code"),
    "hl7": (_matches(_HL7), "is no HL7 code"),
}
