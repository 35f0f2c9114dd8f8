"""Why a clinician may disagree, as coded menu entries.

Standard reasons come from the CDS Hooks 3.0 ballot, code system "Non-Adherence Reason Codes"
(http://terminology.hl7.org/CodeSystem/non-adherence-reason-codes; HL7/cds-hooks,
input/vocabulary/CodeSystem-non-adherence-reason-codes.json), with their official displays: those that fit one menu
line. The others are our own, for what that list cannot say about a lumbar study.
"""

from functools import lru_cache

from cards.card import OVERRIDE_DISPLAY_LIMIT, CardError, Coding
from cards.wording import wording
from rules.recommendation import Situation

NON_ADHERENCE = "http://terminology.hl7.org/CodeSystem/non-adherence-reason-codes"
_STANDARD = {
    "action-completed": "Recommended action was already completed",
    "action-unsuccessful": "Recommended action was previously unsuccessful",
    "does-not-align-latest-evidence": "Recommended action does not align with the latest evidence",
    "patient-contraindication": "Patient has contraindication to recommended action",
    "patient-refuses": "Patient refuses/declines (no context given)*",
    "risk-benefit-ratio": "Recipient assessment of risk/benefit ratio",
    "service-not-available": "Treatment or service is not practically available",
}
_OWN_NOT_IMAGING = ("red-flag-not-in-record", "planned-procedure", "specialist-asked", "reassurance-discussed")
_INSTEAD_OF_IMAGING = (*_OWN_NOT_IMAGING, "action-unsuccessful", "patient-refuses", "risk-benefit-ratio")
_ANOTHER_STUDY = (
    "specialist-asked",
    "planned-procedure",
    "service-not-available",
    "patient-contraindication",
    "patient-refuses",
    "risk-benefit-ratio",
)
_AT_ONCE = ("action-completed", "service-not-available", "patient-refuses", "risk-benefit-ratio")
_BY_SITUATION = {
    Situation.EMERGENCY: _AT_ONCE,
    Situation.IMMEDIATE: _AT_ONCE,
    Situation.POSSIBLE_CAUDA_EQUINA: _AT_ONCE,
    Situation.SAFETY: _ANOTHER_STUDY,
    Situation.SOURCE_NOT_READ: _OWN_NOT_IMAGING,
    Situation.WRONG_TEST: _ANOTHER_STUDY,
    Situation.ANSWER_MISSING: _OWN_NOT_IMAGING,
    Situation.PRIOR_IMAGING: _INSTEAD_OF_IMAGING,
    Situation.NOT_APPROPRIATE: _INSTEAD_OF_IMAGING,
}


@lru_cache(maxsize=64)
def override_reasons(situation: Situation, own_system: str) -> tuple[Coding, ...]:
    """The menu of one kind of card; none where there is nothing to disagree with."""
    return tuple(_coding(code, own_system) for code in _BY_SITUATION.get(situation, ()))


def reason_words(code: str) -> str:
    """A reason of our menus in words; nothing for a reason that a client made up itself."""
    return _STANDARD.get(code) or wording().override.get(code, "")


def _coding(code: str, own_system: str) -> Coding:
    if code in _STANDARD:
        return _checked(Coding(code, NON_ADHERENCE, _STANDARD[code]))
    return _checked(Coding(code, own_system, wording().override[code]))


def _checked(coding: Coding) -> Coding:
    if not 0 < len(coding.display) < OVERRIDE_DISPLAY_LIMIT:
        raise CardError(f"override reason {coding.code}: 1 to {OVERRIDE_DISPLAY_LIMIT - 1} characters of display")
    return coding
