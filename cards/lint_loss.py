"""One thing that a client would lose of an answer, and the small readers of answers that anybody may have written."""

from typing import Any, Literal

from msgspec import Struct


class Loss(Struct, frozen=True):
    """``lost``: not shown or not applied. ``changed``: otherwise than written. ``note``: nothing is lost."""

    place: str
    consequence: Literal["lost", "changed", "note"]
    why: str


def lost(place: str, why: str) -> Loss:
    """Not shown or not applied."""
    return Loss(place, "lost", why)


def note(place: str, why: str) -> Loss:
    """What to know."""
    return Loss(place, "note", why)


def text_of(holder: dict[str, Any], member: str) -> str:
    """A member that should be text, or nothing."""
    value = holder.get(member)
    return value if isinstance(value, str) else ""


def objects(values: object) -> list[dict[str, Any]]:
    """The objects of what should be a list of them."""
    return [each for each in values if isinstance(each, dict)] if isinstance(values, list) else []
