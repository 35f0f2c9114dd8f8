"""Entries among an order's reasons that are no reasons: they stand there because a client keeps nothing else.

A priority, for clients that drop ``ServiceRequest.priority``; and the word that no reason was stated.
"""

from __future__ import annotations

from fhir_mappings.elements import CodeableConcept

PRIORITIES = ("routine", "urgent", "asap", "stat")  # http://hl7.org/fhir/request-priority, the lowest first
NOT_STATED = "reason-not-stated"
_PRIORITY_CODES = {f"priority-{priority}": priority for priority in PRIORITIES[1:]}
_MARKERS = frozenset({NOT_STATED, *_PRIORITY_CODES})


def priority_code(priority: str) -> str:
    """Our code that names this priority among the reasons; nothing for routine, which needs no words."""
    code = f"priority-{priority}"
    return code if code in _PRIORITY_CODES else ""


def priority_codes() -> frozenset[str]:
    """Our codes that name a priority."""
    return frozenset(_PRIORITY_CODES)


def marker_in(reason: CodeableConcept, own_system: str) -> str:
    """The code by which an entry among the reasons says that it is none, or nothing."""
    for coding in reason.coding or ():
        if coding is not None and coding.system == own_system and coding.code in _MARKERS:
            return coding.code
    return ""


def higher_priority(known: str, marker: str) -> str:
    """The more urgent of a priority ("" is none) and the one that a marker may name."""
    order = ("", *PRIORITIES)
    return max(known, _PRIORITY_CODES.get(marker, ""), key=order.index)


def priority_of(stated: object, named: str) -> str:
    """What the order states, else what its reasons name."""
    return stated if isinstance(stated, str) and stated in PRIORITIES else named
