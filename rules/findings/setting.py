"""Is the order placed in a specialist service for back pain? NICE asks for it; ACR and ACP do not."""

from rules.concepts import GROUPS
from rules.facts import ClinicalPicture
from rules.finding import Answer, Finding
from rules.findings.answers import UNKNOWN

_SPECIALIST = frozenset(GROUPS["spine-specialty"].concepts)
_GENERAL = frozenset(GROUPS["general-specialty"].concepts)
SPECIALIST = Finding("setting", Answer.YES, "specialist")
NON_SPECIALIST = Finding("setting", Answer.NO, "non-specialist")


def specialist_requester(picture: ClinicalPicture) -> bool:
    """Does the requester's own role or specialty treat back pain as a specialist?"""
    return not _SPECIALIST.isdisjoint(picture.requester_specialties)


def setting(picture: ClinicalPicture, specialist: bool) -> Finding:
    """The requester's specialty, else the encounter; where neither says so, both NICE readings are shown."""
    if specialist or picture.encounter_specialist:
        return SPECIALIST
    if picture.encounter_specialist is False or not _GENERAL.isdisjoint(picture.requester_specialties):
        return NON_SPECIALIST
    return UNKNOWN["setting"]
