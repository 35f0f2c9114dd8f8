"""A button before it has an id, and what becomes of buttons that a client cannot apply."""

from collections.abc import Iterable

from msgspec import Struct

from cards.card import LABEL_LIMIT, Action, CardError


class Button(Struct, frozen=True, gc=False):
    """One button. Without actions this client cannot apply it, and ``by_hand`` says what the clinician does instead.

    ``states``: pressing it is a clinician's statement, so that it is never ticked beforehand.
    """

    kind: str
    label: str
    actions: tuple[Action, ...] = ()
    recommended: bool = False
    by_hand: str = ""
    states: bool = False


class ButtonWords(Struct, frozen=True, gc=False):
    """What a button is called: for its id, on it, of what it does, and of what to do where it cannot be applied."""

    kind: str
    label: str
    action: str
    by_hand: str = ""


class Offered(Struct, frozen=True, gc=False):
    """The buttons that this client can apply, and what is left to do by hand."""

    buttons: tuple[Button, ...] = ()
    by_hand: tuple[str, ...] = ()


NOTHING_OFFERED = Offered()


def offered(buttons: Iterable[Button], most: int) -> Offered:
    """The first few buttons that work, and in words whatever does not."""
    working: list[Button] = []
    by_hand: list[str] = []
    for button in buttons:
        if button.actions:
            working.append(button)
        elif button.by_hand:
            by_hand.append(button.by_hand)
    return Offered(tuple(working[:most]), tuple(dict.fromkeys(by_hand)) if by_hand else ())


def fits(*labels: str) -> str:
    """The first wording that fits on a button, whole."""
    for label in labels:
        if len(label) < LABEL_LIMIT:
            return label
    raise CardError(f"no button label fits: {labels[-1]}")
