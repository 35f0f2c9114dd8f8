"""Whether a treatment is stated to be for something other than the back."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from msgspec import Raw

from fhir_mappings.codes import CodeReader, CodeReading, Memo
from fhir_mappings.elements import references_in
from fhir_mappings.fhir_records import NOTHING, Condition, Observation, Record
from fhir_mappings.page import Page
from rules.concepts import GROUPS

PAIN = frozenset(GROUPS["low-back"].concepts) | frozenset(GROUPS["leg-pain"].concepts)
# Reasons that speak of the lumbar spine as clearly as pain does.
_LUMBAR = PAIN.union(
    *(
        GROUPS[name].concepts
        for name in (
            "radiculopathy-coded", "leg-raise", "root-deficit", "cauda-equina-syndrome", "saddle-feature", "anal-tone",
            "bilateral-sciatica", "indication-yes-stated",
        )
    )
)  # fmt: skip
# Words that leave it open whether an unread reason is the back.
_MAY_BE_THE_BACK = re.compile(
    r"back|lumb|spin|sciat|radic|vertebr|dis[ck]|\blbp\b|\bleg|stenosis|\bpain\b(?!.*\b(?:knee|hip|shoulder|neck|chest|head)\b)",
    re.IGNORECASE,
)


def states_another_reason(codes: Raw, references: Raw, record: Record, page: Page) -> bool:
    """Is a reason given, and is none of the given reasons the back, for all that can be read?"""
    if codes is NOTHING and references is NOTHING:
        return False  # as of most
    if references is NOTHING:
        return _kept(page.codes).of(codes)
    coded = page.codes.lists.of(codes) if codes is not NOTHING else ()
    return _all_are_others([*coded, *[_linked(each, record, page) for each in references_in(references)]])


@lru_cache(maxsize=4)
def _kept(codes: CodeReader) -> Memo[bool]:
    """Of lists of reasons that were read before: is none of them the back?"""
    return Memo(lambda raw: _all_are_others(codes.lists.of(raw)))


def _all_are_others(readings: Sequence[CodeReading]) -> bool:
    return bool(readings) and not any(map(_may_be_the_back, readings))


def is_low_back(reading: CodeReading) -> bool:
    """Does the reading state low back pain, sciatica, or a sign of the lumbar roots or the cauda equina, present?"""
    return any(statement.concept in _LUMBAR and statement.present for statement in reading.statements)


def _may_be_the_back(reading: CodeReading) -> bool:
    if reading.statements:
        return is_low_back(reading)
    return not reading.says or _MAY_BE_THE_BACK.search(reading.says) is not None


def _linked(reference: str, record: Record, page: Page) -> CodeReading:
    found = page.lookup.find(reference, within=record)
    if isinstance(found, (Condition, Observation)):
        return page.codes.memo.of(found.code)
    return CodeReading()  # a reason that the call does not hold could be the back
