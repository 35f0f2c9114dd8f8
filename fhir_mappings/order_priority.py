"""How soon an order is wanted: its priority, or one of our codes among its reasons where a client keeps no priority."""

from __future__ import annotations

from fhir_mappings.elements import CodeableConcept

PRIORITIES = ("routine", "urgent", "asap", "stat")  # http://hl7.org/fhir/request-priority, the lowest first
_CODES = {f"priority-{priority}": priority for priority in PRIORITIES[1:]}


def priority_code(priority: str) -> str:
    """Our code that names this priority among the reasons; nothing for routine, which needs no words."""
    code = f"priority-{priority}"
    return code if code in _CODES else ""


def priority_codes() -> frozenset[str]:
    """Our codes that name a priority."""
    return frozenset(_CODES)


def priority_named_by(reason: CodeableConcept, own_system: str) -> str:
    """The priority that an entry among the reasons stands for, or nothing: it is a reason then."""
    for coding in reason.coding or ():
        if coding is not None and coding.system == own_system and coding.code in _CODES:
            return _CODES[coding.code]
    return ""


def higher_priority(one: str, other: str) -> str:
    """The more urgent of two; "" is none."""
    order = ("", *PRIORITIES)
    return max(one, other, key=order.index)


def priority_of(stated: object, named: str) -> str:
    """What the order states, else what its reasons name."""
    return stated if isinstance(stated, str) and stated in PRIORITIES else named
